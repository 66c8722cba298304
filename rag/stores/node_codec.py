"""LlamaIndex nodes to rows of the `nodes` table and back, byte for byte. Pure functions."""

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
    """The columns of a node, in the order they are written. `vector` is unit length float32, None in a lexical index."""

    id: str
    ref_doc_id: str | None
    content_hash: str
    fingerprint: str
    metadata: str
    extra: str
    text: str
    vector: bytes | None


def encode(node: BaseNode, dimension: int) -> Row:
    """The row of `node`. Raises StoreError naming the node if it cannot be kept as it is, and why."""
    # A subclass would come back as a TextNode, without its own fields.
    if type(node) is not TextNode:
        raise StoreError(f"node {node.node_id!r} is a {type(node).__name__}: only TextNode is kept, make it one")
    # Most nodes are all defaults but for a few fields: so their rows stay short.
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
    try:  # here, with the node's name: deeper down, SQLite and orjson would refuse the whole batch without it
        "".join(filter(None, row[:-1])).encode()
    except UnicodeEncodeError as exc:
        raise StoreError(f"node {node.node_id!r} holds half a character (a lone surrogate): repair its text") from exc
    return row


class Columns(NamedTuple):
    """The columns a node is made of again, as they were written (`metadata`, `extra`: JSON)."""

    node_id: str
    metadata: str
    extra: str
    text: str

    def decode(self) -> TextNode:
        """The node of these columns, without its vector."""
        return TextNode(id_=self.node_id, text=self.text, metadata=json.loads(self.metadata), **json.loads(self.extra))


class Nodes(Mapping[str, BaseNode]):
    """Nodes by id, decoded when they are asked for: of a hundred candidates ten are shown, and decoding costs the most."""

    def __init__(self, columns: Iterable[Columns]) -> None:
        self._columns = {row.node_id: row for row in columns}

    def __getitem__(self, node_id: str) -> BaseNode:
        return self._columns[node_id].decode()

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def unit_vector(vector: Sequence[float], dimension: int, *, source: str) -> NDArray[np.float64]:
    """`vector` at length 1, float64 (dimension,).

    Raises StoreError, naming `source` as its owner, for another dimension than the index has (0: it keeps no vectors), and
    for one without a direction (zero or not finite).
    """
    if dimension == 0:
        raise StoreError(f"{source} has an embedding, but this index keeps no vectors: search it by text")
    fix = "re-embed it with the index's own embedding"
    (unit,) = unit_vectors([vector], source=f"embedding of {source}", error=StoreError, fix=fix, dimension=dimension)
    return np.asarray(unit)


def _vector(node: BaseNode, dimension: int) -> bytes | None:
    if node.embedding is None:
        if dimension:
            raise StoreError(f"node {node.node_id!r} has no embedding: embed it before adding it")
        return None
    # As FAISS holds them; more digits would double the file and change no order.
    return unit_vector(node.embedding, dimension, source=f"node {node.node_id!r}").astype(np.float32).tobytes()


def _json(metadata: dict[str, Any], node_id: str) -> str:
    """Metadata as JSON. Refuses what would come back changed: dates, tuples, numbers that are not finite …"""
    try:
        # Python's NaN and Infinity are JSON to no other reader.
        written = json.dumps(metadata, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise StoreError(f"node {node_id!r}: its metadata is not JSON ({exc}): use text, numbers, booleans") from exc
    # Python's writer turns tuples into lists and number keys into text without a word.
    if json.loads(written) != metadata:
        raise StoreError(f"node {node_id!r}: its metadata would come back changed: use lists for tuples, text for keys")
    return written
