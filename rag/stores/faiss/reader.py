"""An open index: follows CURRENT to the live file, hands out connections, and keeps the snapshot in memory up to date."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import VectorStoreQueryResult
from numpy.typing import NDArray

from rag.errors import IndexMissing, StoreError
from rag.stores.base import LEXICAL_FIELDS, Manifest
from rag.stores.bm25 import Floats, LexicalIndex, field_tokens, query_tokens
from rag.stores.faiss.checksums import verify
from rag.stores.faiss.database import Connection, Database, identity, read_manifest, select
from rag.stores.faiss.files import IndexFiles, load_lexical, save_lexical
from rag.stores.faiss.snapshot import Hits, Snapshot, empty_snapshot
from rag.stores.filters import Scalar, scalar
from rag.stores.node_codec import Columns


class Reading:
    """What one call sees: a connection, and the snapshot of exactly its generation."""

    def __init__(self, reader: IndexReader, connection: Connection, snapshot: Snapshot) -> None:
        self._reader = reader
        self._connection = connection
        self.snapshot = snapshot

    def coverage(self, query: str) -> dict[str, Floats]:
        """(n,) coverage of a question in each of LEXICAL_FIELDS."""
        indexes = self._reader.lexical(self._connection, self.snapshot)
        return {field: indexes[field].coverage(terms) for field, terms in query_tokens(query).items()}

    def nodes(self, rows: Sequence[int]) -> list[BaseNode]:
        """The nodes of these rows, without vectors, in this order."""
        return [columns.decode() for columns in self.columns(rows)]

    def columns(self, rows: Sequence[int]) -> list[Columns]:
        """What these rows' nodes are made of, in this order."""
        seqs = self.snapshot.seqs[rows].tolist() if rows else []
        by_seq = select(self._connection, seqs)
        return [by_seq[seq] for seq in seqs]

    def result(self, hits: Hits) -> VectorStoreQueryResult:
        """Hits as LlamaIndex takes them: nodes, scores and ids in parallel lists, best first."""
        return VectorStoreQueryResult(
            nodes=self.nodes([row for row, _ in hits]),
            similarities=[score for _, score in hits],
            ids=[self.snapshot.ids[row] for row, _ in hits],
        )


