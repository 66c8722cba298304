"""Which values of a question does a row state, and which does it decide by a limit without stating them?

A limit decides all values, also those beyond it: "1,000점 이상이면 현금으로 바꿔 드립니다" decides "포인트 500점". A row that
only decides a value is suggested with a note and never quoted, because a customer may read it as a yes. A list of values
("12개월 3.1%, 24개월 3.2%") decides nothing.

The value and the limit must be of the same quantity: the name of the question's value ("보증금 6억") must occur in the row, and
the name of what is limited ("연소득 2,400만원 이상") in the question or the row's question. Time that has passed is compared
only with limits on time that has passed, a term only with limits on terms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.constraints.asked_values import asked_values
from rag.constraints.circumstances import is_circumstance
from rag.constraints.contrasts import OPEN, asks_whether, members_of
from rag.constraints.everyday_values import values_of
from rag.constraints.limit_periods import period_before
from rag.constraints.mentioned_values import ASSERTED, comparable, determines, is_incidental
from rag.constraints.quantities import Quantity
from rag.constraints.stated_for import clauses, is_left_out, is_other_sum, name_before
from rag.constraints.stated_otherwise import is_stated_otherwise
from rag.constraints.synonyms import Synonyms, holds_name
from rag.constraints.value_agreement import decides, families, families_of_row, has_end_of, holds, is_beyond, stated
from rag.korean import compact, sentence_texts, without_notes

_EXAMPLE = re.compile(r"^\s*(?:\[[^\]\n]*예시?\]|예시?\s?[):]).*$", re.MULTILINE)
_EARLY = ("maturity", "만기전")
"""The member of the contrast sets for ending a contract early. The terms in such a row are how long it was held."""
_DIMENSIONS = ("money", "count", "duration", "age")
_LIMITED = re.compile(r"(?:이|가|을|를)?\s?(?:지나|넘|채우|채워|안에서|한도|만\s?가능|범위|경과)")
_LIMIT = re.compile(r"(?:한도|최대|최소|최고|최저)\S{0,3}\s?(?:\S{1,4}\s)?$")
"""Follow and precede a single value that is a limit: "30일이 지나면", "최대 1회"."""
_HAS_LIMITS = re.compile(r"한도|까지|이내|최대|최소|최고")
"""Occurs in a sentence or a row's question whose amounts and counts are all limits: "1회 80만원, 하루 400만원까지"."""
_LISTED = re.compile(r"\s*[\[※·-]")
"""Begins a list item, which describes a product ("[조건] 기간 12~60개월") rather than limiting what a customer may do."""
_FOR_WHOM = re.compile(r"나이|연령|몇\s?[살세]|대상|자격|누가|누구")
_ONLY = re.compile(r"[가-힣0-9]만\s(?!원)|한하여|한해|없습니다|않습니다|불가|안\s?[됩돼]|제한")
"""One of the two occurs in a row that limits the age: _FOR_WHOM in its question, _ONLY in the sentence with the age."""
_AS_TERM = re.compile(r"\s?(?:으?로|을|를)?\s?(?:하면|할|들면|들|넣으면|맡기|붓|부으면|가입)")
_OWN_TERM = re.compile(r"(?:(?:계약|가입|약정|예치|저축)\s?기간|만기)\s?(?:[:：은는이]|\])?\s?(?:최[장소단대]\s?)?$")
_OF_USE = re.compile(r"\s?(?:이상|넘게|동안|간)\s?(?:정상\s?)?(?:상환|재직|근무|거래|보유|유지|이용|거주|영업|연체)")
"""Follows how long a customer must have held something, which is no term of it."""
_OF_TERM = re.compile(r"제(?![가-힣]?한)|짜리|\s?만기")
"""Before and after the term of a product itself: "계약기간: 24개월", "12개월제". Other lengths are those of its conditions."""
_ELAPSED = re.compile(r"(?:후|뒤|날부터|일부터|로부터|이후|지난|[은ㄴ한든던린]\s?지)\s?$")
_ELAPSING = re.compile(
    r"\s?(?:이|가|을)?\s?(?:지나|지났|넘|경과|됐|되었|된|안에|이내|전(?!액)|후|뒤|만에|째|이?[인이]?(?:면|내)에)"
)
"""Precede and follow a duration that is measured from an event: "받은 날부터 15일", "15일이 지나면"."""
_PASSED = re.compile(
    r"\s?(?:이나|이|가|은|도)?\s?(?:(?:좀|조금|이미|벌써|훨씬|막|더)\s?)?"
    r"(?:(?P<over>지났|지나[도서면고버]|지난|넘[었어은게]|경과)|째|됐|되었|돼서|된|전에|정도\s?됐)"
)
"""Follows a duration that has passed since the event a question is about; group `over`: more than that has passed."""
_RECENT, _BACK = re.compile(r"(?:최근|지난)\s?$"), re.compile(r"\s?(?:전|치)")
"""Precede and follow a time back from today: "최근 1년간", "3년 전 내역", "2년 치"."""
_MAY_BE_DONE = re.compile(r"수\s?있|가능|셔야|해야|받습니다|주세요|주시기")
_SITUATION = re.compile(
    r"\s?(?:짜리|정도|쯤|어치)?\s?(?:인데|이면|면|밖에|이?라도|있으면|있는데|으로|로\s|도\s?[되돼가받]|만\s)"
)
"""Follows a value that describes the customer's situation, so that the question is whether it is allowed: "500점인데"."""
_CONDITION = re.compile(r"\s?(?:짜리|정도|쯤)?\s?(?:이면|인데|면|있으면|있는데|을?\s?넣으면|을?\s?맡기면)")
"""Follows a value that is the condition of an open question: "100만원 넣으면 이자 얼마"."""
_MIN_TIERS = 2
_QUANTITY = re.compile(
    r"(?:소득|금액?|잔액|잔고|한도|기간|대금|매출|가[격액]|연봉|급여|요금|점수?|포인트|나이|실적|액)$"
)
"""Endings of nouns that name a quantity."""
_GENERAL = re.compile(r"^(?:평균|최종|합계|총|보유)?\s?(?:잔액|금액|한도|기간|나이)$")
_TAIL = re.compile(r"(?:금액|잔액|한도|기간|대금|금|액)$")


