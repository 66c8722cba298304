"""The filter grammar: the meaning of each operator, invalid filters, and rows in force on a day."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from llama_index.core.vector_stores.types import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters

from rag.errors import FilterError
from rag.stores import filters as module
from rag.stores.filters import MAX_DEPTH, MAX_VALUES, SEOUL, check, matches, metadata_filters
from rag.types import Filters


def clause(key: str, operator: str, value: Any) -> MetadataFilter:
    # Not validated: pydantic would refuse booleans, mixed lists and dicts before the grammar sees them.
    return MetadataFilter.model_construct(key=key, operator=FilterOperator(operator), value=value)


def group(*filters: Any, condition: str | None = "and") -> MetadataFilters:
    return MetadataFilters.model_construct(filters=list(filters), condition=condition and FilterCondition(condition))


def one(key: str, operator: str, value: Any) -> MetadataFilters:
    return group(clause(key, operator, value))


@pytest.mark.parametrize(
    ("operator", "value", "stored", "expected"),
    [
        ("==", "은행", "은행", True),
        ("==", "bank", "Bank", False),
        ("==", "\u1100\u1161", "가", False),  # not normalised
        ("==", "", "", True),
        ("==", 1, 1.0, True),
        ("==", 1, "1", False),
        ("==", 1, True, False),
        ("==", True, True, True),
        ("==", True, 1, False),
        ("==", 0, False, False),
        ("==", 0.0, -0.0, True),
        ("==", 2**53, 2**53 + 1, True),  # compared as 64-bit floats
        ("!=", "a", "a", False),
        ("!=", "a", "b", True),
        ("!=", 1, "1", True),
        ("!=", 1, True, True),
        ("in", ["a", "b"], "b", True),
        ("in", ["a", 1], 1.0, True),
        ("in", [1], True, False),
        ("in", [], "a", False),
        ("nin", ["a", "b"], "b", False),
        ("nin", ["a"], "b", True),
        ("nin", [], "a", True),
        (">", 1, 2, True),
        (">", 1, 1, False),
        (">=", 1, 1.0, True),
        ("<", 1, 0.5, True),
        ("<=", -1, -1, True),
        (">", 1, "2", False),
        ("<", "2", 1, False),
        (">", 0, True, False),
        (">", "2025-06-30", "2025-07-01", True),
        ("<=", "2025-06-30", "2025-06-30", True),
        ("<", "2025-06-30", "2025-06-30T09:00", False),
        (">", "z", "가", True),
        (">", "가", "\U0001f3e6", True),  # by code point, as UTF-8 sorts too
        ("<", "a", "", True),
    ],
)
def test_an_operator_on_a_value(operator: str, value: Any, stored: Any, expected: bool) -> None:
    assert matches(one("k", operator, value), {"k": stored, "other": "x"}) is expected


MISSING = [{}, {"k": None}, {"k": math.nan}, {"k": math.inf}, {"k": ["a"]}, {"k": {"a": 1}}, {"k": 10**400}]


@pytest.mark.parametrize("metadata", MISSING, ids=str)
@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("==", "a", False),
        ("in", ["a"], False),
        (">", "", False),
        (">=", -1, False),
        ("<", 1, False),
        ("<=", "z", False),
        ("!=", "a", True),
        ("nin", ["a"], True),
        ("nin", [], True),
        ("in", [], False),
    ],
)
def test_an_operator_on_a_missing_field(operator: str, value: Any, expected: bool, metadata: dict[str, Any]) -> None:
    assert matches(one("k", operator, value), metadata) is expected


YES, NO = clause("k", "==", "v"), clause("k", "==", "w")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (None, True),
        (group(), True),
        (group(condition="or"), True),
        (group(condition="not"), True),
        (group(YES, NO, condition=None), False),
        (group(YES, YES), True),
        (group(YES, NO), False),
        (group(YES, NO, condition="or"), True),
        (group(NO, NO, condition="or"), False),
        (group(YES, NO, condition="not"), False),
        (group(NO, NO, condition="not"), True),
        (group(YES, group(NO, YES, condition="or")), True),
        (group(group(group(NO, condition="not"), condition="not"), condition="not"), True),
        (group(group(condition="or"), YES), True),
        (group(group(), condition="not"), False),
    ],
)
def test_conditions(filters: MetadataFilters | None, expected: bool) -> None:
    assert matches(filters, {"k": "v"}) is expected


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        *((one("k", op, "x"), f"'k'.*'{op}'") for op in ("contains", "any", "all", "text_match", "is_empty")),
        (one("k", "text_match_insensitive", "x"), "text_match_insensitive"),
        (one("k", "==", ["a"]), "'k'.*not \\['a'\\]"),
        (one("k", ">", ["a"]), "'k'"),
        (one("k", "in", "a"), "takes a list, not 'a'"),
        (one("k", "nin", None), "takes a list, not None"),
        (one("k", "in", ["a", None]), "not None"),
        (one("k", "in", [["a"]]), "not \\['a'\\]"),
        (one("k", "==", None), "not None"),
        (one("k", "!=", {"a": 1}), "not {'a': 1}"),
        (one("k", "==", math.nan), "finite"),
        (one("k", "<", math.inf), "finite"),
        (one("k", "==", 10**400), "finite"),
        (one("k", ">", True), "'k': booleans have no order"),
        (one("k", "==", date(2025, 1, 1)), "datetime.date"),
        (group(MetadataFilter.model_construct(key="k", operator="=", value=1)), "'='"),
        (group(MetadataFilter.model_construct(key=7, operator=FilterOperator.EQ, value=1)), "key 7"),
        (group({"key": "k", "value": 1}), "a dict is not a filter"),
        (MetadataFilters.model_construct(filters=[YES], condition="xor"), "'xor'"),
        (one("k", "in", ["x"] * (MAX_VALUES + 1)), str(MAX_VALUES)),
        (group(YES, group(one("k", "contains", "a"), condition="or")), "contains"),
    ],
)
def test_everything_else_is_refused(filters: MetadataFilters, message: str) -> None:
    with pytest.raises(FilterError, match=message):
        check(filters)
    with pytest.raises(FilterError, match=message):
        matches(filters, {})


def test_nesting_has_a_limit() -> None:
    filters = group(YES)
    for _ in range(MAX_DEPTH - 1):
        filters = group(filters)
    assert matches(filters, {"k": "v"})
    with pytest.raises(FilterError, match=str(MAX_DEPTH)):
        check(group(filters))


def test_the_checked_form_tells_types_apart() -> None:
    forms = {check(one("k", "==", value)) for value in (1, True, "1", 1.0)}
    assert len(forms) == 3, "1 and 1.0 are one filter, True and '1' others"


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, True),
        ("", "", True),
        ("2025-06-30", "2025-06-30", True),
        ("2025-06-30", "", True),
        ("2025-07-01", "", False),
        ("", "2025-06-29", False),
        ("2024-01-01", "2026-01-01", True),
        (None, "2025-06-30", True),
        ("2030-01-01", None, False),
    ],
)
def test_in_force(start: str | None, end: str | None, expected: bool) -> None:
    dates = {"effective_from": start, "effective_until": end}
    stored = {key: value for key, value in dates.items() if value is not None}
    filters = metadata_filters(Filters({"bank": "가"}, as_of=date(2025, 6, 30)))
    assert matches(filters, {"bank": "가", **stored}) is expected
    assert not matches(filters, {"bank": "나", **stored})


def test_today_is_the_day_in_seoul(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.fromisoformat("2025-06-30T15:30:00+00:00").astimezone(tz)

    monkeypatch.setattr(module, "datetime", Clock)
    assert matches(metadata_filters(Filters()), {"effective_from": "2025-07-01"})
    assert not matches(metadata_filters(Filters()), {"effective_from": "2025-07-02"})
    assert not matches(metadata_filters(Filters()), {"effective_until": "2025-06-30"})
    assert SEOUL.utcoffset(None) == timedelta(hours=9)
