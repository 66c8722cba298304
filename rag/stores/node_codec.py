"""Converts LlamaIndex nodes to rows of the `nodes` table and back, byte for byte. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from llama_index.core.schema import BaseNode, TextNode
from numpy.typing import NDArray

from rag.errors import StoreError
from rag.stores.base import CONTENT_HASH, FINGERPRINT
from rag.vectors import unit_vectors

_OWN_COLUMNS: Final = {"id_", "text", "metadata", "embedding"}


class Row(NamedTuple):
    """The columns of a node in the order of the table. `vector`: float32 of length 1 as bytes; None in a lexical index."""

    id: str
    ref_doc_id: str | None
    content_hash: str
    fingerprint: str
    metadata: str
    extra: str
    text: str
    vector: bytes | None


def encode(node: BaseNode, dimension: int) -> Row:
    """Convert a node to a row. Raises StoreError naming the node and the reason if it cannot be stored unchanged."""
    # A subclass would be decoded as a TextNode, without its own fields.
    if type(node) is not TextNode:
        raise StoreError(f"expected a TextNode; node {node.node_id!r} is a {type(node).__name__}: convert it first")
    # Most fields of most nodes have their default values; leaving these out keeps rows short.
    extra = node.model_dump(mode="json", exclude=_OWN_COLUMNS, exclude_defaults=True)
    row = Row(
        id=node.node_id,
        ref_doc_id=node.ref_doc_id,
        content_hash=str(node.metadata.get(CONTENT_HASH, "")),
        fingerprint=str(node.metadata.get(FINGERPRINT, "")),
        metadata=_json(node.metadata, node.node_id),
        extra=json.dumps(extra, ensure_ascii=False),
        text=node.text,
        vector=_vector(node, dimension),
    )
    try:  # checked here to name the node: SQLite and orjson would reject the whole batch without a name
        "".join(filter(None, row[:-1])).encode()
    except UnicodeEncodeError as exc:
        raise StoreError(
            f"node {node.node_id!r} contains a lone surrogate (half a character): repair its text"
        ) from exc
    return row


class StoredNode:
    """A node as it is stored, decoded when it is first needed: of a hundred candidates only ten or twenty are.

    `metadata` and `extra` are JSON. `document_id`: the node's own id for a node without a document.
    """

    __slots__ = ("_node", "document_id", "extra", "metadata", "node_id", "text")

    def __init__(self, node_id: str, document_id: str | None, metadata: str, extra: str, text: str) -> None:
        self.node_id = node_id
        self.document_id = document_id or node_id
        self.metadata = metadata
        self.extra = extra
        self.text = text
        self._node: TextNode | None = None

    def decode(self) -> TextNode:
        """Return a copy of the node, without its vector. The caller may change its fields, but not what they contain."""
        node = self._node
        if node is None:
            metadata, extra = json.loads(self.metadata), json.loads(self.extra)
            node = self._node = TextNode(id_=self.node_id, text=self.text, metadata=metadata, **extra)
        copy = node.model_copy()
        # Not by `update` or assignment, which pydantic checks.
        copy.__dict__ |= {"metadata": node.metadata.copy(), "relationships": node.relationships.copy()}
        return copy


class Nodes(Mapping[str, BaseNode]):
    """Nodes by id, each decoded on access."""

    def __init__(self, stored: Iterable[StoredNode]) -> None:
        self._stored = {node.node_id: node for node in stored}

    def __getitem__(self, node_id: str) -> BaseNode:
        return self._stored[node_id].decode()

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)


def unit_vector(vector: Sequence[float], dimension: int, *, source: str) -> NDArray[np.float64]:
    """Normalise `vector` to length 1. Returns float64 (dimension,).

    `dimension` is that of the index; 0 means that it has no vectors. Raises StoreError, naming `source` as the owner of
    the vector, if the dimension differs, or if the vector is zero or not finite.
    """
    if dimension == 0:
        raise StoreError(f"{source} has an embedding, but this index has no vectors: search it by text")
    fix = "re-embed it with the index's own embedding"
    (unit,) = unit_vectors([vector], source=f"embedding of {source}", error=StoreError, fix=fix, dimension=dimension)
    return np.asarray(unit)


def _vector(node: BaseNode, dimension: int) -> bytes | None:
    if node.embedding is None:
        if dimension:
            raise StoreError(f"node {node.node_id!r} has no embedding: embed it before adding it")
        return None
    # float32, as FAISS stores them: float64 would double the file without changing the order of results.
    return unit_vector(node.embedding, dimension, source=f"node {node.node_id!r}").astype(np.float32).tobytes()


def _json(metadata: dict[str, Any], node_id: str) -> str:
    """Convert metadata to JSON. Raises StoreError for values that JSON would change: dates, tuples, infinite numbers …"""
    try:
        # Python's NaN and Infinity are not valid JSON for other programs.
        written = json.dumps(metadata, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise StoreError(f"metadata of node {node_id!r} is not JSON ({exc}): use strings, numbers or booleans") from exc
    # Python's `json` silently converts tuples to lists and number keys to strings.
    if json.loads(written) != metadata:
        raise StoreError(f"JSON would change the metadata of node {node_id!r}: use lists for tuples, strings for keys")
    return written
