"""Metadata as filterable terms, and filters as queries over them. Pure functions.

Every scalar of a row's metadata is one term in one keyword field: the key's length, the key, a letter for the type, the
value. So any key is allowed, mixed types under one key stay apart, no mapping grows, and a range of terms is a range of
values: strings in code point order, numbers as eight bytes whose order is theirs. A missing field simply has no term.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Mapping
from typing import Any, Final

from llama_index.core.vector_stores.types import FilterCondition, FilterOperator

from rag.stores.filters import Clause, Group, Scalar, scalar

TERMS: Final = "facts"
"""The field's name on the server, where indexes have it already."""
LONGEST: Final = 8000
"""In characters. A longer string is kept as its beginning and a hash (Lucene's terms end at 32,766 bytes): still equal only to
itself, and in order with all that differ from it within these characters."""

_LETTERS: Final[Mapping[str, str]] = {"boolean": "b", "number": "n", "string": "s"}
_SIGN: Final = 1 << 63
_ALL: Final = (1 << 64) - 1

Query = dict[str, Any]
EVERYTHING: Final[Query] = {"match_all": {}}
NOTHING: Final[Query] = {"match_none": {}}


def metadata_terms(metadata: Mapping[str, Any]) -> list[str]:
    """The terms of a row, one for each scalar of its metadata."""
    scalars = ((key, scalar(value)) for key, value in metadata.items())
    return [term(key, value) for key, value in scalars if value is not None]


def term(key: str, value: Scalar) -> str:
    """The term of one value under a key; two are equal only if key, type and value are."""
    kind, content = value
    start = prefix(key, kind)
    if isinstance(content, str):
        return start + _shortened(content)
    if isinstance(content, bool):
        return start + str(int(content))
    # IEEE 754 with the sign turned round: 16 hexadecimal digits in the order of the numbers. + 0.0: there is one zero.
    (bits,) = struct.unpack(">Q", struct.pack(">d", content + 0.0))
    return f"{start}{bits ^ (_ALL if bits & _SIGN else _SIGN):016x}"


def prefix(key: str, kind: str) -> str:
    """What all values of this type under this key begin with, and nothing else."""
    # The length in front: no key can begin as another key and its value do.
    return f"{len(key)}:{_shortened(key)}{_LETTERS[kind]}"


def strings_pattern(key: str) -> str:
    """A regular expression (Lucene's) for all strings under a key."""
    return re.sub(r"([^\w])", r"\\\1", prefix(key, "string"), flags=re.ASCII) + ".*"


def query_of(node: Clause | Group) -> Query:
    """The query that matches what checked filters match."""
    if isinstance(node, Clause):
        return _clause(node)
    if not node.children:
        return EVERYTHING
    children = [query_of(child) for child in node.children]
    match node.condition:
        case FilterCondition.AND:
            return {"bool": {"filter": children}}
        case FilterCondition.OR:
            return {"bool": {"should": children, "minimum_should_match": 1}}
        case FilterCondition.NOT:
            return {"bool": {"must_not": children}}


def _clause(clause: Clause) -> Query:
    # In a fixed order: equal filters make equal requests.
    terms = [term(clause.key, value) for value in sorted(clause.values, key=repr)]
    match clause.operator:
        case FilterOperator.IN:
            return {"terms": {TERMS: terms}} if terms else NOTHING
        case FilterOperator.NIN:
            return {"bool": {"must_not": [{"terms": {TERMS: terms}}]}} if terms else EVERYTHING
    (value,) = clause.values
    start = prefix(clause.key, value[0])
    # Just behind every term of this key and type, so that a range never reaches into others.
    end = start[:-1] + chr(ord(start[-1]) + 1)
    bounds = {"gte": start, "lt": end} | {_BOUNDS[clause.operator]: terms[0]}
    if clause.operator in (FilterOperator.GT, FilterOperator.GTE):
        bounds = {_BOUNDS[clause.operator]: terms[0], "lt": end}
    elif clause.operator is FilterOperator.LTE:
        bounds = {"gte": start, "lte": terms[0]}
    return {"range": {TERMS: bounds}}


_BOUNDS: Final[Mapping[FilterOperator, str]] = {
    FilterOperator.GT: "gt",
    FilterOperator.GTE: "gte",
    FilterOperator.LT: "lt",
    FilterOperator.LTE: "lte",
}


def _shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST] + hashlib.sha256(text.encode()).hexdigest()