class IndexReader:
    """Safe to use from several threads. What other processes commit or swap in is seen by the next call.

    `expected` (None: anything) is compared with the manifest of each file that becomes live: IndexMismatch.
    `wait`: seconds a write waits for another process's before IndexBusy.
    """

    def __init__(self, files: IndexFiles, expected: Manifest | None, wait: float) -> None:
        self.files = files
        self.expected = expected
        self._wait = wait
        self._lock = threading.RLock()
        self._closed = False
        self._opened: Database | None = None
        # Replaced as a whole, so that readers need no lock; those that replace it hold `_lock`.
        self._snapshot: Snapshot | None = None
        self._database()

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A connection that sees the index as it is now. Raises IndexMissing, IndexMismatch, StoreError."""
        with ExitStack() as stack:
            yield self._enter(stack, Database.read)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """The index as it is now. Raises IndexMissing, IndexMismatch, StoreError."""
        while True:
            with ExitStack() as stack:
                connection = self._enter(stack, Database.read)
                snapshot = self.snapshot(connection)
                # None: another thread has loaded a later generation since this connection began. Begin again, on that.
                if snapshot is not None:
                    yield Reading(self, connection, snapshot)
                    return

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction on the live file, committed if the block ends well. Raises IndexBusy."""
        with ExitStack() as stack:
            yield self._enter(stack, lambda database: database.write(self._wait))

    def snapshot(self, connection: Connection) -> Snapshot | None:
        """The snapshot of what `connection` sees; None if a later one exists already."""
        stem, (generation, _) = connection.stem, identity(connection)
        snapshot = self._snapshot
        if snapshot is not None and (snapshot.stem, snapshot.generation) == (stem, generation):
            return snapshot
        with self._lock:
            # `seq` numbers the rows of one file: a snapshot of another has nothing to take over.
            old = self._snapshot if self._snapshot is not None and self._snapshot.stem == stem else None
            if old is not None and old.generation >= generation:
                return old if old.generation == generation else None
            dimension = read_manifest(connection, self.files.name).dimension
            self._snapshot = load_snapshot(connection, generation, dimension, old)
            return self._snapshot

    def lexical(self, connection: Connection, snapshot: Snapshot) -> Mapping[str, LexicalIndex]:
        """The lexical indexes of `snapshot`, made at their first use: from the cache file, or from the texts."""
        if snapshot.lexical is None:
            with self._lock:
                if snapshot.lexical is None:
                    snapshot.lexical = self._make_lexical(connection)
        return snapshot.lexical

    def close(self) -> None:
        """Let go of connections and memory. Later calls raise StoreError."""
        with self._lock:
            self._closed = True
            self._snapshot = None
            if self._opened is not None:
                self._opened.close()

    def _make_lexical(self, connection: Connection) -> Mapping[str, LexicalIndex]:
        # The stamp, not the generation: a file restored from a copy counts its generations again.
        cache, (_, stamp) = self.files.cache(connection.stem), identity(connection)
        fields = load_lexical(cache, stamp)
        if fields is None:
            fields = {field: LexicalIndex.build(read_tokens(connection, field)) for field in LEXICAL_FIELDS}
            save_lexical(cache, stamp, fields)
        return fields

    def _enter(self, stack: ExitStack, begin: Callable[[Database], AbstractContextManager[Connection]]) -> Connection:
        """Begin on the live file; once more from the start if another became live meanwhile."""
        while True:
            database = self._database()
            with ExitStack() as attempt:
                try:
                    connection = attempt.enter_context(begin(database))
                except IndexMissing:
                    if self.files.current() == database.path.stem:
                        raise
                    continue
                # Asked after the transaction began: a swap between the two would send a write into the former index.
                if self.files.current() == database.path.stem:
                    stack.enter_context(attempt.pop_all())
                    return connection

    def _database(self) -> Database:
        """The live file, opened and its manifest checked when it is another than before."""
        if self._closed:
            raise StoreError(f"index {self.files.name!r} was closed: open it again")
        opened = self._opened
        if opened is not None and opened.path.stem == self.files.current():
            return opened
        with self._lock:
            while (stem := self.files.current()) != (self._opened and self._opened.path.stem):
                self._open(stem)
            assert self._opened is not None
            return self._opened

    def _open(self, stem: str) -> None:
        """Open and check this file, unless it is gone because two others became live in the meantime."""
        database = Database(self.files.database(stem))
        try:
            with database.read() as connection:
                manifest = read_manifest(connection, self.files.name)
                verify(connection, self.files.name)
        except IndexMissing:
            if self.files.current() == stem:
                raise
            return
        if self.expected is not None:
            manifest.check(self.expected, index=self.files.name)
        if self._opened is not None:
            self._opened.close()
        self._opened = database


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
        documents=old.documents.updated(keep, new.documents),
        columns=old.columns.updated(keep, new.metadata),
        dense=old.dense and old.dense.updated(keep, new.vectors),
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
    documents: list[Scalar | None]
    metadata: list[Mapping[str, Any]]
    vectors: NDArray[np.float32]

    @classmethod
    def read(cls, connection: Connection, after: int, count: int, dimension: int) -> NewRows:
        """The `count` rows written after seq `after`."""
        new = cls([], [], [], np.empty((count, dimension), np.float32))
        query = "SELECT id, ref_doc_id, metadata, vector FROM nodes WHERE seq > ? ORDER BY seq"
        for row, (node_id, document, metadata, vector) in enumerate(connection.execute(query, (after,))):
            new.ids.append(node_id)
            new.documents.append(scalar(document))
            new.metadata.append(json.loads(metadata))
            if dimension:
                new.vectors[row] = np.frombuffer(vector, np.float32)
        return new
