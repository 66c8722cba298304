"""Loads a snapshot: from the rows of the database, or of a large index from its search files, so that nothing is built.

The search files are a folder per state of the rows:

    <name>.<stamp>/vectors.npy     float32 vectors, read a few at a time
    <name>.<stamp>/index.faiss     the inverted file over them
    <name>.<stamp>/rows.npz        the rows' numbers and ids, what changed since the two above were built, the filter columns

Like the lexical cache these files are derived from the database: a folder that is missing, damaged or of another state is
built again. A folder is renamed to its final name when it is complete. The vectors that score the hits are compared with
those in the database (`ReadView.check_vectors`).
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import weakref
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

import faiss
import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.stores.bm25 import field_tokens
from rag.stores.faiss.approximate import ApproximateIndex, VectorFile, update_index
from rag.stores.faiss.database import Connection
from rag.stores.faiss.metadata_columns import MetadataColumn, MetadataColumns, StoredColumns
from rag.stores.faiss.snapshot import DenseIndex, Snapshot, empty_snapshot

VECTORS: Final = "vectors.npy"
INDEX: Final = "index.faiss"
ROWS: Final = "rows.npz"
_CHUNK: Final = 1 << 24
READ_ERRORS: Final = (
    IndexDamaged,
    OSError,
    KeyError,
    ValueError,
    IndexError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
"""All exceptions that NumPy, zipfile and FAISS were observed to raise for damaged files."""
_log = logging.getLogger(__name__)


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


def save(folder: Path, snapshot: Snapshot) -> bool:
    """Write the files that `load` reads, unless they exist. Returns whether they exist afterwards.

    On failure (a full or read-only disk) it logs a warning; the index is then built again at each start.
    """
    dense = snapshot.dense
    assert isinstance(dense, ApproximateIndex)
    if folder.exists():
        return True
    temporary = folder.with_name(f"{folder.name}.{uuid4().hex}.tmp")
    try:
        temporary.mkdir()
        _write(temporary, snapshot, dense)
        # A process that was faster wrote the same content.
        with suppress(FileExistsError):
            temporary.rename(folder)
    except OSError as exc:
        if not folder.exists():
            _log.warning(
                "cannot write the search files %s (%s); building them again at each start: check the disk",
                folder,
                exc,
            )
            return False
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return True


def load(folder: Path, stem: str, generation: int) -> Snapshot | None:
    """Load the snapshot that `save` wrote. Returns None if the folder is missing; removes it and warns if it is damaged."""
    if not folder.exists():
        return None
    with ExitStack() as stack:
        try:
            file = stack.enter_context((folder / ROWS).open("rb"))  # np.load does not close a damaged file
            rows = np.load(file, allow_pickle=False)
            if rows["checksum"].item() != file_checksum(folder / INDEX):
                raise IndexDamaged(f"{INDEX} does not match its checksum")
            index = faiss.read_index(str(folder / INDEX))
            base = VectorFile(folder / VECTORS)
            if base.shape != (index.ntotal, index.d) or len(rows["alive"]) != len(base):
                raise IndexDamaged("the sizes of its files do not match")
            dense = ApproximateIndex(base, index, rows["alive"], DenseIndex(rows["tail"]))
            seqs, ids = rows["seqs"], json.loads(rows["ids"].tobytes())
            snapshot = Snapshot(stem, generation, seqs, ids, _columns(folder, rows), dense, rows["rank"])
        except READ_ERRORS as exc:
            _log.warning("cannot read the search files %s (%s); building them again", folder, exc)
            shutil.rmtree(folder, ignore_errors=True)
            return None
        # The file stays open: this snapshot and its successors read columns from it later.
        weakref.finalize(rows, stack.pop_all().close)
        return snapshot


def _columns(folder: Path, rows: Any) -> MetadataColumns:
    keys = json.loads(rows["keys"].tobytes())

    def read(key: str) -> MetadataColumn:
        try:
            number = keys.index(key)
            values = json.loads(rows[f"values.{number}"].tobytes())
            numbers = {(kind, value): code for code, (kind, value) in enumerate(values)}
            return MetadataColumn(rows[f"codes.{number}"], numbers)
        except READ_ERRORS as exc:
            shutil.rmtree(folder, ignore_errors=True)
            raise damaged(folder, exc) from exc

    count = len(rows["seqs"])
    return MetadataColumns(count, StoredColumns(keys, read, np.ones(count, np.bool_)))


def damaged(folder: Path, problem: object) -> IndexDamaged:
    """Return the error for files that turn out to be damaged while they are in use. The caller has removed them."""
    return IndexDamaged(
        f"the search files {folder} are damaged ({problem}) and were removed: they are built again when the index is opened; "
        "check the disk"
    )


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder for an index with the same rows, by hard links if possible. Logs a warning on failure."""
    if not source.exists() or target.exists():
        return
    temporary = target.with_name(f"{target.name}.{uuid4().hex}.tmp")
    try:
        temporary.mkdir()
        for name in (VECTORS, INDEX, ROWS):
            link_or_copy(source / name, temporary / name)
        temporary.rename(target)
    except OSError as exc:
        _log.warning("cannot copy the search files %s (%s); building them again", source, exc)
        shutil.rmtree(temporary, ignore_errors=True)


def link_or_copy(source: Path, target: Path) -> None:
    """Create a hard link to a file that never changes, or a copy if the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def file_checksum(path: Path) -> int:
    """Return the CRC-32 of a file."""
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            crc = zlib.crc32(chunk, crc)
    return crc


def _write(folder: Path, snapshot: Snapshot, dense: ApproximateIndex) -> None:
    if isinstance(dense.base, VectorFile):  # already stored; only rows were added or deleted since
        for name in (VECTORS, INDEX):
            link_or_copy(dense.base.path.with_name(name), folder / name)
    else:
        np.save(folder / VECTORS, dense.base, allow_pickle=False)
        faiss.write_index(dense.index, str(folder / INDEX))
    keys = snapshot.columns.keys
    arrays: dict[str, NDArray[Any]] = {
        "checksum": np.array(file_checksum(folder / INDEX), np.int64),
        "alive": dense.alive,
        "tail": dense.tail.vectors,
        "seqs": snapshot.seqs,
        "rank": snapshot.rank,
        "ids": _json(snapshot.ids),
        "keys": _json(keys),
    }
    with zipfile.ZipFile(folder / ROWS, "w", allowZip64=True) as file:
        for name, array in arrays.items():
            _add(file, name, array)
        # One column at a time, because all of them together are larger than the index.
        for number, key in enumerate(keys):
            column = snapshot.columns.column(key)
            _add(file, f"codes.{number}", column.codes)
            _add(file, f"values.{number}", _json(list(column.values)))


def _add(file: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    with file.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)


def _json(value: Any) -> NDArray[np.uint8]:
    # Escaped, because an id may contain a lone surrogate, which cannot be encoded as UTF-8.
    return np.frombuffer(json.dumps(value, ensure_ascii=True).encode(), np.uint8)
