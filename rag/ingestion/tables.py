"""Builds tables from rows of cells: finds the header, removes empty columns and lines, and collects defects.

Used for all file formats; rag.ingestion.csv_tables, json_tables and workbook read the rows.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rag.errors import RowError
from rag.ingestion.columns import REQUIRED, clean_name
from rag.ingestion.messages import Note, defect, join_items

Value = str | int | float | bool
ColumnMatcher = Callable[[Sequence[str]], Mapping[str, str]]
"""Returns a header's columns by field; see `rag.ingestion.columns.match_columns`."""

HEADER_SEARCH = 20
"""Rows that are searched for the header, which titles and dates may precede."""
_ESCAPED = re.compile(r"[\udc80-\udcff]")
_UNUSABLE = re.compile(r"[\0\ud800-\udfff]")
_UNNAMED = re.compile(r"(?:unnamed: \d+|level_0|index)?", re.I)


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a table: its values by column. `row`: number as a spreadsheet shows it; of JSON lines, the line's."""

    row: int
    values: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of cells before its header is known. `source`: its lines in a text file; `first_line`: number of the first."""

    row: int
    cells: Sequence[str]
    source: Sequence[str] = ()
    first_line: int = 0


@dataclass(slots=True)
class Table:
    """A table read from a file: its header, valid records, defects and notes.

    `header_row`: None for JSON. `sheet`: name of the sheet, if the workbook has several.
    """

    file: str
    header: tuple[str, ...] = ()
    header_row: int | None = None
    records: list[Record] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    sheet: str = ""

    @property
    def name(self) -> str:
        """The file, and the sheet if it has several."""
        return place_of_sheet(self.file, self.sheet) if self.sheet else self.file

    def add_error(self, row: int | None, column: str | None, kind: str, **values: object) -> None:
        """Add a defect to `errors`; the arguments are those of `messages.defect`."""
        self.errors.append(defect(self.name, row, column, kind, **values))

    def note(self, kind: str, **values: object) -> None:
        """Add a Note of this kind to `notes`."""
        self.notes.append(Note(self.name, kind, values))


def place_of_sheet(file: str, sheet: str) -> str:
    """A workbook's sheet in messages of either language."""
    return f"{file} [{sheet}]"


def find_header(rows: Sequence[Sequence[str]], match_columns: ColumnMatcher) -> int | None:
    """The index of the header among the first HEADER_SEARCH rows: the first with a question and an answer column, or None.

    A row with two other known names is a header without questions and answers: None, because rows follow it.
    """
    for at, cells in enumerate(rows[:HEADER_SEARCH]):
        located = match_columns([clean_name(cell) for cell in cells])
        if located.keys() >= set(REQUIRED) or len(located) > 1:
            return at if located.keys() >= set(REQUIRED) else None
    return None


def likely_header(rows: Sequence[Sequence[str]]) -> int:
    """The index of the row that most likely has the columns' names where none is known: a title has but one text."""
    return next((at for at, cells in enumerate(rows[:HEADER_SEARCH]) if len(set(filter(str.strip, cells))) > 1), 0)


def set_header(table: Table, line: Line, above: Iterable[Line] = ()) -> None:
    """Set the table's header to `line` without trailing empty cells. Text in the lines `above` is noted as left out."""
    names = [clean_name(name) for name in line.cells]
    while names and not names[-1]:
        names.pop()
    table.header, table.header_row = tuple(names), line.row
    # Each text once: a merged title is in all of its cells.
    titles = [(each.row, " ".join(dict.fromkeys(filter(None, map(clean_name, each.cells))))) for each in above]
    if titles := [(row, text) for row, text in titles if text]:
        table.note(
            "title_lines",
            lines=join_items([row for row, _ in titles]),
            text=join_items([text for _, text in titles])[:80],
        )
    for name in sorted(name for name, count in Counter(table.header).items() if name and count > 1):
        table.add_error(table.header_row, name, "twice_in_header")


def add_line(table: Table, line: Line, required: int) -> None:
    """Add a row of cells as a record. `required`: number of cells it must have; the last, optional ones may be missing."""
    cells, width = list(line.cells), len(table.header)
    if not any(cell.strip() for cell in cells):
        return
    # Spreadsheets write separators for columns that are no longer used.
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if not required <= len(cells) <= width:
        table.add_error(line.row, None, "fields", count=len(cells), width=width)
        return
    cells += [""] * (width - len(cells))
    unnamed = [(f"\0{at}", cell) for at, (name, cell) in enumerate(zip(table.header, cells, strict=True)) if not name]
    # The keys of unnamed columns have a character that no header can contain.
    named = [(name, cell) for name, cell in zip(table.header, cells, strict=True) if name]
    # `finish_table` handles unnamed columns: an index of the rows is recognised only when all rows are known.
    record = Record(line.row, dict([*named, *unnamed]))
    if check_values(table, record, line):
        table.records.append(record)


def required_width(table: Table, match_columns: ColumnMatcher) -> int:
    """The number of cells up to the question and the answer, which each row must have."""
    located = match_columns(table.header)
    return max((table.header.index(located[name]) + 1 for name in REQUIRED if name in located), default=1)


def finish_table(table: Table) -> None:
    """Remove an unnamed first column that only numbers the rows; values in other unnamed columns are defects."""
    first = table.header[0] if table.header else "x"
    key = first or "\0" + "0"
    if (
        table.records
        and _UNNAMED.fullmatch(first)
        and _is_row_index([record.values.get(key, "") for record in table.records])
    ):
        for record in table.records:
            record.values.pop(key, None)
        table.note("index_column", column=repr(first or "1"))
        table.header = table.header[1:]
    for record in table.records:
        nameless = {key: value for key, value in record.values.items() if key.startswith("\0")}
        for key, value in nameless.items():
            if str(value).strip():
                table.add_error(record.row, None, "unnamed")
            del record.values[key]


def _is_row_index(values: Sequence[Value]) -> bool:
    # Programs that convert numbers to floats write 0.0, 1.0 …
    texts = [str(value).strip().removesuffix(".0") for value in values]
    return all(text.isdecimal() for text in texts) and all(
        int(after) == int(before) + 1 for before, after in pairwise(texts)
    )


def check_values(table: Table, record: Record, line: Line) -> bool:
    """Whether all values can be stored and embedded; defects of the others are added to the table."""
    before = len(table.errors)
    values: Mapping[str, object] = record.values
    for column, value in values.items():
        if not isinstance(value, str | int | float):
            table.add_error(record.row, column, "not_scalar")
        elif isinstance(value, float) and not math.isfinite(value):
            table.add_error(record.row, column, "too_large")
        elif isinstance(value, str) and (unusable := _UNUSABLE.search(value)):
            _add_character_error(table, record.row, column, unusable[0], line)
        elif column == "" and value != "":
            table.add_error(record.row, None, "unnamed")
    return len(table.errors) == before


def _add_character_error(table: Table, row: int, column: str, character: str, line: Line) -> None:
    # NUL ends a text in SQLite and C libraries.
    if character == "\0":
        table.add_error(row, column, "nul")
    elif not _ESCAPED.match(character):
        table.add_error(row, column, "surrogate")
    else:
        number = line.first_line + next((i for i, text in enumerate(line.source) if character in text), 0)
        table.add_error(row, column, "byte", byte=f"{ord(character) - 0xDC00:02X}", line=number)
