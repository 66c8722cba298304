"""Patterns of numerals and quantities in Korean text, in the order in which they are tried.

A unit of one syllable counts only if the next syllable does not make it another word ("주소", "세금", "시스템"). A spelled-out
numeral counts only at the beginning of a word (not in "사이", "구매"), and not if numeral and unit are a word ("사회", "이번").
"""

from __future__ import annotations

import re
from decimal import Decimal

_SINO = dict(zip("영공일이삼사오육륙칠팔구", map(Decimal, (0, 0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9)), strict=True))
_SMALL = {"십": Decimal(10), "백": Decimal(100), "천": Decimal(1000)}
_BIG = {"만": Decimal(10**4), "억": Decimal(10**8), "조": Decimal(10**12)}
_ONES = ("한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_TENS = ("열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_FRACTIONS = {"½": Decimal("0.5"), "¼": Decimal("0.25"), "¾": Decimal("0.75")}

NATIVE = {
    **{one: Decimal(i) for i, one in enumerate(_ONES, 1)},
    **{ten: Decimal(10 * i) for i, ten in enumerate(_TENS, 1)},
    **{ten + one: Decimal(10 * i + j) for i, ten in enumerate(_TENS, 1) for j, one in enumerate(_ONES, 1)},
    **{"스무": Decimal(20), "석": Decimal(3), "넉": Decimal(4)},
    **{"하나": Decimal(1), "둘": Decimal(2), "셋": Decimal(3), "넷": Decimal(4)},
}
"""Native numerals, in the form they have before a counter (한, 두, 열네, 스무) and alone (하나, 둘)."""

DIGITS = r"(?:\d{1,3}(?:,\d{3}){1,5}|\d{1,16})(?:\.\d{1,8})?[½¼¾]?"
_SCALE = r"(?:[십백천]\s?[만억조](?!기)|[십백천만억조](?!기))"
ARABIC = rf"(?:{DIGITS}\s?{_SCALE}(?:\s?{DIGITS}{_SCALE}){{0,3}}(?:(?<=[천만억]){DIGITS})?|{DIGITS})"
"""Digits with Korean scales: 5, 5,000, 3.5, 5천만, 1억 5천만. The 만 of "1년 만기" is no scale. Repetitions are bounded, so that
the time for a long run of digits is linear."""
_SPELLED = "[영공일이삼사오육륙칠팔구십백천만억조]"
SINO = rf"(?={_SPELLED})(?<![가-힣])(?<!몇 )(?<!수 ){_SPELLED}{{1,16}}(?:점[영공일이삼사오육칠팔구]{{1,4}})?"
"""Syllables at the beginning of a word that may be a spelled-out Sino-Korean numeral; the unit after them decides."""
_SINO_PARTS = rf"{SINO}(?:(?:(?<=[만억조])\s|(?<=[십백천])\s(?=[만억])){_SPELLED}{{1,8}}){{0,2}}"
"""The same with spaces around the big scales: "이조 오천억", "일억 이천만", "이천 만"."""

_PART = re.compile(r"\d[\d,]*(?:\.\d+)?|.", re.DOTALL)

_FREE = r"(?=\d)(?<![\d.,])"
_ARABIC = rf"{_FREE}(?:{ARABIC})"
_NATIVE = "(?:" + "|".join(sorted(NATIVE, key=len, reverse=True)) + ")"
_NATIVE_FREE = (
    rf"(?=[한두세네다여일아열스서마쉰예석넉하둘셋넷])(?:(?<![가-힣])|(?=다섯|여섯|일곱|여덟|아홉|열네|열다섯)){_NATIVE}"
)
_NEXT = (
    r"(?=$|[^가-힣]|[이가은는을를에의도만로으까부씩정쯤나미초라고면예요동간전후뒤마틀연중안내반당짜넘하됐되있신"
    r"과와랑보남]|인(?!정|사|형|회))"
)
"""Follows a counter after a spelled-out numeral: no Hangul, or the first syllable of a particle or ending."""
_LOW = rf"(?=\d)(?:(?P<low>{_ARABIC})\s?[~〜∼–-]\s?)?"

_WON = r"원(?!칙|천징|리금|금[과은이을]|본[은이을 ]|화(?!폐)|활|하시|하는|격)"
_SCALED = (
    rf"(?:(?:(?<!제){DIGITS}조\s?(?={DIGITS}\s?[십백천]?억))?"
    rf"{DIGITS}\s?[십백천]?[만억](?!기|료|원)(?:\s?{DIGITS}[십백천만]{{1,3}}){{0,3}})"
)
"""An amount without 원. 조 counts only before 억, because "3조" alone is a clause of a contract."""
_DOLLAR = r"(?:달러|불(?!가능|가합|편|이익|입금|만족|법|량|확실|안|균등|필요|완전|허|일치)|USD|US\$)"
_CURRENCY = rf"(?:(?P<usd>{_DOLLAR})|(?P<jpy>엔(?![진드트딩])|JPY)|(?P<eur>유로(?!운)|EUR)|(?P<cny>위안|CNY)|(?P<gbp>파운드|GBP))"

_ONE_PLEASE = (
    r"한\s?(?:번만\s?(?:더\s|좀\s)?(?:알려|도와|봐|확인|부탁|설명|물어|가르쳐)"
    r"|(?:장|통|부|개|건)(?:만)?\s?(?:좀\s?)?(?:떼|뗄|뽑|발급|만들|끊|출력|신청|부탁|주세|줘))"
)
"""The one of a polite request, which is no number that a row must state: "한 장 떼주세요", "한 번만 알려주세요"."""
_MINUTES = r"(?P<mi>[0-5]?\d|[이삼사오]?십[일이삼사오육칠팔구]?|[일이삼사오육칠팔구])"
_HOUR_NEXT = r"(?!간|스|장|중은|세|행|도[^ ]|점|작|대|급)"
_DAYPART = r"(?P<part>오전|오후|새벽|아침|낮|저녁|밤|am|pm|AM|PM)"

PATTERNS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (kind, signs, re.compile(pattern))
    for kind, signs, pattern in (
        (
            "phone",
            "01",
            r"(?<![\d+-])(?:0\d{1,2}[-) .]\s?\d{3,4}[-. ]\d{4}|01\d{8,9}|1[5-9]\d{2}[-. ]\d{4}|080\d{7})(?![\d-])",
        ),
        ("phone", "+", r"(?<!\d)\+\d{1,3}-\d{1,3}-\d{3,4}-\d{4}(?![\d-])"),
        ("phone", "1", r"(?<![\d-])1[568]\d{6}(?!\d|원|만|,|\.\d)"),
        (
            "date",
            "12",
            rf"{_FREE}(?P<y>(?:19|20)\d{{2}})\s?(?:[-./]\s?(?P<m>0?[1-9]|1[0-2])(?:\s?[-./]\s?(?P<d>[12]\d|3[01]|0?[1-9])(?!\d))?"
            r"(?![\d-]|\.\d)\.?|년(?:도)?(?:\s?(?P<m2>1[0-2]|0?[1-9])\s?월(?:\s?(?P<d2>[12]\d|3[01]|0?[1-9])\s?일)?)?(?!\s?만기))",
        ),
        (
            "date",
            "월",
            rf"{_FREE}(?P<m>1[0-2]|0?[1-9])\s?월(?!\s?\d+\s?(?:회|만|번|건|천|백|억|통|개|종))(?:\s?(?P<d>[12]\d|3[01]|0?[1-9])\s?일)?",
        ),
        ("date", "일", r"(?:매월|매달|매년|당월|익월|전월|다음 ?달|이번 ?달)\s?(?P<d>[12]\d|3[01]|0?[1-9])\s?일"),
        (
            "date",
            "날자로",
            rf"{_FREE}(?P<d>[12]\d|3[01]|0?[1-9])\s?일(?=\s?날(?!짜)|자(?!리|동)|로\s?(?:바꾸|바꿀|바꿔|변경|옮기|옮길|옮겨))",
        ),
        (
            "time",
            ":",
            rf"(?=[\d오새아낮저밤aApP])(?:{_DAYPART}\s?)?(?<![\d:])(?P<h>[01]?\d|2[0-3]|24(?=:00)):(?P<mi>[0-5]\d)(?::[0-5]\d)?(?!\d|:\d)",
        ),
        (
            "time",
            "시",
            rf"(?=[\d오새아낮저밤aApP])(?:{_DAYPART}\s?)?(?<![\d.,])(?P<h>[01]?\d|2[0-4])\s?시{_HOUR_NEXT}"
            rf"(?:\s?{_MINUTES}\s?분|\s?(?P<half>반)(?=$|[^가-힣]|까지|이|예|에|부터|씩|은|쯤|경))?",
        ),
        (
            "time",
            "시",
            rf"(?=[오새아낮저밤aApP열한두세네다여일])(?:{_DAYPART}\s?)?(?<![가-힣])(?!두시(?:면|는|고|지|며))"
            r"(?P<h>열한|열두|열|한|두|세|네|다섯|여섯|일곱|여덟|아홉)\s?시"
            rf"(?:\s?{_MINUTES}\s?분|\s?(?P<half>반))?(?=$|[^가-힣]|[에부까이인쯤경정가는은로넘전후면예요도나])",
        ),
        ("time", "정", r"(?<![가-힣])(?:(?P<noon>정오)|(?P<midnight>자정))"),
        ("rate", "분", rf"(?P<of>{_FREE}\d{{1,3}}|{SINO})\s?분의\s?(?P<n>\d{{1,3}}(?!\d)|[일이삼사오육칠팔구]{_NEXT})"),
        ("money", "원", rf"(?<!제){_LOW}(?P<n>{_ARABIC})\s?{_WON}"),
        ("money", "달불U엔J유E위C파G", rf"(?=[미\d])(?:미화\s?)?{_LOW}(?P<n>{_ARABIC})\s?(?:미국\s?|미)?{_CURRENCY}"),
        (
            "money",
            "UJEGK$¥€£₩미",
            rf"(?=[UJEGK$¥€£₩미])(?:(?P<usd>USD|US\$|\$|미화)|(?P<jpy>JPY|¥)|(?P<eur>EUR|€)|(?P<gbp>GBP|£)|(?P<krw>KRW|₩))\s?(?P<n>{_ARABIC})",
        ),
        ("money", "십백천만억조", rf"(?P<n>{_SINO_PARTS})(?<=[십백천만억조])\s?(?:{_WON}|{_CURRENCY})"),
        (
            "money",
            "억만",
            r"(?P<n>(?<![가-힣])[일이삼사오육칠팔구십]억\s?[일이삼사오육칠팔구]천만?"
            rf"|(?<![가-힣])[일이삼사오육칠팔구십백천]*[일이삼사오육칠팔구십](?:천만|백만|십만|억|만)){_NEXT}",
        ),
        (
            "rate",
            "%퍼프",
            rf"{_LOW}(?P<n>{_ARABIC})\s?(?:(?P<pp>%\s?p(?![a-z])|%\s?포인트|%P|퍼센트\s?포인트|프로\s?포인트)|%"
            r"|퍼센트|퍼(?=$|[^가-힣]|[가나예에인는를로만대])|프로(?!그램|모션|필|세서|젝트|드))",
        ),
        (
            "rate",
            "할",
            rf"(?P<tenths>{_FREE}[1-9]|(?<![가-힣])(?:[삼사오육칠팔]|구(?=할\s?(?:이상|이하|정도|까지|쯤))))할(?=$|[^가-힣]|[이을은도로씩만]\s|까지|정도|이상|이하|쯤)",
        ),
        ("rate", "퍼프", rf"(?P<n>{SINO})\s?(?:(?P<pp>퍼센트\s?포인트)|퍼센트|프로{_NEXT})"),
        (
            "age",
            "세살",
            rf"(?=[만\d])(?:만\s?)?{_LOW}(?P<n>(?<!\d)\d{{1,3}})\s?(?:세(?!대|트|부(?!터)|금|율|전|후|탁|션|기|무|액)|살(?!\s?(?:연상|연하|차이|터울)))",
        ),
        (
            "age",
            "세살",
            rf"(?:만\s?)?(?P<n>(?<![가-힣])(?:[일이삼사오육칠팔구]?십[일이삼사오육칠팔구]?|백(?=\s?[세살])))\s?[세살]{_NEXT}",
        ),
        (
            "age",
            "세살",
            rf"(?=[만한두세네다여일아열스서마쉰예석넉하둘셋넷])(?:만\s?)?(?P<n>{_NATIVE_FREE})\s?(?:살|세(?=\s?(?:미만|이상|이하)))(?!펴|아|\s?(?:연상|연하|차이|터울))",
        ),
        ("age", "대", r"(?P<decade>(?<!\d)[1-9]0)대(?=$|\s|[도만는가인의])"),
        ("age", "미", r"(?P<minor>미성년)(?:자)?"),
        (
            "duration",
            "일월달년초주시분",
            rf"{_LOW}(?P<n>{_ARABIC})\s?(?:(?P<business>영업일|은행\s?영업일|거래일)|(?P<month>개월|달(?!러|라|력))|(?P<year>년(?!도|생|월|금|말|초))"
            r"(?:\s?(?:(?P<more>\d{1,2})\s?(?:개월|달)|(?P<half>반)(?![가-힣])))?|(?P<second>초(?!과|기|본))"
            r"|(?P<week>주(?=일|간|차|째|마다|\s?(?:동안|이내|안에|뒤|후|전|걸|만에|정도|내)))(?:일(?!로))?"
            r"|(?P<hour>시간)(?:\s?(?:(?P<min>\d{1,2})\s?분|(?P<half2>반)(?![가-힣])))?|(?P<minute>분(?!기|할|류|야|납|석|의))"
            r"|(?P<day>일(?!년|개월|주일|부(?!터)|반|련|괄|정|시[^에]|자리|요일|차리)))",
        ),
        (
            "duration",
            "달월시해주",
            rf"(?P<n>{_NATIVE_FREE})\s?(?:(?P<month>달(?!러|라|력|리)|개월)(?:\s?(?P<half>반)(?![가-힣]))?"
            r"|(?P<hour>시간)(?:\s?(?P<half2>반)(?![가-힣]))?|(?P<year>해(?=\s?(?:동안|에|마다)))"
            r"|(?P<week>주(?=\s?(?:동안|안에|뒤|후|전|정도|일))))(?:일)?",
        ),
        (
            "duration",
            "월년주일",
            r"(?P<n>(?<![가-힣])[일이삼사오육칠팔구십]{1,3})\s?"
            r"(?:(?P<month>개월)|(?P<year>년(?!도|생|월|금|말|초))(?:\s?(?P<half>반)(?![가-힣]))?|(?P<week>주일)"
            r"|(?P<business>영업일|거래일))",
        ),
        (
            "duration",
            "십",
            r"(?=[이삼사오육칠팔구십])(?P<n>(?<![가-힣])[이삼사오육칠팔구]?십[일이삼사오육칠팔구]?)\s?"
            rf"(?:(?P<hour>시간)|(?P<minute>분)|(?P<day>일)){_NEXT}",
        ),
        (
            "duration",
            "반하틀흘닷엿보일",
            r"(?<![가-힣])(?P<word>반년|반\s?시간|하루(?!빨리)|이틀|사흘|나흘|닷새|엿새|열흘|보름|일일(?=\s?(?:이체|한도|이용|출금|최대|\d)))",
        ),
        (
            "grade",
            "급위세종",
            rf"{_FREE}(?:(?P<low>\d{{1,2}})\s?[~〜∼–-]\s?)?(?P<n>\d{{1,2}})\s?(?P<unit>등급|순위|세대(?!주|원|분리|별|당|수|교체)"
            r"|종(?!류|목|합|료|이|전)|급(?!여|전|등|행|격|증|히|감|차|수))",
        ),
        (
            "grade",
            "급위세",
            r"(?P<n>(?<![가-힣])[일이삼사오육칠팔구십]{1,2})\s?(?P<unit>등급|순위|세대(?!주|원|분리|별|당|수|교체))",
        ),
        ("grade", "택권", r"(?<![\d.,])(?P<n>\d)(?P<unit>주택|금융권)"),
        (
            "length",
            "자",
            rf"(?=[\d한두세네다여일아열스])(?:(?P<low>\d{{1,2}})\s?[~〜∼–-]\s?)?(?P<n>(?<!\d)\d{{1,2}}|{_NATIVE_FREE})"
            r"\s?(?:자리|자(?=[ .,)]|$|이상|이하|이내|로 ))",
        ),
        ("length", "숫", rf"숫자\s?(?P<n>\d{{1,2}}|{_NATIVE})\s?(?:개(?!월|인)|자리)"),
        (
            "count",
            "회번차명인사건개장통매곳가배주포대단부종k",
            rf"{_LOW}(?P<n>{_ARABIC})\s?(?:(?P<times>회(?!차|원|사|비|복|전)|번(?!호|째|지|대)|차례)"
            r"|(?P<people>명(?!의|세|령|시|절)|인(?!증|출|감|터|정|데|지만|가요)|사람)|"
            r"(?P<round>회차|번째|차(?![량이단액별]))|(?P<unit>건(?!강|물|전)"
            r"|개(?!설|인|통|월|정|발|시|시간|명|편)|장(?!기|애|소)|통(?!장|신|화|합|지)"
            r"|매(?!수|도|월|년|달|출)|곳|가지|배(?!송|당|우|정|터|율)|주(?!택|민|소|식|차|문|거|의|요|기|일|간)"
            r"|종목|포인트|대(?!출|상|금|리|기|면|표|체|비)|단계|부(?!터|족|동|과|분|채)|km))",
        ),
        (
            "count",
            "번차명분사건개장통곳가배",
            rf"(?!{_ONE_PLEASE})(?P<n>{_NATIVE_FREE})\s?(?:"
            r"(?P<times>(?:(?<!한)(?<!한 )번(?!호|째|지|에)|번(?=만|까지|씩|으로|이상|이내|\s이[상내]))|차례)"
            r"|(?P<people>명(?!의|세|령|시|절)|분(?!실|기|할|류|야|석|증)|사람)"
            rf"|(?P<unit>건|개|장|통|곳|가지|배)){_NEXT}",
        ),
        ("count", "회", rf"(?P<n>(?<![가-힣])[일삼오육칠팔십])\s?(?P<times>회)(?!용|성|원|사|비|복){_NEXT}"),
        (
            "count",
            "번",
            rf"(?P<n>(?<![가-힣])[이삼사오육칠팔구]?십[일이삼사오육칠팔구]?)\s?(?P<times>번)(?!호|째|지){_NEXT}",
        ),
        (
            "money",
            "억만",
            rf"{_LOW}(?P<n>(?<![\d.,])(?:{_SCALED}|{DIGITS}\s?천만))(?!\s?(?:명|건|포인트|개|회|점|주(?!문|택|담)|마일|대(?!출)|보(?!내|낸|증)))",
        ),
        ("number", "", r"(?=\d)(?<![\d.,])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"),
    )
)
"""(dimension, characters, pattern): a text without any of the characters cannot match; "" where any text may."""

