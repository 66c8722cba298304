"""Finds the sentence of a row shown before whose limit, or choice of values, decides a value that it does not state.

"28일로 돼요?" is decided by the days that one may choose from, "10억도 돼요?" by the greatest sum; of several tiers that hold a
value the narrowest is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from rag.constraints.aspects import ASPECT_OF
from rag.constraints.quantities import Quantity
from rag.conversation.asked_of_row import FollowUp
from rag.conversation.sentence_agreement import holds, is_aside, names, stated_values, units

_CHOICE = re.compile(r"중(?:에서?)?\s?(?:하나|한|선택|골라|고르|택|지정)")
_FEW = 2
"""Values of one kind that a sentence offers to choose from, at least."""


def _values_like(content: str, values: Sequence[Quantity]) -> Iterator[tuple[str, str, Quantity]]:
    """(label, sentence, value) of each value in a row that has the dimension and unit of one of `values`."""
    kinds = {(value.dimension, value.unit) for value in values}
    for label, sentence in units(content):
        if not is_aside(label, sentence):
            yield from (
                (label, sentence, each) for each in stated_values(sentence) if (each.dimension, each.unit) in kinds
            )


def limits_on(asked: FollowUp, content: str) -> list[str]:
    """The sentence with the one limit, or window of time, that a value lies beyond, where the row has no other value like it."""
    found = list(_values_like(content, asked.values))
    needed = [word for word in asked.words if word not in ASPECT_OF]
    if (chosen := _choices(found)) and all(names(chosen, word, f"{asked.topic} {chosen}") for word in needed):
        return [chosen]
    if len(found) != 1 or not all(names(f"{found[0][0]} {found[0][1]}", word, asked.message) for word in needed):
        return []
    _, sentence, limit = found[0]
    is_window = limit.dimension == "time" and None not in (limit.low, limit.high) and not limit.is_point
    return [sentence] if is_window or (limit.low is None) != (limit.high is None) else []


def beyond_all(content: str, values: Sequence[Quantity]) -> list[str]:
    """The sentences with the greatest upper limit of a row, where a sum lies beyond it: "최소 10만원" does not allow 10억.

    Not where the row says what holds beyond its limits ("1,000만원 초과: 고객창구 방문").
    """
    like = list(_values_like(content, values))
    limits = [(each.high, sentence) for _, sentence, each in like if each.high is not None and not each.is_point]
    most = max((high for high, _ in limits), default=None)
    lows = [value.low for value in values if value.dimension in ("money", "count") and value.low is not None]
    if most is None or not lows or min(lows) <= most:
        return []
    if any(each.low is not None and each.high is None and each.low >= most for _, _, each in like):
        return []
    found = [sentence for high, sentence in limits if high == most]
    # Of several tiers ("5,000km 이하", "10,000km 이하") none speaks of what lies beyond.
    return found if len(limits) == 1 else [""]


def _choices(found: Sequence[tuple[str, str, Quantity]]) -> str:
    """The one sentence that says which values one may choose from ("5일, 10일 중에서 선택"); empty where there is none."""
    lists = {sentence for _, sentence, _ in found if _CHOICE.search(sentence)}
    counts = [(sum(each == sentence for _, each, _ in found), sentence) for sentence in lists]
    return counts[0][1] if len(counts) == 1 and counts[0][0] >= _FEW else ""


def narrowest(found: Sequence[str], values: Sequence[Quantity]) -> list[str]:
    """Of sentences that all hold a value the one with the smallest upper end, or else the greatest lower end."""

    def end(sentence: str) -> tuple[Decimal, Decimal]:
        ends = [each for each in stated_values(sentence) if any(holds(each, value) for value in values)]
        highs = [each.high for each in ends if each.high is not None]
        lows = [each.low for each in ends if each.low is not None]
        return (min(highs) if highs else Decimal("Infinity"), -max(lows) if lows else Decimal("Infinity"))

    ends = [end(each) for each in found]
    least = min(ends)
    return [each for each, own in zip(found, ends, strict=True) if own == least]
