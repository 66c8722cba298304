"""Where a page's text stands in columns, and in which order its parts are read. Pure.

A gutter is a strip down the middle that few words cross and that has prose on both sides: lines that fill their column. The
cells of a table without lines have a strip between them too, but do not fill it, and stay beside each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from rag.ingestion.documents.pdf_lines import Word, Zone, around, is_in, rows_of, within

_STRIP = 7.0
"""Points that a gutter is wide at least."""
_LINES = 4
"""Lines of prose that each side has at least."""
_CHARACTERS = 10
"""Of such a line, in the middle of all."""
_FILLED = 0.7
"""Share of its column's width that a line of prose fills."""
_CROSSING = 0.35
"""Share of the lines that may go over both columns."""
_TITLE = 1.25
"""Times the size of most letters from which on a line is a title, and parts what is above it from what is below."""


def regions_of(words: Sequence[Word], tables: Sequence[Zone], page: Zone) -> list[Zone]:
    """The parts of a page in reading order; the whole page where it has no columns.

    `words`: those in no table. A table, a title or a line across the gutter parts what stands above it from what stands below.
    """
    middle = _gutter(words)
    if middle is None:
        return [page]
    left, at, right, bottom = page
    regions: list[Zone] = []
    for start, end in [*sorted(_across(words, tables, middle)), (bottom, bottom)]:
        for column in ((left, at, middle, start), (middle, at, right, start)):
            if inside := within(words, column):
                # Three columns are two, one of which is two.
                regions += regions_of(inside, [zone for zone in tables if is_in(zone, column)], column)
        if end > start:
            regions.append((left, max(at, start), right, end))
        at = max(at, end)
    return regions


def region_at(zone: Zone, regions: Sequence[Zone]) -> int:
    """The number of the region that holds the middle of a zone; the last one where none does."""
    return next((at for at, region in enumerate(regions) if is_in(zone, region)), len(regions) - 1)


def _gutter(words: Sequence[Word]) -> float | None:
    if len(words) < 2 * _LINES:
        return None
    left, _, right, _ = around(word.zone for word in words)
    width = right - left
    places = [left + width * 0.25 + step for step in range(int(width / 2) + 1)]
    # The strip that the fewest words cross, and of its places the one in the middle.
    crossed = [
        sum(word.zone[0] < at + _STRIP / 2 and word.zone[2] > at - _STRIP / 2 for word in words) for at in places
    ]
    first = crossed.index(min(crossed))
    last = next((at for at in range(first, len(crossed)) if crossed[at] != crossed[first]), len(crossed)) - 1
    middle = (places[first] + places[last]) / 2
    rows = list(rows_of(words))
    if sum(_is_over(row, middle) for row in rows) > _CROSSING * len(rows):
        return None
    sides = ([word for word in words if word.zone[2] <= middle], [word for word in words if word.zone[0] >= middle])
    return middle if all(map(_is_prose, sides)) else None


def _is_prose(words: Sequence[Word]) -> bool:
    rows = list(rows_of(words))
    if len(rows) < _LINES:
        return False
    width = _width(words)
    return (
        median(_width(row) / max(width, 1) for row in rows) >= _FILLED
        and median(sum(len(word.text) for word in row) for row in rows) >= _CHARACTERS
    )


def _across(words: Sequence[Word], tables: Sequence[Zone], middle: float) -> Iterator[tuple[float, float]]:
    """Top and bottom of what stands over both columns."""
    yield from ((zone[1], zone[3]) for zone in tables if _crosses(zone, middle))
    rows = list(rows_of(words))
    heights = [max(word.zone[3] - word.zone[1] for word in row) for row in rows]
    for row, height in zip(rows, heights, strict=True):
        is_title = height > _TITLE * median(heights) and not any(word.zone[0] >= middle for word in row)
        if is_title or _is_over(row, middle):
            _, top, _, bottom = around(word.zone for word in row)
            yield top, bottom


def _is_over(row: Sequence[Word], middle: float) -> bool:
    return any(_crosses(word.zone, middle) for word in row)


def _crosses(zone: Zone, middle: float) -> bool:
    return zone[0] < middle - 1 and zone[2] > middle + 1


def _width(words: Sequence[Word]) -> float:
    left, _, right, _ = around(word.zone for word in words)
    return right - left
