"""Request bodies for searches, and the conversion of their scores. Pure functions.

Dense scores are cosines, from the k-NN script over all rows that pass (exact) or from the graph. Lexical scores are the
server's BM25 over ready-made tokens, divided by the sum of the idf of all terms, which is the most BM25 can reach.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rag.errors import StoreRefused
from rag.stores.base import LEXICAL_FIELDS
from rag.stores.filters import Group
from rag.stores.opensearch.mapping import (
    DOCUMENT,
    ID,
    MATCH_NONE,
    NODE,
    SPACE,
    TERMS,
    VECTOR,
    Query,
    filter_query,
    strings_pattern,
)

MAX_HITS: Final = 10_000
"""The most hits that one search returns (index.max_result_window)."""
GRAPH_WIDTH: Final = 100
"""The minimum `k` of a graph search: a larger `k` finds more of the true nearest rows."""
ALIAS_PROBE: Final = {"size": 1, "_source": False, "track_total_hits": False, "query": {"match_all": {}}}
"""A search on an alias whose only hit names the index of the alias."""
ROWS: Final[Query] = {"exists": {"field": ID}}
"""Matches all rows, but not the manifest document."""
_DISTINCT: Final = 65_535

Body = dict[str, Any]
Hit = Mapping[str, Any]
Terms = Mapping[str, Sequence[str]]


def filter_queries(
    filters: Group, node_ids: Collection[str] | None = None, doc_ids: Collection[str] | None = None
) -> list[Query]:
    """Return the queries that a row must match; an empty list if there are no restrictions."""
    queries = [filter_query(filters)] if filters.children else []
    if node_ids is not None:
        queries.append({"terms": {ID: list(node_ids)}} if node_ids else MATCH_NONE)
    if doc_ids is not None:
        queries.append({"terms": {DOCUMENT: list(doc_ids)}} if doc_ids else MATCH_NONE)
    return queries


def dense(vector: NDArray[np.float64], k: int, allowed: list[Query], *, exact: bool) -> Body:
    """Search the `k` rows nearest to a unit vector (dimension,): all allowed rows if `exact`, else by the graph."""
    if exact:
        # ROWS excludes the manifest document, which has no vector.
        everything = {"bool": {"filter": [*allowed, ROWS]}}
        return top_hits({"script_score": {"query": everything, "script": _script(vector, SPACE)}}, k)
    near: Body = {"vector": vector.astype(np.float32), "k": min(max(k, GRAPH_WIDTH), MAX_HITS)}
    if allowed:
        near["filter"] = {"bool": {"filter": allowed}}
    return top_hits({"knn": {VECTOR: near}}, k)


_ROUNDING: Final = 1e-3
"""How much the server's half-precision and quantised scores may exceed 1."""


def cosine(score: float, space: str) -> float:
    """Convert a score of the server, which is never negative, to the cosine.

    In the space "innerproduct" the score is 1 + cosine, or 1 / (1 - cosine) for a negative cosine; in "cosinesimil" it is
    (1 + cosine) / 2. Raises StoreRefused for a score above that of equal vectors.
    """
    # 0.5 is the score of the cosine -1. A score in "cosinesimil" may be 0, which must not be a divisor here.
    inner = score - 1 if score >= 1 else 1 - 1 / max(score, 0.5)
    similarity = inner if space == SPACE else 2 * score - 1
    if similarity > 1 + _ROUNDING:
        raise StoreRefused(
            "OpenSearch returned scores above those of equal vectors, as it does for a role with document-level security, "
            "which is not supported: remove it from the role of FSI_OPENSEARCH__USER (docs/aws.md)"
        )
    return min(max(similarity, -1.0), 1.0)


def lexical(field: str, terms: Sequence[str], k: int, allowed: list[Query]) -> Body:
    """Search the `k` best matches of distinct terms by BM25."""
    if not terms:
        return top_hits(MATCH_NONE, k)
    return top_hits({"bool": {"must": [_match(field, terms)], "filter": allowed}}, k)


