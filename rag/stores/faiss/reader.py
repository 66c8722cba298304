"""An open index: follows CURRENT to the live file, hands out connections, and keeps the snapshot in memory up to date."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import numpy as np
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import VectorStoreQueryResult

from rag.errors import IndexMissing, StoreError
from rag.stores.base import LEXICAL_FIELDS, Manifest
from rag.stores.bm25 import Floats, LexicalIndex, query_tokens
from rag.stores.faiss import search_files
from rag.stores.faiss.approximate import ApproximateIndex
from rag.stores.faiss.checksums import VERIFIED_BYTES, verify
from rag.stores.faiss.database import (
    Connection,
    Database,
    documents,
    identity,
    of_documents,
    read_manifest,
    select,
    vectors,
)
from rag.stores.faiss.files import IndexFiles, load_lexical, save_lexical
from rag.stores.faiss.loading import load_snapshot, read_tokens
from rag.stores.faiss.snapshot import Hits, Snapshot
from rag.stores.node_codec import Columns

_VERIFIED: Final = 10_000
"""Vectors compared at once by `index verify`."""
_log = logging.getLogger(__name__)


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

    def documents(self, rows: Sequence[int]) -> list[str]:
        """The document of each of these rows; of a node without one its own id."""
        seqs = self.snapshot.seqs[rows].tolist() if rows else []
        by_seq = documents(self._connection, seqs)
        return [by_seq[seq] or self.snapshot.ids[row] for seq, row in zip(seqs, rows, strict=True)]

    def of_documents(self, ref_doc_ids: Sequence[str]) -> list[int]:
        """The `seq`s of the rows of these documents."""
        return of_documents(self._connection, ref_doc_ids)

    def check_vectors(self, hits: Hits) -> Hits:
        """`hits`, scored by the vectors that were written. Raises IndexDamaged.

        Of a large index only: the rows of others were checked when it was opened, and their vectors are copies of these.
        """
        dense, rows = self.snapshot.dense, np.array([row for row, _ in hits], np.int64)
        if isinstance(dense, ApproximateIndex) and hits:
            seqs = self.snapshot.seqs[rows].tolist()
            written = vectors(self._connection, seqs)
            if b"".join(written[seq] for seq in seqs) != dense.vectors(rows).tobytes():
                self._reader.discard(self._connection)
                raise search_files.torn(self._reader.files.directory, "a vector is not what was written")
        return hits

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
        self._wrote = False
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
            connection = self._enter(stack, lambda database: database.write(self._wait))
            self._wrote = True
            # Of many rows, what searches them is carried on from here; without it, it would be built from the start.
            if self._search_files(connection).exists():
                self.snapshot(connection)
            yield connection

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
            folder = self._search_files(connection)
            snapshot = search_files.load(folder, stem, generation) if old is None else None
            if snapshot is None:
                dimension = read_manifest(connection, self.files.name).dimension
                snapshot = load_snapshot(connection, generation, dimension, old)
                # Written where it was built; what has changed since is written by whoever changed it, at the end.
                if isinstance(snapshot.dense, ApproximateIndex) and not snapshot.dense.is_stored:
                    lexical = snapshot.lexical
                    if search_files.save(folder, snapshot):  # and let go of the vectors
                        snapshot = search_files.load(folder, stem, generation) or snapshot
                        snapshot.lexical = lexical
            self._snapshot = snapshot
            return snapshot

    def lexical(self, connection: Connection, snapshot: Snapshot) -> Mapping[str, LexicalIndex]:
        """The lexical indexes of `snapshot`, made at their first use: from the cache file, or from the texts."""
        if snapshot.lexical is None:
            with self._lock:
                if snapshot.lexical is None:
                    snapshot.lexical = self._make_lexical(connection)
        return snapshot.lexical

    def discard(self, connection: Connection) -> None:
        """Remove the search files, and forget what came from them."""
        shutil.rmtree(self._search_files(connection), ignore_errors=True)
        self._snapshot = None

    def verify(self) -> tuple[int, int]:
        """See `rag.stores.faiss.checksums.verify`; search files that are not what the rows say are removed too."""
        with self.connected() as connection:
            counts = verify(connection, self.files.name)
            snapshot = self.snapshot(connection)
            if snapshot is not None and isinstance(snapshot.dense, ApproximateIndex):
                for start in range(0, len(snapshot.ids), _VERIFIED):
                    rows = range(start, min(start + _VERIFIED, len(snapshot.ids)))
                    Reading(self, connection, snapshot).check_vectors([(row, 0.0) for row in rows])
            return counts

    def close(self) -> None:
        """Let go of connections and memory. Later calls raise StoreError."""
        if self._wrote and self._snapshot is not None and isinstance(self._snapshot.dense, ApproximateIndex):
            self._keep_search_files()
        with self._lock:
            self._closed = True
            self._snapshot = None
            if self._opened is not None:
                self._opened.close()

    def _search_files(self, connection: Connection) -> Path:
        return self.files.search_files(connection.stem, identity(connection)[1])

    def _keep_search_files(self) -> None:
        """What was written changed the rows or the manifest: the next process finds the files of this state, not of the last."""
        with suppress(StoreError), self.connected() as connection:
            snapshot = self.snapshot(connection)
            if snapshot is not None and isinstance(snapshot.dense, ApproximateIndex):
                folder = self._search_files(connection)
                if search_files.save(folder, snapshot):
                    self.files.keep_search_files(folder)

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
                if database.path.stat().st_size <= VERIFIED_BYTES:
                    verify(connection, self.files.name)
                else:
                    _log.info(
                        "index %r is too large to be checked when it is opened; run `python -m rag index verify %s`",
                        *(self.files.name, self.files.name),
                    )
        except IndexMissing:
            if self.files.current() == stem:
                raise
            return
        if self.expected is not None:
            manifest.check(self.expected, index=self.files.name)
        if self._opened is not None:
            self._opened.close()
        self._opened = database
