"""Does a value belong to the row that a sentence names? For the tables and lists of a passage: "B: 40%" beside "A: 20%"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.constraints import quantities_of
from rag.korean import compact
from rag.synthesis.content_words import content_words
from rag.synthesis.passage_clauses import Finding, Line, Sources
from rag.synthesis.polarity_check import is_negative
from rag.synthesis.same_meaning import other_words

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
        if each.dimension not in ("rate", "money", "duration") or not each.is_point:
            continue
        if _holds([row.line for row in others], each.text) and not _holds(
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
    return (stem,) if len(stem) > 3 else (stem, *other_words(stem))


def _holds(lines: Sequence[Line], figure: str) -> bool:
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
