"""One SQLite file: its tables, a pool of connections, read snapshots and write transactions. Knows nothing of vectors.

Write-ahead logging: readers never wait for a writer, a write is wholly there or not at all, whenever the process dies.
`meta.generation` counts the writes; `meta.stamp` names one, also where the file was restored from an older copy.
A node's `seq` names one version of it: an upsert takes a new, higher number, and none is ever used twice.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.errors import IndexBusy, IndexMissing, StoreError
from rag.stores.base import Manifest
from rag.stores.node_codec import Columns, Row

_APPLICATION_ID = 0x46534951
_READ_WAIT = 10.0
"""Seconds. A reader waits only while another process recovers or closes the write-ahead log."""

_TABLES = f"""
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1), manifest TEXT NOT NULL, generation INTEGER NOT NULL, stamp INTEGER NOT NULL
);
CREATE TABLE nodes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, ref_doc_id TEXT, content_hash TEXT NOT NULL,
    fingerprint TEXT NOT NULL, metadata TEXT NOT NULL, extra TEXT NOT NULL, text TEXT NOT NULL, vector BLOB
);
CREATE INDEX nodes_state ON nodes (ref_doc_id, id, content_hash, fingerprint);
COMMIT;
"""


_UPSERT = """
INSERT OR REPLACE INTO nodes (id, ref_doc_id, content_hash, fingerprint, metadata, extra, text, vector)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""


class Connection(sqlite3.Connection):
    """Knows the name of its file, without folder and suffix."""

    stem = ""


class Database:
    """A pool of connections to one file. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[Connection] = []
        self._retired = False
        self._writing = threading.Lock()

    @classmethod
    def create(cls, path: Path, manifest: Manifest) -> Database:
        """A new file holding no nodes. Raises StoreError where it cannot be written."""
        # Connections never create a file, so that a deleted index is missing and not suddenly empty.
        path.touch(exist_ok=False)
        database = cls(path)
        with database._connection() as connection:
            connection.executescript(_TABLES)
            content = json.dumps(manifest.as_json(), ensure_ascii=False)
            connection.execute("INSERT INTO meta VALUES (1, ?, 0, random())", (content,))
        return database

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees the file as it is now, whatever is written meanwhile."""
        with self._connection() as connection:
            # A deferred transaction: from its first read on it sees one state of the file.
            connection.execute("BEGIN")
            yield connection
            connection.execute("ROLLBACK")

    @contextmanager
    def write(self, wait: float) -> Iterator[Connection]:
        """One transaction, committed if the block ends well. Raises IndexBusy after `wait` seconds behind another one."""
        with self.lock(wait) as connection:
            yield connection
            connection.execute("UPDATE meta SET generation = generation + 1, stamp = random()")
            connection.execute("COMMIT")

    @contextmanager
    def lock(self, wait: float) -> Iterator[Connection]:
        """Keep every other writer out. What the block does not commit is undone."""
        # Threads of one process wait for each other here: SQLite's own waiting polls, and may starve one of them.
        with self._writing, self._connection() as connection:
            connection.execute(f"PRAGMA busy_timeout = {round(wait * 1000)}")
            # At once: a transaction that begins as a reader cannot become a writer after another has written.
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.execute(f"PRAGMA busy_timeout = {round(_READ_WAIT * 1000)}")

    def copy(self, path: Path) -> None:
        """Write all committed content to a new file, as of now."""
        with self.read() as source, Database(path)._connection(create=True) as target:
            source.backup(target)

    def close(self) -> None:
        """Close idle connections now and borrowed ones when they come back."""
        self._retired = True
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    @contextmanager
    def _connection(self, *, create: bool = False) -> Iterator[Connection]:
        with _translate_errors(self.path):
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect(create=create)
            # One whose block failed may be in the middle of anything; it is not used again.
            healthy = False
            try:
                yield connection
                healthy = True
            finally:
                if healthy and not self._retired:
                    self._idle.append(connection)
                else:
                    connection.close()  # undoes what it had begun

    def _connect(self, *, create: bool) -> Connection:
        uri = f"{self.path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
        connection = sqlite3.connect(
            # No transactions of Python's making; and a connection goes from thread to thread, but to one at a time.
            uri,
            uri=True,
            timeout=_READ_WAIT,
            isolation_level=None,
            check_same_thread=False,
            factory=Connection,
        )
        connection.stem = self.path.stem
        # In WAL mode safe against a process's death. A power cut may undo the last commits, never tear one.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection


def read_manifest(connection: Connection, index: str) -> Manifest:
    """The manifest of an open file. Raises IndexMismatch for a file of another schema, StoreError for a foreign one."""
    if connection.execute("PRAGMA application_id").fetchone() != (_APPLICATION_ID,):
        raise StoreError(f"index {index!r} is not a file of this program: ingest again into another index")
    content = json.loads(connection.execute("SELECT manifest FROM meta").fetchone()[0])
    return Manifest.from_json(content, index=index)


def write_manifest(connection: Connection, manifest: Manifest) -> None:
    """Replace the manifest, within the connection's transaction."""
    connection.execute("UPDATE meta SET manifest = ?", (json.dumps(manifest.as_json(), ensure_ascii=False),))


def identity(connection: Connection) -> tuple[int, int]:
    """(generation, stamp) of what the connection sees."""
    generation, stamp = connection.execute("SELECT generation, stamp FROM meta").fetchone()
    return generation, stamp


def upsert(connection: Connection, rows: Iterable[Row]) -> None:
    """Write these rows; one of an id that is there already replaces it, under a new `seq`."""
    connection.executemany(_UPSERT, rows)


def select(connection: Connection, seqs: Sequence[int]) -> dict[int, Columns]:
    """The columns of these versions, by seq."""
    # A list as one parameter: SQLite takes a limited number of them.
    query = "SELECT seq, id, metadata, extra, text FROM nodes WHERE seq IN (SELECT value FROM json_each(?))"
    return {seq: Columns(*columns) for seq, *columns in connection.execute(query, (json.dumps(seqs),))}


def delete(connection: Connection, seqs: Sequence[int]) -> None:
    """Delete these versions; unknown numbers are no error."""
    connection.execute("DELETE FROM nodes WHERE seq IN (SELECT value FROM json_each(?))", (json.dumps(seqs),))


@contextmanager
def _translate_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        raise _translate(exc, path) from exc


def _translate(exc: sqlite3.Error, path: Path) -> StoreError:
    match getattr(exc, "sqlite_errorcode", 0) & 0xFF:  # the low byte; the others say where in SQLite it happened
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return IndexBusy(f"another process is writing the index in {path.parent}: try again when it is done")
        case sqlite3.SQLITE_CANTOPEN:
            return IndexMissing(f"the index file {path} is missing or may not be read: ingest its files again")
        case sqlite3.SQLITE_FULL:
            return StoreError(f"no space is left for the index in {path.parent}: free some, then write again")
    return StoreError(f"the index file {path} cannot be used ({exc}): ingest its files again if it is damaged")