def share_held(question: str, row_question: str, row_answer: str) -> float:
    """The share of a question's values that a row states or covers, 0..1; 0 for a question without values."""
    asked = comparable(question, values_of(question))
    row = families_of_row([*values_of(row_question), *values_of(row_answer)]) if asked else {}
    held = [holds(value, row.get(family, [])) for family, values in families(asked).items() for value in values]
    return sum(held) / len(held) if held else 0.0


def missing_values(
    question: str, row_question: str, row_answer: str, *, synonyms: Synonyms = str
) -> list[tuple[Quantity, bool]]:
    """The values that a question asks about and a row does not state, each with whether a limit of the row decides it.

    Not counted: values that the question only mentions, and what the row states in its notes.
    """
    asked = _values_that_count(question, row_question, row_answer, synonyms)
    if not asked:
        return []
    row = _RowValues(question, row_question, row_answer)
    missing = []
    for family, of_family in families(asked).items():
        for value in of_family:
            if is_past_deadline(question, value, row_answer):
                missing.append((value, not value.side))
            elif not row.state(family, value) and not is_stated_otherwise(question, value, row_question, row_answer):
                missing.append((value, is_decided(question, value, row_question, row_answer, synonyms=synonyms)))
    return missing


def _values_that_count(question: str, row_question: str, row_answer: str, synonyms: Synonyms) -> list[Quantity]:
    """The values of a question without those that the customer only mentions, unless a rule of the row is about them."""
    own = families_of_row(values_of(row_question))
    whole_row = families_of_row([*values_of(row_question), *values_of(row_answer)])

    def is_of_case(value: Quantity) -> bool:
        (family,) = families([value])
        return family not in own and is_circumstance(question, value, whole_row.get(family, []))

    def counts(value: Quantity) -> bool:
        return (
            is_past_deadline(question, value, row_answer)
            or not is_incidental(question, value)
            or _selects_tier(question, value, row_answer)
            or (
                value.dimension in ("money", "count")
                and is_decided(question, value, row_question, row_answer, synonyms=synonyms)
            )
        )

    return [value for value in comparable(question, values_of(question)) if not is_of_case(value) and counts(value)]


