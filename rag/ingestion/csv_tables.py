"""Reads tables from CSV and TSV text. Pure functions."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain

from rag.ingestion.columns import REQUIRED, clean_name, is_faq_name
from rag.ingestion.tables import (
    HEADER_SEARCH,
    ColumnMatcher,
    Line,
    Table,
    add_line,
    find_header,
    finish_table,
    likely_header,
    required_width,
    set_header,
)

_DELIMITERS: tuple[str, ...] = (",", "\t", ";", "|")
_SEP = re.compile(r'"?sep=(.)"?', re.I)
_END_OF_FILE = "\x1a"
"""Ctrl-Z, which some old programs write at the end of a file."""


def read_csv(table: Table, text: str, match_columns: ColumnMatcher) -> None:
    """Fill the table from a text.

    The delimiter is that of Excel's `sep=` line, or the one with which the most known column names are found.
    """
    lines, start, delimiters = _split_lines(text)
    at, row, delimiter = _read_header(table, lines, start, delimiters, match_columns)
    required = required_width(table, match_columns)
    if not match_columns(table.header).keys() >= set(REQUIRED):
        return  # the header's error says it all; without questions and answers the rows mean nothing
    while at < len(lines):
        # Rows are counted in records, as spreadsheets do; a record may span several lines.
        row += 1
        begin = at
        try:
            fields, at = _next_record(lines, begin, delimiter)
        except csv.Error as exc:
            table.add_error(row, None, "quotes", reason=exc)
            # Without skipping ahead, one broken quote would hide the errors in the rest of the file.
            at = _next_record_start(lines, begin + 1, delimiter, len(table.header))
            continue
        add_line(table, Line(row, fields, lines[begin:at], begin + 1), required)
    finish_table(table)


def _split_lines(text: str) -> tuple[list[str], int, tuple[str, ...]]:
    """The lines, the index of the first one after Excel's `sep=` line, and the delimiters that are possible."""
    lines = list(io.StringIO(text.rstrip(_END_OF_FILE + "\0"), newline=""))
    sep = _SEP.fullmatch(lines[0].strip("\r\n")) if lines else None
    return (lines, 1, (sep[1],)) if sep else (lines, 0, _DELIMITERS)


def data_lines(text: str, match_columns: ColumnMatcher) -> list[Line]:
    """The rows of a text that is a table of something else than questions and answers, such as fees; empty if it is none.

    Such a table has at least two rows of two cells. A text with one column that only an FAQ has is an FAQ with a defect.
    """
    lines, start, delimiters = _split_lines(text)
    for delimiter in delimiters:
        cells = [line.cells for line, _ in _first_records(lines, start, delimiter)]
        if find_header(cells, match_columns) is not None or any(map(is_faq_name, chain.from_iterable(cells))):
            return []
    # The delimiter with the widest rows: an amount such as "1,000원" has commas, too, but fewer.
    tables = []
    for delimiter in delimiters:
        with suppress(csv.Error):
            rows = list(csv.reader(lines[start:], delimiter=delimiter, strict=True))
            tables.append([Line(start + at, row) for at, row in enumerate(rows, 1)])
    widest = max(tables, key=lambda rows: sum(len(line.cells) > 1 for line in rows), default=[])
    return widest if sum(len(line.cells) > 1 for line in widest) > 1 else []


def _read_header(
    table: Table, lines: Sequence[str], start: int, delimiters: Sequence[str], match_columns: ColumnMatcher
) -> tuple[int, int, str]:
    """Set the table's header. Returns the index of the line after it, its row number and the delimiter."""
    options: list[tuple[int, int, int, int]] = []
    # Not derived from the extension: Excel writes semicolons into .csv files in many languages.
    candidates = [_first_records(lines, start, delimiter) for delimiter in delimiters]
    for order, records in enumerate(candidates):
        cells = [line.cells for line, _ in records]
        if (at_record := find_header(cells, match_columns)) is not None:
            # Preferred: a header with a question and an answer, then more known names, then the earlier delimiter.
            options.append((2, len(match_columns(list(map(clean_name, cells[at_record])))), -order, at_record))
        elif records:
            at_record = likely_header(cells)
            names = list(map(clean_name, cells[at_record]))
            options.append((1, len(match_columns(names)) * 1000 + len(names), -order, at_record))
    if not options:
        table.header_row = start + 1
        table.add_error(table.header_row, None, "header_quotes")
        return len(lines), table.header_row, delimiters[0]
    _, _, order, at_record = max(options)
    records = candidates[-order]
    line, after = records[at_record]
    set_header(table, line, (above for above, _ in records[:at_record]))
    return after, line.row, delimiters[-order]


def _first_records(lines: Sequence[str], start: int, delimiter: str) -> list[tuple[Line, int]]:
    """The first non-blank records, each with the index of the line after it; up to the first malformed one."""
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
    """The record that begins on line `at` (0-based), and the index of the line after it. Raises csv.Error."""
    # A new reader for each record, to know its lines; `strict`, because otherwise broken quotes are read as text.
    reader = csv.reader((lines[i] for i in range(at, len(lines))), delimiter=delimiter, strict=True)
    try:
        return next(reader), at + reader.line_num
    except csv.Error:
        # Databases write tabs between values and quotes as they are: '"OTP"란 무엇인가요?'.
        if delimiter != "\t" or "\t" not in lines[at]:
            raise
        return lines[at].rstrip("\r\n").split("\t"), at + 1


def _next_record_start(lines: Sequence[str], at: int, delimiter: str, width: int) -> int:
    """The next line after a malformed record that seems to begin a record of `width` cells."""
    while at < len(lines):
        # Fast, and right for rows without line breaks in cells, which are the most frequent.
        if lines[at].count(delimiter) >= width - 1:
            return at
        with suppress(csv.Error):
            if len(_next_record(lines, at, delimiter)[0]) == width:
                return at
        at += 1
    return at
