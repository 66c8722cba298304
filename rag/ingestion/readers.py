"""Tables to FAQ rows: which column means what, and every rule a row must keep. All defects are raised at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

from rag.errors import InputError, RowError, RowErrors
from rag.ingestion.tables import Record, Table, Value, find_files, read_table
from rag.stores.base import CONTENT_HASH, FINGERPRINT, INDEXED_AT

FIELDS = ("id", "question", "answer", "category", "bank", "source_url", "effective_from", "effective_until")
REQUIRED = ("question", "answer")
DATES = ("effective_from", "effective_until")
RESERVED = frozenset({*FIELDS, CONTENT_HASH, FINGERPRINT, INDEXED_AT})
"""Names that an additional column cannot have."""

_OWN = {name: name for name in FIELDS}
_WORKSHOP = {"id": "no", "question": "category", "answer": "information", "category": "type", "bank": "source"}
_DATE = re.compile(r"(\d{4})([-./])(\d{1,2})\2(\d{1,2})", re.ASCII)


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
    extra: Mapping[str, Value] = field(default_factory=dict)
    file: str = ""
    row: int = 0


def read(paths: Iterable[Path | str], *, columns: Mapping[str, str] | None = None) -> list[FaqRow]:
    """Read CSV and JSON-lines files, and directories of them, in order.

    `columns` maps our field names to a file's column names; without it the columns are ours (`question`, `answer` …)
    or the workshop's (`Category`, `Information` …). Without an id column a row's id is its row number.

    Raises InputError for an unknown field in `columns` or when there is no file at all, RowErrors for every defect.
    """
    columns = columns or {}
    if unknown := sorted(set(columns) - set(FIELDS)):
        raise InputError(f"--columns names unknown fields {unknown}; the fields are {', '.join(FIELDS)}")
    if twice := sorted({name for name in columns.values() if list(columns.values()).count(name) > 1}):
        raise InputError(f"--columns gives the columns {twice} to more than one field")
    errors: list[RowError] = []
    rows: list[FaqRow] = []
    first_uses: dict[str, str] = {}
    for path in find_files(map(Path, paths)):
        table = read_table(path, score=lambda header: len(locate(header, columns)))
        rows += _rows(table, columns, first_uses)
        errors += sorted(table.errors, key=lambda error: error.row or 0)
    if errors:
        raise RowErrors(errors)
    if not rows:
        raise InputError("the folders hold no .csv, .tsv or .jsonl file")
    return rows


def locate(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Field -> the header's column for it; fields without a column are left out. Case counts only as a last resort."""
    # Reversed, so that of two columns that differ in case alone the first counts.
    free = {name.casefold(): name for name in reversed(header) if name not in columns.values()}
    ours = free.keys() >= set(REQUIRED)
    theirs = free.keys() >= {_WORKSHOP["question"], _WORKSHOP["answer"]}
    # A file with both layouts' columns is ours: the workshop's `Category` is our `question`, and ours is something else.
    layout = _WORKSHOP if theirs and not ours else _OWN
    located = {name: free[layout[name]] for name in FIELDS if layout.get(name) in free and name not in columns}
    # A number column of another name than the layout's is better than row numbers, which change when a row is inserted.
    if "id" not in columns and "id" not in located and (number := free.get("no") or free.get("id")):
        located["id"] = number
    return located | {name: column for name, column in columns.items() if column in header}


def _rows(table: Table, columns: Mapping[str, str], first_uses: dict[str, str]) -> Iterator[FaqRow]:
    """The rows that keep every rule; the defects of the others are noted in the table. `first_uses`: id -> file and row."""
    at = locate(table.header, columns)
    extra = [name for name in table.header if name and name not in at.values()]
    if table.header or table.records:
        _check_header(table, at, columns, extra)
    if not table.records and not table.errors:
        table.refuse(None, None, "has no rows")
    if at.keys() >= set(REQUIRED):
        for record in table.records:
            if row := _row(table, record, at, extra, first_uses):
                yield row


def _check_header(table: Table, at: Mapping[str, str], columns: Mapping[str, str], extra: Sequence[str]) -> None:
    has = f"the file has {', '.join(filter(None, table.header)) or 'none'}"
    for name in FIELDS:
        if name in columns and name not in at:
            table.refuse(table.header_row, columns[name], f"no such column; {has}")
        elif name in REQUIRED and name not in at:
            table.refuse(table.header_row, name, f"no such column; {has}: name yours with --columns {name}=…")
    for name in RESERVED.intersection(extra):
        table.refuse(table.header_row, name, "this name is reserved; rename the column")


def _row(
    table: Table, record: Record, at: Mapping[str, str], extra: Iterable[str], first_uses: dict[str, str]
) -> FaqRow | None:
    before = len(table.errors)
    refuse = partial(table.refuse, record.row)
    text: dict[str, str] = {}
    for name, column in at.items():
        value = record.values.get(column, "")
        # JSON files may number their rows; everything else a customer reads as it is written.
        if not isinstance(value, str) and not (name == "id" and type(value) is int):
            refuse(column, "must be text")
        text[name] = str(value).strip()
        if not text[name] and name in ("id", *REQUIRED):
            refuse(column, f"no {name}")
        elif text[name] and name in DATES:
            original, text[name] = text[name], iso_date(text[name])
            if not text[name]:
                refuse(column, f"{original!r} is not a date like 2026-01-31")
    # ISO dates compare as text; an empty one is open and breaks no order.
    if "" < text.get("effective_until", "") < text.get("effective_from", ""):
        refuse(at["effective_until"], "lies before effective_from")
    here = f"{table.file}, row {record.row}"
    first = first_uses.setdefault(text.setdefault("id", str(record.row)), here)
    if text["id"] and first != here:
        hint = "" if "id" in at else " (the row's number, for want of an id column)"
        refuse(at.get("id"), f"id {text['id']!r}{hint} is already used in {first}")
    values = ((name, record.values.get(name, "")) for name in extra)
    further = {name: value.strip() if isinstance(value, str) else value for name, value in values if value != ""}
    if len(table.errors) > before:
        return None
    return FaqRow(**text, extra=further, file=table.file, row=record.row)


def iso_date(text: str) -> str:
    """`2026-01-31`, `2026.01.31` or `2026/01/31` as `2026-01-31`; empty for what is no day of the calendar."""
    if not (match := _DATE.fullmatch(text)):
        return ""
    try:
        return date(int(match[1]), int(match[3]), int(match[4])).isoformat()
    except ValueError:
        return ""