class _RowValues:
    """The values of a row that may state those of a question, by family: without those of notes and of worked examples."""

    def __init__(self, question: str, row_question: str, row_answer: str) -> None:
        self._question = question
        self._answer = without_notes(row_answer)
        # A worked example states only what applies to its own amount, so it counts only for a question on an amount.
        if not any(each.kind == "money" for each in asked_values(question)):
            self._answer = _EXAMPLE.sub("", self._answer)
        self._text = f"{row_question}\n{self._answer}"
        self._of_question = families_of_row(values_of(row_question))
        self._all = families_of_row(values_of(self._text))
        self._names_no_term = _EARLY in members_of(row_question) and _EARLY not in members_of(question)

    def state(self, family: str, value: Quantity) -> bool:
        """Whether they state a value of the question, of this family, or cover it."""
        question, row = self._question, self._text
        if self._names_no_term and value.dimension == "duration" and determines(question, value):
            return False
        if not holds(value, self._of_question.get(family, [])) and is_left_out(question, value, self._answer):
            return False
        candidates = [each for each in self._all.get(family, []) if not is_other_sum(question, value, row, each)]
        if _BACK.match(question, value.end):
            candidates = [_within(row, each) for each in candidates]
        candidates = _of_same_period(question, value, row, candidates)
        if determines(question, value) or _AS_TERM.match(question, value.end):
            candidates = _own_terms(row, candidates)
        if ASSERTED.match(question, value.end):
            # Whether this very value is right: a limit above it does not confirm it.
            candidates = [each for each in candidates if each.is_point or has_end_of(value, each)]
        return (
            holds(value, stated(value, candidates, has_passed=_is_elapsed(question, value)))
            # A row need not say how long a number is, unless it has a rule on lengths.
            or (value.dimension == "length" and not candidates)
            or (value.dimension == "time" and decides(value, candidates))
        )


def is_decided(question: str, asked: Quantity, row_question: str, row_answer: str, *, synonyms: Synonyms = str) -> bool:
    """Whether a limit of the row says what holds for a value of the question that the row does not state."""
    if asked.dimension not in _DIMENSIONS or asked.side:
        return False
    row = compact(f"{row_question} {row_answer}")
    name = name_before(question[: asked.start])
    if name and not holds_name(row, name, synonyms):
        return False
    is_situation = OPEN.search(question) is None and _SITUATION.match(question, asked.end) is not None
    is_yes_no, is_elapsed = is_situation or asks_whether(question), _is_elapsed(question, asked)
    is_condition = asked.dimension != "duration" and _CONDITION.match(question, asked.end) is not None
    for sentence, limits in _limits(asked, row_question, row_answer):
        for limit in limits:
            if asked.dimension == "duration" and _is_elapsed(sentence, limit) != is_elapsed:
                continue
            limited = name_before(sentence[: limit.start])
            if not (name and name in limited) and not _is_about(limited, question, row_question):
                continue
            # An open question ("100만원 있으면 이자 얼마") needs its answer beside the limit ("50만원 미만은 0.1%").
            others = (value for value in values_of(sentence) if value not in limits)
            if is_yes_no or (is_condition and any(value.dimension in ("money", "rate") for value in others)):
                return True
    return False


