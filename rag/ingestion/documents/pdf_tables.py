"""Extracts tables of PDF pages: those with ruling lines, with lines between their rows only, and without any."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any

from rag.ingestion.documents.blocks import Cell, clean_text
from rag.ingestion.documents.pdf_lines import (
    GAP,
    Word,
    Zone,
    bounding_zone,
    cell_texts,
    is_in,
    rows_of,
    to_words,
    within,
)

_TOLERANCE = 3.0
"""Maximum distance in points between edges that count as equal."""


@dataclass(frozen=True, slots=True)
class PlacedCell:
    """A cell's text and zone on the page."""

    text: str
    zone: Zone


@dataclass(frozen=True, slots=True)
class Grid:
    """A table on one page. `carried`: (column, label) of the previous page's last row, for empty cells of the first row."""

    zone: Zone
    cells: tuple[PlacedCell, ...]
    carried: tuple[tuple[int, str], ...] = ()

    @property
    def columns(self) -> list[float]:
        """The left edges of the columns, in points."""
        return _edges([cell.zone[0] for cell in self.cells])

    def as_cells(self) -> list[Cell]:
        """The cells with row, column and spans."""
        xs = _edges([edge for cell in self.cells for edge in (cell.zone[0], cell.zone[2])])
        ys = _edges([edge for cell in self.cells for edge in (cell.zone[1], cell.zone[3])])
        carried = dict(self.carried)
        cells = []
        for cell in self.cells:
            left, top, right, bottom = (
                _index(xs, cell.zone[0]),
                _index(ys, cell.zone[1]),
                _index(xs, cell.zone[2]),
                _index(ys, cell.zone[3]),
            )
            # A label that spans a page break is printed on the first page only.
            text = cell.text or (carried.get(left, "") if top == 0 else "")
            cells.append(Cell(text, top, left, max(bottom - top, 1), max(right - left, 1)))
        return cells

    def with_texts(self, zone_text: Callable[[Zone], str]) -> Grid:
        """The table with `zone_text` of each cell's zone as its text."""
        return replace(
            self, cells=tuple(PlacedCell(clean_text(zone_text(cell.zone)), cell.zone) for cell in self.cells)
        )

    def continued_from(self, before: Grid) -> Grid:
        """This table as the continuation of `before`, whose last labels it carries on."""
        rows = before.as_cells()
        last = max((cell.row + cell.rows for cell in rows), default=0)
        labels = {cell.column: cell.text for cell in rows if cell.row + cell.rows == last and cell.text}
        return replace(self, carried=tuple(labels.items()))


def page_tables(page: Any) -> list[Grid]:
    """The ruled tables of a page with at least two rows and two columns; a frame around text is not a table."""
    from pdfplumber.utils.text import extract_words

    grids = []
    for table in page.find_tables():
        cell_words = []
        # By the cells' edges, because `extract_text` may put a merged cell's label into another row, next to a wrong fee.
        for zone in dict.fromkeys(table.cells):
            left, top, right, bottom = zone
            inside = [
                char
                for char in page.chars
                if left <= (char["x0"] + char["x1"]) / 2 <= right
                and top <= (char["top"] + char["bottom"]) / 2 <= bottom
            ]
            cell_words.append((zone, to_words(extract_words(inside, x_tolerance_ratio=0.2))))
        cells = placed_cells(cell_words)
        grid = Grid(tuple(table.bbox), tuple(cells))
        if len(grid.columns) > 1 and len(_edges([cell.zone[1] for cell in cells])) > 1:
            grids.append(grid)
    return grids


def placed_cells(cells: Sequence[tuple[Zone, Sequence[Word]]]) -> list[PlacedCell]:
    """Cells with the texts of their words, from (zone, words) pairs."""
    return [PlacedCell(text, zone) for text, (zone, _) in zip(cell_texts(cells), cells, strict=True)]


def is_continued(before: Grid, after: Grid) -> bool:
    """Whether `after`, at the top of a page, has the same columns as `before`, at the end of the previous page."""
    first, second = before.columns, after.columns
    return len(first) == len(second) and all(abs(a - b) < 2 * _TOLERANCE for a, b in zip(first, second, strict=True))


