"""Rewrites colloquial forms into those that institutions use, so that a sentence and its passages can be compared.

"1년이 안 되어" becomes "1년 미만", "한 건에" "건당", "5천km" "5000km", "내지 않으셔도 돼요" "면제". Pure functions, which are
applied to passages, too, so that a verbatim quotation stays one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_Written = str | Callable[[re.Match[str]], str]
LOOSE = "\u200b"
"""Marks a comparison that may include its end: "2년이 안 됐다면" is said for "2년 이내" and for "2년 미만"."""
_UNIT = r"(?:km|㎞|킬로미터|킬로|주|포인트|점|마일|명|건|회|개)"
_SCALE = {"십": 10, "백": 100, "천": 1000, "만": 10_000, "십만": 100_000, "백만": 1_000_000}
_SCALED = re.compile(rf"(?<![\d.,])(\d[\d,]*)\s?(백만|십만|만|천|백|십)\s?(?={_UNIT}(?![가-힣]*(?:일|간)\b))")
_SPAN = r"(?:\d+|한|두|세|네|여섯)\s?(?:개월|달|년|일|주일?|시간|분|살|세)"
_AMOUNT = r"\d[\d,.]*\s?(?:[십백천만억]{1,2}\s?)*(?:원|%p?|퍼센트|달러|불|엔|유로|위안|km|점|명|건|회)"
_ORDINALS = {"첫": 1, "두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9, "열": 10}
_ORDINALS |= {"둘": 2, "셋": 3, "넷": 4}
_ORDINAL = re.compile(rf"(?<![가-힣])({'|'.join(_ORDINALS)})\s?(?:번째|회째|째(?=\s?[주일월화수목금토]))")
_FRACTION = re.compile(r"(?<![\d.,])(\d{1,3})\s?분의\s?(\d{1,3})(?![\d.,])")
_ANY = (
    rf"(?:{_AMOUNT}|{_SPAN}|하루|이틀|사흘|나흘|닷새|열흘|보름|일주일|반년|\d{{1,2}}(?::\d\d|시(?:\s\d+분)?)"
    r"|(?:한|두|세|네|다섯|여섯|일곱|여덟|아홉|열|\d+)\s?(?:번|회|건|개|명|장|통|매))"
)
_DAYS = {"하루": 1, "이틀": 2, "사흘": 3, "나흘": 4, "닷새": 5, "엿새": 6, "열흘": 10}
_DAY = "|".join(_DAYS)
_DAY_COUNT = (
    r"(?:(?P<number>\d+(?:(?:\s?[~∼-]|일?에서)\s?\d+)?)일"
    rf"|(?<![가-힣])(?:(?P<first>{_DAY})(?:에서|이나|\s?[~∼-])?\s?)?(?P<last>{_DAY}))"
)
_BUSINESS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_DAY_COUNT}(?:(?P<nth>째(?: 되는)?)|\s(?P<side>뒤|후|지난|전|앞))?\s?영업일",
        rf"{_DAY_COUNT}\s?\(영업일(?: 기준)?\)",
        rf"(?:영업일(?:\s?(?:기준|로|을 기준))?|평일\s?(?:기준|로))(?:으로)?(?:는|로)?\s(?:약\s)?{_DAY_COUNT}",
        r"(?P<number>\d+)번째\s영업일",
    )
)
"""The ways to write business days: "이틀 뒤 영업일", "3일(영업일 기준)", "평일 기준 사흘", "두 번째 영업일"."""
_SIDES = {"뒤": " 뒤", "후": " 후", "지난": " 뒤", "전": " 전", "앞": " 전"}
_MIXED = re.compile(r"(?<![\d.,])(\d{1,4})만\s(\d{1,3}(?:,\d{3})|\d{3,4})\s?원")
_NOT_PAID = re.compile(
    r"(?:수수료[는은를가도]?\s)?(?:(?:내지|부담하지|물지)\s않(?:으셔도|아도)|안\s(?:내셔도|내도|물어도))\s(?:되|돼|됩)[가-힣]*"
)
_PAPERS = re.compile(r"서류|증빙|신분증|통장|[가-힣]서(?:를|는|도|류)?\s|영수증|증명")
_WRITTEN: tuple[tuple[str, re.Pattern[str], _Written], ...] = tuple(
    (signs, re.compile(pattern), written)
    for signs, pattern, written in (
        ("㎞킬", r"(\d)\s?(?:㎞|킬로미터|킬로(?!그램|바이트))", r"\1km"),
        # A condition stays a condition, so its ending is kept.
        (
            "안못",
            rf"({_SPAN}|{_AMOUNT})(?:이|가|도|을|를)?\s(?:채 )?(?:안|못)\s?(?:되|돼|된|됐|됩|지나|채우|넘)[가-힣]*면(?![가-힣])",
            rf"\1 미만{LOOSE}이면",
        ),
        ("못", rf"({_AMOUNT})에 못 미[치쳐칠친][가-힣]*면(?![가-힣])", r"\1 미만이면"),
        ("보", rf"({_AMOUNT}|{_SPAN})보다\s(?:적|작|낮|짧|어리)[가-힣]*면(?![가-힣])", r"\1 미만이면"),
        ("보", rf"({_AMOUNT}|{_SPAN})보다\s(?:많|크|큰|높|길|긴)[가-힣]*면(?![가-힣])", r"\1 초과이면"),
        ("안못", rf"({_SPAN})(?:이|가|도)?\s(?:채 )?(?:안|못)\s?(?:되|돼|된|됐|됩|지나|채우|넘)[가-힣]*", rf"\1 미만{LOOSE}"),
        ("안못", rf"({_AMOUNT})(?:이|가|도)?\s(?:채 )?(?:안|못)\s?(?:되|돼|된|됐|됩)[가-힣]*", rf"\1 미만{LOOSE}"),
        ("못", rf"({_AMOUNT})에 못 미[치쳐칠친][가-힣]*", r"\1 미만"),
        ("넘", rf"({_ANY})(?:을|를)?\s?넘지\s?않(?:으면|으시면|아야)", r"\1 이하이면"),
        ("넘", rf"({_ANY})(?:을|를)?\s?넘지\s?(?:않[가-힣]*|못[가-힣]*)", r"\1 이하"),
        ("초", rf"({_ANY})(?:을|를)?\s?초과하지\s?(?:않[가-힣]*|못[가-힣]*)", r"\1 이하"),
        ("넘초", rf"({_ANY})(?:을|를)?\s?(?:넘을|초과할|넘길) 수(?:는|가)? 없[가-힣]*", r"\1 이하"),
        ("시", r"(오전|오후|새벽|밤|저녁|아침|낮)?\s?(?<![\d:])(\d{1,2})\s?[~∼-]\s?(\d{1,2})시(?!간)", r" \1 \2시~\1 \3시"),
        ("좌", r"(?<![가-힣\d])(\d{1,2})\s?계좌(?=만|까지|를|씩|당|가|\s)", r"\1개 계좌"),
        ("밑래", rf"({_AMOUNT})(?:의)?\s?(?:밑|아래)(?=[으로의인에이 ])", r"\1 미만"),
        ("보", rf"({_AMOUNT}|{_SPAN})보다\s(?:적|작|낮|짧|어리)[가-힣]*", r"\1 미만"),
        ("보", rf"({_AMOUNT}|{_SPAN})보다\s(?:많|크|큰|높|길|긴)[가-힣]*", r"\1 초과"),
        ("웃", rf"({_AMOUNT}|{_SPAN})(?:을|를)?\s?웃(?:도|돌)[가-힣]*(?:\s되면)?", r"\1 초과"),
        ("밑", rf"({_AMOUNT}|{_SPAN})(?:을|를)?\s?밑(?:도|돌)[가-힣]*(?:\s되면)?", r"\1 미만"),
        ("달", r"(\d{1,2}월)\s?한\s?달(?:간|\s?동안)?", r"\1"),
        ("듬", r"(?<![가-힣])이듬해", "다음 해"),
        ("년해", r"(?<![가-힣])(?:일\s년|한\s해)(?=[에당]?\s(?:최대\s)?(?:\d|[가-힣]{1,3}\s?[번회차]))", "1년"),
        ("례", r"(?<=[가-힣\d])\s?차례(?=[만까를씩는 ,.]|$)", " 번"),
        ("튿", r"(?<![가-힣])이튿날", "다음 날"),
        ("쉬", r"(?<![가-힣])쉬는\s?날", "휴무일"),
        ("값", r"(?<![가-힣])반값", "50%"),
        ("(", rf"(?:{_SPAN}|하루|이틀|사흘|나흘|닷새|열흘|보름|일주일|반년)(?:\s?정도)?\s?\((?=\d[^)]{{1,8}}\))", "("),
        ("종낮4", r"(?:(?:하루\s?종일|온종일)(?=\s(?:[가-힣]+\s)?(?:운영|이용|상담|접수|가능|신고|신청|열))"
         r"|밤낮(?:으로|없이)?|(?:1일|하루)\s?24시간)", "24시간"),
        ("종", r"(?<![가-힣])하루\s?종일", "종일"),
        ("건회통좌장", r"(?:한|1)\s?(건|회|통|좌|장)(?:에|마다)(?=\s)", r"\1당"),
        ("번", r"(?:한|1)\s?번(?:에|마다)(?=\s(?:최대 )?\d)", r"건당"),
        ("%", r"(\d)%\s포인트(?=\s?적립|로\s?(?:적립|쌓|돌려))", r"\1% 적립포인트"),
        ("자", r"(?<!연체)이자(?:가|는|도)?\s(?:붙지 않|안 붙|없)(?:[가-힣]*)", "무이자이고"),
        ("째", r"(\d)\s?회째", r"\1번째"),
        ("않", r"(?:바뀌|변경되|변동되|달라지|변하)지(?:는|도)?\s않[가-힣]*", "그대로 유지됩니다"),
        ("절", r"(?<![가-힣])절반", "50%"),
        ("연", r"(\d+)개\s?연도", r"\1년"),
        ("월", r"(\d{1,2})월\s?(\d{1,2})일(부터|에서)\s(\d{1,2})일", r"\1월 \2일\3 \1월 \4일"),
        ("른", r"다른 은행", "타행"),
        ("않못", r"(?<=[가-힣]지)(?:는|도) (?=않|못)", " "),
        ("앞", r"앞뒤(?=로|\s?\d|\s각)", "전후"),
        ("운", r"(?<![가-힣])가운데(?=\s|에)", "중"),
        ("세", r"세금(?:이|은|도)?\s?(?:없|안 (?:내|붙|물)|붙지 않|내지 않|부과되지 않)(?:[가-힣]*)", "비과세이고"),
        ("없무않", r"(?<![가-힣])(?!제한)([가-힣]+)[와과에]\s?(?:상관|관계)\s?없이|([가-힣]+)[와과에]\s무관하게"
         r"|([가-힣]+)을?를?\s(?:따지|가리)지\s않고", r"\1\2\3 제한 없이"),
    )
)  # fmt: skip
"""(characters, pattern, replacement): a text without any of the characters cannot match the pattern."""


@lru_cache(maxsize=4096)
def written_form(text: str) -> str:
    """The text with colloquial forms replaced by those that institutions use; everything else is unchanged."""
    characters = frozenset(text)
    for signs, pattern, written in (*_WRITTEN, *_COMPUTED):
        if not characters.isdisjoint(signs) and (replaced := pattern.sub(written, text)) != text:
            text, characters = replaced, frozenset(replaced)
    return text


def sentence_form(text: str) -> str:
    """`written_form` of a sentence of a model, with "영업일 기준 3일" written as "3영업일"."""
    return _with_business_days(written_form(text), _business_days)


@lru_cache(maxsize=512)
def passage_form(text: str) -> str:
    """`written_form` of a passage, in which "영업일 기준 3일" is followed by "(3영업일)", so that it states both."""

    def with_both(match: re.Match[str]) -> str:
        written = _business_days(match)
        return match[0] if written == match[0] else f"{match[0]}({written})"

    text = _with_business_days(written_form(text), with_both)
    return _BEYOND.sub(r"\1까지\2\1 \3", text)


def _with_business_days(text: str, written: Callable[[re.Match[str]], str]) -> str:
    for pattern in _BUSINESS if "영업일" in text or "평일" in text else ():
        text = pattern.sub(written, text)
    return text


def _business_days(match: re.Match[str]) -> str:
    """The number of business days of a match of _BUSINESS: "2영업일 뒤" for "이틀 뒤 영업일"."""
    groups = match.groupdict()
    # "25일 영업일" is a date.
    if groups["number"] and "side" in groups and not groups["nth"] and not groups["side"]:
        return match[0]
    days = re.sub("일?에서\\s?", "~", groups["number"] or "") or "~".join(
        str(_DAYS[groups[name]]) for name in ("first", "last") if groups[name]
    )
    return f"{days}영업일{_SIDES.get(groups.get('side') or '', '')}"


_BEYOND = re.compile(rf"({_AMOUNT}|{_SPAN})까지([^.\n\d]{{1,12}}?)(초과하면|초과하는|넘으면|넘는)")
"""Matches a limit whose excess does not repeat it: "50km까지 무료이고 초과하면"."""
_REST = re.compile(
    rf"((?:만\s)?{_AMOUNT}|{_SPAN})\s?(미만|이하|초과|이상)(?P<of>[가-힣]{{1,3}}(?:\s(?:분|고객|경우)[가-힣]{{0,3}})?)\s"
    r"(?P<what>[^,.]*?)수(?:는|가)? 없(?P<end>[가-힣]*)"
)
_RESUMED = re.compile(
    rf"(?P<before>(?P<value>{_AMOUNT}|{_SPAN})\s?(?P<first>이하|이상|미만|초과)(?:[^.\n]|(?<=\d)\.(?=\d)){{2,40}}?(?<=[,며고]\s))"
    r"(?P<second>초과|미만|이상|이하)(?=분|이면|인\s|은\s|일\s|되면|하면)"
)
_OTHER_SIDE = {"미만": "이상", "이상": "미만", "이하": "초과", "초과": "이하"}


def of_the_rest(text: str) -> str:
    """A sentence that denies something on one side of a threshold ("19세 미만은 신청할 수 없습니다"), affirming it on the
    other; empty for other sentences."""
    if len(matches := list(_REST.finditer(text))) != 1:
        return ""
    match = matches[0]
    affirmed = f"{match[1]} {_OTHER_SIDE[match[2]]}{match['of']} {match['what']}수 있{match['end']}"
    return text[: match.start()] + affirmed + text[match.end() :]


def _write_waived(match: re.Match[str]) -> str:
    """Write "내지 않으셔도 됩니다" as a waived fee, unless documents stand before it, which need not be submitted."""
    is_document = _PAPERS.search(match.string[max(0, match.start() - 20) : match.start()])
    return match[0] if is_document else "수수료가 면제됩니다"


def _write_percentage(match: re.Match[str]) -> str:
    """Write "4분의 1" as "25%", with at most two decimals."""
    whole, part = int(match[1]), int(match[2])
    return match[0] if not whole else f"{round(100 * part / whole, 2):g}%"


def _repeat_threshold(match: re.Match[str]) -> str:
    """Repeat the value in "50만원 이하는 무료, 초과분은 500원": "50만원 초과분"."""
    is_rest = _OTHER_SIDE[match["second"]] == match["first"]
    return f"{match['before']}{match['value']} {match['second']}" if is_rest else match[0]


_COMPUTED: tuple[tuple[str, re.Pattern[str], _Written], ...] = (
    ("번회째", _ORDINAL, lambda match: f"{_ORDINALS[match[1]]}번째"),
    ("만", _MIXED, lambda match: f"{int(match[1]) * 10_000 + int(match[2].replace(',', ''))}원"),
    ("되돼됩", _NOT_PAID, _write_waived),
    ("분", _FRACTION, _write_percentage),
    ("초이미", _RESUMED, _repeat_threshold),
    ("십백천만", _SCALED, lambda match: str(int(match[1].replace(",", "")) * _SCALE[match[2]])),
)

_PER = tuple(
    (re.compile(pattern), f" {token} ")
    for pattern, token in (
        (r"(?<![\d가-힣])(?<!1일 )(?<!하루 )(?<!하루에 )(?<!월 )(?<!@일 )(?:1|한)\s?(?:회|번|차례|건)(?!차|째|용|호|강|물)"
         r"(?:당|에|마다)?|건당|회당", "@회"),
        (r"(?<![\d월가-힣+])(?<!월 )1일(?!자|부터|까지|\s?(?:이내|안|전|후|이상))(?:에|당)?"
         r"|하루(?:에|당)?(?!\s?(?:전|뒤|이내|안))|매일", "@일"),
        (r"(?<![\d가-힣])(?:1개월|한\s?달)(?:에|마다|당)?(?=\s(?:최대\s)?\d)|매[월달](?!\s?\d{1,2}\s?일)"
         r"|(?<![\d가-힣])월(?=\s?(?:최대\s)?\d|\s[가-힣]{2,4}\s?(?:한도|금액|횟수))", "@월"),
        (r"(?<![\d가-힣])(?:1년|한\s?해)(?:에|마다|당)(?=\s(?:최대\s)?\d)|연간|해마다(?!\s?\d)|매년(?!\s?\d)", "@년"),
        (r"(?<![\d가-힣])(?:1|한)\s?(?:인|명|사람)(?:당|에게|이|에)?(?![가-힣])|한\s?분(?:당|에게|이)?(?![가-힣])|인당", "@인"),
        (r"(?<![\d.,])1?\s?km(?:당|마다)", "@거"),
        (r"매수|(?<![가-힣])(?:구매|매입)(?=할|하|[은는이가을를]?\s)|(?<![가-힣])(?:살|사실) 때|사고팔", "@삼"),
        (r"매도|(?<![가-힣])(?:팔|파실) 때", "@팜"),
    )
)  # fmt: skip
"""Patterns of periods, units and sides of a trade, which distinguish values without being values, each with its sign."""
_LETTER = re.compile(r"(?<![A-Za-z0-9@])([A-Z])(?![A-Za-z0-9])")
"""The letter of a class: "C군 종목"."""
_UNMET = re.compile(r"미(?:적용|해당)|(?:적용|해당)(?:되지|하지) ?않(?:을|는|은)?")
_MET = re.compile(r"적용(?=$|되면|하면|될 때|할 때|되는 (?:때|날|기간|경우)| 시\s)")
"""_UNMET matches that something does not apply, _MET that it does. Without signs they would have the same words."""
_LISTED_KINDS = re.compile(
    r"((?:[가-힣]{2,8}·)+)([가-힣]{2,8}?)(요금|대출|예금|적금|보험|카드|수수료|거래|주식|주문|종목|계좌|증명서)(?![가-힣·])"
)
"""Kinds of a thing that is named only once: "전기·전화요금"."""
_FREE = re.compile(
    r"(?:무료|공짜|무상|면제(?!\s?(?:항목|횟수|한도|잔여|사유)))(?![가-힣]{0,3}\s?(?:않|아니|아닙|제외))"
    r"|(?<=[료용금세비])(?:[가이는은를도])?\s(?:없(?!는)|받지 않|내지 않|들지 않|부과되지 않|안 (?:받|내|들|붙))"
)


def marked(text: str) -> str:
    """The text with the signs of _PER and others ("하루에" becomes "@일"), and "0원" for what is free."""
    for pattern, token in _PER:
        text = pattern.sub(token, text)
    text = _LETTER.sub(r" @\1 ", text)
    text = _LISTED_KINDS.sub(lambda match: match[1].replace("·", f"{match[3]}·") + match[2] + match[3], text)
    return _FREE.sub(" 0원 ", _MET.sub(" @적 ", _UNMET.sub(" @미 ", text)))
