"""Reads tables from JSON lines, and from JSON documents that contain lists of objects at any depth. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rag.ingestion.columns import REQUIRED, clean_name
from rag.ingestion.messages import PARTS, Text, reason_of
from rag.ingestion.tables import ColumnMatcher, Line, Record, Table, check_values

_LIST_SEPARATOR = " | "
"""Joins the texts of a list; the separator of other phrasings (`rag.ingestion.phrasings`)."""
_CATEGORY = "category"
_MAX_DEPTH = 20


def read_jsonl(table: Table, text: str, match_columns: ColumnMatcher) -> None:
    """Fill the table from one JSON object per line; blank lines are skipped."""
    # Not splitlines, which also splits at characters that JSON strings may contain.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip(" \t\r\x1a"):
            try:
                values = _parse(line)
            except _INVALID as exc:
                table.add_error(number, None, "json", reason=_reason(exc))
                continue
            _add(table, number, values, line, match_columns)
    _set_header(table)


def read_json(table: Table, text: str, match_columns: ColumnMatcher) -> None:
    """Fill the table from a document with one list of objects, or with lists of questions and answers; rows count from 1.

    The lists may be at any depth, as in `{"data": {"items": […]}}`. Of several lists with questions and answers, a list's key
    is the category of its rows, unless they have one: `{"카드": […], "대출": […]}`. Text with several objects, one per line,
    is read as JSON lines.
    """
    try:
        document = _parse(text)
    except _INVALID as exc:
        # Exports of JSON lines often have the extension .json; the first line shows it.
        first, *rest = text.strip().split("\n", 1)
        if rest and first.strip().startswith("{") and first.strip().endswith("}"):
            read_jsonl(table, text, match_columns)
        else:
            table.add_error(None, None, "json", reason=_reason(exc))
        return
    lists = list(_object_lists(document, match_columns))
    if len(lists) > 1:
        # Lists of other things, such as pages or menus, may stand beside the questions and answers.
        lists = [each for each in lists if any(_is_question(row, match_columns) for row in each.rows)]
    if not lists:
        table.add_error(None, None, "no_json_rows")
        return
    rows = [(each.name or (each.key if len(lists) > 1 else ""), row) for each in lists for row in each.rows]
    for number, (category, values) in enumerate(rows, start=1):
        if category and isinstance(values, dict) and "category" not in match_columns(list(_flat(values, {}))):
            values = values | {_CATEGORY: category}
        _add(table, number, values, "", match_columns)
    _set_header(table)


class _List(NamedTuple):
    """A list with objects. `key`: its own. `name`: the category or name of the listed object that it belongs to, or empty."""

    key: str
    name: str
    rows: list[object]


def _object_lists(
    value: object, match_columns: ColumnMatcher, key: str = "", name: str = "", depth: int = 0
) -> Iterator[_List]:
    """The lists with objects in a document: the outermost ones, or those with questions within their objects."""
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        within = [
            each
            for item in value
            if isinstance(item, dict) and depth < _MAX_DEPTH and not _is_question(item, match_columns)
            for each in _object_lists(item, match_columns, key, _name_of(item, match_columns), depth + 1)
            if any(_is_question(row, match_columns) for row in each.rows)
        ]
        yield from within or [_List(key, name, value)]
    elif isinstance(value, dict) and depth < _MAX_DEPTH:
        for inner_key, item in value.items():
            yield from _object_lists(item, match_columns, inner_key, name, depth + 1)


def _name_of(item: Mapping[str, object], match_columns: ColumnMatcher) -> str:
    """An object's category, or its first text; empty if it has none."""
    texts = {name: value for name, value in item.items() if isinstance(value, str)}
    located = match_columns(list(texts))
    column = located.get("category") or located.get("question") or next(iter(texts), "")
    return texts.get(column, "")


def _is_question(row: object, match_columns: ColumnMatcher) -> bool:
    return isinstance(row, dict) and match_columns(list(_flat(row, {}))).keys() >= set(REQUIRED)


def _add(table: Table, number: int, values: object, line: str, match_columns: ColumnMatcher) -> None:
    if not isinstance(values, dict):
        table.add_error(number, None, "not_object")
        return
    flat = _flat(values, {})
    required = {column for field, column in match_columns(list(flat)).items() if field in REQUIRED}
    for name, value in flat.items():
        # Tags and other phrasings are lists of texts; a question or an answer is one text.
        if (
            isinstance(value, list)
            and name not in required
            and not any(isinstance(item, list | dict) for item in value)
        ):
            flat[name] = _LIST_SEPARATOR.join(str(item) for item in value if item is not None)
    scalars: dict[str, Any] = {name: "" if value is None else value for name, value in flat.items()}
    record = Record(number, scalars)
    if check_values(table, record, Line(number, (), [line], number)):
        table.records.append(record)


def _flat(values: Mapping[str, object], flat: dict[str, object], prefix: str = "", depth: int = 0) -> dict[str, object]:
    """`values` with those of nested objects, which have their own name, or "outer.name" if that is taken; added to `flat`.

    An entry of schema.org's FAQPage, the format of search engines, has its question and answer under these names.
    """
    answer = values.get("acceptedAnswer")
    if values.get("@type") == "Question" and isinstance(answer, dict):
        values = {"question": values.get("name"), "answer": answer.get("text")} | {
            name: value for name, value in values.items() if name not in ("@type", "@id", "name", "acceptedAnswer")
        }
    for key, value in values.items():
        name = clean_name(key)
        if isinstance(value, dict) and depth < _MAX_DEPTH:
            _flat(value, flat, f"{prefix}{name}.", depth + 1)
        else:
            flat[f"{prefix}{name}" if name in flat else name] = value
    return flat


def _set_header(table: Table) -> None:
    table.header = tuple(dict.fromkeys(name for record in table.records for name in record.values))


class _JsonError(Exception):
    """JSON that Python's parser accepts but that is ambiguous or not finite."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.english)
        self.reason = reason


_INVALID = (ValueError, RecursionError, _JsonError)
"""Errors of `_parse`; ValueError also for a number of more than 4,300 digits."""


def _reason(exc: Exception) -> Text:
    if isinstance(exc, _JsonError):
        return exc.reason
    if isinstance(exc, json.JSONDecodeError):
        return Text(str(exc), f"{exc.lineno}번째 줄 {exc.colno}번째 글자")
    return reason_of(exc)


def _parse(text: str) -> object:
    return json.loads(text, object_pairs_hook=_distinct_keys, parse_constant=_no_constant)


def _distinct_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    # Python would silently keep the last one.
    if len(values) < len(pairs):
        raise _JsonError(PARTS["repeated_key"])
    return values


def _no_constant(name: str) -> None:
    raise _JsonError(PARTS["not_finite"].filled({"name": name}))
