"""The one filter grammar of every store, over LlamaIndex's `MetadataFilters`.

    filters  := and | or | not over clauses and further filters, nested at most MAX_DEPTH deep
    clause   := key (== | != | > | >= | < | <=) scalar  |  key (in | nin) list of at most MAX_VALUES scalars
    scalar   := str | int | float | bool           dates are ISO strings

What a row's metadata is compared as
- A field is a string, a number or a boolean. A boolean is not a number. Numbers are compared as 64-bit floats, strings by
  code point, exactly as they are written (no case folding, no Unicode normalisation).
- Missing is: no such key, None, a number that is not finite, or a value that is no scalar (a list, a dict).
- Values of different types are not equal and have no order: `==`, `in`, `>`, `>=`, `<`, `<=` do not match, `!=`, `nin` do.

What matches
- Missing fields: `==`, `in`, `>`, `>=`, `<`, `<=` never match; `!=` and `nin` always do.
- `in []` matches nothing, `nin []` everything. `==` is `in` of one value, `!=` is `nin` of one.
- `and`: every child matches. `or`: at least one does. `not`: none of its children does. Without a condition: `and`.
- An empty list of filters matches every row, whatever its condition. So does None in place of filters.

Everything else raises FilterError before any I/O: another operator, a list where a scalar is due and the reverse, a dict,
None, a number that is not finite, an order (`>`, `<` …) on a boolean.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final, Literal

from llama_index.core.vector_stores.types import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters

from rag.errors import FilterError
from rag.types import Filters

MAX_DEPTH: Final = 16
MAX_VALUES: Final = 10_000
"""Both are below what an OpenSearch server takes, so that a filter means the same on every store."""

EFFECTIVE_FROM = "effective_from"
EFFECTIVE_UNTIL = "effective_until"
SEOUL = timezone(timedelta(hours=9), "Asia/Seoul")
"""Korea has no daylight saving time, and a fixed offset needs no time zone files."""

Scalar = tuple[Literal["string", "number", "boolean"], str | float | bool]
"""A value and its type. The type takes part in equality, which in Python holds between True and 1."""

_ORDER: Final[Mapping[FilterOperator, Callable[[Any, Any], bool]]] = {
    FilterOperator.GT: operator.gt,
    FilterOperator.GTE: operator.ge,
    FilterOperator.LT: operator.lt,
    FilterOperator.LTE: operator.le,
}


@dataclass(frozen=True, slots=True)
class Clause:
    """A checked clause. `operator` is IN or NIN over `values`, or an order with exactly one value."""

    key: str
    operator: FilterOperator
    values: frozenset[Scalar]


@dataclass(frozen=True, slots=True)
class Group:
    """Checked filters: hashable, so that a store can remember what they select."""

    condition: FilterCondition
    children: tuple[Clause | Group, ...]


EVERYTHING: Final = Group(FilterCondition.AND, ())


def check(filters: MetadataFilters | None) -> Group:
    """The checked form of `filters`. Raises FilterError, naming the key, for what the grammar does not hold."""
    return EVERYTHING if filters is None else _group(filters, depth=1)


def matches(filters: MetadataFilters | None, metadata: Mapping[str, Any]) -> bool:
    """Whether a row with this metadata passes: the reference every store is held to. Raises FilterError."""
    return _matches(check(filters), metadata)


def holds(clause: Clause, value: Scalar | None) -> bool:
    """Whether a field with this value (None: missing) satisfies the clause."""
    if clause.operator is FilterOperator.IN:
        return value in clause.values
    # Also for None: a field that is missing is in no list.
    if clause.operator is FilterOperator.NIN:
        return value not in clause.values
    (bound,) = clause.values
    return value is not None and value[0] == bound[0] and _ORDER[clause.operator](value[1], bound[1])


def scalar(value: object) -> Scalar | None:
    """A metadata value as filters see it; None if it counts as missing."""
    if isinstance(value, str):
        return "string", value
    # Before int, which a bool is to Python.
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            return None
        return ("number", number) if math.isfinite(number) else None
    return None


def metadata_filters(filters: Filters) -> MetadataFilters:
    """Each of `filters.equals`, and in force on `filters.as_of` (None: today in Seoul).

    In force: not `effective_from` > day and not `effective_until` < day. Missing and empty dates are open.
    """
    day = f"{filters.as_of or datetime.now(SEOUL).date():%Y-%m-%d}"
    over = MetadataFilters(
        filters=[
            MetadataFilter(key=EFFECTIVE_UNTIL, value=day, operator=FilterOperator.LT),
            # An empty end comes before every day, and means that there is none.
            MetadataFilter(key=EFFECTIVE_UNTIL, value="", operator=FilterOperator.NE),
        ]
    )
    not_yet = MetadataFilter(key=EFFECTIVE_FROM, value=day, operator=FilterOperator.GT)
    in_force = MetadataFilters(filters=[not_yet, over], condition=FilterCondition.NOT)
    return MetadataFilters(filters=[*(MetadataFilter(key=k, value=v) for k, v in filters.equals.items()), in_force])


def _group(filters: MetadataFilters, depth: int) -> Group:
    if depth > MAX_DEPTH:
        raise FilterError(f"filters are nested more than {MAX_DEPTH} deep: write them flatter")
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
            # As `in` and `nin`, so that a store has fewer kinds of clause to get right.
            membership = FilterOperator.IN if clause.operator is FilterOperator.EQ else FilterOperator.NIN
            return Clause(clause.key, membership, frozenset({_operand(clause, clause.value)}))
        case FilterOperator.IN | FilterOperator.NIN:
            return Clause(clause.key, clause.operator, _operands(clause))
        case FilterOperator.GT | FilterOperator.GTE | FilterOperator.LT | FilterOperator.LTE:
            value = _operand(clause, clause.value)
            # Python would order them as numbers; in a filter it is a mistake.
            if value[0] == "boolean":
                raise FilterError(f"filter on {clause.key!r}: booleans have no order, use == or !=")
            return Clause(clause.key, clause.operator, frozenset({value}))
    shown = getattr(clause.operator, "value", clause.operator)
    raise FilterError(f"filter on {clause.key!r}: operator {shown!r} is not one of == != in nin > >= < <=")


def _operands(clause: MetadataFilter) -> frozenset[Scalar]:
    # A lone string would be taken apart into its characters.
    if not isinstance(clause.value, list):
        raise FilterError(f"filter on {clause.key!r}: {clause.operator.value!r} takes a list, not {clause.value!r}")
    if len(clause.value) > MAX_VALUES:
        raise FilterError(f"filter on {clause.key!r}: {len(clause.value)} values, at most {MAX_VALUES} are taken")
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
        return holds(node, scalar(metadata.get(node.key)))
    if not node.children:
        return True
    # A generator: `all` and `any` stop at the first child that decides.
    matching = (_matches(child, metadata) for child in node.children)
    match node.condition:
        case FilterCondition.AND:
            return all(matching)
        case FilterCondition.OR:
            return any(matching)
        case FilterCondition.NOT:
            return not any(matching)
