"""Excel workbooks to rows of cells as a reader of the sheet sees them. Needs openpyxl.

Merged cells are filled; hidden sheets, rows and columns and struck-through cells are left out and named; numbers, dates and
currencies are spelled as their format shows them.
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
from rag.ingestion.cell_text import visible
from rag.ingestion.dates import iso_date
from rag.ingestion.messages import Note, UnreadableFile, defect, listed
from rag.ingestion.number_formats import shown
from rag.ingestion.tables import Line

MAX_CELLS = 2_000_000
"""Of one sheet, empty ones included: formats that reach to the last row of a sheet make a billion of them."""


@dataclass(slots=True)
class Sheet:
    """A visible sheet: its rows with their numbers, what was left out of it, and the cells that show no value."""

    name: str
    lines: list[Line] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    struck_rows: frozenset[int] = frozenset()


def read_workbook(file: str, data: bytes) -> tuple[list[Sheet], list[Note]]:
    """The visible sheets, and notes on the others. Raises UnreadableFile for what openpyxl cannot open."""
    from openpyxl import load_workbook  # .3 s: only where there is a workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of drop-down lists and print settings, which say nothing of values
            values = load_workbook(io.BytesIO(data), data_only=True, rich_text=True)
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                names = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
                has_formulas = any(b"<f" in archive.read(name) for name in names)
            # Once more for the formulas: those never calculated have no value, and empty cells look the same.
            formulas = load_workbook(io.BytesIO(data), data_only=False) if has_formulas else None
    # openpyxl raises whatever its parsers meet in a damaged file.
    except Exception as exc:
        raise UnreadableFile("damaged", reason=f"{type(exc).__name__}: {exc}"[:120].splitlines()[0]) from exc
    hidden = [sheet.title for sheet in values.worksheets if sheet.sheet_state != "visible"]
    notes = [Note(file, "hidden_sheets", {"names": listed(hidden)})] if hidden else []
    sheets = [
        _read_sheet(file, sheet, formulas[sheet.title] if formulas else None)
        for sheet in values.worksheets
        if sheet.sheet_state == "visible"
    ]
    return sheets, notes


def _read_sheet(file: str, sheet: Any, formulas: Any) -> Sheet:
    name = f"{file}, sheet {sheet.title!r}"
    if sheet.max_row * sheet.max_column > MAX_CELLS:
        raise UnreadableFile("damaged", reason=f"sheet {sheet.title!r} has {sheet.max_row} x {sheet.max_column} cells")
    result = Sheet(sheet.title)
    # A merged cell has its value in its upper left corner alone; every row it covers means it.
    filled = {
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
    unseen: set[tuple[int, int]] = set()
    for row in range(1, sheet.max_row + 1):
        cells = []
        for column in range(1, sheet.max_column + 1):
            cell = sheet.cell(*filled.get((row, column), (row, column)))
            text, is_part_struck = _shown(cell) if cell.value is not None else ("", False)
            if row in hidden_rows or column in hidden_columns:
                if text:
                    unseen.add((row, column))
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
    rows_left_out = {row for row, _ in unseen if row in hidden_rows}
    columns_left_out = {column for row, column in unseen if row not in hidden_rows}
    result.notes = list(_notes(name, sheet, rows_left_out, columns_left_out, struck, struck_parts))
    return result


def _hidden_columns(sheet: Any) -> set[int]:
    # One entry may stand for many columns: its `min` and `max`.
    return {
        column
        for dimension in sheet.column_dimensions.values()
        if dimension.hidden and dimension.min
        for column in range(dimension.min, min(dimension.max, sheet.max_column) + 1)
    }


def _shown(cell: Any) -> tuple[str, bool]:
    """The cell's text as it is seen, and whether a part of it is struck through, which is left out."""
    value = cell.value
    if isinstance(value, list):  # openpyxl's CellRichText: plain texts, and texts with a font
        fonts = [getattr(part, "font", None) for part in value]
        kept = [str(part) for part, font in zip(value, fonts, strict=True) if not (font is not None and font.strike)]
        return visible("".join(kept)), len(kept) < len(value)
    text = shown(value, cell.number_format or "General")
    # "01-05-26" is read as another day by another reader; the cell knows which.
    if isinstance(value, datetime | date) and "y" in (cell.number_format or "").lower() and not iso_date(text):
        text = value.date().isoformat() if isinstance(value, datetime) else value.isoformat()
    return visible(text), False


def _notes(
    name: str, sheet: Any, rows: set[int], columns: set[int], struck: list[str], struck_parts: list[str]
) -> Iterator[Note]:
    from openpyxl.utils import get_column_letter

    if rows:
        yield Note(name, "hidden_rows", {"names": ranges_of(rows)})
    if columns:
        yield Note(name, "hidden_columns", {"names": listed([get_column_letter(column) for column in sorted(columns)])})
    if struck:
        yield Note(name, "struck", {"names": listed(struck)})
    if struck_parts:
        yield Note(name, "struck_parts", {"names": listed(struck_parts)})
    if areas := [area for area in sheet.merged_cells.ranges if area.max_row > area.min_row]:
        yield Note(name, "merged", {"count": len(areas)})


def ranges_of(numbers: set[int]) -> str:
    """Row numbers as "3-5, 9"."""
    ranges = []
    for _, run in groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0]):
        rows = [number for _, number in run]
        ranges.append(str(rows[0]) if len(rows) == 1 else f"{rows[0]}-{rows[-1]}")
    return listed(ranges)
