"""One SQLite file: its tables, a pool of connections, read and write transactions. Does not interpret vectors.

Uses write-ahead logging: readers never wait for a writer, and a write is complete or absent whenever the process dies.
`meta.generation` counts the writes. `meta.stamp` is a random number for each write, so that it differs even after the file
was restored from an older copy. `nodes.seq` identifies one version of a node: an upsert assigns a new, higher number, and
numbers are never used again.
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
from rag.stores.faiss.checksums import (
    CHECKSUM_COLUMNS,
    append_checksum,
    has_checksums,
    index_damaged,
    passage_checksum,
    vector_checksum,
    verify_checksum,
)
from rag.stores.node_codec import Row, StoredNode

_APPLICATION_ID = 0x46534951
_READ_WAIT = 10.0
"""Seconds that a reader waits, which happens only while another process recovers or closes the write-ahead log."""

_TABLES = f"""
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1), manifest TEXT NOT NULL, generation INTEGER NOT NULL, stamp INTEGER NOT NULL
);
CREATE TABLE nodes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, ref_doc_id TEXT, content_hash TEXT NOT NULL,
    fingerprint TEXT NOT NULL, metadata TEXT NOT NULL, extra TEXT NOT NULL, text TEXT NOT NULL, vector BLOB,
    shown_checksum BLOB, found_checksum BLOB
);
CREATE INDEX nodes_state ON nodes (ref_doc_id, id, content_hash, fingerprint);
COMMIT;
"""


_UPSERT = """
INSERT OR REPLACE INTO nodes (
    id, ref_doc_id, content_hash, fingerprint, metadata, extra, text, vector, shown_checksum, found_checksum
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class Connection(sqlite3.Connection):
    """A connection with the name of its file (`stem`, without folder and suffix) and of its index."""

    stem = ""
    index = ""


class Database:
    """A pool of connections to one file. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[Connection] = []
        self._closed = False
        self._writing = threading.Lock()

    @classmethod
    def create(cls, path: Path, manifest: Manifest) -> Database:
        """Create a file without nodes. Raises StoreError if it cannot be written."""
        # Connections never create a file: otherwise a deleted index would appear as an empty one.
        path.touch(exist_ok=False)
        database = cls(path)
        with database._connection() as connection:
            connection.executescript(_TABLES)
            connection.execute("INSERT INTO meta VALUES (1, '', 0, random())")
            write_manifest(connection, manifest)
        return database

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection in a read transaction, which does not see later writes."""
        with self._connection() as connection:
            # A deferred transaction sees one state of the file, from its first read on.
            connection.execute("BEGIN")
            yield connection
            connection.execute("ROLLBACK")

    @contextmanager
    def write(self, wait: float) -> Iterator[Connection]:
        """Yield a connection in a write transaction, committed on success.

        Raises IndexBusy if another write does not end within `wait` seconds.
        """
        with self.lock(wait) as connection:
            yield connection
            connection.execute("UPDATE meta SET generation = generation + 1, stamp = random()")
            connection.execute("COMMIT")

    @contextmanager
    def lock(self, wait: float) -> Iterator[Connection]:
        """Keep all other writers out. Rolls back what the block does not commit. Raises IndexBusy as `write` does."""
        # Threads of one process wait for this lock: SQLite polls while it waits, and may starve one of them.
        with self._writing, self._connection() as connection:
            connection.execute(f"PRAGMA busy_timeout = {round(wait * 1000)}")
            # IMMEDIATE: a transaction that begins as a reader cannot start to write after another connection has written.
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.execute(f"PRAGMA busy_timeout = {round(_READ_WAIT * 1000)}")

    def copy(self, path: Path) -> None:
        """Copy all committed content to a new file."""
        with self.read() as source, Database(path)._connection(create=True) as target:
            source.backup(target)

    def close(self) -> None:
        """Close idle connections now, and connections in use when they are returned to the pool."""
        self._closed = True
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
            # A connection whose block failed may have an open transaction, so it is not used again.
            healthy = False
            try:
                yield connection
                healthy = True
            finally:
                if healthy and not self._closed:
                    self._idle.append(connection)
                else:
                    connection.close()  # rolls back an open transaction

    def _connect(self, *, create: bool) -> Connection:
        uri = f"{self.path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
        connection = sqlite3.connect(
            # isolation_level None: Python starts no transactions. check_same_thread False: the pool passes a connection
            # from thread to thread, but only one thread uses it at a time.
            uri,
            uri=True,
            timeout=_READ_WAIT,
            isolation_level=None,
            check_same_thread=False,
            factory=Connection,
        )
        connection.stem, connection.index = self.path.stem, self.path.parent.name
        # In WAL mode this survives the death of the process. A power failure may undo the last commits, but only whole.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection


def read_manifest(connection: Connection, index: str) -> Manifest:
    """Read the manifest. Raises IndexMismatch for another schema, StoreError for a file of another program."""
    if connection.execute("PRAGMA application_id").fetchone() != (_APPLICATION_ID,):
        raise StoreError(
            f"the file of index {index!r} was not written by this program: ingest its files again into another index"
        )
    (written,) = connection.execute("SELECT manifest FROM meta").fetchone() or (None,)
    try:
        return Manifest.from_json(json.loads(verify_checksum(written, index)), index=index)
    except (ValueError, TypeError, AttributeError) as exc:  # possible in a file of an earlier version, without checksum
        raise index_damaged(index, f"its manifest cannot be read: {exc}") from exc


def write_manifest(connection: Connection, manifest: Manifest) -> None:
    """Replace the manifest, in the open transaction of `connection`."""
    connection.execute(
        "UPDATE meta SET manifest = ?", (append_checksum(json.dumps(manifest.as_json(), ensure_ascii=False)),)
    )


def identity(connection: Connection) -> tuple[int, int]:
    """Return (generation, stamp) of the state that `connection` sees."""
    generation, stamp = connection.execute("SELECT generation, stamp FROM meta").fetchone()
    return generation, stamp


def upsert(connection: Connection, rows: Iterable[Row]) -> None:
    """Insert rows, replacing those with the same id. Each row gets a new `seq`."""
    if not has_checksums(connection):  # a file of an earlier version
        for column in CHECKSUM_COLUMNS:
            connection.execute(f"ALTER TABLE nodes ADD COLUMN {column} BLOB")
    connection.executemany(
        _UPSERT,
        (
            (
                *row,
                passage_checksum(row.id, row.metadata, row.extra, row.text),
                vector_checksum(row.ref_doc_id, row.content_hash, row.fingerprint, row.vector),
            )
            for row in rows
        ),
    )


def select_nodes(connection: Connection, seqs: Sequence[int]) -> dict[int, StoredNode]:
    """Return the nodes of these versions by `seq`. Raises IndexDamaged if one does not match its checksum."""
    # The numbers are passed as one JSON parameter because SQLite limits the number of parameters.
    checksum = CHECKSUM_COLUMNS[0] if has_checksums(connection) else "NULL"
    query = (
        f"SELECT seq, ref_doc_id, {checksum}, id, metadata, extra, text FROM nodes "  # noqa: S608
        "WHERE seq IN (SELECT value FROM json_each(?))"
    )
    nodes = {}
    for seq, document_id, expected, node_id, *shown in connection.execute(query, (json.dumps(seqs),)):
        # Checked again although the file was verified when it was opened: the disk may have changed since.
        if expected is not None and passage_checksum(node_id, *shown) != expected:
            raise index_damaged(connection.index, f"row {str(node_id)[:80]!r} does not match its checksum")
        nodes[seq] = StoredNode(node_id, document_id, *shown)
    return nodes


def seqs_of_documents(connection: Connection, ref_doc_ids: Sequence[str]) -> list[int]:
    """Return the `seq` numbers of the versions that belong to these documents."""
    query = "SELECT seq FROM nodes WHERE ref_doc_id IN (SELECT value FROM json_each(?))"
    return [seq for (seq,) in connection.execute(query, (json.dumps(ref_doc_ids),))]


def select_vectors(connection: Connection, seqs: Sequence[int]) -> dict[int, bytes]:
    """Return the vectors (float32 bytes) of these versions by `seq`.

    Raises IndexDamaged if one does not match its checksum.
    """
    if not has_checksums(connection):
        query = "SELECT seq, vector FROM nodes WHERE seq IN (SELECT value FROM json_each(?))"
        return dict(connection.execute(query, (json.dumps(seqs),)))
    query = (
        "SELECT seq, id, ref_doc_id, content_hash, fingerprint, vector, found_checksum FROM nodes "
        "WHERE seq IN (SELECT value FROM json_each(?))"
    )
    rows = {}
    for seq, node_id, *parts, expected in connection.execute(query, (json.dumps(seqs),)):
        if expected is not None and vector_checksum(*parts) != expected:
            raise index_damaged(connection.index, f"row {str(node_id)[:80]!r} does not match its checksum")
        rows[seq] = parts[-1]
    return rows


def delete(connection: Connection, seqs: Sequence[int]) -> None:
    """Delete these versions. Unknown numbers are not an error."""
    connection.execute("DELETE FROM nodes WHERE seq IN (SELECT value FROM json_each(?))", (json.dumps(seqs),))


@contextmanager
def _translate_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        raise _translate(exc, path) from exc


def _translate(exc: sqlite3.Error, path: Path) -> StoreError:
    match getattr(exc, "sqlite_errorcode", 0) & 0xFF:  # the primary code; the other bytes are details
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return IndexBusy(f"another process is writing the index in {path.parent}: try again when it is done")
        case sqlite3.SQLITE_CANTOPEN:
            return IndexMissing(f"the index file {path} is missing or may not be read: ingest its files again")
        case sqlite3.SQLITE_FULL:
            return StoreError(f"no disk space is left for the index in {path.parent}: free some and try again")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return index_damaged(path.parent.name, str(exc))
    if "decode to UTF-8" in str(exc):  # the message of `exc` would include the whole text
        return index_damaged(path.parent.name, "a text in it is not UTF-8")
    return StoreError(f"the index file {path} cannot be used ({exc}): ingest its files again if it is damaged")
