"""The filter grammar that all stores share, over LlamaIndex's `MetadataFilters`.

    filters  := and | or | not over clauses and further filters, nested at most MAX_DEPTH deep
    clause   := key (== | != | > | >= | < | <=) scalar  |  key (in | nin) list of at most MAX_VALUES scalars
    scalar   := str | int | float | bool           dates are ISO strings

Types and missing values
- A field is a string, a number or a boolean. A boolean is not a number. Numbers are compared as 64-bit floats, strings by
  code point, exactly as they are written (no case folding, no Unicode normalisation).
- A field is missing if there is no such key, or its value is None, a number that is not finite, or not a scalar (a list,
  a dict).
- Values of different types are not equal and have no order: `==`, `in`, `>`, `>=`, `<`, `<=` do not match, `!=`, `nin` do.

Matching
- A missing field never matches `==`, `in`, `>`, `>=`, `<`, `<=`, and always matches `!=` and `nin`.
- `in []` matches nothing, `nin []` everything. `==` is `in` of one value, `!=` is `nin` of one.
- `and`: every child matches. `or`: at least one child matches. `not`: no child matches. The default condition is `and`.
- An empty list of filters matches every row, whatever its condition. None in place of filters also matches every row.

Everything else raises FilterError before any I/O: another operator, a list instead of a scalar or the reverse, a dict,
None, a number that is not finite, an order (`>`, `<` …) on a boolean.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final, Literal

from llama_index.core.vector_stores.types import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters

from rag.errors import FilterError
from rag.types import Filters

MAX_DEPTH: Final = 16
MAX_VALUES: Final = 10_000
"""Both limits are below those of an OpenSearch server, so that a filter means the same on every store."""

BANK = "bank"
"""The metadata key of a row's institution."""
EFFECTIVE_FROM = "effective_from"
EFFECTIVE_UNTIL = "effective_until"
SEOUL = timezone(timedelta(hours=9), "Asia/Seoul")
"""Korea has no daylight saving time, and a fixed offset needs no time zone files."""

Scalar = tuple[Literal["string", "number", "boolean"], str | float | bool]
"""A type and a value. The type is part of the comparison because in Python True == 1."""

_ORDER: Final[Mapping[FilterOperator, Callable[[Any, Any], bool]]] = {
    FilterOperator.GT: operator.gt,
    FilterOperator.GTE: operator.ge,
    FilterOperator.LT: operator.lt,
    FilterOperator.LTE: operator.le,
}


@dataclass(frozen=True, slots=True)
class Clause:
    """A validated clause. `operator` is IN or NIN over `values`, or an order operator with exactly one value."""

    key: str
    operator: FilterOperator
    values: frozenset[Scalar]


@dataclass(frozen=True, slots=True)
class Group:
    """Validated filters. Hashable, so that a store can cache which rows they select."""

    condition: FilterCondition
    children: tuple[Clause | Group, ...]


EVERYTHING: Final = Group(FilterCondition.AND, ())


def check(filters: MetadataFilters | None) -> Group:
    """Validate `filters`. Raises FilterError, naming the key, for anything outside the grammar."""
    return EVERYTHING if filters is None else _group(filters, depth=1)


def matches(filters: MetadataFilters | None, metadata: Mapping[str, Any]) -> bool:
    """Return whether a row with this metadata passes: the reference implementation for all stores. Raises FilterError."""
    return _matches(check(filters), metadata)


def satisfies(clause: Clause, value: Scalar | None) -> bool:
    """Return whether a field with this value (None: missing) satisfies the clause."""
    if clause.operator is FilterOperator.IN:
        return value in clause.values
    # True for None as well: a missing field is in no list.
    if clause.operator is FilterOperator.NIN:
        return value not in clause.values
    (bound,) = clause.values
    return value is not None and value[0] == bound[0] and _ORDER[clause.operator](value[1], bound[1])


def scalar(value: object) -> Scalar | None:
    """Convert a metadata value for comparison; None if it counts as missing."""
    if isinstance(value, str):
        return "string", value
    # Before int: a bool is an instance of int.
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            return None
        return ("number", number) if math.isfinite(number) else None
    return None


def day_in_force(filters: Filters) -> date:
    """The day on which rows must be in force: `filters.as_of`, or today in Seoul."""
    return filters.as_of or datetime.now(SEOUL).date()


