"""One file to its tables, by its extension; what is no table of text is refused with what to do about it."""

from __future__ import annotations

from pathlib import Path

from rag.ingestion.csv_tables import read_csv
from rag.ingestion.encodings import decode
from rag.ingestion.files import check_kind, read_bytes
from rag.ingestion.json_tables import read_json, read_jsonl
from rag.ingestion.messages import UnreadableFile, listed
from rag.ingestion.tables import Locate, Table, add_line, finish, header_index, required_width, set_header
from rag.ingestion.workbook import read_workbook

SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".xlsx")
_BINARY = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF-")
"""How the files of Excel, Word, Hangul and PDF begin, whatever they are called."""


def read_tables(path: Path, locate: Locate) -> list[Table]:
    """The tables of one file: one, or of a workbook one for each sheet with questions and answers. Defects are in them."""
    table = Table(str(path))
    suffix = path.suffix.lower()
    try:
        data = read_bytes(path)
        if suffix not in SUFFIXES:
            raise UnreadableFile("unsupported", supported=", ".join(SUFFIXES))
        if suffix == ".xlsx":
            check_kind(suffix, data)
            return _workbook_tables(str(path), data, locate)
        # By its beginning, for people rename files: else every line of it would be a defect of its own.
        if data.startswith(_BINARY):
            raise UnreadableFile("renamed", supported=", ".join(SUFFIXES))
        text = decode(data)
        if not text.strip("\0\x1a \t\r\n"):
            raise UnreadableFile("empty")
    except UnreadableFile as exc:
        table.errors.append(exc.as_defect(str(path)))
        return [table]
    if suffix == ".jsonl":
        read_jsonl(table, text)
    elif suffix == ".json":
        read_json(table, text)
    else:
        read_csv(table, text, locate)
    return [table]


def _workbook_tables(file: str, data: bytes, locate: Locate) -> list[Table]:
    sheets, notes = read_workbook(file, data)
    sheets = [sheet for sheet in sheets if any(any(line.cells) for line in sheet.lines)]
    if not sheets:
        raise UnreadableFile("empty")
    headers = [header_index([line.cells for line in sheet.lines], locate) for sheet in sheets]
    if all(at is None for at in headers):
        # Told by the first sheet, as of a CSV: what its columns are, and how to name them.
        headers[0] = next(at for at, line in enumerate(sheets[0].lines) if any(line.cells))
    tables = []
    for sheet, at in zip(sheets, headers, strict=True):
        if at is None:
            continue
        table = Table(
            file, sheet=sheet.name if len(sheets) > 1 else "", notes=list(sheet.notes), errors=list(sheet.errors)
        )
        set_header(table, sheet.lines[at], sheet.lines[:at])
        required = required_width(table, locate)
        for line in sheet.lines[at + 1 :]:
            # A struck question or answer is withdrawn, and its row with it; the note names the cells.
            if line.row not in sheet.struck_rows:
                add_line(table, line, required)
        finish(table)
        tables.append(table)
    left_out = [sheet.name for sheet, at in zip(sheets, headers, strict=True) if at is None]
    tables[0].notes += notes
    if left_out:
        tables[0].note("other_sheets", names=listed(left_out))
    return tables
