"""The directory of one index: which of its files is live, and how another file replaces it.

    CURRENT             names the live file and, on the next line, the previous one; replaced in one step
    <name>.sqlite       an index (with SQLite's own -wal and -shm while it is open)
    <name>.npz          the lexical cache of that index, so that a restart need not tokenise every row again
    <name>.<stamp>/     the search files of a large index (rag.stores.faiss.loading)

Readers see either the old index or the new one, because a rebuild is complete before CURRENT names it.
A lexical cache that is missing, damaged or outdated is rebuilt from the rows. It contains plain arrays and no pickles.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexBusy, IndexMissing, StoreError
from rag.stores.base import LEXICAL_FIELDS
from rag.stores.bm25 import LexicalIndex
from rag.stores.faiss.database import Database
from rag.stores.faiss.loading import READ_ERRORS, copy_folder, link_or_copy

CURRENT = "CURRENT"
_ARRAYS = ("offsets", "rows", "counts", "lengths")
_log = logging.getLogger(__name__)
_FILE_NAMES = re.compile(
    r"([0-9a-f]{32})\.(sqlite(-wal|-shm|-journal)?|(npz|[0-9a-f]{16})(\.[0-9a-f]{32}\.tmp)?)|CURRENT\.([0-9a-f]{32})\.tmp"
)


class IndexFiles:
    """The files of the index in `directory`; `name` is the name of the index in messages."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.name = directory.name

    def database(self, stem: str) -> Path:
        """Return the path of the SQLite file with this stem."""
        return self.directory / f"{stem}.sqlite"

    def cache(self, stem: str) -> Path:
        """Return the path of the lexical cache of the index with this stem."""
        return self.directory / f"{stem}.npz"

    def search_files(self, stem: str, stamp: int) -> Path:
        """Return the folder of the search files of the index with this stem, for the state with this stamp."""
        return self.directory / f"{stem}.{stamp % (1 << 64):016x}"

    def remove_other_search_files(self, folder: Path) -> None:
        """Remove the search files of other states of the same index."""
        for path in self.directory.glob(f"{folder.name.partition('.')[0]}.{16 * '?'}"):
            if path != folder:
                shutil.rmtree(path, ignore_errors=True)

    def current(self) -> str:
        """Return the stem of the live file. Raises IndexMissing if there is none."""
        return self._read_current()[0]

    def previous(self) -> str | None:
        """Return the stem of the previous live file, or None."""
        names = self._read_current()
        return names[1] if len(names) > 1 else None

    def exists(self) -> bool:
        """Return whether CURRENT names a file. Raises StoreError if it cannot be read."""
        try:
            return bool(self.current())
        except IndexMissing:
            return False

    @contextmanager
    def exclusive(self, wait: float) -> Iterator[str | None]:
        """Keep writers of the live file out. Yields its stem, or None if there is no index yet. Raises IndexBusy."""
        if not self.exists():
            yield None
            return
        stem = self.current()
        database = Database(self.database(stem))
        with ExitStack() as stack:
            stack.callback(database.close)
            try:
                # SQLite's own lock and not a lock file, because it also keeps out writers that add single rows.
                stack.enter_context(database.lock(wait))
            except IndexBusy:
                raise
            except StoreError as exc:  # damaged: it must be replaced, and needs no protection
                _log.warning("cannot lock index %r (%s); replacing it", self.name, exc)
            if self.current() != stem:
                raise IndexBusy(f"index {self.name!r} was replaced by another process just now: try again")
            yield stem

    def install(self, make: Callable[[Path], object], wait: float) -> None:
        """Call `make` to write a complete new file, then make it the live one. Raises IndexBusy, StoreError."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with self.exclusive(wait) as previous:
                stem = uuid4().hex
                # A new name each time, so that an incomplete file of a killed process does no harm.
                make(self.database(stem))
                self._publish(stem, previous)
        except OSError as exc:
            raise StoreError(f"index {self.name!r} cannot be written: {exc}") from exc

    def install_copy(self, source: IndexFiles, wait: float) -> None:
        """Install a copy of another directory's live file, with the files derived from it. Raises IndexBusy, StoreError."""
        stem = source.current()
        database = Database(source.database(stem))

        def make(path: Path) -> None:
            database.copy(path)
            # The rows are the same, so the files derived from them can be used again.
            with suppress(OSError):
                link_or_copy(source.cache(stem), self.cache(path.stem))
            for folder in source.directory.glob(f"{stem}.{16 * '?'}"):
                copy_folder(folder, self.directory / folder.name.replace(stem, path.stem))

        try:
            self.install(make, wait)
        finally:
            database.close()

    def rollback(self, wait: float) -> None:
        """Exchange the live file with the previous one. Raises StoreError if there is no previous file."""
        with self.exclusive(wait) as current:
            previous = self.previous()
            if current is None or previous is None or not self.database(previous).exists():
                raise StoreError(
                    f"index {self.name!r} has no earlier version: with FAISS an ingestion changes the index in place; "
                    "ingest the earlier files again"
                )
            self._publish(previous, current)

    def _publish(self, stem: str, previous: str | None) -> None:
        """Write `stem` to CURRENT in one step. `previous` is the stem that `exclusive` yielded."""
        temporary = self.directory / f"{CURRENT}.{uuid4().hex}.tmp"
        with temporary.open("w", encoding="ascii") as file:
            file.write("\n".join(filter(None, (stem, previous))))
            # Flushed before the rename: a power failure must not leave an empty CURRENT.
            file.flush()
            os.fsync(file.fileno())
        if previous is not None:
            temporary.replace(self.directory / CURRENT)
            self._remove_unused()
            return
        try:
            os.link(temporary, self.directory / CURRENT)  # unlike a rename, fails if another process was faster
        except FileExistsError as exc:
            raise IndexBusy(f"index {self.name!r} was created by another process just now: try again") from exc
        finally:
            temporary.unlink()

    def _read_current(self) -> list[str]:
        try:
            names = (self.directory / CURRENT).read_bytes().decode("ascii").split()
        except (FileNotFoundError, NotADirectoryError):
            names = []
        except (OSError, UnicodeDecodeError) as exc:
            raise StoreError(f"index {self.name!r} cannot be read: {exc}") from exc
        if not names:
            raise IndexMissing(
                f"there is no index {self.name!r} in {self.directory.parent}: build it with "
                f"`python -m rag ingest PATH --index {self.name}`"
            )
        return names

    def _remove_unused(self) -> None:
        """Remove files that CURRENT does not name: older versions and files of killed processes."""
        needed = set(self._read_current())
        for path in self.directory.iterdir():
            match = _FILE_NAMES.fullmatch(path.name)
            if match and match[1] not in needed:
                # Processes that still read the file have it open and can continue.
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)


