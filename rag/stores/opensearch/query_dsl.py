"""What is asked of the server, and what its scores mean. Pure functions.

Dense: cosines, from the k-NN script over every row that passes (exact) or from the graph. Lexical: BM25 of the server over
ready-made tokens, divided by the idf of all terms, which is what they could reach at most.
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
from rag.stores.opensearch.mapping import DOCUMENT, ID, NODE, SPACE, VECTOR
from rag.stores.opensearch.metadata_terms import NOTHING, TERMS, Query, query_of, strings_pattern

MAX_HITS: Final = 10_000
"""index.max_result_window: what one search gives at most."""
GRAPH_WIDTH: Final = 100
"""Nearest rows the graph is asked for at least: a wider search finds more of the true ones."""
WHICH: Final = {"size": 1, "_source": False, "track_total_hits": False, "query": {"match_all": {}}}
"""Asked of an alias, its one hit names the index behind it."""
ROWS: Final[Query] = {"exists": {"field": ID}}
"""Every row, and not the manifest beside them."""
_DISTINCT: Final = 65_535

Body = dict[str, Any]
Hit = Mapping[str, Any]
Terms = Mapping[str, Sequence[str]]


def restriction(
    filters: Group, node_ids: Collection[str] | None = None, doc_ids: Collection[str] | None = None
) -> list[Query]:
    """The queries that a row must all pass; none: every row does."""
    queries = [query_of(filters)] if filters.children else []
    if node_ids is not None:
        queries.append({"terms": {ID: list(node_ids)}} if node_ids else NOTHING)
    if doc_ids is not None:
        queries.append({"terms": {DOCUMENT: list(doc_ids)}} if doc_ids else NOTHING)
    return queries


def dense(vector: NDArray[np.float64], k: int, allowed: list[Query], *, exact: bool) -> Body:
    """The `k` nearest to a unit vector (dimension,). `exact`: compare every row that passes; else ask the graph."""
    if exact:
        # ROWS, for the manifest beside them has no vector.
        everything = {"bool": {"filter": [*allowed, ROWS]}}
        return best({"script_score": {"query": everything, "script": _script(vector, SPACE)}}, k)
    near: Body = {"vector": vector.astype(np.float32), "k": min(max(k, GRAPH_WIDTH), MAX_HITS)}
    if allowed:
        near["filter"] = {"bool": {"filter": allowed}}
    return best({"knn": {VECTOR: near}}, k)


_ROUNDING: Final = 1e-3
"""What the server's half precision and quantised scores may be above 1."""


def cosine(score: float, space: str) -> float:
    """The cosine behind a score of the server: 1 + cosine, or 1 / (1 - cosine) for a negative one; else (1 + cosine) / 2.

    Raises StoreRefused for a score that no cosine has.
    """
    # The server's scores are never negative; this undoes how it makes them so.
    inner = score - 1 if score >= 1 else 1 - 1 / max(score, 0.5)
    similarity = inner if space == SPACE else 2 * score - 1
    if similarity > 1 + _ROUNDING:
        raise StoreRefused(
            "OpenSearch gives scores above those of equal vectors, as it does for a role with document-level security, whose "
            "query it also applies too late: take that out of the role of FSI_OPENSEARCH__USER (docs/aws.md)"
        )
    return min(max(similarity, -1.0), 1.0)


def lexical(field: str, terms: Sequence[str], k: int, allowed: list[Query]) -> Body:
    """The `k` best matches of distinct terms, by BM25."""
    if not terms:
        return best(NOTHING, k)
    return best({"bool": {"must": [_match(field, terms)], "filter": allowed}}, k)


def weighted(
    vector: NDArray[np.float64],
    field: str,
    terms: Sequence[str],
    lexical_weight: float,
    alpha: float,
    allowed: list[Query],
    k: int,
) -> Body:
    """The `k` best by alpha * (1 + cosine) + lexical_weight * BM25, over all rows that pass."""
    # Left out where it could add nothing to a score.
    matching = [_match(field, terms) | {}] if terms and lexical_weight else []
    for each in matching:
        each["match"][field]["boost"] = lexical_weight
    query = {"bool": {"filter": [*allowed, ROWS], "should": matching}}
    function = {"script_score": {"script": _script(vector, "cosinesimil")}, "weight": 2 * alpha}
    return best({"function_score": {"query": query, "functions": [function] if alpha else [], "boost_mode": "sum"}}, k)


def frequencies(terms: Terms) -> Body:
    """In how many rows each term occurs, and how many rows have the field at all: of the whole index, no filter applied."""
    counts: Body = {}
    for field, words in terms.items():
        counts[field] = {"filter": {"exists": {"field": field}}}
        if words:
            counts[f"{field}_terms"] = {"filters": {"filters": [{"term": {field: word}} for word in words]}}
    return {"size": 0, "track_total_hits": False, "aggs": counts}


def idf_sums(answer: Mapping[str, Any], fields: Sequence[str] = LEXICAL_FIELDS) -> dict[str, float]:
    """By field, the idf of all terms asked for with `frequencies`, summed."""
    counts = answer["aggregations"]
    sums = {}
    for field in fields:
        n = counts[field]["doc_count"]
        buckets = counts.get(f"{field}_terms", {"buckets": ()})["buckets"]
        sums[field] = sum(math.log1p((n - df + 0.5) / (df + 0.5)) for df in (each["doc_count"] for each in buckets))
    return sums


def listing(k: int, allowed: list[Query], after: str | None, *, fields: Sequence[str] = ()) -> Body:
    """A page of the rows that pass, sorted by id, whole or (where given) as these fields."""
    body: Body = {
        "size": k,
        "_source": False,
        "track_total_hits": False,
        "query": {"bool": {"filter": [*allowed, ROWS]}},
        "sort": [{ID: "asc"}],
    }
    body |= {"docvalue_fields": list(fields)} if fields else {"stored_fields": [NODE]}
    return body if after is None else body | {"search_after": [after]}


def strings(metadata_key: str) -> Body:
    """The distinct strings under a metadata key."""
    of_key = {"field": TERMS, "include": strings_pattern(metadata_key), "size": _DISTINCT, "order": {"_key": "asc"}}
    return {"size": 0, "track_total_hits": False, "aggs": {TERMS: {"terms": of_key}}}


def best(query: Query, k: int) -> Body:
    """The `k` hits of the highest score, those of one score by id, as what `mapping.columns` reads."""
    return {
        "size": min(max(k, 0), MAX_HITS),
        "_source": False,
        "track_total_hits": False,
        "stored_fields": [NODE],
        "docvalue_fields": [DOCUMENT],
        "query": query,
        # Ties by id, as the contract says; by default they come in the order of the segments.
        "sort": ["_score", {ID: "asc"}],
    }


def _match(field: str, terms: Sequence[str]) -> Query:
    return {"match": {field: {"query": " ".join(terms)}}}


def _script(vector: NDArray[np.float64], space: str) -> Body:
    """Scores are (1 + cosine) / 2 in the space "cosinesimil"; for "innerproduct" see `cosine`."""
    parameters = {"field": VECTOR, "query_value": vector.astype(np.float32), "space_type": space}
    return {"lang": "knn", "source": "knn_score", "params": parameters}
