"""An open index: follows CURRENT to the live file, hands out connections, and keeps the view in memory up to date."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import VectorStoreQueryResult

from rag.errors import IndexMissing, StoreError
from rag.stores.base import LEXICAL_FIELDS, Manifest
from rag.stores.bm25 import Floats, LexicalIndex, query_tokens
from rag.stores.faiss import bm25_cache as lexical_cache
from rag.stores.faiss.database import Connection, Database, identity, read_manifest, select
from rag.stores.faiss.files import IndexFiles
from rag.stores.faiss.snapshot import Hits, Snapshot, load, read_tokens
from rag.stores.node_codec import Columns


class Reading:
    """What one call sees: a connection, and the view of exactly its generation."""

    def __init__(self, live: IndexReader, connection: Connection, view: Snapshot) -> None:
        self._live = live
        self._connection = connection
        self.view = view

    def coverage(self, query: str) -> dict[str, Floats]:
        """(n,) coverage of a question in each of LEXICAL_FIELDS."""
        indexes = self._live.lexical(self._connection, self.view)
        return {field: indexes[field].coverage(terms) for field, terms in query_tokens(query).items()}

    def nodes(self, rows: Sequence[int]) -> list[BaseNode]:
        """The nodes of these rows, without vectors, in this order."""
        return [columns.decode() for columns in self.columns(rows)]

    def columns(self, rows: Sequence[int]) -> list[Columns]:
        """What these rows' nodes are made of, in this order."""
        seqs = self.view.seqs[rows].tolist() if rows else []
        found = select(self._connection, seqs)
        return [found[seq] for seq in seqs]

    def result(self, hits: Hits) -> VectorStoreQueryResult:
        """Hits as LlamaIndex wants them."""
        return VectorStoreQueryResult(
            nodes=self.nodes([row for row, _ in hits]),
            similarities=[score for _, score in hits],
            ids=[self.view.ids[row] for row, _ in hits],
        )


class IndexReader:
    """Safe to use from several threads. What other processes commit or swap in is seen by the next call.

    `expected` (None: anything) is compared with the manifest of each file that becomes live: IndexMismatch.
    """

    def __init__(self, files: IndexFiles, expected: Manifest | None, wait: float) -> None:
        self.files = files
        self.expected = expected
        self._wait = wait
        self._lock = threading.RLock()
        self._closed = False
        self._opened: Database | None = None
        self._view: Snapshot | None = None
        self._database()

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A connection that sees the index as it is now."""
        with ExitStack() as stack:
            yield self._enter(stack, Database.read)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """The index as it is now."""
        while True:
            with ExitStack() as stack:
                connection = self._enter(stack, Database.read)
                view = self.view(connection)
                if view is not None:
                    yield Reading(self, connection, view)
                    return

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction on the live file, committed if the block ends well. Raises IndexBusy."""
        with ExitStack() as stack:
            yield self._enter(stack, lambda database: database.write(self._wait))

    def view(self, connection: Connection) -> Snapshot | None:
        """The view of what `connection` sees; None if a later one exists already."""
        stem, (generation, _) = connection.stem, identity(connection)
        view = self._view
        if view is not None and (view.stem, view.generation) == (stem, generation):
            return view
        with self._lock:
            old = self._view if self._view is not None and self._view.stem == stem else None
            if old is not None and old.generation >= generation:
                return old if old.generation == generation else None
            dimension = read_manifest(connection, self.files.name).dimension
            self._view = load(connection, generation, dimension, old)
            return self._view

    def lexical(self, connection: Connection, view: Snapshot) -> Mapping[str, LexicalIndex]:
        """The lexical indexes of `view`, made at their first use: from the cache file, or from the texts."""
        if view.lexical is None:
            with self._lock:
                if view.lexical is None:
                    view.lexical = self._make_lexical(connection)
        return view.lexical

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._view = None
            if self._opened is not None:
                self._opened.close()

    def _make_lexical(self, connection: Connection) -> Mapping[str, LexicalIndex]:
        cache, (_, stamp) = self.files.cache(connection.stem), identity(connection)
        fields = lexical_cache.load(cache, stamp)
        if fields is None:
            fields = {field: LexicalIndex.build(read_tokens(connection, field)) for field in LEXICAL_FIELDS}
            lexical_cache.save(cache, stamp, fields)
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
        except IndexMissing:
            if self.files.current() == stem:
                raise
            return
        if self.expected is not None:
            manifest.check(self.expected, index=self.files.name)
        if self._opened is not None:
            self._opened.close()
        self._opened = database
