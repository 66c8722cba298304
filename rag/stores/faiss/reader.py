"""An open index: follows CURRENT to the live file, opens connections, and keeps the in-memory snapshot up to date."""

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
from rag.stores.faiss import loading
from rag.stores.faiss.approximate import ApproximateIndex
from rag.stores.faiss.checksums import VERIFY_MAX_BYTES, verify
from rag.stores.faiss.database import (
    Connection,
    Database,
    identity,
    read_manifest,
    select_nodes,
    select_vectors,
    seqs_of_documents,
)
from rag.stores.faiss.files import IndexFiles, load_lexical, save_lexical
from rag.stores.faiss.snapshot import CACHED_NODES, Hits, Snapshot
from rag.stores.node_codec import StoredNode

_VERIFY_BATCH: Final = 10_000
"""Vectors that `index verify` compares per batch."""
_log = logging.getLogger(__name__)


class ReadView:
    """A consistent view of the index for one call: a connection, and the snapshot of the same generation."""

    def __init__(self, reader: IndexReader, connection: Connection, snapshot: Snapshot) -> None:
        self._reader = reader
        self._connection = connection
        self.snapshot = snapshot

    def coverage(self, query: str) -> dict[str, Floats]:
        """Return for each of LEXICAL_FIELDS the coverage (n,) of a question, in [0, 1]."""
        indexes = self._reader.lexical(self._connection, self.snapshot)
        return {field: indexes[field].coverage(terms) for field, terms in query_tokens(query).items()}

    def nodes(self, rows: Sequence[int]) -> list[BaseNode]:
        """Read the nodes of these rows, in this order, without vectors. Raises IndexDamaged."""
        seqs = self.snapshot.seqs[rows].tolist() if rows else []
        by_seq = select_nodes(self._connection, seqs)
        return [by_seq[seq].decode() for seq in seqs]

    def candidates(self, rows: Sequence[int]) -> list[StoredNode]:
        """Return the nodes of these rows, in this order, reading those that were not read before. Raises IndexDamaged.

        A question has a hundred candidates, mostly those of the question before. What was verified stays in memory, where
        the disk cannot change it.
        """
        cached = self.snapshot.nodes
        known = {row: cached.get(row) for row in rows}
        if missing := [row for row, node in known.items() if node is None]:
            seqs = self.snapshot.seqs[missing].tolist()
            by_seq = select_nodes(self._connection, seqs)
            read = {row: by_seq[seq] for row, seq in zip(missing, seqs, strict=True)}
            if len(cached) + len(read) > CACHED_NODES:
                cached.clear()
            cached |= read
            known |= read
        return [node for node in known.values() if node is not None]

    def seqs_of_documents(self, ref_doc_ids: Sequence[str]) -> list[int]:
        """Return the `seq` numbers of the rows of these documents."""
        return seqs_of_documents(self._connection, ref_doc_ids)

    def check_vectors(self, hits: Hits) -> Hits:
        """Return `hits`. Raises IndexDamaged if their vectors differ from those in the database.

        Only an approximate index is checked, because it reads its vectors from a file of its own. The vectors of an exact
        index are copies of rows that were verified when the index was opened.
        """
        dense, rows = self.snapshot.dense, np.array([row for row, _ in hits], np.int64)
        if isinstance(dense, ApproximateIndex) and hits:
            seqs = self.snapshot.seqs[rows].tolist()
            written = select_vectors(self._connection, seqs)
            if b"".join(written[seq] for seq in seqs) != dense.vectors(rows).tobytes():
                self._reader.discard_search_files(self._connection)
                raise loading.damaged(self._reader.files.directory, "a vector differs from the one in the database")
        return hits

    def result(self, hits: Hits) -> VectorStoreQueryResult:
        """Convert hits to LlamaIndex's result: nodes, scores and ids in parallel lists, best first."""
        return VectorStoreQueryResult(
            nodes=self.nodes([row for row, _ in hits]),
            similarities=[score for _, score in hits],
            ids=[self.snapshot.ids[row] for row, _ in hits],
        )


