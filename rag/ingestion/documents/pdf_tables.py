"""Extracts ruled tables of PDF pages. The rows, columns and spans of cells are computed from the cells' edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag.ingestion.documents.blocks import Cell, clean_text
from rag.ingestion.documents.pdf_lines import Word, Zone, cell_texts, to_words

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
