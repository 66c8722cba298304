"""Data types that all document readers return: blocks in reading order; and the conversion of tables to blocks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rag.ingestion.cell_text import remove_invisible
from rag.ingestion.messages import Note
from rag.ingestion.question_pairs import is_question_label

Kind = Literal["heading", "paragraph", "row", "footnote"]
CELL_BREAK = " | "
CONTENTS_ENTRY = re.compile(r"(?:\t\s*| … )\d{1,4}$")
"""The end of an entry in a table of contents: the page, behind a tab or dots."""
_LEADERS = re.compile(r"\s*(?:[.·‥…∙・]\s?){5,}")
_SPACED = re.compile(r"[가-힣](?: [가-힣]){1,7}")
_SAME_AS_ABOVE = frozenset(("〃", "″", '"', "＂", "''", "상동", "위와 같음", "위와같음"))
_SAME_AS_LEFT = frozenset(("좌동", "왼쪽과 같음"))
_SENTENCE = re.compile(r"[.?!:,;]$|(?:다|요|음|함)$|^[-※*•①-⑳(\[]")
# PDF fonts and word processors write full-width forms, ligatures and non-breaking hyphens for ASCII characters.
_PLAIN = str.maketrans(
    {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {"\ufb01": "fi", "\ufb02": "fl", "‑": "-"}
)


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, table row or footnote, as text without leading and trailing line feeds.

    `level`: of a heading, from 1. `page`: from 1; None if the format has no pages. `uncertain`: quantities that a second
    reader did not find in the same place.
    For rows, `header`: text of the table's header row, which is a block of its own before them; empty for that row.
    `table`: number of the table in the document, from 1. `own_cells`: texts of the row's cells without those that span from
    above. `number`: the automatic number at the text's beginning, which the file does not contain.
    """

    text: str
    kind: Kind = "paragraph"
    level: int = 0
    page: int | None = None
    header: str = ""
    table: int = 0
    own_cells: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()
    number: str = ""


