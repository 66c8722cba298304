"""The rows of an index file to a snapshot; what a snapshot of an earlier state holds of them is not read again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag.stores.bm25 import field_tokens
from rag.stores.faiss.approximate import updated
from rag.stores.faiss.database import Connection
from rag.stores.faiss.snapshot import Snapshot, empty_snapshot


def load_snapshot(connection: Connection, generation: int, dimension: int, old: Snapshot | None) -> Snapshot:
    """The snapshot of what `connection` sees. Rows that `old`, an earlier one of the same file, holds are not read again."""
    seqs = np.array([seq for (seq,) in connection.execute("SELECT seq FROM nodes")], np.int64)
    # SQLite gives them in the order of whatever index it reads.
    seqs.sort()
    old = old or empty_snapshot(connection.stem, dimension)
    keep = np.isin(old.seqs, seqs, assume_unique=True)
    last = int(old.seqs[-1]) if len(old.seqs) else 0
    count = int(np.count_nonzero(seqs > last))
    if not count and keep.all():
        # Only the manifest was written.
        return old.at(generation)
    new = NewRows.read(connection, last, count, dimension)
    snapshot = Snapshot(
        connection.stem,
        generation,
        seqs,
        ids=[*(old.ids[row] for row in np.flatnonzero(keep).tolist()), *new.ids],
        columns=old.columns.updated(keep, new.metadata),
        dense=None if old.dense is None else updated(old.dense, keep, new.vectors),
    )
    # Not before the first lexical search: an ingestion adds batch after batch without one.
    if old.lexical is not None:
        snapshot.lexical = {
            field: index.updated(keep, read_tokens(connection, field, last)) for field, index in old.lexical.items()
        }
    return snapshot


def read_tokens(connection: Connection, field: str, after: int = 0) -> Iterator[list[str]]:
    """What the rows written after seq `after` are indexed under in a lexical field, in their order."""
    query = "SELECT metadata, text FROM nodes WHERE seq > ? ORDER BY seq"
    for metadata, text in connection.execute(query, (after,)):
        yield field_tokens(field, json.loads(metadata), text)


class NewRows(NamedTuple):
    """What a snapshot takes up of rows it does not hold yet, in their order. `vectors`: (count, dimension), unit length."""

    ids: list[str]
    metadata: list[Mapping[str, Any]]
    vectors: NDArray[np.float32]

    @classmethod
    def read(cls, connection: Connection, after: int, count: int, dimension: int) -> NewRows:
        """The `count` rows written after seq `after`."""
        new = cls([], [], np.empty((count, dimension), np.float32))
        query = "SELECT id, metadata, vector FROM nodes WHERE seq > ? ORDER BY seq"
        for row, (node_id, metadata, vector) in enumerate(connection.execute(query, (after,))):
            new.ids.append(node_id)
            new.metadata.append(json.loads(metadata))
            if dimension:
                new.vectors[row] = np.frombuffer(vector, np.float32)
        return new
