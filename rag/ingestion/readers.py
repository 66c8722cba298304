"""Converts tables to FAQ rows and validates them. Collects all defects, and notes on what was changed or left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from rag.errors import InputError, RowError, RowErrors
from rag.ingestion import identity
from rag.ingestion.cell_text import clean_cell, is_unlimited, iso_date
from rag.ingestion.columns import DATES, FIELDS, REQUIRED, is_switched_off, match_columns
from rag.ingestion.faq_row import FaqRow
from rag.ingestion.files import find_files
from rag.ingestion.identity import qualify_restarted_numbers
from rag.ingestion.messages import PARTS, Note, Text, defect, join_items
from rag.ingestion.phrasings import is_other_phrasing, merge_rows, split_phrasings
from rag.ingestion.question_pairs import without_marks
from rag.ingestion.table_files import SUFFIXES, read_tables
from rag.ingestion.tables import Record, Table
from rag.korean import compact
from rag.stores.base import INTERNAL_METADATA

RESERVED = frozenset({*FIELDS, *INTERNAL_METADATA})
"""Names that additional columns must not have."""


class NoFiles(InputError):
    """The folders contain no file of a supported format."""

    def __init__(self) -> None:
        kinds = ", ".join(SUFFIXES)
        super().__init__(
            f"the folders hold no file to read; supported: {kinds}",
            korean=f"읽을 파일이 없습니다. 읽을 수 있는 형식: {kinds}",
        )


@dataclass(slots=True)
class ReadResult:
    """The rows, defects and notes of several files' tables."""

    rows: list[FaqRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def read(paths: Iterable[Path | str], *, columns: Mapping[str, str] | None = None) -> list[FaqRow]:
    """The rows of `read_rows`. Raises RowErrors with all defects, or NoFiles without any rows."""
    result = read_rows(find_files(map(Path, paths)), columns=columns)
    if result.errors:
        raise RowErrors(result.errors)
    if not result.rows:
        raise NoFiles()
    return result.rows


def read_rows(files: Iterable[Path], *, columns: Mapping[str, str] | None = None) -> ReadResult:
    """Read the rows of CSV, TSV, JSON, JSON-lines and Excel files, in order.

    `columns`: column names by field, in addition to those that rag.ingestion.columns knows. Rows without an id column get
    an id of their content, which stays the same when rows are moved or inserted. Rows with the same id and answer are merged
    as phrasings of one row.

    Raises InputError for an unknown field in `columns`, or a column given to two fields.
    """
    columns = columns or {}
    if unknown := sorted(set(columns) - set(FIELDS)):
        raise InputError(
            f"--columns names unknown fields {unknown}; the fields are {', '.join(FIELDS)}",
            korean=f"--columns의 {', '.join(unknown)}은(는) 없는 항목입니다. 항목: {', '.join(FIELDS)}",
        )
    if twice := sorted({name for name in columns.values() if list(columns.values()).count(name) > 1}):
        raise InputError(
            f"--columns gives the columns {twice} to more than one field",
            korean=f"--columns에서 {', '.join(twice)} 열을 두 항목에 적었습니다. 열 하나에 항목 하나만 적어 주세요.",
        )
    result = ReadResult()
    numbered: list[FaqRow] = []
    unnumbered: list[FaqRow] = []
    restarted: set[str] = set()
    order: dict[tuple[str, int, str], int] = {}  # of two sheets, rows have the same number
    for path in files:
        tables = read_tables(path, lambda header: match_columns(header, columns))
        are_qualified = qualify_restarted_numbers(tables, columns)
        for table in tables:
            for row in _valid_rows(table, columns):
                if are_qualified:
                    restarted.add(row.file)
                order.setdefault((row.file, row.row, row.question), len(order))
                (numbered if row.id else unnumbered).append(row)
            result.errors += sorted(table.errors, key=lambda error: error.row or 0)
            result.notes += table.notes
    rows = _with_unique_ids(numbered, restarted, result)
    kept, repeated = identity.assign_content_ids(unnumbered)
    for file, file_rows in _by_file(repeated).items():
        result.notes.append(
            Note(file, "repeated", {"count": len(file_rows), "rows": join_items([row.row for row in file_rows])})
        )
    result.rows = merge_rows(sorted([*rows, *kept], key=lambda row: order[row.file, row.row, row.question]))
    return result


def _with_unique_ids(rows: Sequence[FaqRow], restarted: Collection[str], result: ReadResult) -> Iterator[FaqRow]:
    """The rows with unique ids, which are prefixed if files share numbers. A repeated id is an error, except of phrasings."""
    names = identity.file_prefixes(rows, restarted)
    # The same number and question in two files are versions of one row; which one is right cannot be known.
    questions: dict[tuple[str, str, str], FaqRow] = {}
    first_uses: dict[str, FaqRow] = {}
    for row in rows:
        other = questions.setdefault((row.id, row.bank, compact(row.question)), row)
        if other.file != row.file:
            place = _place(other.file, other.row)
            result.errors.append(defect(row.file, row.row, None, "id_twin", id=repr(row.id), first=place))
            continue
        prefixed = replace(row, id=f"{names[row.file]}:{row.id}") if row.file in names else row
        first = first_uses.setdefault(prefixed.id, row)
        if first is not row and not is_other_phrasing(row, first):
            place = _place(first.file, first.row)
            result.errors.append(defect(row.file, row.row, "id", "id_used", id=repr(row.id), first=place))
            continue
        yield prefixed
    result.notes += [Note(file, "file_ids", {"prefix": f"{name}:"}) for file, name in names.items()]


def _place(file: str, row: int) -> Text:
    return PARTS["row"].filled({"file": file, "row": row})


def _by_file(rows: Iterable[FaqRow]) -> dict[str, list[FaqRow]]:
    files: dict[str, list[FaqRow]] = defaultdict(list)
    for row in rows:
        files[row.file].append(row)
    return files


def _valid_rows(table: Table, columns: Mapping[str, str]) -> Iterator[FaqRow]:
    """The valid rows; defects of the others are added to the table."""
    at = match_columns(table.header, columns)
    extra = [name for name in table.header if name and name not in at.values()]
    if table.header or table.records:
        _check_header(table, at, columns, extra)
    if not table.records and not table.errors:
        table.add_error(None, None, "no_rows")
    if not at.keys() >= set(REQUIRED):
        return
    counts: dict[str, int] = defaultdict(int)
    left_out: dict[str, list[int]] = {"switched_off": [], "same_answer": []}
    ids: dict[str, tuple[int, FaqRow | None]] = {}
    for record in table.records:
        if is_switched_off(record.values):
            left_out["switched_off"].append(record.row)
            continue
        row_id = str(record.values.get(at.get("id", ""), "")).strip()
        row = _parse_row(table, record, at, extra, counts)
        location, first = ids.setdefault(row_id, (record.row, row))
        if row_id and location != record.row and not (row and first and is_other_phrasing(row, first)):
            table.add_error(record.row, at["id"], "id_used", id=repr(row_id), first=_place(table.name, location))
            continue
        if not row:
            continue
        # An unfinished form, or a title merged across the columns: not an answer.
        if compact(row.question) == compact(row.answer):
            left_out["same_answer"].append(row.row)
            continue
        yield row
    for kind, count in counts.items():
        table.note(kind, count=count)
    if "category" in at:
        _note_blank_categories(table, at["category"])
    for kind, rows in left_out.items():
        if rows:
            table.note(kind, count=len(rows), rows=join_items(rows))


def _note_blank_categories(table: Table, column: str) -> None:
    """Note that most rows have no category but the first has one: of merged cells a CSV file has the first only."""
    categories = [str(record.values.get(column, "")).strip() for record in table.records]
    blank = categories.count("")
    if categories and categories[0] and 2 * blank >= len(categories):
        table.note("blank_categories", count=blank, column=column)


def _check_header(table: Table, at: Mapping[str, str], columns: Mapping[str, str], extra: Sequence[str]) -> None:
    has = ", ".join(filter(None, table.header)) or PARTS["none"]
    for name in FIELDS:
        if name in columns and name not in at:
            table.add_error(table.header_row, columns[name], "no_column", has=has)
    if missing := [name for name in REQUIRED if name not in at and name not in columns]:
        option = ",".join(f"{name}=…" for name in missing)
        table.add_error(table.header_row, ", ".join(missing), "no_required", has=has, option=option)
    for name in RESERVED.intersection(extra):
        table.add_error(table.header_row, name, "reserved")


def _parse_row(
    table: Table, record: Record, at: Mapping[str, str], extra: Iterable[str], counts: dict[str, int]
) -> FaqRow | None:
    error_count = len(table.errors)
    add_error = partial(table.add_error, record.row)
    text: dict[str, str] = {"id": ""}
    notes: set[str] = set()
    for name, column in at.items():
        value = record.values.get(column, "")
        # JSON files may have numbers as ids or institutions, but questions and answers must be text.
        if not isinstance(value, str) and (isinstance(value, bool) or name in REQUIRED):
            add_error(column, "not_text")
        text[name], changes = clean_cell(str(value))
        notes |= changes
        if not text[name] and name in ("id", *REQUIRED):
            add_error(column, "no_value", name=name)
        elif text[name] and name in DATES:
            original, text[name] = text[name], iso_date(text[name])
            if not text[name] and not is_unlimited(original):
                add_error(column, "no_date", value=repr(original))
    if text.get("question") and text.get("answer"):
        text["question"], text["answer"] = without_marks(text["question"], text["answer"])
    # ISO dates compare as text; an empty one means without limit.
    if "" < text.get("effective_until", "") < text.get("effective_from", ""):
        add_error(at["effective_until"], "before")
    values = ((name, record.values.get(name, "")) for name in extra)
    extra_values = {
        name: clean_cell(value)[0] if isinstance(value, str) else value for name, value in values if value != ""
    }
    if len(table.errors) > error_count:
        return None
    for kind in sorted(notes):
        counts[kind] += 1
    phrasings = split_phrasings(text.pop("alternatives", ""))
    return FaqRow(**text, alternatives=phrasings, extra=extra_values, file=table.file, row=record.row)
