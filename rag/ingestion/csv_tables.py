"""CSV and TSV texts to tables. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from contextlib import suppress

from rag.ingestion.columns import clean_name
from rag.ingestion.tables import (
    HEADER_SEARCH,
    Line,
    Locate,
    Table,
    add_line,
    finish,
    header_index,
    required_width,
    set_header,
)

_DELIMITERS: tuple[str, ...] = (",", "\t", ";", "|")
_SEP = re.compile(r'"?sep=(.)"?', re.I)
_END_OF_FILE = "\x1a"
"""What programs of CP/M's age, and some banks' of today, write at the end."""


def read_csv(table: Table, text: str, locate: Locate) -> None:
    """Fill the table from a text. The delimiter is the one with which a header is known; Excel's `sep=` line decides it."""
    lines = list(io.StringIO(text.rstrip(_END_OF_FILE + "\0"), newline=""))
    start, delimiters = 0, _DELIMITERS
    if lines and (sep := _SEP.fullmatch(lines[0].strip("\r\n"))):
        start, delimiters = 1, (sep[1],)
    at, row, delimiter = _read_header(table, lines, start, delimiters, locate)
    required = required_width(table, locate)
    while at < len(lines):
        # Counted in records, as spreadsheets do: one may span several lines.
        row += 1
        begin = at
        try:
            fields, at = _next_record(lines, begin, delimiter)
        except csv.Error as exc:
            table.refuse(row, None, "quotes", reason=exc)
            # One broken quote would swallow the rest of the file, and its other defects with it.
            at = _resume(lines, begin + 1, delimiter, len(table.header))
            continue
        add_line(table, Line(row, fields, lines[begin:at], begin + 1), required)
    finish(table)


def _read_header(
    table: Table, lines: Sequence[str], start: int, delimiters: Sequence[str], locate: Locate
) -> tuple[int, int, str]:
    """Set the header; return the line after it, its row number and the delimiter."""
    options: list[tuple[int, int, int, int]] = []
    # Tried, not guessed from the extension: in many languages Excel writes semicolons into a .csv.
    tried = [_first_records(lines, start, delimiter) for delimiter in delimiters]
    for order, records in enumerate(tried):
        cells = [line.cells for line, _ in records]
        if (at_record := header_index(cells, locate)) is not None:
            # A row that names a question and an answer beats any other; then the one with more known names, then the earlier
            # delimiter.
            options.append((2, len(locate(list(map(clean_name, cells[at_record])))), -order, at_record))
        elif records:
            names = list(map(clean_name, cells[0]))
            options.append((1, len(locate(names)) * 1000 + len(names), -order, 0))
    if not options:
        table.header_row = start + 1
        table.refuse(table.header_row, None, "header_quotes")
        return len(lines), table.header_row, delimiters[0]
    _, _, order, at_record = max(options)
    records = tried[-order]
    line, after = records[at_record]
    set_header(table, line, (above for above, _ in records[:at_record]))
    return after, line.row, delimiters[-order]


def _first_records(lines: Sequence[str], start: int, delimiter: str) -> list[tuple[Line, int]]:
    """The first records that are not blank, each with the line after it; up to the first broken one."""
    records: list[tuple[Line, int]] = []
    at, row = start, start
    while at < len(lines) and len(records) < HEADER_SEARCH:
        begin = at
        row += 1
        try:
            fields, at = _next_record(lines, begin, delimiter)
        except csv.Error:
            break
        if any(name.strip() for name in fields):
            records.append((Line(row, fields), at))
    return records


def _next_record(lines: Sequence[str], at: int, delimiter: str) -> tuple[list[str], int]:
    """The record that begins on line `at` (0-based), and the line after it."""
    # One reader a record, and `strict`: Python's own default takes a broken quote for text and says nothing.
    reader = csv.reader((lines[i] for i in range(at, len(lines))), delimiter=delimiter, strict=True)
    return next(reader), at + reader.line_num


def _resume(lines: Sequence[str], at: int, delimiter: str, width: int) -> int:
    """After a broken record: the next line that looks like the beginning of a record of the header's width."""
    while at < len(lines):
        # Cheap, and right for rows without line breaks in their cells, which most are.
        if lines[at].count(delimiter) >= width - 1:
            return at
        with suppress(csv.Error):
            if len(_next_record(lines, at, delimiter)[0]) == width:
                return at
        at += 1
    return at
