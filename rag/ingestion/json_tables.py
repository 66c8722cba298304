"""JSON lines, JSON arrays and objects that hold one to tables. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rag.ingestion.columns import clean_name
from rag.ingestion.tables import Line, Record, Table, is_usable


def read_jsonl(table: Table, text: str) -> None:
    """One object a line; blank lines are none."""
    # Not splitlines, which also splits at characters that JSON strings may hold.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip(" \t\r\x1a"):
            try:
                values = _parse(line)
            except (ValueError, RecursionError, _JsonProblem) as exc:  # ValueError: also a number of 4,300 digits
                table.refuse(number, None, "json", reason=exc)
                continue
            _add(table, number, values, line)
    _set_header(table)


def read_json(table: Table, text: str) -> None:
    """An array of objects, or an object with one such array among its values; rows are counted from 1.

    A file of several objects, one a line, is JSON lines under another name.
    """
    try:
        document = _parse(text)
    except (ValueError, RecursionError, _JsonProblem) as exc:
        # Told by the first line: exports often end in .json whatever they hold.
        first, *rest = text.strip().split("\n", 1)
        if rest and first.strip().startswith("{") and first.strip().endswith("}"):
            read_jsonl(table, text)
        else:
            table.refuse(None, None, "json", reason=exc)
        return
    lists = [value for value in _lists(document) if value and any(isinstance(item, dict) for item in value)]
    if len(lists) != 1:
        table.refuse(None, None, "no_json_rows")
        return
    for number, values in enumerate(lists[0], start=1):
        _add(table, number, values, "")
    _set_header(table)


def _lists(document: object) -> Iterator[list[object]]:
    if isinstance(document, list):
        yield document
    elif isinstance(document, dict):
        yield from (value for value in document.values() if isinstance(value, list))


def _add(table: Table, number: int, values: object, line: str) -> None:
    if not isinstance(values, dict):
        table.refuse(number, None, "not_object")
        return
    record = Record(number, {clean_name(key): "" if value is None else value for key, value in values.items()})
    if is_usable(table, record, Line(number, (), [line], number)):
        table.records.append(record)


def _set_header(table: Table) -> None:
    table.header = tuple(dict.fromkeys(name for record in table.records for name in record.values))


class _JsonProblem(Exception):
    pass


def _parse(text: str) -> object:
    return json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_constant)


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    # Python would keep the last and lose the other without a word.
    if len(values) < len(pairs):
        raise _JsonProblem("a key appears twice in one object")
    return values


def _no_constant(name: str) -> None:
    raise _JsonProblem(f"{name} is not a number")
