"""Reads tables from JSON lines, JSON arrays, and objects that contain an array. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rag.ingestion.columns import clean_name
from rag.ingestion.tables import Line, Record, Table, check_values


def read_jsonl(table: Table, text: str) -> None:
    """Fill the table from one JSON object per line; blank lines are skipped."""
    # Not splitlines, which also splits at characters that JSON strings may contain.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip(" \t\r\x1a"):
            try:
                values = _parse(line)
            except (
                ValueError,
                RecursionError,
                _JsonError,
            ) as exc:  # ValueError: also for a number of more than 4,300 digits
                table.add_error(number, None, "json", reason=exc)
                continue
            _add(table, number, values, line)
    _set_header(table)


def read_json(table: Table, text: str) -> None:
    """Fill the table from an array of objects, or from an object with one such array; rows are counted from 1.

    Text with several objects, one per line, is read as JSON lines.
    """
    try:
        document = _parse(text)
    except (ValueError, RecursionError, _JsonError) as exc:
        # Exports of JSON lines often have the extension .json; the first line shows it.
        first, *rest = text.strip().split("\n", 1)
        if rest and first.strip().startswith("{") and first.strip().endswith("}"):
            read_jsonl(table, text)
        else:
            table.add_error(None, None, "json", reason=exc)
        return
    lists = [value for value in _arrays(document) if value and any(isinstance(item, dict) for item in value)]
    if len(lists) != 1:
        table.add_error(None, None, "no_json_rows")
        return
    for number, values in enumerate(lists[0], start=1):
        _add(table, number, values, "")
    _set_header(table)


def _arrays(document: object) -> Iterator[list[object]]:
    if isinstance(document, list):
        yield document
    elif isinstance(document, dict):
        yield from (value for value in document.values() if isinstance(value, list))


def _add(table: Table, number: int, values: object, line: str) -> None:
    if not isinstance(values, dict):
        table.add_error(number, None, "not_object")
        return
    record = Record(number, {clean_name(key): "" if value is None else value for key, value in values.items()})
    if check_values(table, record, Line(number, (), [line], number)):
        table.records.append(record)


def _set_header(table: Table) -> None:
    table.header = tuple(dict.fromkeys(name for record in table.records for name in record.values))


class _JsonError(Exception):
    """JSON that Python's parser accepts but that is ambiguous or not finite."""


def _parse(text: str) -> object:
    return json.loads(text, object_pairs_hook=_distinct_keys, parse_constant=_no_constant)


def _distinct_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    # Python would silently keep the last one.
    if len(values) < len(pairs):
        raise _JsonError("a key appears twice in one object")
    return values


def _no_constant(name: str) -> None:
    raise _JsonError(f"{name} is not a number")
