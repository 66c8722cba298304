"""Reads Excel workbooks as rows of cells with the text that Excel shows. Requires openpyxl.

Merged cells are filled in. Hidden sheets, rows and columns and struck-through text are left out and noted. Numbers, dates and
currencies are formatted with the cell's number format.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any

from rag.errors import RowError
from rag.ingestion.cell_text import iso_date, raised, remove_invisible
from rag.ingestion.messages import Note, UnreadableFile, defect, join_items, reason_of
from rag.ingestion.number_formats import format_value
from rag.ingestion.tables import Line, place_of_sheet

MAX_CELLS = 2_000_000
"""Limit of a sheet's cells, including empty ones; a format applied to a complete sheet creates billions of them."""


@dataclass(slots=True)
class Sheet:
    """A visible sheet: its rows, notes on what was left out, and errors of cells without a value.

    `struck_rows`: numbers of rows with a struck-through cell.
    """

    name: str
    lines: list[Line] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    struck_rows: frozenset[int] = frozenset()


def read_workbook(file: str, data: bytes) -> tuple[list[Sheet], list[Note]]:
    """The visible sheets, and a note on the hidden ones. Raises UnreadableFile if openpyxl cannot open the file."""
    from openpyxl import load_workbook  # takes .3 s, so only if there is a workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about drop-down lists and print settings, which do not affect values
            values = load_workbook(io.BytesIO(data), data_only=True, rich_text=True)
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                names = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
                has_formulas = any(b"<f" in archive.read(name) for name in names)
            # Loaded again with formulas, to distinguish formulas that were never calculated from empty cells.
            formulas = load_workbook(io.BytesIO(data), data_only=False) if has_formulas else None
    # openpyxl raises various exceptions for damaged files.
    except Exception as exc:
        raise UnreadableFile("damaged", reason=reason_of(exc)) from exc
    hidden = [sheet.title for sheet in values.worksheets if sheet.sheet_state != "visible"]
    notes = [Note(file, "hidden_sheets", {"names": join_items(hidden)})] if hidden else []
    sheets = [
        _read_sheet(file, sheet, formulas[sheet.title] if formulas else None)
        for sheet in values.worksheets
        if sheet.sheet_state == "visible"
    ]
    return sheets, notes


def _read_sheet(file: str, sheet: Any, formulas: Any) -> Sheet:
    name = place_of_sheet(file, sheet.title)
    if sheet.max_row * sheet.max_column > MAX_CELLS:
        raise UnreadableFile(
            "huge_sheet", name=repr(sheet.title), rows=sheet.max_row, columns=sheet.max_column, limit=MAX_CELLS
        )
    result = Sheet(sheet.title)
    # Only the upper left cell of a merged area has its value, which applies to all rows of the area.
    merged_origins = {
        (row, column): (area.min_row, area.min_col)
        for area in sheet.merged_cells.ranges
        for row in range(area.min_row, area.max_row + 1)
        for column in range(area.min_col, area.max_col + 1)
    }
    hidden_rows = {number for number, dimension in sheet.row_dimensions.items() if dimension.hidden}
    hidden_columns = _hidden_columns(sheet)
    struck: list[str] = []
    struck_parts: list[str] = []
    struck_rows: set[int] = set()
    hidden_cells: set[tuple[int, int]] = set()
    for row in range(1, sheet.max_row + 1):
        cells = []
        for column in range(1, sheet.max_column + 1):
            cell = sheet.cell(*merged_origins.get((row, column), (row, column)))
            text, is_part_struck = _cell_text(cell) if cell.value is not None else ("", False)
            if row in hidden_rows or column in hidden_columns:
                if text:
                    hidden_cells.add((row, column))
                continue
            if formulas is not None and not text and formulas.cell(cell.row, cell.column).data_type == "f":
                result.errors.append(defect(name, row, cell.coordinate, "formula"))
            if text and cell.font is not None and cell.font.strike:
                struck.append(cell.coordinate)
                struck_rows.add(row)
                text = ""
            elif is_part_struck:
                struck_parts.append(cell.coordinate)
            if cell.data_type == "e" and text:
                result.errors.append(defect(name, row, cell.coordinate, "error_value", value=text))
            cells.append(text)
        if row not in hidden_rows:
            result.lines.append(Line(row, cells))
    result.struck_rows = frozenset(struck_rows)
    rows_left_out = {row for row, _ in hidden_cells if row in hidden_rows}
    columns_left_out = {column for row, column in hidden_cells if row not in hidden_rows}
    result.notes = list(_notes(name, sheet, rows_left_out, columns_left_out, struck, struck_parts))
    return result


def _hidden_columns(sheet: Any) -> set[int]:
    # One entry may describe several columns, from its `min` to its `max`.
    return {
        column
        for dimension in sheet.column_dimensions.values()
        if dimension.hidden and dimension.min
        for column in range(dimension.min, min(dimension.max, sheet.max_column) + 1)
    }


def _cell_text(cell: Any) -> tuple[str, bool]:
    """The cell's displayed text without struck-through parts, and whether there were any."""
    value = cell.value
    if isinstance(value, list):  # openpyxl's CellRichText: a list of plain texts and texts with a font
        fonts = [getattr(part, "font", None) for part in value]
        kept = [
            raised(str(part)) if font is not None and font.vertAlign == "superscript" else str(part)
            for part, font in zip(value, fonts, strict=True)
            if not (font is not None and font.strike)
        ]
        return remove_invisible("".join(kept)), len(kept) < len(value)
    text = format_value(value, cell.number_format or "General")
    # An ambiguous format such as "01-05-26" is replaced by the ISO date, which the cell's value provides.
    if isinstance(value, datetime | date) and "y" in (cell.number_format or "").lower() and not iso_date(text):
        text = value.date().isoformat() if isinstance(value, datetime) else value.isoformat()
    return remove_invisible(text), False


def _notes(
    name: str, sheet: Any, rows: set[int], columns: set[int], struck: list[str], struck_parts: list[str]
) -> Iterator[Note]:
    from openpyxl.utils import get_column_letter

    if rows:
        yield Note(name, "hidden_rows", {"names": format_ranges(rows)})
    if columns:
        yield Note(
            name, "hidden_columns", {"names": join_items([get_column_letter(column) for column in sorted(columns)])}
        )
    if struck:
        yield Note(name, "struck", {"names": join_items(struck)})
    if struck_parts:
        yield Note(name, "struck_parts", {"names": join_items(struck_parts)})
    if areas := [area for area in sheet.merged_cells.ranges if area.max_row > area.min_row]:
        yield Note(name, "merged", {"count": len(areas)})


def format_ranges(numbers: set[int]) -> str:
    """Numbers as ranges: "3-5, 9"."""
    ranges = []
    for _, run in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0]):
        rows = [number for _, number in run]
        ranges.append(str(rows[0]) if len(rows) == 1 else f"{rows[0]}-{rows[-1]}")
    return join_items(ranges)
