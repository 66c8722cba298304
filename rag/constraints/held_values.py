"""Which values of a question does a row state, and which does it decide without stating them?

A limit on the quantity that a question names decides every value, the values beyond it too ("포인트 500점" beside "1,000점
이상이면 현금으로 바꿔 드립니다"). Such a row is still only suggested, first and with a note, because a customer may take it for
a yes. Values listed without a limit ("12개월 3.1%, 24개월 3.2%") decide nothing. Both must be about one quantity: what the
question's value is of ("보증금 6억") stands in the row, and what the row's limit is on ("연소득 2,400만원 이상") in the question,
or in the row's. A length of time that has passed is compared with limits on such lengths alone, a term with limits on terms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from rag.constraints.asked_values import asked_values
from rag.constraints.contrasts import OPEN, asks_whether, members_of
from rag.constraints.everyday_values import values_of
from rag.constraints.quantities import Quantity
from rag.constraints.stated_for import clauses, is_left_out
from rag.constraints.value_agreement import (
    ASSERTED,
    comparable,
    decides,
    families,
    holds,
    is_beyond,
    is_incidental,
    pins,
    stated,
)
from rag.korean import compact, sentence_texts, without_notes

_EXAMPLE = re.compile(r"^\s*(?:\[[^\]\n]*예시?\]|예시?\s?[):]).*$", re.MULTILINE)
_EARLY = ("maturity", "만기전")
"""A row on ending something early names how long it was held, and no term of a product ("3년짜리")."""
_DIMENSIONS = ("money", "count", "duration", "age")
_LIMITED = re.compile(r"(?:이|가|을|를)?\s?(?:지나|넘|채우|채워|안에서|한도|만\s?가능|범위|경과)")
"""After a single value that is a limit: "30일이 지나면"."""
_LIMIT = re.compile(r"(?:한도|최대|최소|최고|최저)\S{0,3}\s?(?:\S{1,4}\s)?$")
"""Before such a value: "최대 1회"."""
_HAS_LIMITS = re.compile(r"한도|까지|이내|최대|최소|최고")
"""In a sentence or a row's question whose amounts and counts are all limits: "1회 80만원, 하루 400만원까지"."""
_LISTED = re.compile(r"\s*[\[※·-]")
"""A line of conditions, which says what a thing has ("[조건] 기간 12~60개월") and not what may be done."""
_FOR_WHOM = re.compile(r"나이|연령|몇\s?[살세]|대상|자격|누가|누구")
_ONLY = re.compile(r"[가-힣0-9]만\s(?!원)|한하여|한해|없습니다|않습니다|불가|안\s?[됩돼]|제한")
"""In a row that says for which ages something holds, or that refuses the others."""
_PERIOD = re.compile(
    r"(?:(?P<day>1일|일일|하루에?|매일)|(?P<once>1회에?|한\s?번에|건당|회당)|(?P<month>한\s?달에?|매[월달]|1개월|(?<![가-힣])월)"
    r"|(?P<year>1년에?|일\s?년에?|연간|매년|해마다|(?<![가-힣])연))\s?(?:최대\s?|한도\S?\s?)?$"
)
"""Before a value: what it holds for."""
_ELAPSED = re.compile(r"(?:후|뒤|날부터|일부터|로부터|이후|지난|[은ㄴ한든던린]\s?지)\s?$")
_ELAPSING = re.compile(
    r"\s?(?:이|가|을)?\s?(?:지나|지났|넘|경과|됐|되었|된|안에|이내|전(?!액)|후|뒤|만에|째|이?[인이]?(?:면|내)에)"
)
"""Before and after a length of time that has passed: "받은 날부터 15일", "15일이 지나면"."""
_PASSED = re.compile(
    r"\s?(?:이나|이|가|은|도)?\s?(?:(?:좀|조금|이미|벌써|훨씬|막|더)\s?)?"
    r"(?:(?P<over>지났|지나[도서면고버]|지난|넘[었어은게]|경과)|째|됐|되었|돼서|된|전에|정도\s?됐)"
)
"""After a length of time that has passed since what a question is about; `over`: more than that."""
_RECENT = re.compile(r"(?:최근|지난)\s?$")
_MAY_BE_DONE = re.compile(r"수\s?있|가능|셔야|해야|받습니다|주세요|주시기")
_CASE = re.compile(
    r"\s?(?:짜리|정도|쯤|어치)?\s?(?:인데|이면|면|밖에|이?라도|있으면|있는데|으로|로\s|도\s?[되돼가받]|만\s)"
)
"""After a value that makes a case, of which a question asks whether it is allowed: "500점인데", "3년밖에 안 됐는데"."""
_GIVEN = re.compile(r"\s?(?:짜리|정도|쯤)?\s?(?:이면|인데|면|있으면|있는데|을?\s?넣으면|을?\s?맡기면)")
"""After a value of which a question asks more than yes or no: "100만원 넣으면 이자 얼마"."""
_NAME = re.compile(r"(?P<name>[가-힣A-Za-z]{2,12}?)(?P<particle>이|가|은|는|을|를|에|도)?\s?$")
_NAME_SPAN = 16
_TIERS = 2
_ADVERB = re.compile(
    r"(?:에서|으로|에게|까지|부터|마다|하고|해서|번에|달에|하루|매[월달년]|최[대소고저]|적어도|겨우|오늘|내일|이번|지난\S*|혹시|저는?|제가|만약"
    r"|[은는한된던할될]지|가입|동안|[면서고데])$"
)
_QUANTITY = re.compile(
    r"(?:소득|금액?|잔액|잔고|한도|기간|대금|매출|가[격액]|연봉|급여|요금|점수?|포인트|나이|실적|액)$"
)
"""How nouns end that name a quantity."""
_GENERAL = re.compile(r"^(?:평균|최종|합계|총|보유)?\s?(?:잔액|금액|한도|기간|나이)$")
_TAIL = re.compile(r"(?:금액|잔액|한도|기간|대금|금|액)$")


