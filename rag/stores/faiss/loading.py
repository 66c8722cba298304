"""Loads a snapshot from an index file. Rows that an earlier snapshot of the file holds are not read again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag.stores.bm25 import field_tokens
from rag.stores.faiss.approximate import update_index
from rag.stores.faiss.database import Connection
from rag.stores.faiss.snapshot import Snapshot, empty_snapshot


def load_snapshot(connection: Connection, generation: int, dimension: int, old: Snapshot | None) -> Snapshot:
    """Load the snapshot of the state that `connection` sees, as an update of `old`, an earlier snapshot of the same file."""
    seqs = np.array([seq for (seq,) in connection.execute("SELECT seq FROM nodes")], np.int64)
    # Without ORDER BY, SQLite returns them in the order of whichever index it reads.
    seqs.sort()
    old = old or empty_snapshot(connection.stem, dimension)
    keep = np.isin(old.seqs, seqs, assume_unique=True)
    last = int(old.seqs[-1]) if len(old.seqs) else 0
    count = int(np.count_nonzero(seqs > last))
    if not count and keep.all():
        # Only the manifest was written.
        return old.with_generation(generation)
    new = NewRows.read(connection, last, count, dimension)
    snapshot = Snapshot(
        connection.stem,
        generation,
        seqs,
        ids=[*(old.ids[row] for row in np.flatnonzero(keep).tolist()), *new.ids],
        columns=old.columns.updated(keep, new.metadata),
        dense=None if old.dense is None else update_index(old.dense, keep, new.vectors),
    )
    # Only if a lexical search has built them: an ingestion adds many batches without searching.
    if old.lexical is not None:
        snapshot.lexical = {
            field: index.updated(keep, read_tokens(connection, field, last)) for field, index in old.lexical.items()
        }
    return snapshot


def read_tokens(connection: Connection, field: str, after: int = 0) -> Iterator[list[str]]:
    """Yield the tokens of a lexical field for each row with a `seq` above `after`, in the order of `seq`."""
    query = "SELECT metadata, text FROM nodes WHERE seq > ? ORDER BY seq"
    for metadata, text in connection.execute(query, (after,)):
        yield field_tokens(field, json.loads(metadata), text)


class NewRows(NamedTuple):
    """Rows to add to a snapshot, in the order of `seq`. `vectors`: float32 (count, dimension) of length 1."""

    ids: list[str]
    metadata: list[Mapping[str, Any]]
    vectors: NDArray[np.float32]

    @classmethod
    def read(cls, connection: Connection, after: int, count: int, dimension: int) -> NewRows:
        """Read the `count` rows with a `seq` above `after`."""
        new = cls([], [], np.empty((count, dimension), np.float32))
        query = "SELECT id, metadata, vector FROM nodes WHERE seq > ? ORDER BY seq"
        for row, (node_id, metadata, vector) in enumerate(connection.execute(query, (after,))):
            new.ids.append(node_id)
            new.metadata.append(json.loads(metadata))
            if dimension:
                new.vectors[row] = np.frombuffer(vector, np.float32)
        return new
