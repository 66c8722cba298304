"""Files to tables: paths to files, bytes to a header and records, every defect noted instead of raised.

Knows CSV, JSON lines and encodings; knows nothing of what the columns mean.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rag.errors import InputError, RowError

Value = str | int | float | bool
Score = Callable[[Sequence[str]], int]

SUFFIXES = (".csv", ".tsv", ".jsonl")
_INSTEAD = f'save its table of questions and answers as CSV (in Excel: "CSV UTF-8"); supported: {", ".join(SUFFIXES)}'
_BINARY = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF-")
"""How the files of Excel, Word, Hangul and PDF begin, whatever they are called."""
_DELIMITERS = (",", "\t", ";")
_HANGUL = re.compile(rb"[\xea-\xed][\x80-\xbf]{2}")
_SAMPLE = 1 << 20
_ESCAPED = re.compile(r"[\udc80-\udcff]")
_UNUSABLE = re.compile(r"[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a table: `row` as a spreadsheet shows it (a JSON line: its line number) and its values by column."""

    row: int
    values: dict[str, Value]


@dataclass(slots=True)
class Table:
    """A file's header, its usable records and its defects. `header_row` is None for JSON lines."""

    file: str
    header: tuple[str, ...] = ()
    header_row: int | None = None
    records: list[Record] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def refuse(self, row: int | None, column: str | None, problem: str) -> None:
        """Note a defect; `row` None: of the whole file."""
        self.errors.append(RowError(self.file, row, column, problem))


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The paths themselves; of directories every visible file below, sorted. Each file once.

    Raises InputError for a folder that cannot be read: its rows would count as gone.
    """
    seen: set[Path] = set()
    for path in paths:
        for file in _below(path) if path.is_dir() else (path,):
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _below(directory: Path) -> Iterator[Path]:
    def refuse(exc: OSError) -> None:
        raise InputError(
            f"the folder {exc.filename} cannot be read ({exc.strerror}): fix that or leave it out"
        ) from exc

    files = [Path(folder, name) for folder, _, names in os.walk(directory, onerror=refuse) for name in names]
    for file in sorted(files):
        # `~$` begins what Excel writes beside an open file.
        hidden = any(part.startswith((".", "~$")) for part in file.relative_to(directory).parts)
        if not hidden:
            yield file


def read_table(path: Path, *, score: Score) -> Table:
    """Read one file. `score` tells how many known columns a header holds: it decides the delimiter."""
    table = Table(str(path))
    if not path.exists():
        table.refuse(None, None, "no such file or folder")
        return table
    if path.suffix.lower() not in SUFFIXES:
        table.refuse(None, None, f"unsupported kind of file: {_INSTEAD}")
        return table
    try:
        data = path.read_bytes()
    except OSError as exc:
        table.refuse(None, None, f"cannot be read: {exc.strerror}")
        return table
    # By its beginning, for people rename files: else every line of it would be a defect of its own.
    if data.startswith(_BINARY):
        table.refuse(None, None, f"is not text but another program's file, renamed: {_INSTEAD}")
        return table
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        table.refuse(None, None, "is UTF-16; save it as UTF-8")
        return table
    text = decode(data)
    if not text.strip():
        table.refuse(None, None, "is empty")
    elif path.suffix.lower() == ".jsonl":
        _read_jsonl(table, text)
    else:
        _read_csv(table, text, score)
    return table


def decode(data: bytes) -> str:
    """UTF-8, with or without a byte order mark, or CP949; bytes that are neither become lone surrogates.

    A UTF-8 file with a damaged byte is often valid CP949 and would turn into other Hangul without a word: where more than
    half of the foreign bytes spell Hangul in UTF-8 it is UTF-8. (In CP949 next to none do.)
    """
    if data.startswith(codecs.BOM_UTF8):
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8")
    sample = data[:_SAMPLE]
    foreign = sample.translate(None, bytes(range(128)))
    is_utf8 = 2 * len(b"".join(_HANGUL.findall(sample))) > len(foreign)
    return data.decode("utf-8" if is_utf8 else "cp949", "surrogateescape")


def _read_csv(table: Table, text: str, score: Score) -> None:
    lines = list(io.StringIO(text, newline=""))
    at, delimiter = _read_header(table, lines, score)
    row = table.header_row or 0
    while at < len(lines):
        # Counted in records, as spreadsheets do: one may span several lines.
        row += 1
        start = at
        try:
            fields, at = _next_record(lines, start, delimiter)
        except csv.Error as exc:
            table.refuse(row, None, f"broken quoting: {exc}")
            # One broken quote would swallow the rest of the file, and its other defects with it.
            at = _resume(lines, start + 1, delimiter, len(table.header))
            continue
        if not any(field.strip() for field in fields):
            continue
        if len(fields) != len(table.header):
            table.refuse(row, None, f"{len(fields)} fields, the header has {len(table.header)}")
            continue
        record = Record(row, dict(zip(table.header, fields, strict=True)))
        if _is_usable(table, record, lines[start:at], first_line=start + 1):
            table.records.append(record)


def _read_header(table: Table, lines: Sequence[str], score: Score) -> tuple[int, str]:
    """Set the header; return the line after it and the delimiter: the one that shows the most known columns."""
    blank = 0
    while not lines[blank].strip():
        blank += 1
    options: list[tuple[int, int, int, tuple[str, ...], int, str]] = []
    # Tried, not guessed from the extension: in many languages Excel writes semicolons into a .csv.
    for delimiter in _DELIMITERS:
        try:
            fields, after = _next_record(lines, blank, delimiter)
        except csv.Error:
            continue
        header = tuple(name.strip() for name in fields)
        options.append((score(header), len(header), -len(options), header, after, delimiter))
    table.header_row = blank + 1
    if not options:
        table.refuse(table.header_row, None, "broken quoting in the header")
        return len(lines), ","
    *_, table.header, after, delimiter = max(options)
    for name in sorted(name for name, count in Counter(table.header).items() if count > 1):
        table.refuse(table.header_row, name, "appears more than once in the header")
    return after, delimiter


def _next_record(lines: Sequence[str], at: int, delimiter: str) -> tuple[list[str], int]:
    """The record that begins on line `at` (0-based), and the line after it."""
    reader = csv.reader((lines[i] for i in range(at, len(lines))), delimiter=delimiter, strict=True)
    return next(reader), at + reader.line_num


def _resume(lines: Sequence[str], at: int, delimiter: str, width: int) -> int:
    """After a broken record: the next line that looks like the beginning of a record of the header's width."""
    while at < len(lines):
        if lines[at].count(delimiter) >= width - 1:
            return at
        with suppress(csv.Error):
            if len(_next_record(lines, at, delimiter)[0]) == width:
                return at
        at += 1
    return at


