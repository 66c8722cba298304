"""What every store means, written once; `tests/contract/` holds each store to it.

- A node's id is its key. `add` is an upsert, visible to the next query; a batch with a missing, non-finite or wrongly
  sized vector writes nothing.
- Dense score: cosine similarity in [-1, 1] as a Python float. Vectors are normalised when they are added.
- Lexical score: coverage in [0, 1], the BM25 of the query divided by the BM25 it would reach if every one of its terms
  matched perfectly. Absolute BM25 never leaves a store (two servers' differ by a factor).
- Results are sorted by (-score, id). Lexical results hold matches only (coverage > 0).
- Filters (`rag.stores.filters`) apply before the search: k results come back whenever k nodes pass.
- Text, metadata and relationships come back byte for byte.
- The manifest is checked when an index is opened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

from rag.errors import IndexMismatch, StoreError
from rag.korean import ANALYZER

if TYPE_CHECKING:
    from llama_index.core.schema import BaseNode
    from llama_index.core.vector_stores.types import MetadataFilters, VectorStoreQueryResult

# To be raised whenever an older program must not read what a newer one wrote.
SCHEMA = 1
# Names of stored fields and keys of calibrations: another name needs another SCHEMA.
TOKENS = "tokens"
JAMO = "jamo"
LEXICAL_FIELDS = (TOKENS, JAMO)

# Metadata that ingestion sets on every node beside the row's own.
QUESTION = "question"
# What a node is searched by in the place of its row's question, which stays in QUESTION: it is what is shown.
PHRASING = "phrasing"
DOCUMENT = "document"
"""The file that a passage is from; FAQ rows have none."""
CONTENT_HASH = "content_hash"
FINGERPRINT = "embedding_fingerprint"
INDEXED_AT = "indexed_at"
INTERNAL_METADATA = (PHRASING, CONTENT_HASH, FINGERPRINT, INDEXED_AT)

MODES: Final = (VectorStoreQueryMode.DEFAULT, VectorStoreQueryMode.TEXT_SEARCH, VectorStoreQueryMode.HYBRID)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index was built with. `dimension` 0 and `fingerprint` "none": no vectors, lexical search alone.

    `calibration` is opaque to the store: scaling constants and thresholds, as `rag.retrieval.confidence` writes them.
    """

    dimension: int
    fingerprint: str
    # Tokens are stored: what one analyzer indexed cannot be found with another's.
    analyzer: str = ANALYZER
    schema: int = SCHEMA
    calibration: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: Mapping[str, Any], *, index: str) -> Manifest:
        """What `as_json` gave. Raises IndexMismatch for that of another schema."""
        # Asked before anything else is read: another schema may have other fields.
        if content.get("schema") != SCHEMA:
            raise _mismatch(index, "schema", content.get("schema"), f"this version reads {SCHEMA!r}")
        return cls(**content)

    def as_json(self) -> dict[str, Any]:
        """All fields, for `json.dumps`."""
        return asdict(self)

    def with_calibration(self, calibration: Mapping[str, Any] | None) -> Manifest:
        """The same with another calibration; None: without one."""
        return replace(self, calibration=calibration)

    def check(self, expected: Manifest, *, index: str) -> None:
        """Raise IndexMismatch naming both values and the command that makes them agree."""
        # In this order: another embedder changes the fingerprint always, and the dimension, where it changes, says more.
        for name in ("schema", "analyzer", "dimension", "fingerprint"):
            stored, configured = getattr(self, name), getattr(expected, name)
            if stored != configured:
                raise _mismatch(index, name, stored, f"the settings give {configured!r}")

    def check_replacement(self, replacement: Manifest, *, index: str) -> None:
        """Raise StoreError unless the rows written under this manifest fit `replacement`: same dimension and schema."""
        # The rest may change without the rows: a fingerprint that is computed otherwise, a calibration.
        if (self.dimension, self.schema) != (replacement.dimension, replacement.schema):
            raise StoreError(
                f"index {index!r} has dimension {self.dimension} and schema {self.schema}, the new manifest "
                f"{replacement.dimension} and {replacement.schema}: build a new index instead"
            )


def _mismatch(index: str, name: str, stored: object, needed: str) -> IndexMismatch:
    return IndexMismatch(
        f"index {index!r} was built with {name} {stored!r}, {needed}: ingest its files again with "
        f"`python -m rag ingest PATH --index {index}`, or restore the former settings"
    )


@dataclass(frozen=True, slots=True)
class NodeState:
    """What a sync compares: enough to know whether a stored node is still the one its file describes."""

    content_hash: str
    fingerprint: str
    ref_doc_id: str


@dataclass(frozen=True, slots=True)
class Candidates:
    """The lists of one query, each sorted by (-score, id) and at most `size` long, and every node they name.

    `documents` maps node id to the document (the corpus row) it belongs to; `nodes` may decode a node only when asked.
    `dense` maps node id to cosine in [-1, 1]; each of `lexical` (keys LEXICAL_FIELDS) maps node id to coverage in (0, 1].
    """

    dense: Mapping[str, float]
    lexical: Mapping[str, Mapping[str, float]]
    documents: Mapping[str, str]
    nodes: Mapping[str, BaseNode]


