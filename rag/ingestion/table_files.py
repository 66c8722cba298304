"""Reads the tables of one file, by its extension. A file of another format becomes an error that says how to convert it."""

from __future__ import annotations

from pathlib import Path

from rag.ingestion.csv_tables import read_csv
from rag.ingestion.files import BINARY, check_kind, decode, read_bytes
from rag.ingestion.json_tables import read_json, read_jsonl
from rag.ingestion.messages import Note, UnreadableFile, join_items
from rag.ingestion.question_pairs import add_pairs, find_pairs
from rag.ingestion.tables import (
    ColumnMatcher,
    Table,
    add_line,
    find_header,
    finish_table,
    likely_header,
    required_width,
    set_header,
)
from rag.ingestion.workbook import read_workbook

SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".xlsx")


def read_tables(path: Path, match_columns: ColumnMatcher) -> list[Table]:
    """The file's table, or a table for each sheet of a workbook with questions and answers. Their `errors` have the defects."""
    table = Table(str(path))
    suffix = path.suffix.lower()
    try:
        data = read_bytes(path)
        if suffix not in SUFFIXES:
            raise UnreadableFile("unsupported", supported=", ".join(SUFFIXES))
        if suffix == ".xlsx":
            check_kind(suffix, data)
            return _workbook_tables(str(path), data, match_columns)
        # A renamed binary file is one error; read as text, each of its lines would be one.
        if data.startswith(BINARY):
            raise UnreadableFile("renamed", supported=", ".join(SUFFIXES))
        text = decode(data)
        if not text.strip("\0\x1a \t\r\n"):
            raise UnreadableFile("empty")
    except UnreadableFile as exc:
        table.errors.append(exc.to_row_error(str(path)))
        return [table]
    if suffix == ".jsonl":
        read_jsonl(table, text, match_columns)
    elif suffix == ".json":
        read_json(table, text, match_columns)
    else:
        read_csv(table, text, match_columns)
    return [table]


def _workbook_tables(file: str, data: bytes, match_columns: ColumnMatcher) -> list[Table]:
    sheets, notes = read_workbook(file, data)
    sheets = [sheet for sheet in sheets if any(any(line.cells) for line in sheet.lines)]
    if not sheets:
        raise UnreadableFile("empty")
    headers = [find_header([line.cells for line in sheet.lines], match_columns) for sheet in sheets]
    pairs = [
        find_pairs(sheet.lines) if at is None and not sheet.struck_rows else []
        for sheet, at in zip(sheets, headers, strict=True)
    ]
    if all(at is None for at in headers) and not any(pairs):
        # The first sheet is read like a CSV, whose error lists the columns and how to name them.
        filled = [at for at, line in enumerate(sheets[0].lines) if any(line.cells)]
        headers[0] = filled[likely_header([sheets[0].lines[at].cells for at in filled])]
    tables = []
    for sheet, at, sheet_pairs in zip(sheets, headers, pairs, strict=True):
        table = Table(
            file, sheet=sheet.name if len(sheets) > 1 else "", notes=list(sheet.notes), errors=list(sheet.errors)
        )
        if sheet_pairs:
            add_pairs(table, sheet_pairs)
            tables.append(table)
        if at is None:
            continue
        set_header(table, sheet.lines[at], sheet.lines[:at])
        required = required_width(table, match_columns)
        for line in sheet.lines[at + 1 :]:
            # A row with struck-through text has been withdrawn; a note lists the cells.
            if line.row not in sheet.struck_rows:
                add_line(table, line, required)
        finish_table(table)
        tables.append(table)
    left_out = [sheet.name for sheet, at, found in zip(sheets, headers, pairs, strict=True) if at is None and not found]
    tables[0].notes += notes
    if left_out:
        tables[0].notes.append(Note(file, "other_sheets", {"names": join_items(left_out)}))
    return tables
