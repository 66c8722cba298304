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

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from rag.errors import IndexMismatch
from rag.korean import ANALYZER

if TYPE_CHECKING:
    from llama_index.core.schema import BaseNode
    from llama_index.core.vector_stores.types import MetadataFilters, VectorStoreQuery, VectorStoreQueryResult
from typing import Final

from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

from rag.errors import StoreError

SCHEMA = 1
TOKENS = "tokens"
JAMO = "jamo"
LEXICAL_FIELDS = (TOKENS, JAMO)

# Metadata that ingestion sets on every node beside the row's own.
QUESTION = "question"
CONTENT_HASH = "content_hash"
FINGERPRINT = "embedding_fingerprint"
INDEXED_AT = "indexed_at"
INTERNAL_METADATA = (CONTENT_HASH, FINGERPRINT, INDEXED_AT)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index was built with. `dimension` 0 and `fingerprint` "none": no vectors, lexical search alone.

    `calibration` is opaque to the store: scaling constants and thresholds, as `rag.retrieval.confidence` writes them.
    """

    dimension: int
    fingerprint: str
    analyzer: str = ANALYZER
    schema: int = SCHEMA
    calibration: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def with_calibration(self, calibration: Mapping[str, Any] | None) -> Manifest:
        return replace(self, calibration=calibration)

    def check(self, expected: Manifest, *, index: str) -> None:
        """Raise IndexMismatch naming both values and the command that mends it."""
        for name in ("schema", "analyzer", "dimension", "fingerprint"):
            found, wanted = getattr(self, name), getattr(expected, name)
            if found != wanted:
                raise IndexMismatch(
                    f"index {index!r} was built with {name} {found!r}, the settings give {wanted!r}: ingest its files "
                    f"again with `python -m rag ingest PATH --index {index}`, or restore the former settings"
                )


@dataclass(frozen=True, slots=True)
class NodeState:
    """What a sync compares: enough to know whether a stored node is still the wanted one."""

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
    """The methods beyond LlamaIndex's `BasePydanticVectorStore` that the rest of the program relies on."""

    @property
    def manifest(self) -> Manifest: ...

    def replace_manifest(self, manifest: Manifest) -> None: ...

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]: ...

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

    def delete(self, ref_doc_id: str, **kwargs: Any) -> None: ...

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **kwargs: Any
    ) -> None: ...

    def clear(self) -> None: ...

    def states(self) -> dict[str, NodeState]: ...

    def values(self, key: str) -> list[str]:
        """The distinct strings under a metadata key, sorted; cheap enough for every question."""
        ...

    def count(self) -> int: ...

    def close(self) -> None: ...


MODES: Final = (VectorStoreQueryMode.DEFAULT, VectorStoreQueryMode.TEXT_SEARCH, VectorStoreQueryMode.HYBRID)


def check_query(query: VectorStoreQuery) -> None:
    """Raise StoreError for another mode, where the mode's embedding or text is missing, or for an alpha outside 0..1."""
    mode = query.mode
    if mode not in MODES:
        raise StoreError(f"query mode {mode.value!r} is not supported: use {', '.join(each.value for each in MODES)}")
    if mode is not VectorStoreQueryMode.TEXT_SEARCH and query.query_embedding is None:
        raise StoreError(f"query mode {mode.value!r} needs query_embedding: embed the question, or use text_search")
    if mode is not VectorStoreQueryMode.DEFAULT and query.query_str is None:
        raise StoreError(f"query mode {mode.value!r} needs query_str: give the question's text")
    if query.alpha is not None and not 0 <= query.alpha <= 1:
        raise StoreError(f"alpha is {query.alpha!r}: give the share of the cosine, 0 to 1")
