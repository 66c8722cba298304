"""Ruled tables of a PDF page as cells: a cell's place and spans come from its edges, not from the order of its text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag.ingestion.documents.blocks import Cell, clean_text
from rag.ingestion.documents.pdf_lines import Word, Zone, as_words, cell_texts

_TOLERANCE = 3.0
"""Points within which two edges are one."""


@dataclass(frozen=True, slots=True)
class PlacedCell:
    """A cell's text and place on the page."""

    text: str
    zone: Zone


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of one page. `carried`: by column number, labels of the page before that go on here."""

    zone: Zone
    cells: tuple[PlacedCell, ...]
    carried: tuple[tuple[int, str], ...] = ()

    @property
    def columns(self) -> list[float]:
        """The left edges of its columns."""
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
            # A label that goes on over the page's end is printed once, on the page before.
            text = cell.text or (carried.get(left, "") if top == 0 else "")
            cells.append(Cell(text, top, left, max(bottom - top, 1), max(right - left, 1)))
        return cells

    def read_by(self, zone_text: Callable[[Zone], str]) -> Grid:
        """The same table with another reader's text in its cells."""
        return replace(
            self, cells=tuple(PlacedCell(clean_text(zone_text(cell.zone)), cell.zone) for cell in self.cells)
        )

    def continuing(self, before: Grid, header: str) -> Grid:
        """This table as the rest of the one on the page before: empty cells of its first row go on with the last labels."""
        rows = before.as_cells()
        last = max((cell.row + cell.rows for cell in rows), default=0)
        labels = {cell.column: cell.text for cell in rows if cell.row + cell.rows == last and cell.text}
        return replace(self, carried=tuple(labels.items()))


def page_tables(page: Any) -> list[Grid]:
    """The ruled tables of a page with at least two rows and two columns; a frame around text is none."""
    from pdfplumber.utils.text import extract_words

    grids = []
    for table in page.find_tables():
        held = []
        # By the edges of cells: `extract_text` puts a merged cell's label into another row, and a fee under the wrong transfer.
        for zone in dict.fromkeys(table.cells):
            left, top, right, bottom = zone
            inside = [
                char
                for char in page.chars
                if left <= (char["x0"] + char["x1"]) / 2 <= right
                and top <= (char["top"] + char["bottom"]) / 2 <= bottom
            ]
            held.append((zone, as_words(extract_words(inside, x_tolerance_ratio=0.2))))
        cells = placed(held)
        grid = Grid(tuple(table.bbox), tuple(cells))
        if len(grid.columns) > 1 and len(_edges([cell.zone[1] for cell in cells])) > 1:
            grids.append(grid)
    return grids


def placed(cells: Sequence[tuple[Zone, Sequence[Word]]]) -> list[PlacedCell]:
    """Cells with their texts, of their words."""
    return [PlacedCell(text, zone) for text, (zone, _) in zip(cell_texts(cells), cells, strict=True)]


def is_continued(before: Grid, after: Grid) -> bool:
    """Whether a table at the top of a page has the columns of the one at the end of the page before."""
    first, second = before.columns, after.columns
    return len(first) == len(second) and all(abs(a - b) < 2 * _TOLERANCE for a, b in zip(first, second, strict=True))


def _edges(values: Sequence[float]) -> list[float]:
    """Distinct edges, sorted."""
    edges: list[float] = []
    for value in sorted(values):
        if not edges or value - edges[-1] > _TOLERANCE:
            edges.append(value)
    return edges


def _index(edges: Sequence[float], value: float) -> int:
    return min(range(len(edges)), key=lambda at: abs(edges[at] - value))