COMPARATOR = re.compile(
    r"\s?(?P<side>전|후|뒤|이후|이전)?(?:을|를|이(?![상하내후전])|가)?\s?"
    r"(?:(?P<ge>이상|부터|이후)|(?P<gt>초과|넘[는어으지겨게])|(?P<le>이하|이내|까지|안에|내(?=에|$|[^가-힣]))|(?P<lt>미만))?"
)
_TERM_LIMIT = r"(?:[가-힣]{1,6}\s?)?기간(?:은|는)\s?"
AT_MOST = re.compile(
    rf"(?:최대|최고|최장)\s?(?:{_TERM_LIMIT})?(?:연\s?|월\s?|약\s?|1회\s?|1일\s?|하루\s?)?(?:\d회\s?)?$"
)
AT_LEAST = re.compile(r"(?:최소|최저|최단|적어도)\s?(?:연\s?|월\s?|약\s?)?$")


def number(numeral: str) -> Decimal:
    """The value of a numeral in digits, Sino-Korean or native words, or mixed: "1억 5천만", "오천만", "열네", "삼점오"."""
    numeral = numeral.strip()
    if numeral in NATIVE:
        return NATIVE[numeral]
    whole, _, decimals = numeral.partition("점")
    value = _sum(whole)
    if decimals:
        value += Decimal("0." + "".join(str(_SINO[digit]) for digit in decimals))
    return value


def _sum(numeral: str) -> Decimal:
    total = section = Decimal(0)
    current: Decimal | None = None
    last_scale = ""
    for part in _PART.findall(numeral):
        if part in _BIG:
            section += current or 0
            total += (section or 1) * _BIG[part]
            section, current, last_scale = Decimal(0), None, part
        elif part in _SMALL:
            section += (1 if current is None else current) * _SMALL[part]
            current, last_scale = None, last_scale + part
        elif part in _FRACTIONS:
            current = (current or Decimal(0)) + _FRACTIONS[part]
        elif part in _SINO:
            # Digits without scales are a number written digit by digit: "이공이육".
            current = _SINO[part] if current is None else current * 10 + _SINO[part]
        elif part[0].isdigit():
            current = Decimal(part.replace(",", ""))
    # "1억 5천" is 1억 5천만: the second 만 is usually left out.
    if last_scale == "억천" and current is None:
        section *= _BIG["만"]
    return total + section + (current or 0)
