"""Checksums of an index's rows, vectors and manifest: what the disk gives back is what was written, or is refused.

A flipped bit in a file is otherwise another approved text, another score or another threshold, without a word. Each row has a
checksum of what is shown of it and one of what finds it; SQLite's own check holds its tables and their indexes together.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from typing import Any, Final

from rag.errors import IndexDamaged

COLUMNS: Final = ("shown_checksum", "found_checksum")
_SIZE: Final = 8
VERIFIED_BYTES: Final = 1 << 30
"""A file up to this size is verified whole when it is opened: 3.9 s for 100,000 rows, .42 GB, on a busy machine. Of a larger one
each row is, when it is shown."""


def checksum(*parts: str | bytes | None) -> bytes:
    """Eight bytes over these values and where each of them ends."""
    digest = hashlib.blake2b(digest_size=_SIZE)
    for part in parts:
        content = b"" if part is None else part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(b"-" if part is None else len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.digest()


def shown_checksum(node_id: str, metadata: str, extra: str, text: str) -> bytes:
    """Of what a passage is made of again."""
    return checksum(node_id, metadata, extra, text)


def found_checksum(ref_doc_id: str | None, content_hash: str, fingerprint: str, vector: bytes | None) -> bytes:
    """Of what a row is found and compared by."""
    return checksum(ref_doc_id, content_hash, fingerprint, vector)


def seal(manifest: str) -> str:
    """The text of a manifest with its checksum below it."""
    return f"{manifest}\n{checksum(manifest).hex()}"


def unseal(written: Any, index: str) -> str:
    """The opposite of `seal`; what an earlier version wrote has no checksum. Raises IndexDamaged."""
    if not isinstance(written, str):
        raise damaged(index, "its manifest is missing")
    manifest, line_end, digest = written.partition("\n")
    if line_end and digest != checksum(manifest).hex():
        raise damaged(index, "its manifest is not what was written")
    return manifest


def has_checksums(connection: sqlite3.Connection) -> bool:
    """Whether the file's rows may have them: those of an earlier version have no such columns."""
    return bool(connection.execute("SELECT 1 FROM pragma_table_info('nodes') WHERE name = ?", (COLUMNS[0],)).fetchone())


def verify(connection: sqlite3.Connection, index: str) -> tuple[int, int]:
    """(rows checked, rows without checksums). Raises IndexDamaged naming the first row that is not what was written."""
    problems = [str(line) for (line,) in connection.execute("PRAGMA integrity_check(3)")]
    if problems != ["ok"]:
        raise damaged(index, problems[0].splitlines()[0])
    checked = unchecked = 0
    for row in _rows(connection):
        node_id, ref_doc_id, content_hash, fingerprint, metadata, extra, text, vector, shown_sum, found_sum = row
        if shown_sum is None and found_sum is None:
            unchecked += 1
            continue
        try:
            right = shown_sum == shown_checksum(node_id, metadata, extra, text) and found_sum == found_checksum(
                ref_doc_id, content_hash, fingerprint, vector
            )
        except (AttributeError, TypeError):  # a column has become one of another type
            right = False
        if not right:
            raise damaged(index, f"row {str(node_id)[:80]!r} is not what was written")
        checked += 1
    return checked, unchecked


def damaged(index: str, problem: str) -> IndexDamaged:
    """The error, with what to do."""
    return IndexDamaged(
        f"index {index!r} is damaged ({problem}): ingest its files again with `python -m rag ingest PATH --index {index}`, "
        "and check the disk"
    )


def _rows(connection: sqlite3.Connection) -> Iterable[tuple[Any, ...]]:
    sums = ", ".join(COLUMNS) if has_checksums(connection) else "NULL, NULL"
    return connection.execute(
        f"SELECT id, ref_doc_id, content_hash, fingerprint, metadata, extra, text, vector, {sums} FROM nodes ORDER BY seq"  # noqa: S608
    )