def share_held(text: str, row_question: str, row_answer: str) -> float:
    """The share of a text's values that a row states or covers, 0..1; 0 without any."""
    asked = comparable(text, values_of(text))
    row = families([*values_of(row_question), *values_of(row_answer)]) if asked else {}
    held = [holds(value, row.get(family, [])) for family, values in families(asked).items() for value in values]
    return sum(held) / len(held) if held else 0.0


def values_not_held(text: str, row_question: str, row_answer: str) -> list[Quantity]:
    """The values a text asks about, not merely tells of, that a row states nowhere but in notes."""
    asked = [
        value
        for value in comparable(text, values_of(text))
        if not is_incidental(text, value)
        or _is_told_case(text, value, row_answer)
        or is_past_deadline(text, value, row_answer)
    ]
    if not asked:
        return []
    answer = without_notes(row_answer)
    # A worked example states nothing but its own sum.
    if not any(each.kind == "money" for each in asked_values(text)):
        answer = _EXAMPLE.sub("", answer)
    own, row = families(values_of(row_question)), f"{row_question}\n{answer}"
    by_family = families(values_of(row))
    names_no_term = _EARLY in members_of(row_question) and _EARLY not in members_of(text)

    def is_held(family: str, value: Quantity) -> bool:
        if names_no_term and value.dimension == "duration" and pins(text, value):
            return False
        if not holds(value, own.get(family, [])) and is_left_out(text, value, answer):
            return False
        if is_past_deadline(text, value, answer):
            return False
        values = [each for each in by_family.get(family, []) if not _is_of_another(text, value, row, each)]
        values = _of_the_same_period(text, value, row, values)
        if ASSERTED.match(text, value.end):
            # No limit states it, on whatever it is.
            values = [each for each in values if each.is_point or value.ends & each.ends]
        return (
            holds(value, stated(value, values))
            # A row need not say how long a number is, unless it has a rule on lengths.
            or (value.dimension == "length" and not values)
            or (value.dimension == "time" and decides(value, values))
        )

    return [value for family, values in families(asked).items() for value in values if not is_held(family, value)]


def is_decided(
    question: str, asked: Quantity, row_question: str, row_answer: str, *, synonyms: Callable[[str], str] = str
) -> bool:
    """Whether a limit of the row says what holds for a value of the question, which the row does not state.

    `synonyms`: returns a word followed by its other names, separated by spaces.
    """
    if asked.dimension not in _DIMENSIONS or asked.side:
        return False
    if is_past_deadline(question, asked, row_answer):
        return True
    row = compact(f"{row_question} {row_answer}")
    name = _name(question[: asked.start])
    if name and not any(compact(word) in row for word in synonyms(name).split()):
        return False
    is_case = OPEN.search(question) is None and _CASE.match(question, asked.end) is not None
    is_yes_no, is_elapsed = is_case or asks_whether(question), _is_elapsed(question, asked)
    is_given = asked.dimension != "duration" and _GIVEN.match(question, asked.end) is not None
    for sentence, limits in _limits(asked, row_question, row_answer):
        for limit in limits:
            if asked.dimension == "duration" and _is_elapsed(sentence, limit) != is_elapsed:
                continue
            held = _name(sentence[: limit.start])
            if not (name and name in held) and not _is_on(held, question, row_question):
                continue
            # What is asked of a value that is given ("100만원 있으면 이자 얼마") stands beside the limit ("50만원 미만은 0.1%").
            others = (value for value in values_of(sentence) if value not in limits)
            if is_yes_no or (is_given and any(value.dimension in ("money", "rate") for value in others)):
                return True
    return False


