"""Metadata as terms of one keyword field, and filters as queries over them. Pure functions.

Each scalar of a row's metadata is one term: the length of the key, the key, a letter for the type, and the value. This allows
any key, distinguishes types, and does not grow the mapping. A range of terms is a range of values: strings are in code point
order, numbers are encoded as eight bytes in numeric order. A missing field has no term.
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
"""The field's name on the server, which existing indexes use."""
MAX_LENGTH: Final = 8000
"""The longest string in characters (Lucene limits a term to 32,766 bytes). A longer string is truncated and a hash appended:
it is equal only to itself, and ordered correctly relative to strings that differ within these characters."""

_LETTERS: Final[Mapping[str, str]] = {"boolean": "b", "number": "n", "string": "s"}
_SIGN: Final = 1 << 63
_ALL: Final = (1 << 64) - 1

Query = dict[str, Any]
MATCH_ALL: Final[Query] = {"match_all": {}}
MATCH_NONE: Final[Query] = {"match_none": {}}


def metadata_terms(metadata: Mapping[str, Any]) -> list[str]:
    """Return the terms of a row, one for each scalar of its metadata."""
    scalars = ((key, scalar(value)) for key, value in metadata.items())
    return [term(key, value) for key, value in scalars if value is not None]


def term(key: str, value: Scalar) -> str:
    """Return the term of a value under a key. Terms are equal only if key, type and value are equal."""
    kind, content = value
    start = prefix(key, kind)
    if isinstance(content, str):
        return start + _truncate_with_hash(content)
    if isinstance(content, bool):
        return start + str(int(content))
    # 16 hexadecimal digits in numeric order: IEEE 754 with the sign bit (or all bits of a negative number) inverted.
    # Adding 0.0 turns -0.0 into 0.0.
    (bits,) = struct.unpack(">Q", struct.pack(">d", content + 0.0))
    return f"{start}{bits ^ (_ALL if bits & _SIGN else _SIGN):016x}"


def prefix(key: str, kind: str) -> str:
    """Return the prefix that all terms of this type under this key have, and no other term."""
    # The length comes first so that a key and its value cannot be confused with a longer key.
    return f"{len(key)}:{_truncate_with_hash(key)}{_LETTERS[kind]}"


def strings_pattern(key: str) -> str:
    """Return a Lucene regular expression that matches the terms of all strings under a key."""
    return re.sub(r"([^\w])", r"\\\1", prefix(key, "string"), flags=re.ASCII) + ".*"


def filter_query(node: Clause | Group) -> Query:
    """Return the query for validated filters."""
    if isinstance(node, Clause):
        return _clause(node)
    if not node.children:
        return MATCH_ALL
    children = [filter_query(child) for child in node.children]
    match node.condition:
        case FilterCondition.AND:
            return {"bool": {"filter": children}}
        case FilterCondition.OR:
            return {"bool": {"should": children, "minimum_should_match": 1}}
        case FilterCondition.NOT:
            return {"bool": {"must_not": children}}


def _clause(clause: Clause) -> Query:
    # Sorted, so that equal filters make equal requests, which the server can cache.
    terms = [term(clause.key, value) for value in sorted(clause.values, key=repr)]
    match clause.operator:
        case FilterOperator.IN:
            return {"terms": {TERMS: terms}} if terms else MATCH_NONE
        case FilterOperator.NIN:
            return {"bool": {"must_not": [{"terms": {TERMS: terms}}]}} if terms else MATCH_ALL
    (value,) = clause.values
    start = prefix(clause.key, value[0])
    # The upper limit for terms of this key and type, so that a range never includes others.
    end = start[:-1] + chr(ord(start[-1]) + 1)
    bound = {_BOUNDS[clause.operator]: terms[0]}
    if clause.operator in (FilterOperator.GT, FilterOperator.GTE):
        return {"range": {TERMS: bound | {"lt": end}}}
    return {"range": {TERMS: {"gte": start} | bound}}


_BOUNDS: Final[Mapping[FilterOperator, str]] = {
    FilterOperator.GT: "gt",
    FilterOperator.GTE: "gte",
    FilterOperator.LT: "lt",
    FilterOperator.LTE: "lte",
}


def _truncate_with_hash(text: str) -> str:
    if len(text) <= MAX_LENGTH:
        return text
    return text[:MAX_LENGTH] + hashlib.sha256(text.encode()).hexdigest()
