"""Reads workbooks and CSV files that are not an FAQ, such as fee tables and lists, as documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from rag.ingestion.cell_text import clean_cell
from rag.ingestion.columns import clean_name, match_columns
from rag.ingestion.csv_tables import data_lines
from rag.ingestion.documents.blocks import Block, Cell, Document, clean_text, is_title, table_blocks
from rag.ingestion.files import decode
from rag.ingestion.messages import Text, UnreadableFile, join_items
from rag.ingestion.tables import likely_header
from rag.ingestion.workbook import read_workbook

_NUMBER = re.compile(r"[△▲(+-]?\s?[\d,.]+\s?(?:%p?|[천백십]?만?원|억원?|건|일|개월|년|회)?\)?|면제|무료")
"""A cell with a value, which no header has."""


def read_sheets(file: str, data: bytes) -> Document:
    """Read a workbook. Sheet names become headings, rows with one filled cell text, and other rows tables.

    Raises UnreadableFile if it is damaged or has cells without a value.
    """
    sheets, notes = read_workbook(file, data)
    document = Document(file, notes=[*notes, *(note for sheet in sheets for note in sheet.notes)])
    if errors := [error for sheet in sheets for error in sheet.errors]:
        first = errors[0]
        raise UnreadableFile(
            "cells",
            count=len(errors),
            first=Text(*(f"{first.column}: {problem}" for problem in (first.problem, first.korean))),
        )
    # The file's name is the title; otherwise the first sheet's name ("Sheet1") would be.
    document.blocks.append(Block(clean_text(Path(file).stem), "heading", level=1))
    for sheet in sheets:
        if rows := [line.cells for line in sheet.lines if any(line.cells)]:
            document.blocks.append(Block(sheet.name, "heading", level=2))
            _add_rows(document, rows)
    # Of the sheet with the most rows: an FAQ with other names of columns is meant.
    longest = max((sheet.lines for sheet in sheets), key=len, default=[])
    _note_columns(document, [line.cells for line in longest if any(line.cells)])
    return document


def read_delimited(file: str, data: bytes) -> Document:
    """Read the rows of a CSV or TSV file with something else than questions and answers, such as fees, like a sheet's.

    Raises UnreadableFile if it is no such table.
    """
    rows = data_lines(decode(data), lambda header: match_columns(header, {}))
    if not rows:
        raise UnreadableFile("no_text")
    document = Document(file)
    _note_columns(document, [line.cells for line in rows])
    document.blocks.append(Block(clean_text(Path(file).stem), "heading", level=1))
    _add_rows(document, [[clean_cell(cell)[0] for cell in line.cells] for line in rows])
    return document


def _note_columns(document: Document, rows: Sequence[Sequence[str]]) -> None:
    header = rows[likely_header(rows)] if rows else ()
    names = dict.fromkeys(filter(None, map(clean_name, header)))
    if len(names) > 1:
        document.note("as_document", columns=join_items(list(names)))


def _add_rows(document: Document, rows: Iterable[Sequence[str]]) -> None:
    """Add the rows of a sheet as titles, texts and tables."""
    run: list[list[str]] = []
    header: list[list[str]] = []
    # The empty row at the end ends the last table.
    for line in [*map(list, rows), []]:
        if len(set(filter(None, line))) > 1:
            run.append(line)
            continue
        # The names of the columns stand once, above all sections of a table.
        run = [*header, *run] if _continues(run, header) else run
        for table_rows in _split_side_by_side(run):
            table = 1 + max((block.table for block in document.blocks), default=0)
            document.blocks += _with_titles(table_rows, table=table)
        header = run[:1] or header
        run = []
        document.blocks += _title(line)


def _title(line: list[str]) -> list[Block]:
    """A row with one filled cell as a heading, or as a paragraph if it is a sentence; nothing of an empty row."""
    text = clean_text(next(filter(None, line), ""))
    level = 3 if is_title(text) else 0
    return [Block(text, "heading" if level else "paragraph", level=level)] if text else []


def _with_titles(rows: list[list[str]], *, table: int) -> list[Block]:
    """A table beside others, with the titles above it, which share their rows with the other tables."""
    rows = [row for row in rows if any(row)]
    height = next((at for at, row in enumerate(rows) if len(list(filter(None, row))) > 1), 0)
    titles = [block for row in rows[:height] for block in _title(row)]
    return [*titles, *table_blocks(_table(rows[height:]), table=table)]


def _continues(run: list[list[str]], header: list[list[str]]) -> bool:
    """Whether rows below a section's title go on under the table's header: numbers stand where the header has none."""
    if not run or not header or any(map(_NUMBER.fullmatch, filter(None, header[0][1:]))):
        return False
    return any(name and _NUMBER.fullmatch(cell) for name, cell in zip(header[0][1:], run[0][1:], strict=False))


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
