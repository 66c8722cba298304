"""Finds the quantities of a sentence that no passage states, for checking the statements of a model.

A passage states a quantity by its value, unit and direction: "5천만원 이상" does not state "5천만원 이하", nor "0.5%p" "0.5%",
nor "3영업일" "3일". Both ends of a range must be stated. A single value is also stated by a threshold with that value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

from rag.constraints.quantities import Quantity, read_quantities

_STATED_BY = {
    "point": ("point", "le", "ge", "lt", "gt"),
    "le": ("le", "point"),
    "ge": ("ge",),
    "lt": ("lt",),
    "gt": ("gt",),
}
_DAY = 24 * 3600
_PER = {
    ("month", Decimal(1)): re.compile(r"매월|매달|월\s?(?:\d|최대|평균)"),
    ("day", Decimal(1)): re.compile(r"매일|(?:^|[^\d가-힣])일\s?(?:\d|최대)"),
    ("month", Decimal(12)): re.compile(r"매년|연간|연\s?(?:\d|최대)"),
}
"""Periods written without a number, by the quantity they stand for: "월 5회" states the "한 달" of "한 달에 5회"."""

_SPAN = re.compile(r"\s?(?:[이가을를도은]?\s?(?:지나|지난|지났|넘|경과)|이상|이하|이내|미만|초과|뒤|후|전|안에)")
"""Follows a duration that is a span of time ("1개월이 지나면") rather than the period of a limit."""


class StatedQuantities:
    """The quantities of some passages, read once for the check of many sentences. `text`: the passages, joined."""

    def __init__(self, passages: Iterable[str]) -> None:
        texts = list(passages)
        self._quantities = [quantity for text in texts for quantity in read_quantities(text)]
        self.text = "\n".join(texts)

    def unsupported(self, sentence: str) -> list[Quantity]:
        """The quantities of `sentence` that no passage states, in text order, with their offsets in `sentence`."""
        return [
            quantity
            for quantity in quantities_of(sentence)
            if not _is_stated(quantity, self._quantities) and not self._says_per(quantity, sentence)
        ]

    def _says_per(self, claim: Quantity, sentence: str) -> bool:
        """Whether a claim is the period of a limit and the passages write that period without a number."""
        if not claim.is_point or claim.low is None or _SPAN.match(sentence, claim.end):
            return False
        pattern = _PER.get((claim.unit, claim.low))
        return pattern is not None and pattern.search(self.text) is not None


@lru_cache(maxsize=4096)
def quantities_of(sentence: str) -> tuple[Quantity, ...]:
    """`read_quantities` with a cache, because each sentence is compared with every line of its passages."""
    return tuple(read_quantities(sentence))


def _is_stated(claim: Quantity, stated: Iterable[Quantity]) -> bool:
    candidates = [quantity for quantity in stated if _same_unit(claim, quantity)]
    # Both ends of a range may be values of a list: "6개월에서 36개월 사이" for "6개월·12개월·24개월·36개월". And the comparator
    # of a time may be too far from it to be read: "8시 반부터" for "장전 시간외종가(08:30)부터".
    is_open = claim.dimension == "time" or (claim.low is not None and claim.high is not None)
    return all(
        any(_same_value(claim, value, quantity, other)
            and (end in _STATED_BY[direction] or (is_open and end == "point"))
            for quantity in candidates for other, end in _ends(quantity))
        for value, direction in _ends(claim)
    )  # fmt: skip


def _ends(quantity: Quantity) -> list[tuple[Decimal, str]]:
    if quantity.is_point and quantity.low is not None:
        return [(quantity.low, "point")]
    ends: list[tuple[Decimal, str]] = []
    if quantity.low is not None:
        ends.append((quantity.low, "ge" if quantity.low_closed else "gt"))
    if quantity.high is not None:
        ends.append((quantity.high, "le" if quantity.high_closed else "lt"))
    return ends


def _same_unit(claim: Quantity, stated: Quantity) -> bool:
    # A number without a unit is stated by any quantity of that value.
    if claim.dimension == "number":
        return True
    if claim.dimension != stated.dimension:
        # "매월 5일" may have been read as a duration or as a date in either text.
        return {claim.unit, stated.unit} == {"day", "date"}
    if {claim.unit, stated.unit} == {"day", "second"}:
        return claim.side == stated.side or not (claim.side and stated.side)
    if claim.side and stated.side and claim.side != stated.side:
        return False
    return claim.unit == stated.unit or claim.dimension == "time"


def _same_value(claim: Quantity, value: Decimal, stated: Quantity, other: Decimal) -> bool:
    if claim.dimension == "date" and stated.dimension == "date":
        parts = [
            (int(value) // unit % size, int(other) // unit % size)
            for unit, size in ((10000, 10000), (100, 100), (1, 100))
        ]
        return all(first in (0, second) for first, second in parts)
    if {claim.unit, stated.unit} == {"day", "second"}:
        days, seconds = (value, other) if claim.unit == "day" else (other, value)
        return days * _DAY == seconds
    if "clock12" in (claim.unit, stated.unit):
        return value % 720 == other % 720
    return value == other