def _edges(values: Sequence[float]) -> list[float]:
    """The sorted edges without those within _TOLERANCE of a smaller one."""
    edges: list[float] = []
    for value in sorted(values):
        if not edges or value - edges[-1] > _TOLERANCE:
            edges.append(value)
    return edges


def _index(edges: Sequence[float], value: float) -> int:
    return min(range(len(edges)), key=lambda at: abs(edges[at] - value))


_MAX_ROW_DISTANCE = 2.6
"""Maximum distance between the tops of two rows of a table, as a multiple of the letters' height."""
_ROWS = 3
"""Minimum number of rows of a table."""
_AMOUNTS = 2
"""Minimum number of rows with an amount after their first cell."""
_ONE_RULE = 2.0
"""Maximum distance in points between pieces of the same line."""
_STRIP = 7.0
"""Minimum gap between two columns in points."""
_LABELS = 0.25
"""Maximum share of the rows with a label that spans columns."""
_AMOUNT = re.compile(r"\d|면제|무료|없음")


def rules_of(page: Any, tables: Sequence[Zone]) -> list[Zone]:
    """The horizontal lines of a page outside its tables, from the top. Pieces at the same height are joined."""
    rules: list[Zone] = []
    for edge in sorted(page.horizontal_edges, key=lambda edge: float(edge["top"])):
        zone = (edge["x0"], edge["top"], edge["x1"], edge["top"])
        if any(is_in(zone, table) for table in tables):
            continue
        if rules and zone[1] - rules[-1][1] < _ONE_RULE:
            rules[-1] = bounding_zone([rules[-1], zone])
        else:
            rules.append(zone)
    return rules


def tables_between(rules: Sequence[Zone], words: Sequence[Word]) -> list[Grid]:
    """Tables among the words of one region with horizontal lines above and below each row, and no vertical lines."""
    if not words:
        return []
    left, top, right, bottom = bounding_zone(word.zone for word in words)
    inside = [rule for rule in rules if rule[0] < right and rule[2] > left and top - 20 < rule[1] < bottom + 20]
    grids = []
    for _, run in groupby(inside, key=lambda rule: (round(rule[0] / 6), round(rule[2] / 6))):
        frame = list(run)
        bands = [(upper[0], upper[1], upper[2], lower[1]) for upper, lower in pairwise(frame)]
        rows = [(band, inside_words) for band in bands if (inside_words := within(words, band))]
        if len(rows) >= _ROWS and (grid := _banded(rows)) is not None:
            grids.append(grid)
    return grids


def _banded(rows: Sequence[tuple[Zone, list[Word]]]) -> Grid | None:
    left, right = rows[0][0][0], rows[0][0][2]
    # A gutter is a strip that words of few rows cross, namely labels that span columns.
    free = [
        sum(
            any(word.zone[0] < at + _STRIP / 2 and word.zone[2] > at - _STRIP / 2 for word in words)
            for _, words in rows
        )
        <= len(rows) * _LABELS
        for at in range(int(left), int(right) + 1)
    ]
    runs = [list(run) for is_free, run in groupby(enumerate(free), key=lambda item: item[1]) if is_free]
    # The first and the last are the margins.
    middles = [left + (run[0][0] + run[-1][0]) / 2 for run in runs if run[0][0] > 0 and run[-1][0] < len(free) - 1]
    if not middles:
        return None
    cells: list[tuple[Zone, list[Word]]] = []
    for band, words in rows:
        free_middles = [at for at in middles if not any(word.zone[0] < at < word.zone[2] for word in words)]
        edges = [band[0], *free_middles, band[2]]
        zones = [(start, band[1], end, band[3]) for start, end in pairwise(edges)]
        filled = [zone for zone in zones if within(words, zone)]
        # A single label in the first column spans the complete row.
        zones = [band] if len(filled) == 1 and filled[0] == zones[0] else zones
        cells += [(zone, within(words, zone)) for zone in zones]
    return Grid((left, rows[0][0][1], right, rows[-1][0][3]), tuple(placed_cells(cells)))


def unruled_tables(words: Sequence[Word]) -> list[Grid]:
    """Tables without any lines among the words of one region.

    A table consists of close rows with wide gaps that are aligned below each other. It must contain amounts, because an
    indented list has gaps too.
    """
    rows = [_cells(row) for row in rows_of(words)]
    return [grid for run in _runs(rows) if (grid := _grid(run)) is not None]