@dataclass(slots=True)
class Document:
    """The blocks of a file, and notes on what was left out or is uncertain. `pages`: None if the format has no pages."""

    file: str
    blocks: list[Block] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    pages: int | None = None

    def note(self, kind: str, **values: object) -> None:
        """Add a note. `kind`: a key of `rag.ingestion.messages.NOTES`."""
        self.notes.append(Note(self.file, kind, values))

    @property
    def text(self) -> str:
        """The complete text, with a line feed between blocks. Passages are slices of it."""
        return "\n".join(block.text for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's cell. `row`, `column`: of its upper left corner, from 0; `rows`, `columns`: how many it spans.

    `inner`: cells of the tables within it.
    """

    text: str
    row: int
    column: int
    rows: int = 1
    columns: int = 1
    is_header: bool = False
    inner: tuple[tuple[Cell, ...], ...] = ()


def clean_text(text: str) -> str:
    """A block's text in NFC, without invisible characters, empty lines and surplus spaces."""
    lines = (re.sub(r"[ \u00a0\u3000]+", " ", line).strip() for line in remove_invisible(text).split("\n"))
    return "\n".join(close_spaced(_without_leaders(line)) for line in lines if line)


def _without_leaders(line: str) -> str:
    # Dots that lead from a name to its amount or page.
    return _LEADERS.sub(" … ", line).strip(" …") if _LEADERS.search(line) else line


def close_spaced(text: str) -> str:
    """A label whose syllables are spaced out to fill its cell ("수 수 료") as a word; any other text as it is."""
    return text.replace(" ", "") if _SPACED.fullmatch(text) else text


def is_title(text: str) -> bool:
    """Whether an unstyled line is probably a title: at most 40 characters and not a sentence or a list item."""
    return len(text) <= 40 and "\n" not in text and not _SENTENCE.search(text) and not CONTENTS_ENTRY.search(text)


def comparable_text(text: str) -> str:
    """The text for comparing two readers: full-width forms and ligatures as plain characters, without white space.

    Not in NFKC, which converts "①65세" to "165세" and "10²" to "102".
    """
    return "".join(_LEADERS.sub("", remove_invisible(text)).translate(_PLAIN).replace("…", "").split())


def _cell_text(text: str) -> str:
    # A bar with spaces around it would be read as the end of the cell.
    return re.sub(r" *\| *", "|", close_spaced(" ".join(clean_text(text).split())))


def table_blocks(cells: Iterable[Cell], *, table: int, page: int | None = None) -> list[Block]:
    """One block for each row of a table. A cell that spans several rows or columns is repeated in each of them.

    The header is the first row, or several if its cells span them, as one block; a table whose first row has amounts has no
    header. The rows of a table within a cell follow the outer table, each with the label of its outer row: as text of the
    cell, its amounts would run together.
    """
    cells = [replace(cell, text=_cell_text(cell.text)) for cell in cells]
    if not any(cell.text for cell in cells):
        return [block for cell in cells for block in _inner_blocks(cell, "", "", table=table, page=page)]
    grid = _without_repeated_columns(_grid(cells))
    depth = _header_depth(grid)
    _resolve_repetitions(grid, depth)
    blocks: list[Block] = []
    names = _column_names(grid[:depth]) if depth else [""]
    header = _header_text(names)
    if depth:
        blocks.append(Block(header, "row", page=page, table=table, own_cells=_texts(grid[:depth])))
    for row, line in enumerate(grid[depth:], depth):
        # Spanning labels are repeated because a passage may begin at any row, and a fee without its label is misleading.
        texts = [cell.text if cell else "" for cell in line]
        # A cell that spans the complete row is written once; one that spans some columns, in each of them.
        text = texts[0] if len(set(line)) == 1 else CELL_BREAK.join(texts).strip()
        # Without spanning cells from above, which a second reader reports only in their first row.
        own_cells = _texts([[cell for cell in line if cell and cell.row == row]])
        if any(texts):
            blocks.append(Block(text, "row", page=page, header=header, table=table, own_cells=own_cells))
    for cell in cells:
        label = grid[cell.row][0]
        inner_label = label.text if label and label is not cell else cell.text
        blocks += _inner_blocks(cell, names[0], inner_label, table=table, page=page)
    return blocks


def _grid(cells: Sequence[Cell]) -> list[list[Cell | None]]:
    """The cell at each place [row][column]; None where there is none."""
    height = max(cell.row + cell.rows for cell in cells)
    width = max(cell.column + cell.columns for cell in cells)
    grid: list[list[Cell | None]] = [[None] * width for _ in range(height)]
    for cell in cells:
        for row in range(cell.row, cell.row + cell.rows):
            for column in range(cell.column, cell.column + cell.columns):
                # In damaged files cells overlap; the first one is kept.
                grid[row][column] = grid[row][column] or cell
    return grid


def _column_names(header: Sequence[Sequence[Cell | None]]) -> list[str]:
    """The name of each column: the texts of its header's rows, each once."""
    columns = zip(*header, strict=True)
    return [" ".join(dict.fromkeys(cell.text for cell in column if cell and cell.text)) for column in columns]


def _header_text(names: Sequence[str]) -> str:
    """The names of the columns as a row; one name alone as it is."""
    if len(set(names)) == 1:
        return names[0]
    # A name that spans several columns is written once; its other columns stay, for the cells below them.
    return CELL_BREAK.join("" if at and name == names[at - 1] else name for at, name in enumerate(names)).strip()


def _without_repeated_columns(grid: list[list[Cell | None]]) -> list[list[Cell | None]]:
    """The grid without columns that repeat the one before in each row, as where every row's cells are merged in pairs."""
    texts = [[row[at].text if row[at] else "" for row in grid] for at in range(len(grid[0]))]  # type: ignore[union-attr]
    kept = [at for at, column in enumerate(texts) if not at or column != texts[at - 1] or not any(column)]
    return [[row[at] for at in kept] for row in grid] if len(kept) > 1 else grid


def _resolve_repetitions(grid: list[list[Cell | None]], depth: int) -> None:
    """Replace cells that say "as above" or "as to the left" (〃, 상동, 좌동) by the cell they mean. Changes `grid`.

    A mark below the header has nothing to repeat, and stays.
    """
    for row in range(depth, len(grid)):
        for column, cell in enumerate(grid[row]):
            if not cell:
                continue
            if cell.text in _SAME_AS_ABOVE and row > depth:
                grid[row][column] = grid[row - 1][column] or cell
            elif cell.text in _SAME_AS_LEFT and column:
                grid[row][column] = grid[row][column - 1] or cell


def _inner_blocks(cell: Cell, name: str, label: str, *, table: int, page: int | None) -> Iterator[Block]:
    """The rows of the tables within a cell. `name` is prefixed to their headers and `label` to their rows."""

    def prefixed(before: str, text: str) -> str:
        return f"{before}{CELL_BREAK}{text}" if before and text else text

    for cells in cell.inner:
        rows = table_blocks(cells, table=table, page=page)
        header = rows[0].text if len(rows) > 1 and rows[1].header else ""
        for row in rows:
            is_header = not row.header and row.text == header
            before = (name or label) if is_header else label
            yield replace(row, text=prefixed(before, row.text), header=prefixed(name or label, row.header))


def _header_depth(grid: Sequence[Sequence[Cell | None]]) -> int:
    first = [cell for cell in dict.fromkeys(grid[0]) if cell]
    if len(grid) < 2:
        return 0
    # Rows marked as header by the author, unless all of them are marked.
    marked = [all(cell.is_header for cell in row if cell) and any(row) for row in grid]
    if marked[0] and not all(marked):
        return marked.index(False)
    # A question above its answer is not the name of the answers below.
    if is_question_label(first[0].text if first else ""):
        return 0
    # A row with amounts or rates that are no limits ("600원", not "10만원 이하") is not a header.
    if any(_VALUE.search(cell.text) for cell in first[1:]) and not any(cell.columns > 1 for cell in first):
        return 0
    depth = max((cell.rows for cell in first if cell.text), default=1)
    if depth == 1 and len(first) > 1 and _has_names_below(first, [cell for cell in dict.fromkeys(grid[1]) if cell]):
        depth = 2
    return min(depth, len(grid) - 1)


def _has_names_below(first: Sequence[Cell], second: Sequence[Cell]) -> bool:
    """Whether a name of the first row spans several columns whose own names are in the second row.

    Not if the second row has amounts, or only the column of labels is wide: it has a column for each level of its labels.
    """
    is_wide = any(
        # Cells of the second row that are as wide are values of that column, and no names in it.
        len({each.text for each in second if cell.column <= each.column < cell.column + cell.columns}) > 1
        for cell in first
        if cell.column and cell.columns > 1
    )
    return is_wide and not any(_VALUE.search(cell.text) for cell in second if cell.column)


_VALUE = re.compile(r"\d\s*(?:%|원)(?!\s*(?:이하|이상|초과|미만|까지|부터))|면제")


def _texts(rows: Iterable[Iterable[Cell | None]]) -> tuple[str, ...]:
    """The texts of the rows' non-empty cells, each cell once."""
    return tuple(cell.text for cell in dict.fromkeys(cell for row in rows for cell in row) if cell and cell.text)