def is_past_deadline(question: str, value: Quantity, answer: str) -> bool:
    """Whether more time has passed than an answer allows: "철회 15일째인데" beside "14일 이내에 철회하실 수 있으며".

    Not where the answer says what holds from then on, and not where more than yes or no is asked: "언제 들어오나요".
    """
    passed = _PASSED.match(question, value.end) if value.dimension == "duration" else None
    if passed is None or OPEN.search(question) or value.unit == "business_day":
        return False
    deadlines, later = [], []
    answer = without_notes(answer)
    for sentence in sentence_texts(answer):
        for held in families(values_of(sentence)).get("duration", []):
            if held.unit == "business_day" or _RECENT.search(sentence[: held.start]):
                continue
            if held.high is None or (held.is_point and _LIMITED.match(sentence, held.end)):
                later.append(held)
            elif held.low is None and _is_elapsed(sentence, held) and _MAY_BE_DONE.search(sentence, held.end):
                deadlines.append(held)
    return (
        not later and bool(deadlines) and all(is_beyond(value, each, over=bool(passed["over"])) for each in deadlines)
    )


def _is_told_case(text: str, value: Quantity, answer: str) -> bool:
    """Whether a time that has passed ("2년 됐는데 수수료 얼마") is a case of which a row has several: tiers with a price each."""
    if value.dimension != "duration" or not any(each.kind in ("money", "rate") for each in asked_values(text)):
        return False
    parts = [values_of(answer[start:end]) for start, end in clauses(answer)]
    tiers = [each for part in parts for each in part if each.dimension == "duration" and not each.is_point]
    return len(tiers) >= _TIERS


def _of_the_same_period(text: str, value: Quantity, row: str, values: list[Quantity]) -> list[Quantity]:
    """The values of a row that hold for the period of a text's value ("1년에 5천만원") if all of them are less; else all."""
    period = _period(text, value) if value.dimension in ("money", "count") else None
    same = [each for each in values if _period(row, each) == period] if period else []
    highs = [each.high for each in same]
    most = max((high for high in highs if high is not None), default=None)
    is_beyond = most is not None and None not in highs and value.low is not None and value.low > most
    return same if is_beyond else values


def _period(text: str, value: Quantity) -> str | None:
    match = _PERIOD.search(text[: value.start])
    return match.lastgroup if match else None


def _is_of_another(text: str, value: Quantity, row: str, held: Quantity) -> bool:
    """Whether the text names what sum its value is ("연봉 8천만원"), and the clause of a row's value no such sum."""
    names = (
        _names().get(_name(text[max(0, value.start - _NAME_SPAN) : value.start]))
        if value.dimension == "money"
        else None
    )
    if names is None:
        return False
    clause = next(row[start:end] for start, end in clauses(row) if start <= held.start < end)
    return not any(name in clause for name in names)


@cache
def _names() -> Mapping[str, Sequence[str]]:
    """Each name of quantity_names.tsv with all names of the same sum."""
    lines = Path(__file__).with_name("quantity_names.tsv").read_text(encoding="utf-8").splitlines()
    return {name: line.split("|") for line in lines if line[:1] != "#" for name in line.split("|")}


def _limits(asked: Quantity, row_question: str, row_answer: str) -> Iterator[tuple[str, list[Quantity]]]:
    """The sentences of an answer with their limits of the asked kind."""
    (family,) = families([asked])
    for sentence in sentence_texts(row_answer):
        if asked.dimension == "duration" and _LISTED.match(sentence):
            continue
        # An age may only say whom a row is for ("만 19세 이상 고객은 앱에서"); what holds for others is elsewhere.
        if asked.dimension == "age" and not (_FOR_WHOM.search(row_question) or _ONLY.search(sentence)):
            continue
        values = families(values_of(sentence)).get(family, [])
        has_limits = _HAS_LIMITS.search(sentence) is not None or _HAS_LIMITS.search(row_question) is not None
        limits = [value for value in values if not value.side and _is_limit(sentence, value, has_limits)]
        if limits:
            yield sentence, limits


def _is_limit(sentence: str, value: Quantity, has_limits: bool) -> bool:
    if not value.is_point:
        return True
    if value.unit == "business_day":
        return False
    if value.dimension in ("money", "count") and has_limits:
        return True
    return _LIMITED.match(sentence, value.end) is not None or _LIMIT.search(sentence[: value.start]) is not None


def _is_elapsed(text: str, value: Quantity) -> bool:
    return _ELAPSED.search(text[: value.start]) is not None or _ELAPSING.match(text, value.end) is not None


def _name(before: str) -> str:
    """The word before a value, without its particle, that says what the value is of; empty for none and for adverbs."""
    match = _NAME.search(before)
    if match is None or _ADVERB.search(match["name"] + (match["particle"] or "")) or _ADVERB.search(match["name"]):
        return ""
    return match["name"]


def _is_on(name: str, question: str, row_question: str) -> bool:
    """Whether a limit on `name` is one on what the question or the row is about; what names no quantity is no other one."""
    if not name or not _QUANTITY.search(name) or _GENERAL.match(name):
        return True
    stem = _TAIL.sub("", name)
    texts = compact(f"{question} {row_question}")
    return name in texts or (len(stem) >= 2 and stem in texts)
