"""OpenSearchStore: passages on an OpenSearch server, with the same contract as FaissStore.

Subclasses LlamaIndex's `OpensearchVectorStore`, so that it can be used wherever one is expected. All methods that send
requests are overridden, each because of a defect that tests/contract/test_upstream_opensearch.py demonstrates: the mapping
(always l2, text analysed as English), `add` (slow and without validation), `query` (scores are not cosines; `node_ids` are
ignored; filters miss rows), `get_nodes` (not implemented).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import (
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)
from llama_index.vector_stores.opensearch import OpensearchVectorClient, OpensearchVectorStore
from numpy.typing import NDArray

from rag.stores.base import (
    LEXICAL_FIELDS,
    TOKENS,
    AsyncFromSync,
    Candidates,
    Manifest,
    NodeState,
    check_deletion,
    check_query,
)
from rag.stores.bm25 import query_tokens
from rag.stores.filters import EVERYTHING, check
from rag.stores.node_codec import Nodes, encode, unit_vector
from rag.stores.opensearch import aliases, query_dsl
from rag.stores.opensearch.aliases import IndexInfo
from rag.stores.opensearch.client import Connection, check_shards
from rag.stores.opensearch.mapping import (
    DOCUMENT,
    FINGERPRINT,
    HASH,
    ID,
    TERMS,
    Query,
    decode_hit,
    document_key,
    encode_row,
    prefix,
)
from rag.stores.opensearch.reader import IndexReader, Write, hit_id, hits_of

PAGE: Final = 1000
STATES_PAGE: Final = 10_000
Scores = dict[str, float]


class OpenSearchStore(AsyncFromSync, OpensearchVectorStore):
    """A `PassageStore` (rag.stores.base) on a server. Safe to use from several threads and processes.

    Methods raise IndexMissing if there is no index, IndexMismatch if its manifest differs from `expected` (also when such
    an index is swapped in later), StoreUnavailable if the server cannot answer and StoreRefused if it denies the request.
    `role` "building" opens the index that is not complete yet. The connection belongs to the caller.
    """

    stores_text: bool = True
    _reader: IndexReader = PrivateAttr()

    def __init__(self, connection: Connection, name: str, expected: Manifest | None = None, *, role: str = "") -> None:
        # The parent class needs a client object; with the existing connection in it, it opens none of its own.
        unused = OpensearchVectorClient(
            connection.url, aliases.alias(name, role), 0, os_client=connection.client, os_async_client=connection.client
        )
        super().__init__(unused)
        self._reader = IndexReader(connection, name, expected, role)

    @classmethod
    def create(
        cls, connection: Connection, name: str, manifest: Manifest, *, role: str = "", exact: bool = True
    ) -> OpenSearchStore:
        """Create an empty index. `exact`: without a graph."""
        aliases.create(connection, name, manifest, role=role, exact=exact)
        return cls(connection, name, manifest, role=role)

    @property
    def client(self) -> Any:
        """The opensearch-py client."""
        return self._reader.connection.client

    @property
    def manifest(self) -> Manifest:
        """The manifest as it is stored now, including the calibration."""
        return self._reader.look_up().manifest

    def replace_manifest(self, manifest: Manifest) -> None:
        """Replace the stored manifest. Raises StoreError if its dimension or schema differs from that of the rows."""
        info = self._begin_write()
        info.manifest.check_replacement(manifest, index=self._reader.name)
        aliases.put_manifest(self._reader.connection, info, manifest)
        if self._reader.expected is not None:
            self._reader.expected = manifest
        self._reader.look_up()

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Validate all nodes, then write them. If one is invalid, none is written; in a batch the last node of an id wins.

        Raises StoreError for an invalid node, or naming the nodes that the server rejects.
        """
        info = self._begin_write()
        rows = [encode(node, info.manifest.dimension) for node in nodes]
        # Chunks are sent in parallel, so the order of two writes of one document would be undefined.
        last = {row.id: row for row in rows}
        self._reader.write(info, (Write(document_key(row.id), encode_row(row)) for row in last.values()), len(last))
        return [row.id for row in rows]

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Return the best `similarity_top_k` rows (HYBRID: `hybrid_top_k` if given) that pass the filters, at most 10,000.

        `node_ids` and `doc_ids` restrict the search as well, unless they are empty: `VectorStoreIndex.as_retriever` passes
        an empty list to a store that stores texts. The default of `alpha` is 0.5.
        Raises FilterError, and StoreError for an unsupported mode or a missing embedding or text.
        """
        checked = check(query.filters)
        check_query(query)
        allowed = query_dsl.filter_queries(checked, query.node_ids or None, query.doc_ids or None)
        k = query.similarity_top_k
        match query.mode:
            case VectorStoreQueryMode.TEXT_SEARCH:
                return self._query_lexical(query.query_str or "", k, allowed)
            case VectorStoreQueryMode.DEFAULT:
                return self._query_dense(query.query_embedding or (), k, allowed)
        return self._query_hybrid(query, k if query.hybrid_top_k is None else query.hybrid_top_k, allowed)

    def candidates(
        self,
        *,
        query_embedding: Sequence[float] | None,
        query_str: str,
        size: int,
        filters: MetadataFilters | None = None,
    ) -> Candidates:
        """Return all lists of one query, from one index, in one round trip. Raises FilterError, StoreError."""
        allowed = query_dsl.filter_queries(check(filters))
        terms = query_tokens(query_str)

        def searches(info: IndexInfo) -> list[query_dsl.Body]:
            bodies = [query_dsl.lexical(field, terms[field], size, allowed) for field in LEXICAL_FIELDS]
            if query_embedding is not None:
                vector = _query_vector(query_embedding, info)
                bodies.append(query_dsl.dense(vector, size, allowed, exact=info.exact))
            return [query_dsl.document_frequencies(terms), *bodies]

        info, (counts, *answers) = self._reader.search(searches)
        sums = query_dsl.idf_sums(counts)
        lists = [hits_of(answer) for answer in answers]
        lexical = {field: self._coverage(hits, sums[field]) for field, hits in zip(LEXICAL_FIELDS, lists, strict=False)}
        near = lists[len(LEXICAL_FIELDS)] if query_embedding is not None else []
        stored = {hit_id(hit): decode_hit(hit) for hits in lists for hit in hits}
        return Candidates(
            dense=_cosines(near, info),
            lexical=lexical,
            documents={node_id: node.document_id for node_id, node in stored.items()},
            nodes=Nodes(stored.values()),
        )

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """Return nodes by id (in the order given, without unknown ids), by filter (sorted by id) or both; default: all."""
        allowed = query_dsl.filter_queries(check(filters))
        if node_ids is None:
            return [decode_hit(hit).decode() for hit in self._reader.list_rows(allowed, PAGE)]
        distinct = list(dict.fromkeys(node_ids))
        nodes: dict[str, BaseNode] = {}
        for start in range(0, len(distinct), PAGE):
            within = [*allowed, *query_dsl.filter_queries(EVERYTHING, distinct[start : start + PAGE])]
            nodes |= {hit_id(hit): decode_hit(hit).decode() for hit in self._reader.list_rows(within, PAGE)}
        return [nodes[node_id] for node_id in distinct if node_id in nodes]

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Delete the nodes of this document. An unknown document is not an error."""
        self._delete(query_dsl.filter_queries(EVERYTHING, doc_ids=[ref_doc_id]))

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """Delete nodes by id, by filter, or by both (the intersection). Raises StoreError if neither is given."""
        checked = check(filters)
        check_deletion(node_ids, filters)
        if filters is None:
            keys = [document_key(node_id) for node_id in dict.fromkeys(node_ids or ())]
            self._reader.write(self._begin_write(), (Write(each, None) for each in keys), len(keys))
        else:
            self._delete(query_dsl.filter_queries(checked, node_ids))

    def clear(self) -> None:
        """Delete all nodes and keep the manifest."""
        self._delete([])

    def states(self) -> dict[str, NodeState]:
        """Return the state of each stored node by node id, without reading texts or vectors."""
        states = {}
        for hit in self._reader.list_rows([], STATES_PAGE, fields=(HASH, FINGERPRINT, DOCUMENT)):
            fields = hit.get("fields", {})
            content, fingerprint, document = (fields.get(field, [""])[0] for field in (HASH, FINGERPRINT, DOCUMENT))
            states[hit_id(hit)] = NodeState(content, fingerprint, document)
        return states

    def values(self, key: str) -> list[str]:
        """Return the distinct strings under a metadata key, sorted."""
        _, (answer,) = self._reader.search(lambda _: [query_dsl.distinct_strings(key)])
        start = len(prefix(key, "string"))
        return [bucket["key"][start:] for bucket in answer["aggregations"][TERMS]["buckets"]]

    def count(self) -> int:
        """Return the number of nodes. Raises StoreUnavailable if a shard failed."""
        body = {"query": query_dsl.ROWS}
        answer = self._reader.connection.request("GET", f"/{self._reader.look_up().index}/_count", body)
        check_shards(answer, self._reader.connection.url)
        return int(answer["count"])

    def close(self) -> None:
        """Make later calls raise StoreError. The connection stays open."""
        self._reader.close()

    def _begin_write(self) -> IndexInfo:
        """Return the index that a write changes."""
        return self._reader.look_up()

    def _query_dense(self, embedding: Sequence[float], k: int, allowed: list[Query]) -> VectorStoreQueryResult:
        info, (answer,) = self._reader.search(
            lambda info: [query_dsl.dense(_query_vector(embedding, info), k, allowed, exact=info.exact)]
        )
        hits = hits_of(answer)
        return _result(hits, list(_cosines(hits, info).values()))

    def _query_lexical(self, text: str, k: int, allowed: list[Query]) -> VectorStoreQueryResult:
        terms = {TOKENS: query_tokens(text)[TOKENS]}
        _, (counts, answer) = self._reader.search(
            lambda _: [query_dsl.document_frequencies(terms), query_dsl.lexical(TOKENS, terms[TOKENS], k, allowed)]
        )
        hits = hits_of(answer)
        return _result(hits, list(self._coverage(hits, query_dsl.idf_sums(counts, (TOKENS,))[TOKENS]).values()))

    def _query_hybrid(self, query: VectorStoreQuery, k: int, allowed: list[Query]) -> VectorStoreQueryResult:
        """Search in two round trips, because the weight of BM25 depends on the idf of the terms."""
        alpha = 0.5 if query.alpha is None else query.alpha
        terms = {TOKENS: query_tokens(query.query_str or "")[TOKENS]}
        _query_vector(query.query_embedding or (), self._reader.current())  # reject an invalid one before any request
        _, (counts,) = self._reader.search(lambda _: [query_dsl.document_frequencies(terms)])
        total = query_dsl.idf_sums(counts, (TOKENS,))[TOKENS] * self._reader.connection.bm25_scale
        weight = (1 - alpha) / total if total else 0.0

        def searches(info: IndexInfo) -> list[query_dsl.Body]:
            vector = _query_vector(query.query_embedding or (), info)
            return [query_dsl.hybrid(vector, TOKENS, terms[TOKENS], weight, alpha, allowed, k)]

        _, (answer,) = self._reader.search(searches)
        hits = hits_of(answer)
        return _result(hits, [float(hit["sort"][0]) - alpha for hit in hits])

    def _coverage(self, hits: Sequence[query_dsl.Hit], idf_sum: float) -> Scores:
        # The BM25 of a row in which every term matches perfectly; coverage is the share of it.
        max_bm25 = idf_sum * self._reader.connection.bm25_scale
        return {hit_id(hit): min(hit["sort"][0] / max_bm25, 1.0) for hit in hits}

    def _delete(self, allowed: list[Query]) -> None:
        info = self._begin_write()
        keys = [document_key(hit_id(hit)) for hit in self._reader.list_rows(allowed, STATES_PAGE, fields=(ID,))]
        self._reader.write(info, (Write(each, None) for each in keys), len(keys))

    async def aclose(self) -> None:
        """Run `close` in a thread."""
        await asyncio.to_thread(self.close)


def _query_vector(embedding: Sequence[float], info: IndexInfo) -> NDArray[np.float64]:
    return unit_vector(embedding, info.manifest.dimension, source="the query")


def _cosines(hits: Sequence[query_dsl.Hit], info: IndexInfo) -> Scores:
    return {hit_id(hit): query_dsl.cosine(hit["sort"][0], info.space) for hit in hits}


def _result(hits: Sequence[query_dsl.Hit], scores: Sequence[float]) -> VectorStoreQueryResult:
    return VectorStoreQueryResult(
        nodes=[decode_hit(hit).decode() for hit in hits], similarities=list(scores), ids=[hit_id(hit) for hit in hits]
    )
