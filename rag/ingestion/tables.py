"""Rows of cells to tables: where the header is, which columns and lines are none, and every defect noted instead of raised.

The same for all kinds of files; rag.ingestion.csv_tables, json_tables and workbook make the rows.
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
from rag.ingestion.messages import Note, defect, listed

Value = str | int | float | bool
Locate = Callable[[Sequence[str]], Mapping[str, str]]
"""A header's columns by field."""

HEADER_SEARCH = 20
"""Lines among which the header is looked for: above it stand titles and dates."""
_ESCAPED = re.compile(r"[\udc80-\udcff]")
_UNUSABLE = re.compile(r"[\0\ud800-\udfff]")
_UNNAMED = re.compile(r"(?:unnamed: \d+|level_0|index)?", re.I)


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a table: `row` as a spreadsheet shows it (a JSON line: its line number) and its values by column."""

    row: int
    values: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of cells before its header is known. `source`: the lines of a text file it was read from, the first numbered."""

    row: int
    cells: Sequence[str]
    source: Sequence[str] = ()
    first_line: int = 0


@dataclass(slots=True)
class Table:
    """A file's header, its usable records, its defects and notes. `header_row` is None for JSON; `sheet` is a workbook's."""

    file: str
    header: tuple[str, ...] = ()
    header_row: int | None = None
    records: list[Record] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    sheet: str = ""

    @property
    def name(self) -> str:
        """The file, and the sheet where it has several."""
        return f"{self.file}, sheet {self.sheet!r}" if self.sheet else self.file

    def refuse(self, row: int | None, column: str | None, kind: str, **values: object) -> None:
        """Note a defect; `row` None: of the whole file."""
        self.errors.append(defect(self.name, row, column, kind, **values))

    def note(self, kind: str, **values: object) -> None:
        """Note what was changed or left out."""
        self.notes.append(Note(self.name, kind, values))


def header_index(rows: Sequence[Sequence[str]], locate: Locate) -> int | None:
    """Which of the first rows is a header: the first that names a question and an answer. None where none does.

    A row of other known names is a header that lacks one of these, and what is below it are rows.
    """
    for at, cells in enumerate(rows[:HEADER_SEARCH]):
        located = locate([clean_name(cell) for cell in cells])
        if located.keys() >= set(REQUIRED) or len(located) > 1:
            return at if located.keys() >= set(REQUIRED) else None
    return None


def set_header(table: Table, line: Line, above: Iterable[Line] = ()) -> None:
    """Take `line` as the header; empty columns at its end are none. What stands above it is named."""
    names = [clean_name(name) for name in line.cells]
    while names and not names[-1]:
        names.pop()
    table.header, table.header_row = tuple(names), line.row
    titles = [(each.row, " ".join(filter(None, map(clean_name, each.cells)))) for each in above]
    if titles := [(row, text) for row, text in titles if text]:
        table.note(
            "title_lines", lines=listed([row for row, _ in titles]), text=listed([text for _, text in titles])[:80]
        )
    for name in sorted(name for name, count in Counter(table.header).items() if name and count > 1):
        table.refuse(table.header_row, name, "twice_in_header")


def add_line(table: Table, line: Line, required: int) -> None:
    """Add a row of cells as a record. It may lack its last, optional fields: `required` is how many it must have."""
    cells, width = list(line.cells), len(table.header)
    if not any(cell.strip() for cell in cells):
        return
    # Spreadsheets write separators for columns that were once used.
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if not required <= len(cells) <= width:
        table.refuse(line.row, None, "fields", count=len(cells), width=width)
        return
    cells += [""] * (width - len(cells))
    unnamed = [(f"\0{at}", cell) for at, (name, cell) in enumerate(zip(table.header, cells, strict=True)) if not name]
    # Numbered under a character no header can hold: two columns without a name stay two.
    named = [(name, cell) for name, cell in zip(table.header, cells, strict=True) if name]
    # Columns without a name are judged when all rows are known: an index of the rows is left out.
    record = Record(line.row, dict([*named, *unnamed]))
    if is_usable(table, record, line):
        table.records.append(record)


def required_width(table: Table, locate: Locate) -> int:
    """How many cells a row needs so that it can have a question and an answer."""
    located = locate(table.header)
    return max((table.header.index(located[name]) + 1 for name in REQUIRED if name in located), default=1)


def finish(table: Table) -> None:
    """Leave out the column that only numbers the rows; refuse values in other columns without a name."""
    first = table.header[0] if table.header else "x"
    key = first or "\0" + "0"
    if (
        table.records
        and _UNNAMED.fullmatch(first)
        and _counts_rows([record.values.get(key, "") for record in table.records])
    ):
        for record in table.records:
            record.values.pop(key, None)
        table.note("index_column", column=repr(first or "1"))
        table.header = table.header[1:]
    kept = []
    for record in table.records:
        nameless = {key: value for key, value in record.values.items() if key.startswith("\0")}
        for key, value in nameless.items():
            if str(value).strip():
                table.refuse(record.row, None, "unnamed")
            del record.values[key]
        kept.append(record)
    table.records = kept


def _counts_rows(values: Sequence[Value]) -> bool:
    # An index that has gone through a program of floats is 0.0, 1.0 …
    texts = [str(value).strip().removesuffix(".0") for value in values]
    return all(text.isdecimal() for text in texts) and all(
        int(after) == int(before) + 1 for before, after in pairwise(texts)
    )


def is_usable(table: Table, record: Record, line: Line) -> bool:
    """Whether every value is one that stores and models can take; the others are noted."""
    before = len(table.errors)
    values: Mapping[str, object] = record.values
    for column, value in values.items():
        if not isinstance(value, str | int | float):
            table.refuse(record.row, column, "not_scalar")
        elif isinstance(value, float) and not math.isfinite(value):
            table.refuse(record.row, column, "too_large")
        elif isinstance(value, str) and (unusable := _UNUSABLE.search(value)):
            _refuse_character(table, record.row, column, unusable[0], line)
        elif column == "" and value != "":
            table.refuse(record.row, None, "unnamed")
    return len(table.errors) == before


def _refuse_character(table: Table, row: int, column: str, character: str, line: Line) -> None:
    # SQLite and C libraries end a text there.
    if character == "\0":
        table.refuse(row, column, "nul")
    elif not _ESCAPED.match(character):
        table.refuse(row, column, "surrogate")
    else:
        number = line.first_line + next((i for i, text in enumerate(line.source) if character in text), 0)
        table.refuse(row, column, "byte", byte=f"{ord(character) - 0xDC00:02X}", line=number)
