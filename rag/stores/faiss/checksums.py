"""Checksums of an index's rows, vectors and manifest: content that the disk has changed is rejected with IndexDamaged.

Without them, a flipped bit would silently change an approved text, a score or a threshold. Each row has one checksum over
the columns that are shown and one over those used to find and compare it. SQLite's integrity check covers its own structures.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from typing import Any, Final

from rag.errors import IndexDamaged

CHECKSUM_COLUMNS: Final = ("shown_checksum", "found_checksum")
"""The columns of `passage_checksum` and `vector_checksum`: part of the file format, so they keep their names."""
_SIZE: Final = 8
VERIFY_MAX_BYTES: Final = 1 << 30
"""Files up to this size are verified when they are opened: 3.9 s for 100,000 rows (0.42 GB) on a busy machine. In a larger
file, a row is verified when it is read."""


def checksum(*parts: str | bytes | None) -> bytes:
    """Return an 8-byte BLAKE2b digest of these values and their lengths."""
    digest = hashlib.blake2b(digest_size=_SIZE)
    for part in parts:
        content = b"" if part is None else part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(b"-" if part is None else len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.digest()


def passage_checksum(node_id: str, metadata: str, extra: str, text: str) -> bytes:
    """Return the checksum of the columns that a node is decoded from."""
    return checksum(node_id, metadata, extra, text)


def vector_checksum(ref_doc_id: str | None, content_hash: str, fingerprint: str, vector: bytes | None) -> bytes:
    """Return the checksum of the vector and of the columns that a sync compares."""
    return checksum(ref_doc_id, content_hash, fingerprint, vector)


def append_checksum(manifest: str) -> str:
    """Return the manifest followed by a line with its checksum in hexadecimal."""
    return f"{manifest}\n{checksum(manifest).hex()}"


def verify_checksum(written: Any, index: str) -> str:
    """Reverse `append_checksum`. Accepts a manifest of an earlier version without checksum. Raises IndexDamaged."""
    if not isinstance(written, str):
        raise index_damaged(index, "its manifest is missing")
    manifest, line_end, digest = written.partition("\n")
    if line_end and digest != checksum(manifest).hex():
        raise index_damaged(index, "its manifest does not match its checksum")
    return manifest


def has_checksums(connection: sqlite3.Connection) -> bool:
    """Return whether the file has the checksum columns; files of earlier versions do not."""
    return bool(
        connection.execute("SELECT 1 FROM pragma_table_info('nodes') WHERE name = ?", (CHECKSUM_COLUMNS[0],)).fetchone()
    )


def verify(connection: sqlite3.Connection, index: str) -> tuple[int, int]:
    """Verify all rows. Returns (rows checked, rows without checksums).

    Raises IndexDamaged, naming the first row that does not match its checksum.
    """
    problems = [str(line) for (line,) in connection.execute("PRAGMA integrity_check(3)")]
    if problems != ["ok"]:
        raise index_damaged(index, problems[0].splitlines()[0])
    checked = unchecked = 0
    for row in _rows(connection):
        node_id, ref_doc_id, content_hash, fingerprint, metadata, extra, text, vector, *stored = row
        if stored == [None, None]:
            unchecked += 1
            continue
        try:
            intact = stored == [
                passage_checksum(node_id, metadata, extra, text),
                vector_checksum(ref_doc_id, content_hash, fingerprint, vector),
            ]
        except (AttributeError, TypeError):  # damage has changed the type of a column
            intact = False
        if not intact:
            raise index_damaged(index, f"row {str(node_id)[:80]!r} does not match its checksum")
        checked += 1
    return checked, unchecked


def index_damaged(index: str, problem: str) -> IndexDamaged:
    """Return the error, with advice on what to do."""
    return IndexDamaged(
        f"index {index!r} is damaged ({problem}): ingest its files again with `python -m rag ingest PATH --index {index}`, "
        "and check the disk"
    )


def _rows(connection: sqlite3.Connection) -> Iterable[tuple[Any, ...]]:
    sums = ", ".join(CHECKSUM_COLUMNS) if has_checksums(connection) else "NULL, NULL"
    return connection.execute(
        f"SELECT id, ref_doc_id, content_hash, fingerprint, metadata, extra, text, vector, {sums} FROM nodes ORDER BY seq"  # noqa: S608
    )
