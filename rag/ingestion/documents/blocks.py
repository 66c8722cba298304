"""What every reader of documents makes: blocks in reading order, tables as rows that say what they are about. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rag.ingestion.cell_text import visible
from rag.ingestion.messages import Note

Kind = Literal["heading", "paragraph", "row", "footnote"]
CELL_BREAK = " | "
_SENTENCE = re.compile(r"[.?!:,;]$|(?:다|요|음|함)$|^[-※*•①-⑳(\[]")
# What PDF fonts and word processors write for plain letters: full-width forms, ligatures, and a hyphen that does not break.
_PLAIN = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {
    ord("\ufb01"): "fi",
    ord("\ufb02"): "fl",
    ord("‑"): "-",
}


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, table row or footnote, as text without line feeds at its ends.

    `level`: of a heading, from 1. `page`: from 1, where the format has pages. Of a row: `header`, the row that names its
    columns (itself a row before it); `table`, which of the document's tables; `own`, its cells without carried labels.
    `uncertain`: quantities that a second reader did not see there.
    """

    text: str
    kind: Kind = "paragraph"
    level: int = 0
    page: int | None = None
    header: str = ""
    table: int = 0
    own: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()


@dataclass(slots=True)
class Document:
    """A file's blocks, and what was left out or doubted. `pages` counts those of the format, where it has any."""

    file: str
    blocks: list[Block] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    pages: int | None = None

    def note(self, kind: str, **values: object) -> None:
        """Note what was left out or doubted; `kind` is a key of `rag.ingestion.messages.NOTES`."""
        self.notes.append(Note(self.file, kind, values))

    @property
    def text(self) -> str:
        """The whole text: a line feed between blocks. Passages are slices of it."""
        return "\n".join(block.text for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's cell: its text, the place of its upper left corner, and how many rows and columns it covers.

    `inner`: the tables within it, as their cells.
    """

    text: str
    row: int
    column: int
    rows: int = 1
    columns: int = 1
    is_header: bool = False
    inner: tuple[tuple[Cell, ...], ...] = ()


def clean_text(text: str) -> str:
    """A block's text: composed, without what nobody sees; spaces within a line as one, the ends trimmed."""
    lines = (re.sub(r"[ \u00a0\u3000]+", " ", line).strip() for line in visible(text).split("\n"))
    return "\n".join(line for line in lines if line)


def is_title(text: str) -> bool:
    """Whether a line reads as a title where nothing but its place says so: short, and no sentence."""
    return len(text) <= 40 and "\n" not in text and not _SENTENCE.search(text)


def squeezed(text: str) -> str:
    """A text as two readers can be compared by it: full-width forms and ligatures as plain ones, without any white space.

    Not NFKC, which makes "165세" of "①65세" and "102" of "10²".
    """
    return "".join(visible(text).translate(_PLAIN).split())


def table_blocks(cells: Iterable[Cell], *, table: int, page: int | None = None) -> list[Block]:
    """The rows of a table, each whole: a label that covers several rows or columns stands in each of them.

    The first row, or rows where its cells cover several, name the columns and are one block; a table whose first row holds
    amounts of its own has none. A table within a cell comes behind its own, each of its rows under the label of the row that
    it stands in: written into its cell, its amounts would run together.
    """
    cells = [replace(cell, text=" ".join(clean_text(cell.text).split())) for cell in cells]
    if not any(cell.text for cell in cells):
        return [block for cell in cells for block in _inner_blocks(cell, "", "", table=table, page=page)]
    height = max(cell.row + cell.rows for cell in cells)
    width = max(cell.column + cell.columns for cell in cells)
    grid: list[list[Cell | None]] = [[None] * width for _ in range(height)]
    for cell in cells:
        for row in range(cell.row, cell.row + cell.rows):
            for column in range(cell.column, cell.column + cell.columns):
                # Where a damaged file's cells overlap, the first keeps its place.
                grid[row][column] = grid[row][column] or cell
    depth = _header_depth(grid)
    blocks: list[Block] = []
    header = name = ""
    if depth:
        above = [[grid[row][column] for row in range(depth)] for column in range(width)]
        names = [" ".join(dict.fromkeys(cell.text for cell in cells if cell and cell.text)) for cells in above]
        # A name over several columns is said once: every row would repeat it, and be found by it.
        header = CELL_BREAK.join(name for at, name in enumerate(names) if not (at and name and name == names[at - 1]))
        blocks.append(Block(header, "row", page=page, table=table, own=_texts(grid[:depth])))
        name = names[0]
    for row in range(depth, height):
        line = grid[row]
        # Labels are carried into each row they cover: a passage may begin at any row, and a fee under another header is a wrong
        # answer.
        texts = [cell.text if cell else "" for cell in line]
        # A label across the whole row is said once; one that covers some columns, in each of them.
        shown = texts[0] if len(set(line)) == 1 else CELL_BREAK.join(texts).strip()
        # Without what is carried: a second reader sees a label once, in the row where it stands.
        own = _texts([[cell for cell in line if cell and cell.row == row]])
        if any(texts):
            blocks.append(Block(shown, "row", page=page, header=header, table=table, own=own))
    for cell in cells:
        label = grid[cell.row][0]
        inner_label = label.text if label and label is not cell else cell.text
        blocks += _inner_blocks(cell, name, inner_label, table=table, page=page)
    return blocks


def _inner_blocks(cell: Cell, name: str, label: str, *, table: int, page: int | None) -> Iterator[Block]:
    """The rows of the tables within a cell; `name` and `label` stand before their columns' names and their cells."""

    def led(before: str, text: str) -> str:
        return f"{before}{CELL_BREAK}{text}" if before and text else text

    for cells in cell.inner:
        rows = table_blocks(cells, table=table, page=page)
        header = rows[0].text if len(rows) > 1 and rows[1].header else ""
        for row in rows:
            is_header = not row.header and row.text == header
            before = (name or label) if is_header else label
            yield replace(row, text=led(before, row.text), header=led(name or label, row.header))


def _header_depth(grid: Sequence[Sequence[Cell | None]]) -> int:
    first = [cell for cell in dict.fromkeys(grid[0]) if cell]
    if len(grid) < 2:
        return 0
    # The author's own marks count first, unless all rows bear one: then they say nothing.
    marked = [all(cell.is_header for cell in row if cell) and any(row) for row in grid]
    if marked[0] and not all(marked):
        return marked.index(False)
    # A first row with amounts or rates that are no limits ("600원", not "10만원 이하") tells of one thing, and names no column.
    if any(_VALUE.search(cell.text) for cell in first[1:]) and not any(cell.columns > 1 for cell in first):
        return 0
    depth = max((cell.rows for cell in first if cell.text), default=1)
    # Where one name covers several columns, the row below tells them apart.
    covers = any(cell.columns > 1 and cell.rows == 1 for cell in first) and len(first) > 1
    return min(max(depth, 2 if covers else 1), len(grid) - 1)


_VALUE = re.compile(r"\d\s*(?:%|원)(?!\s*(?:이하|이상|초과|미만|까지|부터))|면제")


def _texts(rows: Iterable[Iterable[Cell | None]]) -> tuple[str, ...]:
    """The texts of rows' cells, each cell once."""
    return tuple(cell.text for cell in dict.fromkeys(cell for row in rows for cell in row) if cell and cell.text)
