"""The directory of one index: which of its files is live, and how another takes its place.

    CURRENT             names the live file and, below it, the one before; replaced in one step
    <name>.sqlite       an index (with SQLite's own -wal and -shm while it is open)
    <name>.npz          the lexical cache of that index, so that a restart need not tokenise every row again
    <name>.<stamp>/     of many rows, what searches their vectors (rag.stores.faiss.search_files)

Whoever follows CURRENT sees the old index or the new one, never a half: a rebuild is whole before CURRENT names it.
The cache is never the truth: a missing, torn or outdated one is rebuilt. Plain arrays, no pickle.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import zipfile
import zlib
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
from rag.stores.faiss.search_files import copy_folder, link

CURRENT = "CURRENT"
_ARRAYS = ("offsets", "rows", "counts", "lengths")
_log = logging.getLogger(__name__)
_OURS = re.compile(
    r"([0-9a-f]{32})\.(sqlite(-wal|-shm|-journal)?|(npz|[0-9a-f]{16})(\.[0-9a-f]{32}\.tmp)?)|CURRENT\.([0-9a-f]{32})\.tmp"
)


class IndexFiles:
    """The files of the index in `directory`; `name` is what messages call it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.name = directory.name

    def database(self, stem: str) -> Path:
        """The path of the index of this stem."""
        return self.directory / f"{stem}.sqlite"

    def cache(self, stem: str) -> Path:
        """The path of its lexical cache."""
        return self.directory / f"{stem}.npz"

    def search_files(self, stem: str, stamp: int) -> Path:
        """The folder of what searches its vectors, for one state of its rows."""
        return self.directory / f"{stem}.{stamp % (1 << 64):016x}"

    def keep_search_files(self, folder: Path) -> None:
        """Remove those of other states of the same index."""
        for path in self.directory.glob(f"{folder.name.partition('.')[0]}.{16 * '?'}"):
            if path != folder:
                shutil.rmtree(path, ignore_errors=True)

    def current(self) -> str:
        """The stem of the live file. Raises IndexMissing if there is none."""
        return self._named()[0]

    def previous(self) -> str | None:
        """The stem of the file that was live before, if it is kept."""
        names = self._named()
        return names[1] if len(names) > 1 else None

    def exists(self) -> bool:
        """Whether CURRENT names a file. Raises StoreError where it cannot be read."""
        try:
            return bool(self.current())
        except IndexMissing:
            return False

    @contextmanager
    def exclusive(self, wait: float) -> Iterator[str | None]:
        """Keep writers of the live file out; gives its stem, None if there is no index yet. Raises IndexBusy."""
        if not self.exists():
            yield None
            return
        stem = self.current()
        database = Database(self.database(stem))
        with ExitStack() as stack:
            stack.callback(database.close)
            try:
                # SQLite's own lock, not one beside the file: it also holds off those that add a row to the index.
                stack.enter_context(database.lock(wait))
            except IndexBusy:
                raise
            except StoreError as exc:  # damaged: there is nothing left to guard, and replacing it is the cure
                _log.warning("index %r cannot be locked (%s); replacing it", self.name, exc)
            if self.current() != stem:
                raise IndexBusy(f"index {self.name!r} was replaced by another process just now: try again")
            yield stem

    def install(self, make: Callable[[Path], object], wait: float) -> None:
        """Let `make` write a new file, whole, and then make it the live one. Raises IndexBusy, StoreError."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with self.exclusive(wait) as previous:
                stem = uuid4().hex
                # A name of its own each time: a half-made file of a killed process is in nobody's way.
                make(self.database(stem))
                self._publish(stem, previous)
        except OSError as exc:
            raise StoreError(f"index {self.name!r} cannot be written: {exc}") from exc

    def install_copy(self, source: IndexFiles, wait: float) -> None:
        """Make a copy of another directory's live file the live one here."""
        stem = source.current()
        database = Database(source.database(stem))

        def make(path: Path) -> None:
            database.copy(path)
            # Of the same rows: what was made of them is not to be made again. A cache that does not fit is built anew.
            with suppress(OSError):
                link(source.cache(stem), self.cache(path.stem))
            for folder in source.directory.glob(f"{stem}.{16 * '?'}"):
                copy_folder(folder, self.directory / folder.name.replace(stem, path.stem))

        try:
            self.install(make, wait)
        finally:
            database.close()

    def rollback(self, wait: float) -> None:
        """Make the file before the live one live again, and keep the live one as the one before."""
        with self.exclusive(wait) as current:
            previous = self.previous()
            if current is None or previous is None or not self.database(previous).exists():
                raise StoreError(
                    f"index {self.name!r} has no earlier version to go back to: with FAISS an ingestion changes the index "
                    "in place; ingest the earlier files again"
                )
            self._publish(previous, current)

    def _publish(self, stem: str, previous: str | None) -> None:
        """Name `stem` in CURRENT, in one step. `previous` is what `exclusive` gave."""
        temporary = self.directory / f"{CURRENT}.{uuid4().hex}.tmp"
        with temporary.open("w", encoding="ascii") as file:
            file.write("\n".join(filter(None, (stem, previous))))
            # On the disk before the name is: a power cut must not leave a CURRENT without content.
            file.flush()
            os.fsync(file.fileno())
        if previous is not None:
            temporary.replace(self.directory / CURRENT)
            self._clean()
            return
        try:
            os.link(temporary, self.directory / CURRENT)  # unlike a rename, fails where another process was faster
        except FileExistsError as exc:
            raise IndexBusy(f"index {self.name!r} was created by another process just now: try again") from exc
        finally:
            temporary.unlink()

    def _named(self) -> list[str]:
        try:
            names = (self.directory / CURRENT).read_text(encoding="ascii").split()
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

    def _clean(self) -> None:
        """Remove what neither name of CURRENT needs: older versions, and what a killed process left behind."""
        needed = set(self._named())
        for path in self.directory.iterdir():
            match = _OURS.fullmatch(path.name)
            if match and match[1] not in needed:
                # Those that still read the file have it open and go on; only its name goes.
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)


