"""Does a value belong to what a sentence says it does? "1일 50만원" of a passage's "1회 50만원, 1일 200만원" does not.

A sentence's value is held against every value of its kind in the passages, by the words each stands with. Where another value
stands with more of the sentence's words than the same value does anywhere, the sentence has taken it from another place.
A table's and a list's rows are looked at once more by their labels, also for what is no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.constraints import Quantity, quantities_of
from rag.korean import compact
from rag.synthesis.content_words import all_words, content_words
from rag.synthesis.negation import is_negative
from rag.synthesis.passage_clauses import Finding, Line, Sources
from rag.synthesis.same_meaning import word_forms
from rag.synthesis.value_roles import FEE, Value, sentence_values

OWN, SHARED, FAR = 1.0, 0.9, 0.4
"""How much a word counts, by where a value of a passage has it."""
COMMON, VERB = 0.4, 0.8
"""How much an everyday word and a verb count beside a noun."""
MARGIN = 0.55
"""By how much another value must fit better; fitted on data/evaluation/claims.*.dev.jsonl."""
_SUM = re.compile(r"(?:합|더)(?:한|하여|해|하면|친|쳐)")
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
        # A sum is also said with the names of its parts.
        if _SUM.search(value.own) and any(_SUM.search(other.own) for other in same):
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
        yield _Word(word_forms(word.stem), weight * share, in_table)


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


_LIST = re.compile(r"^\s*(?:[-•·*]|\d{1,2}[.)])\s*([^:|]{1,24}?)\s?:\s+(\S.*)$")
_LATIN_OR_DIGIT = re.compile(r"[A-Za-z0-9]+")
_WITH_UNIT = re.compile(r"(?<![\w.,])(\d[\d,.]*)\s?([A-Za-z]{1,4})(?![A-Za-z])")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table or list. `label`: what it is about, without what stands in parentheses; `block`: rows side by side."""

    label: str
    line: Line
    block: int


@lru_cache(maxsize=256)
def _rows(lines: tuple[Line, ...]) -> tuple[Row, ...]:
    rows: list[Row] = []
    block, is_header = 0, True
    for line in lines:
        cells = [cell.strip() for cell in line.text.strip().strip("|").split("|")]
        match = _LIST.match(line.text)
        label = cells[0] if len(cells) > 1 else match[1] if match else ""
        # A sentence names a thing without what the table adds in parentheses.
        label = re.sub(r"\([^)]*\)", "", label).strip()
        # A line without a label ends a table; the rule below a Markdown header is none, and a header is no row.
        if not label:
            block, is_header = block + 1, True
            continue
        is_column_names = len(cells) > 1 and is_header
        is_header = is_header and not is_column_names
        if is_column_names or set(label) <= set("-: "):
            continue
        rows.append(Row(label, line, block))
    return tuple(rows)


def check_rows(text: str, sources: Sources) -> Finding | None:
    """A value that stands in the rows of other things alone, and not in the row of the thing that the sentence names."""
    rows = _rows(sources.lines)
    if len(rows) < 2:
        return None
    named = [row for row in rows if _names(text, row.label)]
    others = [row for row in rows if row not in named and any(row.block == each.block for each in named)]
    if not named or not others:
        return None
    # What the text says beside the table holds for any row.
    plain = [line for line in sources.lines if all(row.line is not line for row in rows)]
    if other := _other_thing(text, named, others, sources):
        return Finding("withheld", "entity", other)
    for each in quantities_of(text):
        if (
            each.dimension not in ("rate", "money", "duration")
            or len(each.ends) != 1
            or (each.dimension == "duration" and not each.is_point)
        ):
            continue
        if _row_holds([row.line for row in others], each.text) and not _row_holds(
            [row.line for row in named] + plain, each.text
        ):
            return Finding("withheld", "quantity", each.text)
    return None


def _other_thing(text: str, named: Sequence[Row], others: Sequence[Row], sources: Sources) -> str:
    """A noun that only the rows beside the one named have: "예금담보대출" said of the row "원리금균등분할상환"."""
    if len(named) != 1:
        return ""
    rows = {row.line.text for row in others}
    elsewhere = [line.text for line in sources.lines if line.text not in rows]
    for word in content_words(text):
        if (
            word.is_noun
            and len(word.stem) > 2
            and word.stem not in named[0].label
            and any(word.stem in row.line.text for row in others)
            and not any(form in line for line in elsewhere for form in _names_of(word.stem))
            and not is_negative(text)
        ):
            return word.stem
    return ""


def _names_of(stem: str) -> tuple[str, ...]:
    """A noun and its other names; a long one's beginning names another thing ("예금담보대출" is no "예금")."""
    return (stem,) if len(stem) > 3 else word_forms(stem)


def _row_holds(lines: Sequence[Line], figure: str) -> bool:
    return any(not line.stated.unsupported(figure) for line in lines)


def _names(text: str, label: str) -> bool:
    if _LATIN_OR_DIGIT.fullmatch(label):
        return not label.isdigit() and re.search(rf"(?<![A-Za-z]){re.escape(label)}(?![A-Za-z])", text) is not None
    if re.search(r"\d", label):  # "6개월 이상" is a threshold: `check_quantities` reads it
        return False
    if len(label) == 1:  # "나 등급"
        return re.search(rf"(?<![가-힣]){re.escape(label)}\s?(?:등급|형|군|급|종|그룹)", text) is not None
    return bool(label) and compact(label) in compact(text)


_OWN_UNIT = re.compile(r"(?<![\d.,])(\d[\d,.]*)\s?([가-힣]{2})")
_NO_UNIT = re.compile(r"[에로을를은는이가과와번의까부만도라인이]|하|호|째|씩|쪽")


def check_units(text: str, sources: Sources) -> Finding | None:
    """A number with a unit in Latin letters ("500GB", "10km") stands in the passages with the same unit."""
    # "5,000km" and "5000 km" are one spelling.
    held = compact(sources.text).replace(",", "")
    for match in _WITH_UNIT.finditer(text):
        if compact(match[1] + match[2]).replace(",", "") not in held:
            return Finding("withheld", "quantity", match[0])
    bare = {each.start for each in quantities_of(text) if each.dimension == "number"}
    for match in _OWN_UNIT.finditer(text):
        if match.start() not in bare or _NO_UNIT.match(match[2]):
            continue
        units = re.findall(rf"(?<![\d.,]){re.escape(match[1])}\s?([가-힣]{{2}}|.)", sources.text)
        if units and all(re.match(r"[가-힣]{2}", unit) and unit != match[2] for unit in units):
            return Finding("withheld", "quantity", match[0])
    return None
