"""What searches many rows, kept beside their index so that opening it builds nothing: a folder for one state of the rows.

    <name>.<stamp>/vectors.npy     float32 vectors, read a few at a time
    <name>.<stamp>/index.faiss     the inverted file over them
    <name>.<stamp>/rows.npz        the rows' numbers and ids, what changed since the two above were built, the filter columns

Never the truth, as the lexical cache: a folder that is missing, torn or of another state is built again from the rows. It takes
its name in one step, when it is whole. What a hit is scored by is compared with the row it stands for (`same_vectors`).
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import weakref
import zipfile
import zlib
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import faiss
import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.stores.faiss.approximate import ApproximateIndex
from rag.stores.faiss.dense import DenseIndex
from rag.stores.faiss.metadata_columns import MetadataColumn, MetadataColumns, StoredColumns
from rag.stores.faiss.snapshot import Snapshot
from rag.stores.faiss.vector_file import VectorFile

VECTORS: Final = "vectors.npy"
INDEX: Final = "index.faiss"
ROWS: Final = "rows.npz"
_CHUNK: Final = 1 << 24
_UNREADABLE: Final = (
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
"""All that numpy, zipfile and FAISS were seen to raise over damaged files."""
_log = logging.getLogger(__name__)


def save(folder: Path, snapshot: Snapshot) -> bool:
    """Write what `load` reads. Where that is impossible (a full or read-only disk), log it: each start builds it again."""
    dense = snapshot.dense
    assert isinstance(dense, ApproximateIndex)
    if folder.exists():
        return True
    temporary = folder.with_name(f"{folder.name}.{uuid4().hex}.tmp")
    try:
        temporary.mkdir()
        _write(temporary, snapshot, dense)
        # Whoever was faster wrote the same.
        with suppress(FileExistsError):
            temporary.rename(folder)
    except OSError as exc:
        if not folder.exists():
            _log.warning(
                "the search files %s cannot be written (%s); making them again at each start: check the disk",
                folder,
                exc,
            )
            return False
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return True


def load(folder: Path, stem: str, generation: int) -> Snapshot | None:
    """The snapshot that `save` wrote; None if the folder is missing or torn."""
    if not folder.exists():
        return None
    with ExitStack() as stack:
        try:
            file = stack.enter_context((folder / ROWS).open("rb"))  # numpy leaves a torn one open
            rows = np.load(file, allow_pickle=False)
            if rows["checksum"].item() != file_checksum(folder / INDEX):
                raise IndexDamaged(f"{INDEX} is not what was written")
            index = faiss.read_index(str(folder / INDEX))
            base = VectorFile(folder / VECTORS)
            if base.shape != (index.ntotal, index.d) or len(rows["alive"]) != len(base):
                raise IndexDamaged("its files do not belong together")
            dense = ApproximateIndex(base, index, rows["alive"], DenseIndex(rows["tail"]))
            seqs, ids = rows["seqs"], json.loads(rows["ids"].tobytes())
            snapshot = Snapshot(stem, generation, seqs, ids, _columns(folder, rows), dense, rows["rank"])
        except _UNREADABLE as exc:
            _log.warning("the search files %s cannot be read (%s); building them again", folder, exc)
            shutil.rmtree(folder, ignore_errors=True)
            return None
        # Columns are read from it later, by this snapshot and those that follow.
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
        except _UNREADABLE as exc:
            shutil.rmtree(folder, ignore_errors=True)
            raise torn(folder, exc) from exc

    count = len(rows["seqs"])
    return MetadataColumns(count, StoredColumns(keys, read, np.ones(count, np.bool_)))


def torn(folder: Path, problem: object) -> IndexDamaged:
    """The error where files are found damaged while they are used; they must have been removed."""
    return IndexDamaged(
        f"the search files {folder} are damaged ({problem}) and were removed: they are built again when the index is opened; "
        "check the disk"
    )


def copy_folder(source: Path, target: Path) -> None:
    """The folder once more, for the same rows: links where the disk has them."""
    if not source.exists() or target.exists():
        return
    temporary = target.with_name(f"{target.name}.{uuid4().hex}.tmp")
    try:
        temporary.mkdir()
        for name in (VECTORS, INDEX, ROWS):
            link(source / name, temporary / name)
        temporary.rename(target)
    except OSError as exc:
        _log.warning("the search files %s cannot be copied (%s); making them again", source, exc)
        shutil.rmtree(temporary, ignore_errors=True)


def link(source: Path, target: Path) -> None:
    """Another name of a file that is never written again, or a copy of it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def file_checksum(path: Path) -> int:
    """CRC-32 of a file."""
    found = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found = zlib.crc32(chunk, found)
    return found


def _write(folder: Path, snapshot: Snapshot, dense: ApproximateIndex) -> None:
    if isinstance(dense.base, VectorFile):  # rows were added or deleted since
        for name in (VECTORS, INDEX):
            link(dense.base.path.with_name(name), folder / name)
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
        # One column at a time: all of them at once are larger than the index.
        for number, key in enumerate(keys):
            column = snapshot.columns.column(key)
            _add(file, f"codes.{number}", column.codes)
            _add(file, f"values.{number}", _json(list(column.values)))


def _add(file: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    with file.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)


def _json(value: Any) -> NDArray[np.uint8]:
    # A lone surrogate, which an id may hold, is no UTF-8: escaped, it is.
    return np.frombuffer(json.dumps(value, ensure_ascii=True).encode(), np.uint8)
