"""Which kind of value does a question ask for, and does a row contain one? "만 몇 세까지" asks for an age.

A row on the same subject without an age does not answer it, however well it matches: the customer would read other numbers of the
row as the answer. For durations the order of magnitude counts, too: "며칠" is not answered by "10년". Words that answer without a
number ("즉시", "제한 없이", "무료") count as values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from rag.constraints.aspects import ASPECT_OF, asked_aspect, lacks_amount, not_chosen, states_aspect
from rag.constraints.contrasts import members_of
from rag.constraints.everyday_values import values_of
from rag.constraints.limit_periods import period_asked, period_not_stated, periods_of_limits_not_stated
from rag.constraints.quantities import Quantity

_HOUR, _DAY = Decimal(3600), Decimal(86400)
_MONTH, _YEAR = _DAY * 30, _DAY * 365
_SECONDS = {"second": Decimal(1), "day": _DAY, "business_day": _DAY, "month": _MONTH}
_LENGTHS = {
    "분": (Decimal(1), 6 * _HOUR),
    "시간": (_HOUR / 12, 7 * _DAY),
    "일": (_HOUR, 200 * _DAY),
    "일간": (_HOUR, 200 * _DAY),
    "영업일": (_HOUR, 200 * _DAY),
    "주": (_DAY, 2 * _YEAR),
    "개월": (7 * _DAY, 10 * _YEAR),
    "달": (7 * _DAY, 10 * _YEAR),
    "년": (_YEAR / 2, 1000 * _YEAR),
    "해": (_YEAR / 2, 1000 * _YEAR),
}
"""The shortest and longest duration, in seconds, that answers a question in each unit: "몇 년" is answered by 6개월 or more. For
"일간" only a duration is asked ("며칠 만에"), for "일" also a date."""
_COUNT_UNITS = {"회": ("회", "차"), "번": ("회", "차"), "차례": ("회", "차"), "명": ("명",), "사람": ("명",)}
"""By the unit of a question for a count, the units that answer it."""
_ITEMS = ("개", "건", "장", "통", "매", "곳", "가지", "대", "부", "점")
"""Units that answer each other ("몇 개" by "3건") and questions in any unit that is not in _COUNT_UNITS."""
_KIND_OF = {"시": "time", "등급": "grade", **dict.fromkeys(("프로", "퍼센트", "퍼", "%"), "rate")}
_KIND_OF |= dict.fromkeys(("자리", "글자", "자"), "length")
_PAST = re.compile(
    r"(?!려서\s\S{2,8}[요까나][\s?!.]*$)\s?(?:전에|전부터|전\s|째|이나\s?(?:됐|되었|지났|했)|동안\s?(?:안|못)|을\s?해도|씩이나"
    r"|(?:(?:이나|을|만에)\s)?\S{0,6}(?:[았었했됐렸갔왔샀썼냈졌]|려서|러서|해서|해도|려도|라도|러도|니까(?!\s*[?？!.~ㅠ]*$)|더니|는데(?!\s?몇|요?[\s?!.~]*$)))"
)
"""Follows "몇 번" where it is not a question: "몇 번 틀렸더니"."""
_HOW_MANY = re.compile(
    r"(?:(?:(?<![가-힣])|(?<=[은는이가도만에로]))몇\s?(?P<unit>영업일|개월|시간|프로|퍼센트|퍼|등급|글자|자리|차례|사람|가지|계좌|군데|포인트|마일|킬로"
    r"|[분일주달년해시살세%원만천백억번회명인개건장통부대곳좌종매배권자차편채점])|(?P<days>며칠|몇[일칠]))"
    r"(?P<long>\s?(?:만에|(?:이나\s?)?걸))?"
)
_HOW_MUCH = re.compile(
    r"(?:얼(?:마|만(?=[가데지]))|몇(?=\s?(?:이[에야지죠니]|인[가지데]|임|예요|에요|[?？!.\s]*$)))"
    r"(?!\s?(?:전|안\s?[돼되있됐남]))(?P<long>나?\s?(?:걸|오래|기다|동안|만에|안에|뒤에|후에|이따|있다가|유지|보관|지속|남아|가나|가요|쓸\s?수))?"
    r"(?P<most>\s?(?:까지|이상|부터|이하|씩까지))?"
)
_LENGTH_OF = re.compile(r"(?:기간|기한)(?:은|이|도)?(?:요|\s?좀)?\s?(?:최대|보통|총)?\s?$")
"""Precedes "얼마" where it asks for a length of time: "유효기간은 얼마나"."""
MAY_ASK = re.compile(r"몇|며칠|얼[마만]|없는|[는은싼인]\s|금리|이율|이자율|료율|인율|적립[률율]|세율|공제율|우대율")
"""Matches every question that asks for a value: a fast first check."""
_LAST_WORD = re.compile(r"(?P<word>[가-힣]{2,10}?)(?:은|는|이|가)?\s*$")
_VERB = re.compile(r"(?:면|[해려어아]서|고|때)$")
_RATE_OF = re.compile(
    r"(?P<rate>금리|이율|이자율|세율|수수료율|할인율|적립률|적립율|환급률|보장비율|부담률|부담비율)\S{0,3}\s?(?:\S{1,5}\s)?$"
)
_RATE_BY_NAME = re.compile(
    r"(?<!고정)(?<!변동)(?P<rate>금리|이율|이자율|수수료율|할인율|적립률|적립율|세율|공제율|우대율)"
    r"(?:은|는|이|가|을|를|도)?(?:요|\s?좀)?\s?(?:(?:알려|궁금|어떻게|가르쳐)\S*(?:\s\S{1,4})?)?[\s?!.~]*$"
)
"""Matches a rate that is asked for without "얼마" at the end of a question ("새출발대출 이자율")."""
_PAID = re.compile(
    r"\s?(?:\S{1,6}\s)?(?:납입|넣|입금|보내|보낼|이체|송금|출금|뽑|찾|인출|받|빌|대출|나오|나와|보상|환전|결제|쓸|충전)"
)
_RATE_OF_SUM = re.compile(
    r"(?:의|금액|가격|시세|한도)\s?(?:최대|최고|약)?\s?\d+(?:\.\d+)?\s?(?:%|퍼센트)|\d\s?%\s?(?:이내|까지|범위)"
)
_BOUNDED = re.compile(
    r"한도|제한|전액(?!\s?(?:청구|상환|납부|결제|출금))|실비|(?:최대|최고|총|각|하루|1일|1회|매월|월|연간?|합산|합쳐)\s?(?:약\s?)?[\d,.]+\s?[십백천만억]*\s?(?:원|달러)"
    r"|(?:원|달러|불|%|배)\s?\S{0,4}(?:까지|이내|범위|이하|미만|초과|상당|안에서)"
)
"""Bounds a sum in a row; a fee ("건당 1,000원") bounds none."""
_SPECIAL_RATE = re.compile(
    r"(?:중도\s?해지|우대|연체|만기\s?후|지연)(?:하면|되면|했을\s?때|할\s?때|\s?시)?\s?(?:금리|이율|이자율|이자)"
)
_SPECIAL_CASE = re.compile(
    r"중도|해지|해약|깨|우대|혜택|조건|보너스|최고|최대|더\s?(?:받|주|얹|준)|연체|밀[리려렸]|늦|만기|지[나난났]|가산|추가|상환|갚|못\s?[내냈]"
    r"|안\s?[내냈]|일찍|먼저|빼|찾|%p"
)
"""Of a question that may mean the rate of a special case; a row on that rate alone is no answer on the rate."""
_NUMBERED = r"(?:\d|[한두세네열]|다섯|여섯|일곱|여덟|아홉|(?<![가-힣])[일이삼사오육칠팔구십백천만]+)\s?"
_LOOKED_UP = r"(?<!본인)(?<!실명)(?<!진위)(?<!고객)확인(?![서원증])"
_OF_MONEY = (
    r"(?:[료액금세율]|회비|비용|이자|부담|할인|가격|시세|한도|포인트|내역|증명서|[가-힣]비)"
    r"(?:[은는이가도를을의과와]|\s|$)"
)
"""What has an amount or a rate, in a row that states it in words."""
_OF_PAPERS = re.compile(r"\d+\s?(?:일|개월|년)\s?이내(?:에|의)?\s?발급")
_WORDS_INSTEAD = {
    "money": re.compile(
        r"무료|면제|무제한|전액|실비"
        # "수수료는 없습니다" and "환급금은 앱에서 조회" state an amount, "출국한 뒤에는 되지 않습니다" does not.
        rf"|{_OF_MONEY}[^.!?\n]{{0,40}}(?:없(?:습니다|으며|고|이|음)|않(?:습니다|으며)|조회|{_LOOKED_UP}|보[실고]|볼\s|발급|다르|다릅|고시)"
    ),
    "sum": re.compile(
        r"제한(?:이|은|을)?\s?(?:없|두지)|한도(?:가|는|에|\s)?\s?(?:제한\s?)?없|무제한|전액|실비|조회|확인"
    ),
    "rate": re.compile(
        rf"무이자|전액|절반|고시|(?:금리|{_OF_MONEY})[^.!?\n]{{0,40}}(?:없(?:습니다|으며|고|이|음)|않(?:습니다|으며)|조회|{_LOOKED_UP}|다르|다릅)"
    ),
    "duration": re.compile(r"영구|무기한|평생|종신|제한\s?없|기한\s?없|만료일|만기까지"),
    "time": re.compile(r"24시간|언제든|연중무휴|시간\s?제한|실시간|상시|365일"),
    "count": re.compile(r"제한(?:이|은|을)?\s?(?:없|두지)|무제한|횟수|하나만|하나의|각각|모두|1인|여러|중복|추가로"),
    "times": re.compile(r"제한(?:이|은|을)?\s?(?:없|두지)|무제한|횟수|매번|언제든|한\s?번"),
    "age": re.compile(r"나이|연령|(?<!미)성년|성인"),
}
_IMMEDIATE = re.compile(r"즉시|바로|당일|실시간|다음\s?날|익일|이튿날|말일|언제든|상시")
"""Answers how long something takes, except in months or years."""
_DEADLINE = re.compile(r"\s?(?:안에|이?내에?|까지|부터|지나|동안|이나\s(?:밀|연체|늦|지나))")
"""Follows "며칠" where it asks within, for, from or after which time, which "즉시" does not answer."""
_OPEN_ALL_DAY = re.compile(r"24시간(?!\s?(?:이?내|안에?|동안|이?후|뒤|전|지나|경과|이상|간(?!\s?(?:운영|접수|상담))))")
"""Opening hours: "24시간 접수"."""
_LABELS = {
    "money": "금액", "sum": "금액", "rate": "비율", "duration": "기간", "time": "시간", "count": "개수", "age": "나이",
    "length": "자릿수", "grade": "등급",
}  # fmt: skip
_BOUND = re.compile(r"\s?치?\s?(?:까지|부터|이상|이하|넘)")
"""Follows the words that ask for a value if its bound is asked for: "몇 년치까지"."""


@dataclass(frozen=True)
class AskedValue:
    """A value that a question asks for: its kind, its unit (empty for "얼마") and the words that ask for it.

    `subject`: the word before, if it is a member of a contrast set ("연회비 얼마"), or the rate ("금리 얼마").
    """

    kind: str
    unit: str
    text: str
    subject: str = ""

    @property
    def label(self) -> str:
        """How a reply refers to it: 나이 for "몇 살까지", "연회비 금액" for "연회비 얼마"."""
        if self.kind in ("aspect", "period"):
            return self.text
        if self.kind == "rate" and self.subject:
            return self.subject
        label = "횟수" if self.unit in ("회", "번", "차례") else _LABELS[self.kind]
        return f"{self.subject} {label}".strip()

    def span(self, question: str) -> tuple[int, int]:
        """Start and end in the question of the words that ask for it."""
        start = question.find(self.text)
        return start, start + len(self.text)


def not_stated(question: str, row_question: str, row_answer: str) -> list[AskedValue]:
    """The values that a question asks for and a row neither states nor asks for in its own question."""
    aspect = asked_aspect(question)
    row, missing = f"{row_question}\n{row_answer}", list[AskedValue]()
    is_bounded = aspect != "한도" or "얼마" not in question or _BOUNDED.search(row)
    is_rate = bool(aspect) and ASPECT_OF[aspect] == "금리" and not _SPECIAL_CASE.search(question)
    is_special = is_rate and _is_on_special_rate(row_question, row_answer)
    if aspect and (is_special or not is_bounded or not states_aspect(aspect, row_question, row_answer)):
        missing.append(AskedValue("aspect", "", aspect))
    elif chosen := not_chosen(question, row):
        missing.append(AskedValue("aspect", "", chosen))
    if lacks_amount(question, row_question):
        missing.append(AskedValue("money", "", "얼마"))
    if asked := asked_values(question):
        own = {value.kind for value in asked_values(row_question)}
        missing += [value for value in asked if value.kind not in own and not _states(value, question, row)]
    periods = [
        period_not_stated(question[: value.span(question)[0]], row, "count" if value.kind == "count" else "money")
        for value in asked
        if value.kind in ("sum", "money", "count")
    ]
    periods += periods_of_limits_not_stated(question, row_question, row)
    return list(dict.fromkeys([*missing, *(AskedValue("period", "", name) for name in periods if name)]))


def _is_on_special_rate(row_question: str, row_answer: str) -> bool:
    rest = _SPECIAL_RATE.sub("", row_question)
    return rest != row_question and not (
        re.search(r"금리|이율|이자", rest) or re.search("기본(?:금리|이율)", row_answer)
    )


@lru_cache(maxsize=1024)
def asked_values(question: str) -> tuple[AskedValue, ...]:
    """The values that a question asks for, in text order."""
    return tuple(sorted([*_how_many(question), *_how_much(question)], key=lambda value: value.span(question)))


@lru_cache(maxsize=1024)
def bounds_asked(question: str) -> frozenset[str]:
    """The kinds of the values of which a question asks for the bound ("7년 전 것도 있는데 최대 몇 년까지": duration).

    Days ask for a range of dates, too ("25일 결제면 며칠부터 며칠까지"), and are not read as one.
    """
    return frozenset(
        asked.kind
        for asked in asked_values(question)
        if asked.unit != "일" and _BOUND.match(question, asked.span(question)[1])
    )


def _how_many(question: str) -> Iterator[AskedValue]:
    for match in _HOW_MANY.finditer(question):
        unit = "일" if match["days"] else match["unit"]
        unit = "일간" if unit == "일" and match["long"] else unit
        if _PAST.match(question, match.end()) or question[match.end() :][:1] in ("호", "째", "만"):
            continue
        if kind := _kind(unit, question[match.end() :]):
            yield AskedValue(kind, unit, match.group())


def _kind(unit: str, after: str) -> str:
    """The kind of value that is asked for in a unit, followed by `after`; empty for a unit of other things."""
    if kind := _KIND_OF.get(unit):
        return kind
    if unit in ("살", "세") and not after.startswith("대"):
        return "age"
    if unit in _LENGTHS and not (unit == "주" and after.startswith(("식", "를", "까지", "나", "씩", "인"))):
        return "duration"
    if unit in ("원", "만", "천", "백", "억", "달러"):
        return "sum"
    return "" if unit in ("호", "층", "위", "월") else "count"


def _how_much(question: str) -> Iterator[AskedValue]:
    for match in _HOW_MUCH.finditer(question):
        before = question[: match.start()]
        if match["long"] or _LENGTH_OF.search(before):
            yield AskedValue("duration", "", match.group())
        elif rate := _RATE_OF.search(before):
            yield AskedValue("rate", "", match.group(), rate["rate"])
        elif match["most"] and (
            match["most"].strip() in ("부터", "이상") or _PAID.match(question, match.end()) or period_asked(before)
        ):
            yield AskedValue("sum", "", match.group())
        else:
            word = _LAST_WORD.search(before)
            # Not the verb of a condition: "해지하면 얼마".
            subject = word["word"] if word and not _VERB.search(word["word"]) else ""
            yield AskedValue("money", "", match.group(), subject if members_of(subject) else "")
    if rate := _RATE_BY_NAME.search(question):
        yield AskedValue("rate", "", rate.group(), rate["rate"])


def _states(asked: AskedValue, question: str, text: str) -> bool:
    """Whether a text contains a value of the kind that a question asks for, or words instead of one."""
    words = _WORDS_INSTEAD.get("times" if asked.unit in ("회", "번", "차례") else asked.kind)
    if words is not None and words.search(text):
        return True
    values = values_of(text)
    if asked.kind == "money":
        return any(value.dimension in ("money", "rate") for value in values)
    if asked.kind == "sum":
        is_bound = "까지" not in asked.text or _BOUNDED.search(text) is not None
        is_stated = is_bound and any(value.dimension == "money" for value in values)
        return is_stated or _RATE_OF_SUM.search(text) is not None
    if asked.kind == "duration":
        asks_deadline = _DEADLINE.match(question, asked.span(question)[1]) is not None
        may_be_immediate = asked.unit not in ("년", "해", "개월", "달") and not asks_deadline
        if may_be_immediate and _IMMEDIATE.search(text):
            return True
        values = values_of(_OPEN_ALL_DAY.sub("", text))
        # Opening hours do not say how long it takes.
        if "걸" in asked.text:
            values = tuple(value for value in values_of(_OF_PAPERS.sub("", text)) if value.dimension != "time")
        return _states_duration(asked.unit, values)
    if asked.kind == "count":
        units = _COUNT_UNITS.get(asked.unit, _ITEMS)
        is_counted = any(value.dimension == "count" and value.unit in units for value in values)
        return is_counted or re.search(_NUMBERED + re.escape(asked.unit), text) is not None
    return any(value.dimension == asked.kind for value in values)


def _states_duration(unit: str, values: Sequence[Quantity]) -> bool:
    """Whether a value is a duration of the magnitude of `unit`, or a date or time that answers a question in it."""
    points = {"": ("date", "time"), "시간": ("time",), "일": ("date",), "주": ("date",)}.get(unit, ())
    if any(value.dimension in points for value in values):
        return True
    ends = [
        end * _SECONDS[value.unit]
        for value in values
        if value.dimension == "duration"
        for end in (value.low, value.high)
        if end is not None
    ]
    if not unit:
        return bool(ends)
    low, high = _LENGTHS[unit]
    return any(low <= end <= high for end in ends)
