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
from rag.stores.faiss.checksums import COLUMNS, damaged, found_checksum, has_checksums, seal, shown_checksum, unseal
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
    """Knows the name of its file, without folder and suffix, and of the index it belongs to."""

    stem = ""
    index = ""


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
            connection.execute("INSERT INTO meta VALUES (1, '', 0, random())")
            write_manifest(connection, manifest)
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
        connection.stem, connection.index = self.path.stem, self.path.parent.name
        # In WAL mode safe against a process's death. A power cut may undo the last commits, never tear one.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection


def read_manifest(connection: Connection, index: str) -> Manifest:
    """The manifest of an open file. Raises IndexMismatch for a file of another schema, StoreError for a foreign one."""
    if connection.execute("PRAGMA application_id").fetchone() != (_APPLICATION_ID,):
        raise StoreError(f"index {index!r} is not a file of this program: ingest again into another index")
    (written,) = connection.execute("SELECT manifest FROM meta").fetchone() or (None,)
    try:
        return Manifest.from_json(json.loads(unseal(written, index)), index=index)
    except (ValueError, TypeError, AttributeError) as exc:  # of an earlier version, without a checksum
        raise damaged(index, f"its manifest cannot be read: {exc}") from exc


def write_manifest(connection: Connection, manifest: Manifest) -> None:
    """Replace the manifest, within the connection's transaction."""
    connection.execute("UPDATE meta SET manifest = ?", (seal(json.dumps(manifest.as_json(), ensure_ascii=False)),))


def identity(connection: Connection) -> tuple[int, int]:
    """(generation, stamp) of what the connection sees."""
    generation, stamp = connection.execute("SELECT generation, stamp FROM meta").fetchone()
    return generation, stamp


def upsert(connection: Connection, rows: Iterable[Row]) -> None:
    """Write these rows; one of an id that is there already replaces it, under a new `seq`."""
    if not has_checksums(connection):  # a file of an earlier version
        for column in COLUMNS:
            connection.execute(f"ALTER TABLE nodes ADD COLUMN {column} BLOB")
    connection.executemany(
        _UPSERT,
        (
            (
                *row,
                shown_checksum(row.id, row.metadata, row.extra, row.text),
                found_checksum(row.ref_doc_id, row.content_hash, row.fingerprint, row.vector),
            )
            for row in rows
        ),
    )


def select(connection: Connection, seqs: Sequence[int]) -> dict[int, Columns]:
    """The columns of these versions, by seq. Raises IndexDamaged for one that is not what was written."""
    # A list as one parameter: SQLite takes a limited number of them.
    written = COLUMNS[0] if has_checksums(connection) else "NULL"
    query = f"SELECT seq, id, metadata, extra, text, {written} FROM nodes WHERE seq IN (SELECT value FROM json_each(?))"  # noqa: S608
    rows = {}
    for seq, *columns, expected in connection.execute(query, (json.dumps(seqs),)):
        # Here too, though the file was verified when it was opened: the disk may have changed since.
        if expected is not None and shown_checksum(*columns) != expected:
            raise damaged(connection.index, f"row {str(columns[0])[:80]!r} is not what was written")
        rows[seq] = Columns(*columns)
    return rows


def documents(connection: Connection, seqs: Sequence[int]) -> dict[int, str | None]:
    """The document of each of these versions, if it has one."""
    query = "SELECT seq, ref_doc_id FROM nodes WHERE seq IN (SELECT value FROM json_each(?))"
    return dict(connection.execute(query, (json.dumps(seqs),)))


def of_documents(connection: Connection, ref_doc_ids: Sequence[str]) -> list[int]:
    """The versions that belong to these documents."""
    query = "SELECT seq FROM nodes WHERE ref_doc_id IN (SELECT value FROM json_each(?))"
    return [seq for (seq,) in connection.execute(query, (json.dumps(ref_doc_ids),))]


def vectors(connection: Connection, seqs: Sequence[int]) -> dict[int, bytes]:
    """The vectors of these versions, float32, by seq. Raises IndexDamaged for one that is not what was written."""
    if not has_checksums(connection):
        query = "SELECT seq, vector FROM nodes WHERE seq IN (SELECT value FROM json_each(?))"
        return dict(connection.execute(query, (json.dumps(seqs),)))
    query = (
        "SELECT seq, id, ref_doc_id, content_hash, fingerprint, vector, found_checksum FROM nodes "
        "WHERE seq IN (SELECT value FROM json_each(?))"
    )
    rows = {}
    for seq, node_id, *parts, expected in connection.execute(query, (json.dumps(seqs),)):
        if expected is not None and found_checksum(*parts) != expected:
            raise damaged(connection.index, f"row {str(node_id)[:80]!r} is not what was written")
        rows[seq] = parts[-1]
    return rows


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
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(path.parent.name, str(exc))
    if "decode to UTF-8" in str(exc):  # with the text itself, line ends and all
        return damaged(path.parent.name, "a text in it is not UTF-8")
    return StoreError(f"the index file {path} cannot be used ({exc}): ingest its files again if it is damaged")