def load_lexical(path: Path, stamp: int) -> dict[str, LexicalIndex] | None:
    """Load the lexical indexes of all fields. Returns None if the file is missing, damaged or has another stamp."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:  # np.load does not close a damaged file
            if file["stamp"].tolist() != stamp:
                return None
            indexes = {}
            for field in LEXICAL_FIELDS:
                terms = file[f"{field}.terms"].tobytes().decode()
                vocabulary = {term: number for number, term in enumerate(terms.split("\n") if terms else ())}
                indexes[field] = LexicalIndex(vocabulary, *(file[f"{field}.{name}"] for name in _ARRAYS))
            return indexes
    except FileNotFoundError:
        return None
    except READ_ERRORS as exc:
        _log.warning("cannot read the lexical cache %s (%s); rebuilding it", path, exc)
        return None


def save_lexical(path: Path, stamp: int, fields: Mapping[str, LexicalIndex]) -> None:
    """Write the lexical indexes in one step.

    On failure (a full or read-only disk) it logs a warning; the next start is then slower.
    """
    content: dict[str, NDArray[Any]] = {"stamp": np.array(stamp, np.int64)}
    for field, index in fields.items():
        # Joined by line breaks, which no term contains: a NumPy string array would pad every term to the longest one.
        content[f"{field}.terms"] = np.frombuffer("\n".join(index.vocabulary).encode(), np.uint8)
        content |= {f"{field}.{name}": getattr(index, name) for name in _ARRAYS}
    temporary = path.with_name(f"{path.name}.{uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **content)
        temporary.replace(path)
    except OSError as exc:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        _log.warning(
            "cannot write the lexical cache %s (%s); building it again at each start: check the disk", path, exc
        )
