"""Reads workbooks that are not an FAQ, such as fee tables and lists, as documents."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from rag.ingestion.documents.blocks import Block, Cell, Document, clean_text, is_title, table_blocks
from rag.ingestion.messages import UnreadableFile
from rag.ingestion.workbook import read_workbook


def read_sheets(file: str, data: bytes) -> Document:
    """Read a workbook. Sheet names become headings, rows with one filled cell text, and other rows tables.

    Raises UnreadableFile if it is damaged or has cells without a value.
    """
    sheets, notes = read_workbook(file, data)
    document = Document(file, notes=[*notes, *(note for sheet in sheets for note in sheet.notes)])
    if errors := [error for sheet in sheets for error in sheet.errors]:
        raise UnreadableFile("cells", count=len(errors), first=f"{errors[0].column}: {errors[0].problem}")
    # The file's name is the title; otherwise the first sheet's name ("Sheet1") would be.
    document.blocks.append(Block(clean_text(Path(file).stem), "heading", level=1))
    tables = 0
    for sheet in sheets:
        rows = [line for line in sheet.lines if any(line.cells)]
        if not rows:
            continue
        document.blocks.append(Block(sheet.name, "heading", level=2))
        run: list[list[str]] = []
        # The empty row at the end ends the last table.
        for line in [*(list(line.cells) for line in rows), []]:
            if len(set(filter(None, line))) > 1:
                run.append(line)
                continue
            for table_rows in _split_side_by_side(run):
                tables += 1
                document.blocks += table_blocks(_table(table_rows), table=tables)
            run = []
            if text := clean_text(next(filter(None, line), "")):
                level = 3 if is_title(text) else 0
                document.blocks.append(Block(text, "heading" if level else "paragraph", level=level))
    return document


def _split_side_by_side(rows: list[list[str]]) -> Iterator[list[list[str]]]:
    """Split at empty columns into tables side by side, if each of them has at least two columns and two rows."""
    width = max(map(len, rows), default=0)
    grid = [[*row, *[""] * (width - len(row))] for row in rows]
    filled = [any(row[at] for row in grid) for at in range(width)]
    parts = [
        [[row[at] for at, _ in run] for row in grid]
        for is_filled, group in groupby(enumerate(filled), key=itemgetter(1))
        if is_filled and (run := list(group))
    ]
    if all(len(part[0]) > 1 and sum(any(row) for row in part) > 1 for part in parts):
        yield from parts
    elif parts:
        yield [[text for part in parts for text in part[at]] for at in range(len(grid))]


def _table(grid: list[list[str]]) -> list[Cell]:
    """The cells of a table in which merged cells are filled in.

    Equal neighbours in the header become one spanning cell. The header has as many rows as the first column's name.
    """
    height = next((at for at, row in enumerate(grid) if row[0] != grid[0][0]), len(grid)) if grid[0][0] else 1
    # If all rows begin with the same text, the header's height is unknown and taken as one row.
    height = 1 if height == len(grid) else height
    cells = [Cell(text, at, column) for at, row in enumerate(grid) for column, text in enumerate(row) if at >= height]
    occupied: set[tuple[int, int]] = set()
    for row in range(height):
        for column, text in enumerate(grid[row]):
            if (row, column) in occupied:
                continue
            rows = columns = 1
            if text:
                while row + rows < height and grid[row + rows][column] == text:
                    rows += 1
                while column + columns < len(grid[row]) and all(
                    grid[row + below][column + columns] == text for below in range(rows)
                ):
                    columns += 1
            occupied |= {(row + down, column + right) for down in range(rows) for right in range(columns)}
            cells.append(Cell(text, row, column, rows, columns))
    return sorted(cells, key=lambda cell: (cell.row, cell.column))
