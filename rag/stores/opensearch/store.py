"""OpenSearchStore: passages on an OpenSearch server, to the same contract as FaissStore.

Subclasses LlamaIndex's `OpensearchVectorStore` and takes its place wherever one is expected. Everything that reaches the
server is overridden, each for a measured defect held by tests/contract/test_upstream_opensearch.py: the mapping (l2 whatever
was asked for, text analysed as English), `add` (slow, and nothing checked before it), `query` (scores of another meaning;
`node_ids` ignored; filters that miss), `get_nodes` (missing).
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
from rag.stores.opensearch.bulk import Write
from rag.stores.opensearch.client import Connection, available
from rag.stores.opensearch.mapping import DOCUMENT, HASH, ID, PRINT, columns, encode_row, key
from rag.stores.opensearch.metadata_terms import TERMS, Query, prefix
from rag.stores.opensearch.reader import IndexReader, hit_id, hits_of

PAGE: Final = 1000
STATES_PAGE: Final = 10_000
Scores = dict[str, float]


class OpenSearchStore(AsyncFromSync, OpensearchVectorStore):
    """A `PassageStore` (rag.stores.base) on a server. Safe to use from several threads and processes.

    Raises IndexMissing where there is no index, IndexMismatch where it is not the `expected` one (also later, once another
    was swapped in), StoreUnavailable and StoreRefused where the server cannot or will not answer. `role` "building" is the
    index that is not whole yet. The connection belongs to the caller.
    """

    stores_text: bool = True
    _reader: IndexReader = PrivateAttr()

    def __init__(self, connection: Connection, name: str, expected: Manifest | None = None, *, role: str = "") -> None:
        # The parent takes its client's word for all it does; with ours inside it opens no connection of its own.
        unused = OpensearchVectorClient(
            connection.url, aliases.alias(name, role), 0, os_client=connection.client, os_async_client=connection.client
        )
        super().__init__(unused)
        self._reader = IndexReader(connection, name, expected, role)

    @classmethod
    def create(
        cls, connection: Connection, name: str, manifest: Manifest, *, role: str = "", exact: bool = True
    ) -> OpenSearchStore:
        """A new, empty index. `exact`: without a graph."""
        aliases.create(connection, name, manifest, role=role, exact=exact)
        return cls(connection, name, manifest, role=role)

    @property
    def client(self) -> Any:
        """The opensearch-py client."""
        return self._reader.connection.client

    @property
    def manifest(self) -> Manifest:
        """As it is stored now, calibration included."""
        return self._reader.look_up().manifest

    def replace_manifest(self, manifest: Manifest) -> None:
        """Store another manifest. Raises StoreError for another dimension or schema than the rows have."""
        info = self._reader.look_up()
        info.manifest.check_replacement(manifest, index=self._reader.name)
        aliases.put_manifest(self._reader.connection, info, manifest)
        if self._reader.expected is not None:
            self._reader.expected = manifest
        self._reader.look_up()

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Check all nodes, then write them: none is written where one is wrong. The last of one id in a batch wins.

        Raises StoreError for a wrong node, or naming those that the server refuses.
        """
        info = self._reader.look_up()
        rows = [encode(node, info.manifest.dimension) for node in nodes]
        # Chunks are sent side by side: of two writes of one document either could come last.
        last = {row.id: row for row in rows}
        self._reader.write(info, (Write(key(row.id), encode_row(row)) for row in last.values()), len(last))
        return [row.id for row in rows]

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """The best `similarity_top_k` (HYBRID: `hybrid_top_k`, if given; 10,000 at most) in a mode of the contract.

        Filters apply first. `node_ids` and `doc_ids` restrict too, unless empty: `VectorStoreIndex.as_retriever` sends an
        empty list to a store that keeps texts itself. `alpha` is .5 unless given.
        Raises FilterError, and StoreError for another mode or where the mode's embedding or text is missing.
        """
        checked = check(query.filters)
        check_query(query)
        allowed = query_dsl.restriction(checked, query.node_ids or None, query.doc_ids or None)
        k = query.similarity_top_k
        match query.mode:
            case VectorStoreQueryMode.TEXT_SEARCH:
                return self._text(query.query_str or "", k, allowed)
            case VectorStoreQueryMode.DEFAULT:
                return self._nearest(query.query_embedding or (), k, allowed)
        return self._weighted(query, k if query.hybrid_top_k is None else query.hybrid_top_k, allowed)

    def candidates(
        self,
        *,
        query_embedding: Sequence[float] | None,
        query_str: str,
        size: int,
        filters: MetadataFilters | None = None,
    ) -> Candidates:
        """All lists of one query, from one index, in one round trip. Raises FilterError, StoreError."""
        allowed = query_dsl.restriction(check(filters))
        terms = query_tokens(query_str)

        def searches(info: IndexInfo) -> list[query_dsl.Body]:
            bodies = [query_dsl.lexical(field, terms[field], size, allowed) for field in LEXICAL_FIELDS]
            if query_embedding is not None:
                vector = _query_vector(query_embedding, info)
                bodies.append(query_dsl.dense(vector, size, allowed, exact=info.exact))
            return [query_dsl.frequencies(terms), *bodies]

        info, (counts, *answers) = self._reader.ask(searches)
        sums = query_dsl.idf_sums(counts)
        lists = [hits_of(answer) for answer in answers]
        lexical = {field: self._coverage(hits, sums[field]) for field, hits in zip(LEXICAL_FIELDS, lists, strict=False)}
        near = lists[len(LEXICAL_FIELDS)] if query_embedding is not None else []
        hits = {hit_id(hit): hit for hit in (*near, *(hit for each in lists for hit in each))}
        return Candidates(
            dense=_cosines(near, info),
            lexical=lexical,
            documents={node_id: hit["fields"].get(DOCUMENT, [node_id])[0] for node_id, hit in hits.items()},
            nodes=Nodes(map(columns, hits.values())),
        )

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """Nodes by id (in that order, unknown ids left out), by filter (sorted by id) or by both; neither: all."""
        allowed = query_dsl.restriction(check(filters))
        if node_ids is None:
            return [columns(hit).decode() for hit in self._reader.listed(allowed, PAGE)]
        distinct = list(dict.fromkeys(node_ids))
        nodes: dict[str, BaseNode] = {}
        for start in range(0, len(distinct), PAGE):
            within = [*allowed, *query_dsl.restriction(EVERYTHING, distinct[start : start + PAGE])]
            nodes |= {hit_id(hit): columns(hit).decode() for hit in self._reader.listed(within, PAGE)}
        return [nodes[node_id] for node_id in distinct if node_id in nodes]

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Delete the nodes of this document; none is not an error."""
        self._delete(query_dsl.restriction(EVERYTHING, doc_ids=[ref_doc_id]))

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """Delete nodes by id, by filter, or those in both. Raises StoreError for neither: `clear` empties an index."""
        checked = check(filters)
        check_deletion(node_ids, filters)
        if filters is None:
            keys = [key(node_id) for node_id in dict.fromkeys(node_ids or ())]
            self._reader.write(self._reader.look_up(), (Write(each, None) for each in keys), len(keys))
        else:
            self._delete(query_dsl.restriction(checked, node_ids))

    def clear(self) -> None:
        """Delete all nodes; the manifest stays."""
        self._delete([])

    def states(self) -> dict[str, NodeState]:
        """What is stored, by node id, without reading texts or vectors."""
        states = {}
        for hit in self._reader.listed([], STATES_PAGE, fields=(HASH, PRINT, DOCUMENT)):
            fields = hit.get("fields", {})
            content, fingerprint, document = (fields.get(field, [""])[0] for field in (HASH, PRINT, DOCUMENT))
            states[hit_id(hit)] = NodeState(content, fingerprint, document)
        return states

    def values(self, key: str) -> list[str]:
        """The distinct strings under a metadata key, sorted."""
        _, (answer,) = self._reader.ask(lambda _: [query_dsl.strings(key)])
        start = len(prefix(key, "string"))
        return [bucket["key"][start:] for bucket in answer["aggregations"][TERMS]["buckets"]]

    def count(self) -> int:
        """How many nodes there are. Raises StoreUnavailable where a shard could not be asked."""
        body = {"query": query_dsl.ROWS}
        answer = self._reader.connection.request("GET", f"/{self._reader.look_up().index}/_count", body)
        available(answer, self._reader.connection.url)
        return int(answer["count"])

    def close(self) -> None:
        """Later calls raise StoreError. The connection stays open."""
        self._reader.close()

    def _nearest(self, embedding: Sequence[float], k: int, allowed: list[Query]) -> VectorStoreQueryResult:
        info, (answer,) = self._reader.ask(
            lambda info: [query_dsl.dense(_query_vector(embedding, info), k, allowed, exact=info.exact)]
        )
        hits = hits_of(answer)
        return _result(hits, list(_cosines(hits, info).values()))

    def _text(self, text: str, k: int, allowed: list[Query]) -> VectorStoreQueryResult:
        terms = {TOKENS: query_tokens(text)[TOKENS]}
        _, (counts, answer) = self._reader.ask(
            lambda _: [query_dsl.frequencies(terms), query_dsl.lexical(TOKENS, terms[TOKENS], k, allowed)]
        )
        hits = hits_of(answer)
        return _result(hits, list(self._coverage(hits, query_dsl.idf_sums(counts, (TOKENS,))[TOKENS]).values()))

    def _weighted(self, query: VectorStoreQuery, k: int, allowed: list[Query]) -> VectorStoreQueryResult:
        """In two round trips: what BM25 counts for depends on the idf of the terms, which come first."""
        alpha = 0.5 if query.alpha is None else query.alpha
        terms = {TOKENS: query_tokens(query.query_str or "")[TOKENS]}
        _query_vector(
            query.query_embedding or (), self._reader.current()
        )  # a wrong one is refused before the first trip
        _, (counts,) = self._reader.ask(lambda _: [query_dsl.frequencies(terms)])
        total = query_dsl.idf_sums(counts, (TOKENS,))[TOKENS] * self._reader.connection.bm25_scale
        weight = (1 - alpha) / total if total else 0.0

        def searches(info: IndexInfo) -> list[query_dsl.Body]:
            vector = _query_vector(query.query_embedding or (), info)
            return [query_dsl.weighted(vector, TOKENS, terms[TOKENS], weight, alpha, allowed, k)]

        _, (answer,) = self._reader.ask(searches)
        hits = hits_of(answer)
        return _result(hits, [float(hit["sort"][0]) - alpha for hit in hits])

    def _coverage(self, hits: Sequence[query_dsl.Hit], idf_sum: float) -> Scores:
        # What BM25 would be if every term matched perfectly.
        most = idf_sum * self._reader.connection.bm25_scale
        return {hit_id(hit): min(hit["sort"][0] / most, 1.0) for hit in hits}

    def _delete(self, allowed: list[Query]) -> None:
        info = self._reader.look_up()
        keys = [key(hit_id(hit)) for hit in self._reader.listed(allowed, STATES_PAGE, fields=(ID,))]
        self._reader.write(info, (Write(each, None) for each in keys), len(keys))

    async def aclose(self) -> None:
        """`close` in a thread."""
        await asyncio.to_thread(self.close)


def _query_vector(embedding: Sequence[float], info: IndexInfo) -> NDArray[np.float64]:
    return unit_vector(embedding, info.manifest.dimension, source="the query")


def _cosines(hits: Sequence[query_dsl.Hit], info: IndexInfo) -> Scores:
    return {hit_id(hit): query_dsl.cosine(hit["sort"][0], info.space) for hit in hits}


def _result(hits: Sequence[query_dsl.Hit], scores: Sequence[float]) -> VectorStoreQueryResult:
    return VectorStoreQueryResult(
        nodes=[columns(hit).decode() for hit in hits], similarities=list(scores), ids=[hit_id(hit) for hit in hits]
    )
