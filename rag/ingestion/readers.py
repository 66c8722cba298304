"""Tables to FAQ rows: every rule a row must keep. All defects are raised at once; what was changed or left out is noted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from rag.errors import InputError, RowError, RowErrors
from rag.ingestion import identity
from rag.ingestion.cell_text import clean
from rag.ingestion.columns import DATES, FIELDS, REQUIRED, locate
from rag.ingestion.dates import is_open, iso_date
from rag.ingestion.files import find_files
from rag.ingestion.messages import Note, defect, listed
from rag.ingestion.phrasings import is_other_phrasing, merge_rows, split_cell
from rag.ingestion.table_files import SUFFIXES, read_tables
from rag.ingestion.tables import Record, Table, Value
from rag.korean import compact
from rag.stores.base import INTERNAL_METADATA

RESERVED = frozenset({*FIELDS, *INTERNAL_METADATA})
"""Names that an additional column cannot have."""


@dataclass(frozen=True, slots=True)
class FaqRow:
    """One FAQ entry. Dates are ISO or empty; `extra` holds further columns; `file` and `row` say where it stands."""

    id: str
    question: str
    answer: str
    category: str = ""
    bank: str = ""
    source_url: str = ""
    effective_from: str = ""
    effective_until: str = ""
    alternatives: tuple[str, ...] = ()
    extra: Mapping[str, Value] = field(default_factory=dict)
    file: str = ""
    row: int = 0


class NoFiles(InputError):
    """The folders hold nothing that can be read."""

    def __init__(self) -> None:
        kinds = ", ".join(SUFFIXES)
        super().__init__(
            f"the folders hold no file to read; supported: {kinds}",
            korean=f"읽을 파일이 없습니다. 읽을 수 있는 형식: {kinds}",
        )


@dataclass(slots=True)
class RowsRead:
    """What the tables of some files came to."""

    rows: list[FaqRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def read(paths: Iterable[Path | str], *, columns: Mapping[str, str] | None = None) -> list[FaqRow]:
    """The rows of `read_rows`. Raises RowErrors for every defect, and InputError when there is no file at all."""
    result = read_rows(find_files(map(Path, paths)), columns=columns)
    if result.errors:
        raise RowErrors(result.errors)
    if not result.rows:
        raise NoFiles()
    return result.rows


def read_rows(files: Iterable[Path], *, columns: Mapping[str, str] | None = None) -> RowsRead:
    """Read CSV, TSV, JSON, JSON-lines and Excel files, in order.

    `columns` maps our field names to a file's column names; without it the columns are those of rag.ingestion.columns.
    Without an id column a row's id is made of its content, so that it stays when rows are moved or inserted. Several rows of
    one id and one answer are phrasings of one row.

    Raises InputError for an unknown field in `columns`.
    """
    columns = columns or {}
    if unknown := sorted(set(columns) - set(FIELDS)):
        raise InputError(f"--columns names unknown fields {unknown}; the fields are {', '.join(FIELDS)}")
    if twice := sorted({name for name in columns.values() if list(columns.values()).count(name) > 1}):
        raise InputError(f"--columns gives the columns {twice} to more than one field")
    result = RowsRead()
    numbered: list[FaqRow] = []
    unnumbered: list[FaqRow] = []
    order: dict[tuple[str, int], int] = {}
    for path in files:
        for table in read_tables(path, lambda header: locate(header, columns)):
            for row in _rows(table, columns):
                order[row.file, row.row] = len(order)
                (numbered if row.id else unnumbered).append(row)
            result.errors += sorted(table.errors, key=lambda error: error.row or 0)
            result.notes += table.notes
    rows = _with_file_names(numbered, result)
    kept, repeated = identity.without_number(unnumbered)
    for file, of_file in _by_file(repeated).items():
        result.notes.append(
            Note(file, "repeated", {"count": len(of_file), "rows": listed([row.row for row in of_file])})
        )
    result.rows = merge_rows(sorted([*rows, *kept], key=lambda row: order[row.file, row.row]))
    return result


def _with_file_names(rows: Sequence[FaqRow], result: RowsRead) -> Iterator[FaqRow]:
    """The rows with ids that are theirs alone; ids used twice become errors, unless they are phrasings of one row."""
    names = identity.shared_numbers(rows)
    # The same number and the same question are one row in two files, which may differ in what counts.
    questions: dict[tuple[str, str, str], FaqRow] = {}
    first_uses: dict[str, FaqRow] = {}
    for row in rows:
        twin = questions.setdefault((row.id, row.bank, compact(row.question)), row)
        if twin.file != row.file:
            place = f"{twin.file}, row {twin.row}"
            result.errors.append(defect(row.file, row.row, None, "id_twin", id=repr(row.id), first=place))
            continue
        named = replace(row, id=f"{names[row.file]}:{row.id}") if row.file in names else row
        first = first_uses.setdefault(named.id, row)
        if first is not row and not is_other_phrasing(row, first):
            place = f"{first.file}, row {first.row}"
            result.errors.append(defect(row.file, row.row, "id", "id_used", id=repr(row.id), first=place))
            continue
        yield named
    result.notes += [Note(file, "file_ids", {"prefix": f"{name}:"}) for file, name in names.items()]


def _by_file(rows: Iterable[FaqRow]) -> dict[str, list[FaqRow]]:
    files: dict[str, list[FaqRow]] = defaultdict(list)
    for row in rows:
        files[row.file].append(row)
    return files


def _rows(table: Table, columns: Mapping[str, str]) -> Iterator[FaqRow]:
    """The rows that keep every rule; the defects of the others are noted in the table."""
    at = locate(table.header, columns)
    extra = [name for name in table.header if name and name not in at.values()]
    if table.header or table.records:
        _check_header(table, at, columns, extra)
    if not table.records and not table.errors:
        table.refuse(None, None, "no_rows")
    if not at.keys() >= set(REQUIRED):
        return
    counts: dict[str, int] = defaultdict(int)
    same_answer: list[int] = []
    ids: dict[str, tuple[int, FaqRow | None]] = {}
    for record in table.records:
        row_id = str(record.values.get(at.get("id", ""), "")).strip()
        row = _row(table, record, at, extra, counts)
        place, first = ids.setdefault(row_id, (record.row, row))
        if row_id and place != record.row and not (row and first and is_other_phrasing(row, first)):
            table.refuse(record.row, at["id"], "id_used", id=repr(row_id), first=f"{table.name}, row {place}")
        if not row:
            continue
        # A form filled in to the half, or a banner across the table: as an answer it says nothing.
        if compact(row.question) == compact(row.answer):
            same_answer.append(row.row)
            continue
        yield row
    for kind, count in counts.items():
        table.note(kind, count=count)
    if same_answer:
        table.note("same_answer", count=len(same_answer), rows=listed(same_answer))


def _check_header(table: Table, at: Mapping[str, str], columns: Mapping[str, str], extra: Sequence[str]) -> None:
    has = ", ".join(filter(None, table.header)) or "none"
    for name in FIELDS:
        if name in columns and name not in at:
            table.refuse(table.header_row, columns[name], "no_column", has=has)
        elif name in REQUIRED and name not in at:
            table.refuse(table.header_row, name, "no_required", has=has, name=name)
    for name in RESERVED.intersection(extra):
        table.refuse(table.header_row, name, "reserved")


def _row(
    table: Table, record: Record, at: Mapping[str, str], extra: Iterable[str], counts: dict[str, int]
) -> FaqRow | None:
    before = len(table.errors)
    refuse = partial(table.refuse, record.row)
    text: dict[str, str] = {"id": ""}
    notes: set[str] = set()
    for name, column in at.items():
        value = record.values.get(column, "")
        # JSON files may number their rows and institutions; everything a customer reads is as it is written.
        if not isinstance(value, str) and (isinstance(value, bool) or name in REQUIRED):
            refuse(column, "not_text")
        text[name], changes = clean(str(value))
        notes |= changes
        if not text[name] and name in ("id", *REQUIRED):
            refuse(column, "no_value", name=name)
        elif text[name] and name in DATES:
            original, text[name] = text[name], iso_date(text[name])
            if not text[name] and not is_open(original):
                refuse(column, "no_date", value=repr(original))
    # ISO dates compare as text; an empty one is open and breaks no order.
    if "" < text.get("effective_until", "") < text.get("effective_from", ""):
        refuse(at["effective_until"], "before")
    values = ((name, record.values.get(name, "")) for name in extra)
    further = {name: clean(value)[0] if isinstance(value, str) else value for name, value in values if value != ""}
    if len(table.errors) > before:
        return None
    for kind in sorted(notes):
        counts[kind] += 1
    phrasings = split_cell(text.pop("alternatives", ""))
    return FaqRow(**text, alternatives=phrasings, extra=further, file=table.file, row=record.row)
