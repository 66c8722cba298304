"""The reference of the contract tests: small nodes, slow and simple scores, random filters."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st
from llama_index.core.schema import BaseNode, NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters

from rag.korean import query_terms
from rag.stores.base import QUESTION, TOKENS
from rag.stores.bm25 import field_tokens

DIMENSION = 4
LUCENE_LENGTHS: tuple[int, ...] = (
    *range(41),
    *range(42, 55, 2),
    *range(56, 85, 4),
    *range(88, 145, 8),
    *range(152, 265, 16),
    280,
)
"""The field lengths up to 280 that Lucene tells apart; a length between two is stored as the lower one."""


def passage(
    node_id: str,
    text: str = "",
    vector: Sequence[float] | None = (1, 0, 0, 0),
    document: str | None = None,
    **metadata: Any,
) -> TextNode:
    source = {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=document)} if document else {}
    embedding = None if vector is None else list(map(float, vector))
    return TextNode(id_=node_id, text=text, embedding=embedding, metadata=metadata, relationships=dict(source))


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)


def coverage(nodes: Iterable[BaseNode], query: Sequence[str], field: str = TOKENS) -> dict[str, float]:
    """Coverage by node id, matches only: textbook BM25 except for the encoding of lengths."""
    documents = {node.node_id: field_tokens(field, node.metadata, node.get_content()) for node in nodes}
    counts = {node_id: Counter(tokens) for node_id, tokens in documents.items() if tokens}
    average = sum(counter.total() for counter in counts.values()) / len(counts)
    terms = query_terms(list(query))
    found = {term: sum(term in counter for counter in counts.values()) for term in terms}
    idf = {term: math.log(1 + (len(counts) - df + 0.5) / (df + 0.5)) for term, df in found.items()}
    scores = {}
    for node_id, counter in counts.items():
        saturation = 1.2 * (1 - 0.75 + 0.75 * _stored(counter.total()) / average)
        score = sum(idf[term] * counter[term] / (counter[term] + saturation) for term in terms)
        if score:
            scores[node_id] = score / sum(idf.values())
    return scores


def _stored(length: int) -> int:
    return max(each for each in LUCENE_LENGTHS if each <= length)


def ranked(scores: Mapping[str, float]) -> list[str]:
    """Ids by (-score, id)."""
    return sorted(scores, key=lambda node_id: (-scores[node_id], node_id))


_BANKS = ("새나래은행", "도담 저축은행", "mirnuri", "MIRNURI", "")
_DAYS = ("2025-01-01", "2025-06-30", "2025-06-30T09:00:00", "2026-12-31", "")
_LEVELS: tuple[Any, ...] = (0, 1, 1.5, -2, "1", "", True, False, 10**12, None, [1], {"a": 1})


def varied_rows() -> list[TextNode]:
    """Rows of all kinds of metadata: mixed types under one key, empty, missing, None, lists."""
    rows = []
    for i in range(60):
        metadata: dict[str, Any] = {"bank": _BANKS[i % 5], "level": _LEVELS[i % 12], QUESTION: f"질문 {i}"}
        if i % 3:
            metadata["day"] = _DAYS[i % 5]
        if i % 4 == 1:
            metadata["with.dot"] = i % 8
        if i % 4 == 2:
            metadata['quote"s'] = "' OR 1=1 --"
        angle = i / 60
        rows.append(passage(f"row-{i:02}", f"본문 {i}", (math.cos(angle), math.sin(angle), 0, 0), **metadata))
    return rows


def _clause(key: str, operator: FilterOperator, value: Any) -> MetadataFilter:
    # Not validated: pydantic would refuse booleans and mixed lists, which the grammar takes.
    return MetadataFilter.model_construct(key=key, operator=operator, value=value)


_POOLS: dict[str, tuple[Any, ...]] = {
    "bank": _BANKS,
    "day": (*_DAYS, "2025-03-01", "2026"),
    "level": (*(level for level in _LEVELS if isinstance(level, str | int | float)), 5),
    "with.dot": (1, 5, 3.0),
    'quote"s': ("' OR 1=1 --",),
    "no such field": ("x",),
}
_ANY = tuple(value for pool in _POOLS.values() for value in pool)
_EQUAL = (FilterOperator.EQ, FilterOperator.NE)
_AMONG = (FilterOperator.IN, FilterOperator.NIN)
_ORDER = (FilterOperator.GT, FilterOperator.GTE, FilterOperator.LT, FilterOperator.LTE)


def _clauses_on(key: str) -> st.SearchStrategy[MetadataFilter]:
    value = st.one_of(st.sampled_from(_POOLS[key]), st.sampled_from(_POOLS[key]), st.sampled_from(_ANY))
    ordered = value.filter(lambda each: not isinstance(each, bool))
    return st.one_of(
        st.builds(_clause, st.just(key), st.sampled_from(_EQUAL), value),
        st.builds(_clause, st.just(key), st.sampled_from(_AMONG), st.lists(value, max_size=5)),
        st.builds(_clause, st.just(key), st.sampled_from(_ORDER), ordered),
    )


# Built once: `flatmap` would build the strategies again for each filter, which took three quarters of the test's time.
_clauses = st.one_of(*map(_clauses_on, ("bank", "day", "level", *_POOLS)))


def _group(filters: list[Any], condition: FilterCondition | None) -> MetadataFilters:
    return MetadataFilters(filters=filters, condition=condition)


_conditions = st.sampled_from([*FilterCondition, None])
random_filters = st.recursive(
    st.builds(_group, st.lists(_clauses, min_size=1, max_size=3), _conditions),
    lambda inner: st.builds(_group, st.lists(st.one_of(_clauses, inner), max_size=4), _conditions),
    max_leaves=6,
)
