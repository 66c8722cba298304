"""The contract of every passage store; the tests in `tests/contract/` run it against each implementation.

- A node's id is its key. `add` is an upsert, visible to the next query; a batch with a missing, non-finite or wrongly
  sized vector writes nothing.
- Dense score: cosine similarity in [-1, 1] as a Python float. Vectors are normalised when they are added.
- Lexical score: coverage in [0, 1], the BM25 of the query divided by the BM25 it would reach if every one of its terms
  matched perfectly. Stores never return absolute BM25, which differs between servers by a factor.
- Results are sorted by (-score, id). Lexical results hold matches only (coverage > 0).
- Filters (`rag.stores.filters`) apply before the search: k results come back whenever k nodes pass.
- Text, metadata and relationships are returned unchanged, byte for byte.
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

# Increase this whenever an older program must not read what a newer one wrote.
SCHEMA = 1
# Names of stored fields and keys of calibrations: another name needs another SCHEMA.
TOKENS = "tokens"
JAMO = "jamo"
LEXICAL_FIELDS = (TOKENS, JAMO)

# Metadata that ingestion sets on every node, in addition to the row's own.
QUESTION = "question"
# Another wording of the row's question. A node that has one is indexed under it; QUESTION still holds the text to show.
PHRASING = "phrasing"
DOCUMENT = "document"
"""The file that a passage comes from. FAQ rows do not have this key."""
HEADINGS = " › "
"""Between the headings of a passage in its QUESTION, from the document's title on."""
CONTENT_HASH = "content_hash"
FINGERPRINT = "embedding_fingerprint"
INDEXED_AT = "indexed_at"
INTERNAL_METADATA = (PHRASING, CONTENT_HASH, FINGERPRINT, INDEXED_AT)