def metadata_filters(filters: Filters) -> MetadataFilters:
    """Build filters for rows that match `filters.equals` and are in force on `filters.as_of` (None: today in Seoul).

    A row is in force unless `effective_from` > day or `effective_until` < day. A missing or empty date is no limit.
    Nor is a missing or empty BANK: a row that names no institution holds for whichever is asked for.
    """
    day = f"{day_in_force(filters):%Y-%m-%d}"
    expired = MetadataFilters(
        filters=[
            MetadataFilter(key=EFFECTIVE_UNTIL, value=day, operator=FilterOperator.LT),
            # An empty string sorts before every date, but means that there is no end date.
            MetadataFilter(key=EFFECTIVE_UNTIL, value="", operator=FilterOperator.NE),
        ]
    )
    not_yet = MetadataFilter(key=EFFECTIVE_FROM, value=day, operator=FilterOperator.GT)
    in_force = MetadataFilters(filters=[not_yet, expired], condition=FilterCondition.NOT)
    equals = (
        _of_institution(value) if key == BANK else MetadataFilter(key=key, value=value)
        for key, value in filters.equals.items()
    )
    return MetadataFilters(filters=[*equals, in_force])


def _of_institution(name: str) -> MetadataFilters:
    # Every string is at least the empty one.
    named = MetadataFilter(key=BANK, value="", operator=FilterOperator.GTE)
    unnamed = MetadataFilters(filters=[named], condition=FilterCondition.NOT)
    own = MetadataFilter(key=BANK, value=[name, ""], operator=FilterOperator.IN)
    return MetadataFilters(filters=[own, unnamed], condition=FilterCondition.OR)


def _group(filters: MetadataFilters, depth: int) -> Group:
    if depth > MAX_DEPTH:
        raise FilterError(f"filters are nested more than {MAX_DEPTH} deep: use fewer levels")
    try:
        condition = FilterCondition(filters.condition or FilterCondition.AND)
    except ValueError as exc:
        raise FilterError(f"filter condition {filters.condition!r} is not supported: use and, or, not") from exc
    return Group(condition, tuple(_child(child, depth) for child in filters.filters))


def _child(child: object, depth: int) -> Clause | Group:
    if isinstance(child, MetadataFilters):
        return _group(child, depth + 1)
    if isinstance(child, MetadataFilter):
        return _clause(child)
    raise FilterError(f"a {type(child).__name__} is not a filter: use MetadataFilter or MetadataFilters")


def _clause(clause: MetadataFilter) -> Clause:
    if not isinstance(clause.key, str):
        raise FilterError(f"filter key {clause.key!r} is not a string: name a metadata field")
    match clause.operator:
        case FilterOperator.EQ | FilterOperator.NE:
            # Converted to `in` and `nin`, so that a store has fewer kinds of clause to implement.
            membership = FilterOperator.IN if clause.operator is FilterOperator.EQ else FilterOperator.NIN
            return Clause(clause.key, membership, frozenset({_operand(clause, clause.value)}))
        case FilterOperator.IN | FilterOperator.NIN:
            return Clause(clause.key, clause.operator, _operands(clause))
        case FilterOperator.GT | FilterOperator.GTE | FilterOperator.LT | FilterOperator.LTE:
            value = _operand(clause, clause.value)
            # Python would order booleans as numbers; in a filter that is a mistake.
            if value[0] == "boolean":
                raise FilterError(f"filter on {clause.key!r}: booleans have no order, use == or !=")
            return Clause(clause.key, clause.operator, frozenset({value}))
    shown = getattr(clause.operator, "value", clause.operator)
    raise FilterError(f"filter on {clause.key!r}: operator {shown!r} is not one of == != in nin > >= < <=")


def _operands(clause: MetadataFilter) -> frozenset[Scalar]:
    # A string instead of a list would be split into its characters.
    if not isinstance(clause.value, list):
        raise FilterError(f"filter on {clause.key!r}: {clause.operator.value!r} takes a list, not {clause.value!r}")
    if len(clause.value) > MAX_VALUES:
        raise FilterError(f"filter on {clause.key!r}: {len(clause.value)} values, use at most {MAX_VALUES}")
    return frozenset(_operand(clause, value) for value in clause.value)


def _operand(clause: MetadataFilter, value: object) -> Scalar:
    operand = scalar(value)
    if operand is None:
        shown = clause.operator.value
        raise FilterError(
            f"filter on {clause.key!r}: {shown!r} takes a string, a finite number or a boolean, not {value!r}"
        )
    return operand


def _matches(node: Clause | Group, metadata: Mapping[str, Any]) -> bool:
    if isinstance(node, Clause):
        return satisfies(node, scalar(metadata.get(node.key)))
    if not node.children:
        return True
    # A generator, so that `all` and `any` stop at the first child that decides the result.
    matching = (_matches(child, metadata) for child in node.children)
    match node.condition:
        case FilterCondition.AND:
            return all(matching)
        case FilterCondition.OR:
            return any(matching)
        case FilterCondition.NOT:
            return not any(matching)