class IndexReader:
    """Reads and writes the live file. Thread-safe. The next call sees what other processes commit or swap in.

    `expected` is compared with the manifest of each file that becomes live, and IndexMismatch is raised if they differ
    (None: no check). `wait`: seconds that a write waits for the write of another process before it raises IndexBusy.
    """

    def __init__(self, files: IndexFiles, expected: Manifest | None, wait: float) -> None:
        self.files = files
        self.expected = expected
        self._wait = wait
        self._lock = threading.RLock()
        self._closed = False
        self._opened: Database | None = None
        # Replaced as a whole, so that readers need no lock. Whoever replaces it holds `_lock`.
        self._snapshot: Snapshot | None = None
        self._wrote = False
        self._database()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Yield a connection in a read transaction. Raises IndexMissing, IndexMismatch, StoreError."""
        with ExitStack() as stack:
            yield self._begin(stack, Database.read)

    @contextmanager
    def read(self) -> Iterator[ReadView]:
        """Yield a view of the current state of the index. Raises IndexMissing, IndexMismatch, StoreError."""
        while True:
            with ExitStack() as stack:
                connection = self._begin(stack, Database.read)
                snapshot = self.snapshot(connection)
                # None: another thread has loaded a later generation since this transaction began. Try again with that one.
                if snapshot is not None:
                    yield ReadView(self, connection, snapshot)
                    return

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in a write transaction on the live file, committed on success. Raises IndexBusy."""
        with ExitStack() as stack:
            connection = self._begin(stack, lambda database: database.write(self._wait))
            self._wrote = True
            # Load the search files of a large index before they are out of date: the next snapshot is then an update
            # of this one and not a full build.
            if self._search_files(connection).exists():
                self.snapshot(connection)
            yield connection

    def snapshot(self, connection: Connection) -> Snapshot | None:
        """Return the snapshot of the state that `connection` sees; None if a later snapshot is already loaded."""
        stem, (generation, _) = connection.stem, identity(connection)
        snapshot = self._snapshot
        if snapshot is not None and (snapshot.stem, snapshot.generation) == (stem, generation):
            return snapshot
        with self._lock:
            # `seq` numbers are per file, so a snapshot of another file cannot be updated.
            old = self._snapshot if self._snapshot is not None and self._snapshot.stem == stem else None
            if old is not None and old.generation >= generation:
                return old if old.generation == generation else None
            folder = self._search_files(connection)
            snapshot = loading.load(folder, stem, generation) if old is None else None
            if snapshot is None:
                dimension = read_manifest(connection, self.files.name).dimension
                snapshot = loading.load_snapshot(connection, generation, dimension, old)
                # Save an index that was just built. Later changes are saved by `close` of the process that makes them.
                if isinstance(snapshot.dense, ApproximateIndex) and not snapshot.dense.is_stored:
                    lexical = snapshot.lexical
                    if loading.save(folder, snapshot):  # then load it, to release the vectors in memory
                        snapshot = loading.load(folder, stem, generation) or snapshot
                        snapshot.lexical = lexical
            self._snapshot = snapshot
            return snapshot

    def lexical(self, connection: Connection, snapshot: Snapshot) -> Mapping[str, LexicalIndex]:
        """Return the lexical indexes of `snapshot`, loaded on first use from the cache file or built from the texts."""
        if snapshot.lexical is None:
            with self._lock:
                if snapshot.lexical is None:
                    snapshot.lexical = self._load_lexical(connection)
        return snapshot.lexical

    def discard_search_files(self, connection: Connection) -> None:
        """Remove the search files and the snapshot that was loaded from them."""
        shutil.rmtree(self._search_files(connection), ignore_errors=True)
        self._snapshot = None

    def verify(self) -> tuple[int, int]:
        """See `rag.stores.faiss.checksums.verify`. Also removes search files whose vectors differ from the rows."""
        with self.connect() as connection:
            counts = verify(connection, self.files.name)
            snapshot = self.snapshot(connection)
            if snapshot is not None and isinstance(snapshot.dense, ApproximateIndex):
                for start in range(0, len(snapshot.ids), _VERIFY_BATCH):
                    rows = range(start, min(start + _VERIFY_BATCH, len(snapshot.ids)))
                    ReadView(self, connection, snapshot).check_vectors([(row, 0.0) for row in rows])
            return counts

    def close(self) -> None:
        """Release connections and memory. Later calls raise StoreError."""
        if self._wrote and self._snapshot is not None and isinstance(self._snapshot.dense, ApproximateIndex):
            self._save_search_files()
        with self._lock:
            self._closed = True
            self._snapshot = None
            if self._opened is not None:
                self._opened.close()

    def _search_files(self, connection: Connection) -> Path:
        return self.files.search_files(connection.stem, identity(connection)[1])

    def _save_search_files(self) -> None:
        """Save the search files of the current state, so that the next process need not build them, and remove older ones."""
        with suppress(StoreError), self.connect() as connection:
            snapshot = self.snapshot(connection)
            if snapshot is not None and isinstance(snapshot.dense, ApproximateIndex):
                folder = self._search_files(connection)
                if loading.save(folder, snapshot):
                    self.files.remove_other_search_files(folder)

    def _load_lexical(self, connection: Connection) -> Mapping[str, LexicalIndex]:
        # Keyed by the stamp and not the generation: a file restored from a copy repeats generation numbers.
        cache, (_, stamp) = self.files.cache(connection.stem), identity(connection)
        fields = load_lexical(cache, stamp)
        if fields is None:
            fields = {field: LexicalIndex.build(loading.read_tokens(connection, field)) for field in LEXICAL_FIELDS}
            save_lexical(cache, stamp, fields)
        return fields

    def _begin(self, stack: ExitStack, begin: Callable[[Database], AbstractContextManager[Connection]]) -> Connection:
        """Begin a transaction on the live file; start again if another file became live meanwhile."""
        database = self._opened if self._opened is not None and not self._closed else self._database()
        while True:
            with ExitStack() as attempt:
                try:
                    connection = attempt.enter_context(begin(database))
                except IndexMissing:
                    if self.files.current() == database.path.stem:
                        raise
                else:
                    # Checked when the transaction has begun: after a swap, a write would go to the previous index.
                    if self.files.current() == database.path.stem:
                        stack.enter_context(attempt.pop_all())
                        return connection
            database = self._database()

    def _database(self) -> Database:
        """Return the live file. Opens it and checks its manifest if it is not the file of the last call."""
        if self._closed:
            raise StoreError(f"index {self.files.name!r} is closed: open it again")
        opened = self._opened
        if opened is not None and opened.path.stem == self.files.current():
            return opened
        with self._lock:
            while (stem := self.files.current()) != (self._opened and self._opened.path.stem):
                self._open(stem)
            assert self._opened is not None
            return self._opened

    def _open(self, stem: str) -> None:
        """Open and check this file. Does nothing if it was removed because two newer files became live meanwhile."""
        database = Database(self.files.database(stem))
        try:
            with database.read() as connection:
                manifest = read_manifest(connection, self.files.name)
                if database.path.stat().st_size <= VERIFY_MAX_BYTES:
                    verify(connection, self.files.name)
                else:
                    _log.info(
                        "skipping the verification of index %r because it is large; run `python -m rag index verify %s`",
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