def hybrid(
    vector: NDArray[np.float64],
    field: str,
    terms: Sequence[str],
    lexical_weight: float,
    alpha: float,
    allowed: list[Query],
    k: int,
) -> Body:
    """Search the `k` rows with the highest alpha * (1 + cosine) + lexical_weight * BM25, of all allowed rows."""
    # A clause or function with weight 0 is left out.
    matching = [_match(field, terms) | {}] if terms and lexical_weight else []
    for each in matching:
        each["match"][field]["boost"] = lexical_weight
    query = {"bool": {"filter": [*allowed, ROWS], "should": matching}}
    function = {"script_score": {"script": _script(vector, "cosinesimil")}, "weight": 2 * alpha}
    return top_hits(
        {"function_score": {"query": query, "functions": [function] if alpha else [], "boost_mode": "sum"}}, k
    )


def document_frequencies(terms: Terms) -> Body:
    """Count the rows in which each term occurs, and the rows that have the field, in the whole index without filters."""
    counts: Body = {}
    for field, words in terms.items():
        counts[field] = {"filter": {"exists": {"field": field}}}
        if words:
            counts[f"{field}_terms"] = {"filters": {"filters": [{"term": {field: word}} for word in words]}}
    return {"size": 0, "track_total_hits": False, "aggs": counts}


def idf_sums(answer: Mapping[str, Any], fields: Sequence[str] = LEXICAL_FIELDS) -> dict[str, float]:
    """Return for each field the sum of the idf of its terms, from the answer to `document_frequencies`."""
    counts = answer["aggregations"]
    sums = {}
    for field in fields:
        n = counts[field]["doc_count"]
        buckets = counts.get(f"{field}_terms", {"buckets": ()})["buckets"]
        sums[field] = sum(math.log1p((n - df + 0.5) / (df + 0.5)) for df in (each["doc_count"] for each in buckets))
    return sums


def rows_page(k: int, allowed: list[Query], after: str | None, *, fields: Sequence[str] = ()) -> Body:
    """List a page of `k` allowed rows after the id `after`, sorted by id: whole nodes, or only `fields` if given."""
    body: Body = {
        "size": k,
        "_source": False,
        "track_total_hits": False,
        "query": {"bool": {"filter": [*allowed, ROWS]}},
        "sort": [{ID: "asc"}],
    }
    body |= {"docvalue_fields": list(fields)} if fields else {"stored_fields": [NODE]}
    return body if after is None else body | {"search_after": [after]}


def distinct_strings(metadata_key: str) -> Body:
    """List the distinct strings under a metadata key."""
    of_key = {"field": TERMS, "include": strings_pattern(metadata_key), "size": _DISTINCT, "order": {"_key": "asc"}}
    return {"size": 0, "track_total_hits": False, "aggs": {TERMS: {"terms": of_key}}}


def top_hits(query: Query, k: int) -> Body:
    """Return the `k` hits with the highest scores, for `mapping.decode_hit`."""
    return {
        "size": min(max(k, 0), MAX_HITS),
        "_source": False,
        "track_total_hits": False,
        "stored_fields": [NODE],
        "docvalue_fields": [DOCUMENT],
        "query": query,
        # Equal scores are ordered by id, as the contract says; the default is the order of the segments.
        "sort": ["_score", {ID: "asc"}],
    }


def _match(field: str, terms: Sequence[str]) -> Query:
    return {"match": {field: {"query": " ".join(terms)}}}


def _script(vector: NDArray[np.float64], space: str) -> Body:
    """Return the k-NN script that scores a row; `cosine` explains the scores of both spaces."""
    parameters = {"field": VECTOR, "query_value": vector.astype(np.float32), "space_type": space}
    return {"lang": "knn", "source": "knn_score", "params": parameters}
