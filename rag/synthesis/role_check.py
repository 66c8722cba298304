"""Does a value belong to what a sentence says it does? "1일 50만원" of a passage's "1회 50만원, 1일 200만원" does not.

A sentence's value is held against every value of its kind in the passages, by the words each stands with. Where another value
stands with more of the sentence's words than the same value does anywhere, the sentence has taken it from another place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.constraints import Quantity
from rag.synthesis.content_words import all_words
from rag.synthesis.passage_clauses import Finding, Sources
from rag.synthesis.same_meaning import other_words
from rag.synthesis.value_roles import FEE, Value, sentence_values

OWN, SHARED, FAR = 1.0, 0.9, 0.4
"""How much a word counts, by where a value of a passage has it."""
COMMON, VERB = 0.4, 0.8
"""How much an everyday word and a verb count beside a noun."""
MARGIN = 0.55
"""By how much another value must fit better; fitted on data/evaluation/claims.*.dev.jsonl."""
_SIGN = re.compile(r"@[가-힣A-Z]")


@dataclass(frozen=True, slots=True)
class _Word:
    """What a value of a sentence stands with: the forms that a passage may say it in, and how much it counts, in a table too."""

    forms: tuple[str, ...]
    weight: float
    in_table: float

    def level(self, value: Value, weight: float) -> float:
        """How much of a weight a value of a passage has."""
        for text, level in ((value.own, OWN), (value.shared, SHARED), (value.far, FAR)):
            if any(form in text for form in self.forms):
                return weight * level
        return 0.0


def check_roles(text: str, sources: Sources) -> Finding | None:
    """A value that the passages give for something else than the sentence does."""
    for value in sentence_values(text):
        kin = [other for other in sources.values if other.quantity.dimension == value.quantity.dimension]
        same = [other for other in kin if _agree(value.quantity, other.quantity)]
        rivals = [other for other in kin if _is_rival(value, other)]
        if not same or not rivals:
            continue
        # "각각 월 5천원, 3천원까지": what stands before is not each one's.
        words = [*_words(value.own, 1.0), *(() if "각각" in text else _words(value.shared, SHARED))]
        if any(all(_fits_better(words, value, rival, other) for other in same) for rival in rivals):
            return Finding("withheld", "quantity", value.quantity.text)
    return None


def _fits_better(words: list[_Word], claimed: Value, rival: Value, same: Value) -> bool:
    """Whether another value stands with more of a sentence's words, some of which the same value stands with nowhere."""
    met = _met(claimed, rival) - _met(claimed, same)
    gain = better = float(met)
    is_beside = rival.table == same.table != ""
    for word in words:
        weight = word.in_table if is_beside else word.weight
        theirs, own = word.level(rival, weight), word.level(same, weight)
        better += theirs - own
        if theirs > FAR * weight and own <= FAR * weight:
            # What a table's title has, its rows have alike.
            gain += weight * (FAR if own and not is_beside else 1.0)
        elif not theirs and own:
            gain -= weight
    return better >= MARGIN <= gain


def _words(text: str, weight: float) -> Iterator[_Word]:
    for sign in dict.fromkeys(_SIGN.findall(text)):
        yield _Word((sign.lower(),), weight, weight)
    for word in all_words(_SIGN.sub(" ", text)):
        if len(word.stem) < 2 and word.stem != "앱":
            continue
        share = COMMON if word.is_common and word.stem != "앱" else 1.0 if word.is_noun else VERB
        # "일반", "최저": what tells a table's rows apart, and elsewhere often no more than a manner of speaking.
        in_table = weight if word.is_common else weight * share
        yield _Word((word.stem, *other_words(word.stem)), weight * share, in_table)


def _met(claimed: Value, value: Value) -> int:
    """How many of the quantities that a value of a sentence depends on, a value of a passage depends on too."""
    return sum(
        any(_holds(theirs, own) for theirs in value.conditions)
        for own in claimed.conditions
        if own != value.quantity and own.unit != "relative"
    )


def _holds(theirs: Quantity, own: Quantity) -> bool:
    if theirs.dimension != own.dimension or theirs.unit != own.unit:
        return False
    if own.dimension in ("time", "date"):
        return _agree(theirs, own)
    # "3개월 초과" is no case of "1개월 초과 3개월 이내", whose end it has.
    same_end = own.low == theirs.low if own.low is not None else own.high == theirs.high
    return same_end or (own.is_point and theirs.high == own.high) or theirs.covers(own)


def _agree(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities of a dimension have an end in common."""
    if one.unit != other.unit and one.dimension != "time":
        return False
    if one.dimension == "date":
        return any(
            _same_date(int(end), int(theirs))
            for end in (one.low, one.high)
            for theirs in (other.low, other.high)
            if end is not None and theirs is not None
        )
    ends = {end for end in (one.low, one.high) if end is not None}
    others = {end for end in (other.low, other.high) if end is not None}
    if "clock12" in (one.unit, other.unit):
        ends, others = {end % 720 for end in ends}, {end % 720 for end in others}
    return bool(ends & others)


def _same_date(one: int, other: int) -> bool:
    """Whether two dates (yyyymmdd, 00 for a part that is missing) agree in the parts that both have."""
    parts = ((one // unit % size, other // unit % size) for unit, size in ((10000, 10000), (100, 100), (1, 100)))
    return all(first == second or 0 in (first, second) for first, second in parts)


def _is_rival(claimed: Value, value: Value) -> bool:
    """Whether a value of the passages might be what is meant in the place of the claimed one."""
    own, other = claimed.quantity, value.quantity
    if _agree(own, other) or any(
        each.dimension == other.dimension and _agree(each, other) for each in claimed.conditions
    ):
        return False
    # A point of a range may be said for it.
    if (
        own.unit == other.unit
        and own.is_point
        and not other.is_point
        and None not in (other.low, other.high)
        and other.covers(own)
    ):
        return False
    if "relative" in (own.unit, other.unit) and own.unit != other.unit:
        return False
    if own.side and own.side != other.side:
        return False
    if own.dimension not in ("duration", "time") and own.unit != other.unit:
        return False
    # Nothing to pay is the other of a fee, and not of a limit.
    if 0 in (own.low, other.low) and own.dimension == "money":
        return FEE.search(value.own + value.shared + value.far) is not None
    return True
