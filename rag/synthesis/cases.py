"""Is a value of a sentence a case that a rule of its passages covers? "7만원짜리 결제도 …" is one of "5만원 이상 결제는 …".

A model writes such sentences to answer for the customer's own value. The rule that has most words of the sentence's clause
decides. Whether other values of the sentence belong to that case is checked by `check_roles`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rag.constraints import Quantity, quantities_of
from rag.synthesis.clauses import Sources, with_conditions
from rag.synthesis.values import Value
from rag.synthesis.words import content_words, word_forms

_IN_CASE = re.compile(
    r"(?![을를이가은는도]?\s?(?:넘|초과|이상|이하|미만|이내|안))"
    r"(?:[^\d]{0,24}?(?:면|때|경우)(?=[,\s]|에는|는|에|엔|라도)|\s?짜리|[이가]\s(?:된|되신|되는)\s|(?:인|이신)\s[가-힣])"
)
"""Follows a value that is a case: "50만원을 보내시면", "7만원짜리", "만 17세인 고객". "50만원을 넘으면" is a threshold
instead."""
_PASSED = re.compile(r"[을를이가은는도]?\s?(?:지[나난났날]|경과)")
_FIGURES = ("rate", "money")
_NO_CASE = ("rate", "phone", "date", "time")
DAYS_OF_MONTH = 30


@dataclass(frozen=True, slots=True)
class _Rule:
    """A clause of the passages with its condition and heading, and the ranges of values in it."""

    text: str
    ranges: tuple[Quantity, ...]


@lru_cache(maxsize=1024)
def cases_of(text: str) -> tuple[Quantity, ...]:
    """The values of a text that are cases."""
    return tuple(
        each
        for each in quantities_of(text)
        if each.is_point and each.dimension not in _NO_CASE and _IN_CASE.match(text, each.end)
    )


def is_case(quantity: Quantity, text: str, sources: Sources) -> bool:
    """Whether a value of the text is a case within a range that a rule of the passages has."""
    if quantity not in cases_of(text):
        return False
    if any(not each.is_point and holds_case(each, quantity) for value in sources.values for each in value.conditions):
        return True
    clause = next((each for each in with_conditions(text) if quantity.text in each), text)
    # "20일이 지나면" is a threshold; and a clause with another rate or amount must state which range that belongs to.
    if _PASSED.match(text, quantity.end) or any(
        each.dimension in _FIGURES and each.text != quantity.text for each in quantities_of(clause)
    ):
        return False
    rules = [rule for rule in _rules(sources) if any(each.dimension == quantity.dimension for each in rule.ranges)]
    words = [word_forms(word.stem) for word in content_words(clause)]
    shares = [sum(any(form in rule.text for form in forms) for forms in words) for rule in rules]
    best = max(shares, default=0)
    nearest = [each for rule, share in zip(rules, shares, strict=True) if share == best > 0 for each in rule.ranges]
    named = [each for rule, share in zip(rules, shares, strict=True) if share for each in rule.ranges]
    return any(holds_case(each, quantity) for each in nearest) and not _is_beyond(quantity, named)


def _is_beyond(quantity: Quantity, ranges: Sequence[Quantity]) -> bool:
    """Whether a value exceeds an upper limit and no range begins above it: 7천만원 for "최대 5천만원까지, 1천만원 이상이면
    우대"."""
    return any(
        limit.low is None
        and limit.high is not None
        and limit.unit == quantity.unit
        and not limit.covers(quantity)
        and not any(each.low is not None and each.low >= limit.high and holds_case(each, quantity) for each in ranges)
        for limit in ranges
    )


def holds_case(limits: Quantity, case: Quantity) -> bool:
    """Whether a range contains a value, converting months to days: 31~90일 contains "두 달"."""
    if case.low is not None and {case.unit, limits.unit} == {"month", "day"}:
        value = case.low * DAYS_OF_MONTH if case.unit == "month" else case.low / DAYS_OF_MONTH
        case = replace(case, unit=limits.unit, low=value, high=value)
    return case.dimension == limits.dimension and case.unit == limits.unit and limits.covers(case)


def excludes_case(value: Value, claimed: Value, cases: Collection[str]) -> bool:
    """Whether the conditions of a value exclude the case of the sentence: "1억원 이하이면 50%" excludes "2억원이면 50%"."""
    comparable = [
        (each, case)
        for case in claimed.conditions
        for each in value.conditions
        if case.text in cases and each.dimension == case.dimension and (not each.is_point or each.unit == case.unit)
    ]
    return bool(comparable) and not any(holds_case(each, case) for each, case in comparable)


def is_of_case(claimed: Value, value: Value) -> bool:
    """Whether a range among the conditions of a value contains the case of the sentence: "8,000km이면 18%"."""
    cases = [each for each in claimed.conditions if each.is_point]
    ranges = [each for each in value.conditions if None not in (each.low, each.high) and not each.is_point]
    return any(holds_case(each, case) for each in ranges for case in cases)


@lru_cache(maxsize=256)
def _rules(sources: Sources) -> tuple[_Rule, ...]:
    return tuple(
        _Rule(f"{line.heading} {clause}".lower(), ranges)
        for line in sources.lines
        for clause in with_conditions(line.text)
        if (ranges := tuple(each for each in quantities_of(clause) if not each.is_point))
    )