class PassageStore(Protocol):
    """The methods beyond LlamaIndex's `BasePydanticVectorStore` that the rest of the program relies on.

    All raise IndexMissing, IndexMismatch or another StoreError where the index cannot be read.
    """

    @property
    def manifest(self) -> Manifest:
        """As it is stored now, calibration included."""
        ...

    def replace_manifest(self, manifest: Manifest) -> None:
        """Store another manifest. Raises StoreError for one of another dimension or schema than the rows have."""
        ...

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Upsert these nodes (with embeddings, unless `dimension` is 0) and return their ids. Raises StoreError."""
        ...

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Modes: DEFAULT (dense), TEXT_SEARCH (coverage of TOKENS), HYBRID (alpha * cosine + (1 - alpha) * coverage)."""
        ...

    def candidates(
        self,
        *,
        query_embedding: Sequence[float] | None,
        query_str: str,
        size: int,
        filters: MetadataFilters | None = None,
    ) -> Candidates:
        """All lists of one query in one round trip. Without an embedding `dense` is empty."""
        ...

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """Nodes by id (in that order, unknown ids left out) or by filter (sorted by id); neither: all."""
        ...

    def delete(self, ref_doc_id: str, **kwargs: Any) -> None:
        """Delete the nodes of this document; none is not an error."""
        ...

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **kwargs: Any
    ) -> None:
        """Delete nodes by id, by filter, or those in both. Raises StoreError for neither."""
        ...

    def clear(self) -> None:
        """Delete all nodes; the manifest stays."""
        ...

    def states(self) -> dict[str, NodeState]:
        """What is stored, by node id, without reading texts or vectors."""
        ...

    def values(self, key: str) -> list[str]:
        """The distinct strings under a metadata key, sorted; cheap enough for every question."""
        ...

    def count(self) -> int:
        """How many nodes there are."""
        ...

    def close(self) -> None:
        """Let go of files and memory. Later calls raise StoreError."""
        ...


@runtime_checkable
class Verifiable(Protocol):
    """A store that can tell whether its files are what was written."""

    def verify(self) -> tuple[int, int]:
        """(rows checked, rows without checksums). Raises IndexDamaged."""
        ...


class AsyncFromSync:
    """The async methods of a store: each its sync one in a thread, so both do the same (docs/adr/0002).

    To be named before LlamaIndex's store class, whose async methods it takes the place of.
    """

    # LlamaIndex's own call the sync method in the event loop, which stands still meanwhile.
    async def async_add(self: PassageStore, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """`add` in a thread."""
        return await asyncio.to_thread(self.add, nodes, **kwargs)

    async def aquery(self: PassageStore, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """`query` in a thread."""
        return await asyncio.to_thread(self.query, query, **kwargs)

    async def aget_nodes(
        self: PassageStore, node_ids: list[str] | None = None, filters: MetadataFilters | None = None
    ) -> list[BaseNode]:
        """`get_nodes` in a thread."""
        return await asyncio.to_thread(self.get_nodes, node_ids, filters)

    async def adelete(self: PassageStore, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """`delete` in a thread."""
        await asyncio.to_thread(self.delete, ref_doc_id, **delete_kwargs)

    async def adelete_nodes(
        self: PassageStore,
        node_ids: list[str] | None = None,
        filters: MetadataFilters | None = None,
        **delete_kwargs: Any,
    ) -> None:
        """`delete_nodes` in a thread."""
        await asyncio.to_thread(self.delete_nodes, node_ids, filters, **delete_kwargs)

    async def aclear(self: PassageStore) -> None:
        """`clear` in a thread."""
        await asyncio.to_thread(self.clear)


def check_query(query: VectorStoreQuery) -> None:
    """Raise StoreError for another mode, where the mode's embedding or text is missing, or for an alpha outside 0..1."""
    mode = query.mode
    if mode not in MODES:
        raise StoreError(f"query mode {mode.value!r} is not supported: use {', '.join(each.value for each in MODES)}")
    # None of these would fail further down: a missing vector or text would quietly be an empty list.
    if mode is not VectorStoreQueryMode.TEXT_SEARCH and query.query_embedding is None:
        raise StoreError(f"query mode {mode.value!r} needs query_embedding: embed the question, or use text_search")
    if mode is not VectorStoreQueryMode.DEFAULT and query.query_str is None:
        raise StoreError(f"query mode {mode.value!r} needs query_str: give the question's text")
    if query.alpha is not None and not 0 <= query.alpha <= 1:
        raise StoreError(f"alpha is {query.alpha!r}: give the share of the cosine, 0 to 1")


def check_deletion(node_ids: Sequence[str] | None, filters: MetadataFilters | None) -> None:
    """Raise StoreError where `delete_nodes` was called with neither: a forgotten argument would empty the index."""
    if node_ids is None and filters is None:
        raise StoreError("delete_nodes needs node_ids or filters; clear() deletes everything")