def load_lexical(path: Path, stamp: int) -> dict[str, LexicalIndex] | None:
    """The indexes saved under `stamp`, by field; None if the file is missing, torn or of another stamp."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:  # numpy leaves a torn file open
            if file["stamp"].tolist() != stamp:
                return None
            return {field: _lexical_index(file, field) for field in LEXICAL_FIELDS}
    except FileNotFoundError:
        return None
    # All that numpy and zipfile were seen to raise over damaged files.
    except (
        OSError,
        KeyError,
        ValueError,
        IndexError,
        EOFError,
        zipfile.BadZipFile,
        NotImplementedError,
        zlib.error,
    ) as exc:
        _log.warning("the lexical cache %s cannot be read (%s); rebuilding it", path, exc)
        return None


def save_lexical(path: Path, stamp: int, fields: Mapping[str, LexicalIndex]) -> None:
    """Replace the file in one step. Where that is impossible (a full or read-only disk), log it: the next start is slower."""
    content: dict[str, NDArray[Any]] = {"stamp": np.array(stamp, np.int64)}
    for field, index in fields.items():
        # Bytes, for numpy would pad every term to the longest. No term holds a line break.
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
            "the lexical cache %s cannot be written (%s); making it again at each start: check the disk", path, exc
        )


def _lexical_index(file: Mapping[str, NDArray[Any]], field: str) -> LexicalIndex:
    terms = file[f"{field}.terms"].tobytes().decode()
    vocabulary = {term: number for number, term in enumerate(terms.split("\n") if terms else ())}
    return LexicalIndex(vocabulary, *(file[f"{field}.{name}"] for name in _ARRAYS))
