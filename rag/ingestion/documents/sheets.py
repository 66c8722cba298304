"""Workbooks that are no FAQ: fee tables and lists, a table a sheet, as `rag.ingestion.workbook` reads them."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from pathlib import Path

from rag.ingestion.documents.blocks import Block, Cell, Document, clean_text, is_title, table_blocks
from rag.ingestion.messages import UnreadableFile
from rag.ingestion.workbook import read_workbook


def read_sheets(file: str, data: bytes) -> Document:
    """The sheet's name is a heading; a row with one filled cell is a line of text: a title or a remark."""
    sheets, notes = read_workbook(file, data)
    document = Document(file, notes=[*notes, *(note for sheet in sheets for note in sheet.notes)])
    if errors := [error for sheet in sheets for error in sheet.errors]:
        raise UnreadableFile("cells", count=len(errors), first=f"{errors[0].column}: {errors[0].problem}")
    # A workbook has no title of its own; without one its fees would stand under the name of a sheet ("Sheet1").
    document.blocks.append(Block(clean_text(Path(file).stem), "heading", level=1))
    tables = 0
    for sheet in sheets:
        rows = [line for line in sheet.lines if any(line.cells)]
        if not rows:
            continue
        document.blocks.append(Block(sheet.name, "heading", level=2))
        run: list[list[str]] = []
        # The last one ends the last table.
        for line in [*(list(line.cells) for line in rows), []]:
            if len(set(filter(None, line))) > 1:
                run.append(line)
                continue
            if run:
                tables += 1
                document.blocks += table_blocks(_table(run), table=tables)
                run = []
            if text := clean_text(next(filter(None, line), "")):
                level = 3 if is_title(text) else 0
                document.blocks.append(Block(text, "heading" if level else "paragraph", level=level))
    return document


def _table(rows: list[list[str]]) -> list[Cell]:
    """The cells without the empty columns at the sides; merged ones are filled already."""
    used = [at for at in range(max(map(len, rows))) if any(at < len(row) and row[at] for row in rows)]
    grid = [[row[at] if at < len(row) else "" for at in used] for row in rows]
    cells = [Cell(text, number, column) for number, row in enumerate(grid) for column, text in enumerate(row) if number]
    # In the first row equal neighbours are one name over several columns.
    for text, run in groupby(enumerate(grid[0]), key=itemgetter(1)):
        columns = [column for column, _ in run]
        if text:
            cells.append(Cell(text, 0, columns[0], 1, len(columns)))
        else:
            cells += [Cell("", 0, column) for column in columns]
    return sorted(cells, key=lambda cell: (cell.row, cell.column))
