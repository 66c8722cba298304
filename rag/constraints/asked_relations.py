"""Do the values of a row stand in the relation that a question asks for? They may be of the kind, but of something else.

- "얼마까지" is answered by no sum that is a least one ("20만원 이상 이용한 달"), "최소 얼마부터" by no limit.
- "가입기간은 몇 개월부터" is answered by no time before or after something ("만기일 전 1개월 이내").
- "며칠 걸려요" is answered by no day from which on something can be done ("완납 다음 영업일부터").
- "상장일은 언제" is answered by no day of a row that says of nothing that it is listed.
- An amount of something is no rate of a tax on it ("배당 얼마 줘요" beside "배당소득세 15.4%").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from rag.constraints.asked_values import AskedValue, asked_values
from rag.constraints.everyday_values import values_of
from rag.constraints.quantities import Quantity

_AT_LEAST, _AT_MOST = re.compile(r"\s?치?\s?(?:부터|이상)"), re.compile(r"\s?치?\s?까지")
_LEAST_BEFORE, _MOST_BEFORE = re.compile(r"최[소저]\s?$"), re.compile(r"최[대고]\s?$")
_OF_A_LIMIT = re.compile(r"(?:한도[는가도]?|최[대고]|이내)\s?(?:연|월|약|총)?\s?$")
"""Precedes a sum that is a limit."""
_TERM_OF = r"(?:가입|계약|약정|예치|납입|대출|상환|할부|거치|보장|보험)"
_TERM = re.compile(
    rf"몇\s?(?:개월|년|달)\s?(?:짜리|부터|만기)|{_TERM_OF}\s?기간(?:은|는|이|가|을|를|도)?\s?(?:\S{{1,5}}\s)?(?:얼마|몇|어떻게|어케|최[소대장단]|언제)"
)
_STATES_TERM = re.compile(rf"{_TERM_OF}\s?기간|평생|종신|영구|기간\S{{0,2}}\s?제한|무기한|만기까지|년제")
_RELATED_BEFORE = re.compile(r"(?:직전|최근|지난|전|과거|매|이후|경과|부터|다음)\s?$")
_RELATED_AFTER = re.compile(
    r"\s?(?:이내|전|간?\s?평균|마다|경과|이?\s?지[나난]|후|뒤|안에|째|에\s?(?:얼마|최대|한도|몇))"
)
"""Stand beside a duration that is counted from or to something, or comes again and again: it is no term."""
_LEAST_TERM = 7
"""Days of a term, at least."""
_STARTS = re.compile(r"\s?(?:부터|까지|전(?![가-힣])|마다|이?\s?지[나난]|경과)")
_ALWAYS = "24시간"
"""When something is open ("24시간 접수")."""
_AT_ONCE = re.compile(r"(?:즉시|바로|당일|실시간|다음\s?날|익일|이튿날|말일|언제든|상시)(?!부터|까지)")
_DAY_OF = re.compile(r"(?<![가-힣])(?P<event>[가-힣]{2,4})일(?:은|이|자는|자가)?\s?언제")
_HAPPENS = r"(?:[일날금하되된됩합해돼한할은는이가을를에시후전과,]|\s(?:완료|처리|일|날|시|후|전|다음|당일|신청))"
"""Follows an event in a row that says when it happens."""
_ALIKE = (
    ("지급", "입금", "수령", "환급", "환불", "반환", "배당", "들어", "받", "나오", "적립"),
    ("출금", "이체", "납부", "납입", "결제", "청구", "인출", "빠져"),
    ("만기", "종료", "끝"),
    ("가능", "예정", "수"),
)
"""Events of which one is the other's for a customer."""
_OF_TAX = re.compile(r"(?<=[가-힣])(?:세|세율|세금)(?:은|는|이|가|를|을|로)?\s?$")
_ASKS_TAX = re.compile(r"세금|세율|[가-힣]세(?![가-힣])|떼|원천")


MAY_RELATE = re.compile(r"몇|며칠|얼[마만]|기간|일(?:은|이|자)?\S?\s?언제")
"""Matches each question for which `otherwise_related` returns something: a fast first check."""


def otherwise_related(
    question: str, row_question: str, row_answer: str, synonyms: Callable[[str], str] = str
) -> Iterator[tuple[str, str]]:
    """(kind, name) of each value that is asked for and that a row holds in another relation only."""
    row = f"{row_question}\n{row_answer}"
    values = values_of(row)
    for asked in asked_values(question):
        same = [value for value in values if value.dimension == ("money" if asked.kind == "sum" else asked.kind)]
        if same and _is_on_other_bound(question, asked, row, same):
            yield asked.kind, asked.label
        rates = [value for value in values if value.dimension in ("money", "rate")]
        is_tax = rates and all(_OF_TAX.search(row[: value.start]) for value in rates)
        if asked.kind == "money" and is_tax and not _ASKS_TAX.search(question):
            yield asked.kind, asked.label
        if asked.kind == "duration" and "걸" in asked.text and not _AT_ONCE.search(row) and not _takes(values, row):
            yield asked.kind, asked.label
    if _TERM.search(question) and not _STATES_TERM.search(row) and not any(_is_term(each, row) for each in values):
        yield "duration", "기간"
    if (day := _DAY_OF.search(question)) and not _names_event(day["event"], row, synonyms):
        yield "aspect", f"{day['event']}일"


def _takes(values: Sequence[Quantity], row: str) -> bool:
    """Whether a value says how long something takes or when it is done, not from when or until when it can be done."""
    spans = (value for value in values if value.dimension in ("duration", "date") and value.text != _ALWAYS)
    return any(not _STARTS.match(row, value.end) for value in spans)


def _is_on_other_bound(question: str, asked: AskedValue, row: str, values: Sequence[Quantity]) -> bool:
    """Whether a least value is asked for and a row has limits alone, or the other way round."""
    start, end = asked.span(question)
    most = _AT_MOST.search(asked.text) or _AT_MOST.match(question, end) or _MOST_BEFORE.search(question[:start])
    least = _AT_LEAST.search(asked.text) or _AT_LEAST.match(question, end) or _LEAST_BEFORE.search(question[:start])
    if bool(most) == bool(least):
        return False
    if most:
        return all(value.high is None for value in values)
    return all(value.low is None or (value.is_point and _OF_A_LIMIT.search(row[: value.start])) for value in values)


def _is_term(value: Quantity, row: str) -> bool:
    if value.dimension != "duration" or value.side:
        return False
    is_long = value.unit == "month" or (value.unit == "day" and max(value.ends) >= _LEAST_TERM)
    return is_long and not (_RELATED_AFTER.match(row, value.end) or _RELATED_BEFORE.search(row[: value.start]))


def _names_event(event: str, row: str, synonyms: Callable[[str], str]) -> bool:
    if any(word in row for words in _ALIKE if event in words for word in words):
        return True
    return any(re.search(re.escape(name) + _HAPPENS, row) for name in (event, *synonyms(event).split()[1:]))
