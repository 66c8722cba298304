"""Detects text columns of a page and the reading order of its regions. Pure functions.

A gutter is a vertical strip near the middle that few words cross and that has prose on both sides, that is, lines which fill
their column. Unruled tables have such strips too, but their cells do not fill the columns, so they are not split.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from rag.ingestion.documents.pdf_lines import Word, Zone, bounding_zone, is_in, rows_of, within

_STRIP = 7.0
"""Minimum width of a gutter in points."""
_LINES = 4
"""Minimum number of prose lines on each side."""
_LINES_BESIDE_TABLES = 1
"""The same, if both sides have a table too."""
_CHARACTERS = 10
"""Minimum median of the characters in a prose line."""
_FILLED = 0.7
"""Minimum median share of the column's width that prose lines fill."""
_CROSSING = 0.35
"""Maximum share of the lines that may span both columns."""
_TITLE = 1.25
"""Minimum height of a title that separates regions, as a multiple of the median line height."""


def regions_of(words: Sequence[Word], tables: Sequence[Zone], page: Zone) -> list[Zone]:
    """The regions of a page in reading order; the complete page if it has no columns.

    `words`: outside tables. A table, title or line that spans the gutter separates the regions above it from those below.
    """
    middle = _gutter(words, tables)
    if middle is None:
        return [page]
    left, at, right, bottom = page
    regions: list[Zone] = []
    for start, end in [*sorted(_across(words, tables, middle)), (bottom, bottom)]:
        for column in ((left, at, middle, start), (middle, at, right, start)):
            if inside := within(words, column):
                # Recursive, because one of the two may consist of columns itself.
                regions += regions_of(inside, [zone for zone in tables if is_in(zone, column)], column)
        if end > start:
            regions.append((left, max(at, start), right, end))
        at = max(at, end)
    return regions


def region_at(zone: Zone, regions: Sequence[Zone]) -> int:
    """The number of the region that contains the zone's centre; the last one if none does."""
    return next((at for at, region in enumerate(regions) if is_in(zone, region)), len(regions) - 1)


def _gutter(words: Sequence[Word], tables: Sequence[Zone]) -> float | None:
    if len(words) < 2 * _LINES:
        return None
    left, _, right, _ = bounding_zone(word.zone for word in words)
    width = right - left
    positions = [left + width * 0.25 + step for step in range(int(width / 2) + 1)]
    # The middle of the first run of positions that the fewest words cross.
    crossed = [
        sum(word.zone[0] < at + _STRIP / 2 and word.zone[2] > at - _STRIP / 2 for word in words) for at in positions
    ]
    first = crossed.index(min(crossed))
    last = next((at for at in range(first, len(crossed)) if crossed[at] != crossed[first]), len(crossed)) - 1
    middle = (positions[first] + positions[last]) / 2
    rows = list(rows_of(words))
    if sum(_is_over(row, middle) for row in rows) > _CROSSING * len(rows):
        return None
    sides = ([word for word in words if word.zone[2] <= middle], [word for word in words if word.zone[0] >= middle])
    # Tables on both sides are lines of their columns too.
    has_tables = any(zone[2] <= middle for zone in tables) and any(zone[0] >= middle for zone in tables)
    minimum = _LINES_BESIDE_TABLES if has_tables else _LINES
    return middle if all(_is_prose(side, minimum) for side in sides) else None


def _is_prose(words: Sequence[Word], minimum: int) -> bool:
    rows = list(rows_of(words))
    if len(rows) < minimum:
        return False
    lengths = [sum(len(word.text) for word in row) for row in rows]
    if median(lengths) < _CHARACTERS:
        return False
    # Not of titles, of which a newsletter has one for every three lines.
    width = max(_width(words), 1)
    return (
        median(_width(row) / width for row, length in zip(rows, lengths, strict=True) if length >= _CHARACTERS)
        >= _FILLED
    )


def _across(words: Sequence[Word], tables: Sequence[Zone], middle: float) -> Iterator[tuple[float, float]]:
    """Top and bottom of everything that spans both columns."""
    yield from ((zone[1], zone[3]) for zone in tables if _crosses(zone, middle))
    rows = list(rows_of(words))
    heights = [max(word.zone[3] - word.zone[1] for word in row) for row in rows]
    for row, height in zip(rows, heights, strict=True):
        is_title = height > _TITLE * median(heights) and not any(word.zone[0] >= middle for word in row)
        if is_title or _is_over(row, middle):
            _, top, _, bottom = bounding_zone(word.zone for word in row)
            yield top, bottom


def _is_over(row: Sequence[Word], middle: float) -> bool:
    return any(_crosses(word.zone, middle) for word in row)


def _crosses(zone: Zone, middle: float) -> bool:
    return zone[0] < middle - 1 and zone[2] > middle + 1


def _width(words: Sequence[Word]) -> float:
    left, _, right, _ = bounding_zone(word.zone for word in words)
    return right - left