WAIT: Final = 2.0
"""Seconds that a write waits for the write of another process before it raises IndexBusy."""
MODES: Final = (VectorStoreQueryMode.DEFAULT, VectorStoreQueryMode.TEXT_SEARCH, VectorStoreQueryMode.HYBRID)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The settings an index was built with.

    `dimension` 0 and `fingerprint` "none" mean that the index has no vectors and supports lexical search only.
    `calibration` holds scaling constants and thresholds as `rag.retrieval.confidence` writes them; stores do not read it.
    """

    dimension: int
    fingerprint: str
    # The index stores tokens, so a query must be analyzed by the same analyzer as the rows.
    analyzer: str = ANALYZER
    schema: int = SCHEMA
    calibration: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: Mapping[str, Any], *, index: str) -> Manifest:
        """Build a manifest from the result of `as_json`. Raises IndexMismatch if its schema is not SCHEMA."""
        # Checked before any other field is read: another schema may have other fields.
        if content.get("schema") != SCHEMA:
            raise _mismatch(index, "schema", content.get("schema"), f"this version reads {SCHEMA!r}")
        return cls(**content)

    def as_json(self) -> dict[str, Any]:
        """Return all fields as a dictionary for `json.dumps`."""
        return asdict(self)

    def with_calibration(self, calibration: Mapping[str, Any] | None) -> Manifest:
        """Return a copy with this calibration, or without one if it is None."""
        return replace(self, calibration=calibration)

    def check(self, expected: Manifest, *, index: str) -> None:
        """Raise IndexMismatch if schema, analyzer, dimension or fingerprint differ from `expected`.

        The message names both values and the command that rebuilds the index.
        """
        # The dimension comes before the fingerprint: another embedding model always changes the fingerprint,
        # and a changed dimension is easier to understand.
        for name in ("schema", "analyzer", "dimension", "fingerprint"):
            stored, configured = getattr(self, name), getattr(expected, name)
            if stored != configured:
                raise _mismatch(index, name, stored, f"the settings give {configured!r}")

    def check_replacement(self, replacement: Manifest, *, index: str) -> None:
        """Raise StoreError unless `replacement` has the dimension and schema of this manifest."""
        # The other fields do not affect the stored rows: a calibration, or a fingerprint that is computed differently.
        if (self.dimension, self.schema) != (replacement.dimension, replacement.schema):
            raise StoreError(
                f"index {index!r} has dimension {self.dimension} and schema {self.schema}, but the new manifest has "
                f"dimension {replacement.dimension} and schema {replacement.schema}: build a new index instead"
            )


def _mismatch(index: str, name: str, stored: object, needed: str) -> IndexMismatch:
    return IndexMismatch(
        f"index {index!r} was built with {name} {stored!r}, {needed}: ingest its files again with "
        f"`python -m rag ingest PATH --index {index}`, or restore the former settings"
    )


@dataclass(frozen=True, slots=True)
class NodeState:
    """The fields that a sync compares to decide whether a stored node is up to date with its source file."""

    content_hash: str
    fingerprint: str
    ref_doc_id: str


@dataclass(frozen=True, slots=True)
class Candidates:
    """The result lists of one query, and all nodes that occur in them.

    Each list is sorted by (-score, id) and has at most `size` entries. `dense` maps node id to cosine in [-1, 1];
    `lexical` has one such mapping for each of LEXICAL_FIELDS, from node id to coverage in (0, 1]. `documents` maps node
    id to the id of its document (the corpus row). `nodes` maps node id to node; it may decode a node on access.
    """

    dense: Mapping[str, float]
    lexical: Mapping[str, Mapping[str, float]]
    documents: Mapping[str, str]
    nodes: Mapping[str, BaseNode]


class PassageStore(Protocol):
    """The methods that the rest of the program needs beyond LlamaIndex's `BasePydanticVectorStore`.

    All methods raise IndexMissing, IndexMismatch or another StoreError if the index cannot be read.
    """

    @property
    def manifest(self) -> Manifest:
        """The manifest as it is stored now, including the calibration."""
        ...

    def replace_manifest(self, manifest: Manifest) -> None:
        """Replace the stored manifest. Raises StoreError if its dimension or schema differs from that of the rows."""
        ...

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Upsert these nodes (with embeddings, unless `dimension` is 0) and return their ids. Raises StoreError."""
        ...

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Search in one mode: DEFAULT (dense), TEXT_SEARCH (coverage of TOKENS) or HYBRID.

        The score of HYBRID is alpha * cosine + (1 - alpha) * coverage.
        """
        ...

    def candidates(
        self,
        *,
        query_embedding: Sequence[float] | None,
        query_str: str,
        size: int,
        filters: MetadataFilters | None = None,
    ) -> Candidates:
        """Return the dense list and all lexical lists of a query, in one round trip.

        `dense` is empty if `query_embedding` is None.
        """
        ...

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """Return nodes by id (in the order given, without unknown ids) or by filter (sorted by id); by default all."""
        ...

    def delete(self, ref_doc_id: str, **kwargs: Any) -> None:
        """Delete the nodes of this document. An unknown document is not an error."""
        ...

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **kwargs: Any
    ) -> None:
        """Delete nodes by id, by filter, or by both (the intersection). Raises StoreError if neither is given."""
        ...

    def clear(self) -> None:
        """Delete all nodes and keep the manifest."""
        ...

    def states(self) -> dict[str, NodeState]:
        """Return the state of each stored node by node id, without reading texts or vectors."""
        ...

    def values(self, key: str) -> list[str]:
        """Return the distinct strings under a metadata key, sorted. Fast enough to call for every question."""
        ...

    def count(self) -> int:
        """Return the number of nodes."""
        ...

    def close(self) -> None:
        """Release files and memory. Later calls raise StoreError."""
        ...


@runtime_checkable
class Verifiable(Protocol):
    """A store that can verify its files against checksums."""

    def verify(self) -> tuple[int, int]:
        """Return (rows checked, rows without checksums). Raises IndexDamaged if a row does not match its checksum."""
        ...


class AsyncFromSync:
    """Async methods of a store that run the sync methods in a thread, so that both behave the same (docs/adr/0002).

    In the list of base classes it comes before LlamaIndex's store class, to override its async methods.
    """

    # LlamaIndex's own async methods call the sync ones in the event loop and block it.
    async def async_add(self: PassageStore, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Run `add` in a thread."""
        return await asyncio.to_thread(self.add, nodes, **kwargs)

    async def aquery(self: PassageStore, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Run `query` in a thread."""
        return await asyncio.to_thread(self.query, query, **kwargs)

    async def aget_nodes(
        self: PassageStore, node_ids: list[str] | None = None, filters: MetadataFilters | None = None
    ) -> list[BaseNode]:
        """Run `get_nodes` in a thread."""
        return await asyncio.to_thread(self.get_nodes, node_ids, filters)

    async def adelete(self: PassageStore, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Run `delete` in a thread."""
        await asyncio.to_thread(self.delete, ref_doc_id, **delete_kwargs)

    async def adelete_nodes(
        self: PassageStore,
        node_ids: list[str] | None = None,
        filters: MetadataFilters | None = None,
        **delete_kwargs: Any,
    ) -> None:
        """Run `delete_nodes` in a thread."""
        await asyncio.to_thread(self.delete_nodes, node_ids, filters, **delete_kwargs)

    async def aclear(self: PassageStore) -> None:
        """Run `clear` in a thread."""
        await asyncio.to_thread(self.clear)


def check_query(query: VectorStoreQuery) -> None:
    """Raise StoreError for an unsupported mode, a missing embedding or text, or an alpha outside [0, 1]."""
    mode = query.mode
    if mode not in MODES:
        raise StoreError(f"query mode {mode.value!r} is not supported: use {', '.join(each.value for each in MODES)}")
    # Checked here because nothing below would fail: a missing vector or text would give an empty result list.
    if mode is not VectorStoreQueryMode.TEXT_SEARCH and query.query_embedding is None:
        raise StoreError(f"query mode {mode.value!r} needs query_embedding: embed the question, or use text_search")
    if mode is not VectorStoreQueryMode.DEFAULT and query.query_str is None:
        raise StoreError(f"query mode {mode.value!r} needs query_str: pass the question's text")
    if query.alpha is not None and not 0 <= query.alpha <= 1:
        raise StoreError(f"expected alpha from 0 to 1, the share of the cosine; got {query.alpha!r}")


def check_deletion(node_ids: Sequence[str] | None, filters: MetadataFilters | None) -> None:
    """Raise StoreError if both are None: `delete_nodes` called without arguments must not empty the index."""
    if node_ids is None and filters is None:
        raise StoreError("delete_nodes needs node_ids or filters; clear() deletes everything")