def _read_jsonl(table: Table, text: str) -> None:
    # Not splitlines, which also splits at characters that JSON strings may hold.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line, object_pairs_hook=_distinct, parse_constant=_no_constant)
        except (ValueError, RecursionError, _JsonProblem) as exc:  # ValueError: also a number of 4,300 digits
            table.refuse(number, None, f"not valid JSON: {exc}")
            continue
        if not isinstance(values, dict):
            table.refuse(number, None, "not a JSON object")
            continue
        record = Record(number, {key: "" if value is None else value for key, value in values.items()})
        if _is_usable(table, record, [line], first_line=number):
            table.records.append(record)
    table.header = tuple(dict.fromkeys(name for record in table.records for name in record.values))


class _JsonProblem(Exception):
    pass


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    # Python would keep the last and lose the other without a word.
    if len(values) < len(pairs):
        raise _JsonProblem("a key appears twice in one object")
    return values


def _no_constant(name: str) -> None:
    raise _JsonProblem(f"{name} is not a number")


def _is_usable(table: Table, record: Record, lines: Sequence[str], *, first_line: int) -> bool:
    """Whether every value is one that stores and models can take; the others are noted."""
    before = len(table.errors)
    values: Mapping[str, object] = record.values
    for column, value in values.items():
        if not isinstance(value, str | int | float):
            table.refuse(record.row, column, "must be text or a number, not a list or an object")
        elif isinstance(value, float) and not math.isfinite(value):
            table.refuse(record.row, column, "is too large a number")
        elif isinstance(value, str) and (unusable := _UNUSABLE.search(value)):
            table.refuse(record.row, column, _describe(unusable[0], lines, first_line))
        elif column == "" and value != "":
            table.refuse(record.row, None, "has a value in a column without a name")
    return len(table.errors) == before


def _describe(character: str, lines: Sequence[str], first_line: int) -> str:
    # SQLite and C libraries end a text there.
    if character == "\0":
        return "holds a NUL character"
    if not _ESCAPED.match(character):
        return "holds half of a surrogate pair"
    line = first_line + next((i for i, text in enumerate(lines) if character in text), 0)
    return f"byte 0x{ord(character) - 0xDC00:02X} on line {line} is neither UTF-8 nor CP949"