def _cells(row: Sequence[Word]) -> list[PlacedCell]:
    groups: list[list[Word]] = []
    for word in row:
        if groups and word.zone[0] - groups[-1][-1].zone[2] < GAP * (word.zone[3] - word.zone[1]):
            groups[-1].append(word)
        else:
            groups.append([word])
    return [
        PlacedCell(clean_text(" ".join(word.text for word in group)), bounding_zone(word.zone for word in group))
        for group in groups
    ]


def _runs(rows: Sequence[list[PlacedCell]]) -> Iterator[list[list[PlacedCell]]]:
    """Runs of close rows that begin and end with a row of several cells."""
    run: list[list[PlacedCell]] = []
    for row in [*rows, []]:
        is_close = (
            run and row and row[0].zone[1] - run[-1][0].zone[1] < _MAX_ROW_DISTANCE * (row[0].zone[3] - row[0].zone[1])
        )
        if run and not is_close:
            while len(run[-1]) == 1:
                run.pop()
            yield run
            run = []
        if len(row) > 1 or (run and row):
            run.append(row)


def _grid(rows: Sequence[list[PlacedCell]]) -> Grid | None:
    # The columns are those of the rows with the most frequent number of cells; the larger number of equally frequent ones.
    counts = Counter(len(row) for row in rows if len(row) > 1)
    width = max(counts, key=lambda count: (counts[count], count))
    complete = [row for row in rows if len(row) == width]
    amounts = sum(any(_AMOUNT.search(cell.text) for cell in row[1:]) for row in complete)
    if len(complete) < _ROWS or amounts < _AMOUNTS:
        return None
    columns = [
        (min(row[at].zone[0] for row in complete), max(row[at].zone[2] for row in complete)) for at in range(width)
    ]
    # If cells of a column reach into the next one, the rows are sentences with gaps and not a table.
    if any(left[1] >= right[0] for left, right in pairwise(columns)):
        return None
    edges = [columns[0][0], *((a[1] + b[0]) / 2 for a, b in pairwise(columns)), columns[-1][1]]
    tops = [min(cell.zone[1] for cell in row) for row in rows]
    bottoms = [*((top - 0.1) for top in tops[1:]), max(cell.zone[3] for cell in rows[-1])]
    cells: list[PlacedCell] = []
    pending_lines: list[PlacedCell] = []
    for at, (row, top, bottom) in enumerate(zip(rows, tops, bottoms, strict=True)):
        placed_row = []
        for cell in row:
            covered = [
                number for number in range(width) if cell.zone[0] < edges[number + 1] and cell.zone[2] > edges[number]
            ]
            if not covered:
                return None
            zone = (edges[covered[0]], top, edges[covered[-1] + 1], bottom)
            # A single text in the first column is a label of the rows below.
            is_label = len(row) == 1 and covered[0] == 0
            placed_row.append(PlacedCell(cell.text, (edges[0], top, edges[-1], bottom) if is_label else zone))
        if len(row) == 1 and placed_row[0].zone[0] > edges[0]:
            # A single text in another column is a further line of a cell in the nearer row.
            following = next(index for index in range(at + 1, len(rows)) if len(rows[index]) > 1)
            if tops[following] - top < top - tops[at - 1]:
                pending_lines.append(placed_row[0])
            else:
                _join(cells, placed_row[0])
            continue
        for line in pending_lines:
            _join(placed_row, line, first=True)
        pending_lines = []
        cells += placed_row
    outer = (min(edges[0], rows[0][0].zone[0]), tops[0], edges[-1], bottoms[-1])
    return Grid(outer, tuple(cells))


def _join(cells: list[PlacedCell], line: PlacedCell, *, first: bool = False) -> None:
    """Append a line to the last of the cells in its column, or prepend it if `first`; without such a cell, add one."""
    for at in reversed(range(len(cells))):
        cell = cells[at]
        if cell.zone[0] == line.zone[0]:
            texts = (line.text, cell.text) if first else (cell.text, line.text)
            cells[at] = PlacedCell(" ".join(texts), cell.zone)
            return
    cells.append(PlacedCell(line.text, (line.zone[0], cells[0].zone[1], line.zone[2], cells[0].zone[3])))