def is_past_deadline(question: str, value: Quantity, answer: str) -> bool:
    """Whether more time has passed than an answer allows: "철회 15일째인데" and "14일 이내에 철회하실 수 있으며".

    False where the answer says what applies after the deadline, and for open questions ("언제 들어오나요").
    """
    passed = _PASSED.match(question, value.end) if value.dimension == "duration" else None
    if passed is None or OPEN.search(question) or value.unit == "business_day":
        return False
    deadlines = []
    for sentence in sentence_texts(without_notes(answer)):
        for limit in families(values_of(sentence)).get("duration", []):
            if limit.unit == "business_day" or _RECENT.search(sentence[: limit.start]):
                continue
            if limit.high is None or (limit.is_point and _LIMITED.match(sentence, limit.end)):
                return False
            if limit.low is None and _is_elapsed(sentence, limit) and _MAY_BE_DONE.search(sentence, limit.end):
                deadlines.append(limit)
    is_over = bool(passed["over"])
    return bool(deadlines) and all(is_beyond(value, each, over=is_over) for each in deadlines)


def _selects_tier(question: str, value: Quantity, answer: str) -> bool:
    """Whether a duration that has passed ("2년 됐는데 수수료 얼마") or an amount ("300만원 보냈는데 수수료 얼마") selects one of
    several prices that an answer states by tiers, or a single one that it states for a span ("30일 이상 60일 미만은 50만원")."""
    kinds = {each.kind for each in asked_values(question)} & {"money", "rate", "sum"}
    if value.dimension not in ("duration", "money") or not kinds:
        return False
    parts = [values_of(answer[start:end]) for start, end in clauses(answer)]
    tiers = [[each for each in part if each.dimension == value.dimension and not each.is_point] for part in parts]
    has_priced_span = value.dimension == "duration" and any(
        any(each.low is not None and each.high is not None for each in spans)
        and any(each.dimension in ("money", "rate") for each in part)
        for spans, part in zip(tiers, parts, strict=True)
    )
    return has_priced_span or sum(map(len, tiers)) >= _MIN_TIERS


def _of_same_period(question: str, value: Quantity, row: str, values: list[Quantity]) -> list[Quantity]:
    """The values of a row that hold for the same period as the asked value ("1년에 5천만원"), if it exceeds all of them; else
    all."""
    period = _period(question, value) if value.dimension in ("money", "count") else None
    same = [each for each in values if _period(row, each) == period] if period else []
    exceeds_all = value.low is not None and all(each.high is not None and each.high < value.low for each in same)
    return same if same and exceeds_all else values


def _within(row: str, value: Quantity) -> Quantity:
    """A value of a row, "최근 1년" as all up to it."""
    is_recent = value.dimension == "duration" and value.is_point and _RECENT.search(row[: value.start]) is not None
    return replace(value, low=None) if is_recent else value


def _period(text: str, value: Quantity) -> str | None:
    match = period_before(text, value.start)
    return match.lastgroup if match else None


def _limits(asked: Quantity, row_question: str, row_answer: str) -> Iterator[tuple[str, list[Quantity]]]:
    """The sentences of an answer that limit the asked quantity, each with those limits."""
    (family,) = families([asked])
    for sentence in sentence_texts(row_answer):
        if asked.dimension == "duration" and _LISTED.match(sentence):
            continue
        # An age may only say whom a row is for ("만 19세 이상 고객은 앱에서"), without excluding others.
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


def _own_terms(row: str, values: Sequence[Quantity]) -> list[Quantity]:
    """Of a row's lengths of time those in a clause on the term of the product ("가입기간은 6·12개월 중"), or all but _OF_USE."""
    terms: list[Quantity] = []
    for start, end in clauses(row):
        within = [value for value in values if value.dimension == "duration" and start <= value.start < end]
        if any(_OWN_TERM.search(row[start : value.start]) or _OF_TERM.match(row, value.end) for value in within):
            terms += within
    return terms or [value for value in values if not _OF_USE.match(row, value.end)]


def _is_elapsed(text: str, value: Quantity) -> bool:
    return _ELAPSED.search(text[: value.start]) is not None or _ELAPSING.match(text, value.end) is not None


def _is_about(name: str, question: str, row_question: str) -> bool:
    """Whether a limit on `name` concerns the subject of the question or the row; True for a name that is no quantity."""
    if not name or not _QUANTITY.search(name) or _GENERAL.match(name):
        return True
    stem = _TAIL.sub("", name)
    texts = compact(f"{question} {row_question}")
    return name in texts or (len(stem) >= 2 and stem in texts)
