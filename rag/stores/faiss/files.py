"""The directory of one index: which of its files is live, and how another takes its place.

    CURRENT             names the live file and, below it, the one before; replaced in one step
    <name>.sqlite       an index (with SQLite's own -wal and -shm while it is open)
    <name>.npz          the lexical cache of that index

Whoever follows CURRENT sees the old index or the new one, never a half: a rebuild is whole before CURRENT names it.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

from rag.errors import IndexBusy, IndexMissing, StoreError
from rag.stores.faiss.database import Database

CURRENT = "CURRENT"
_log = logging.getLogger(__name__)
_OURS = re.compile(
    r"([0-9a-f]{32})\.(sqlite(-wal|-shm|-journal)?|npz(\.[0-9a-f]{32}\.tmp)?)|CURRENT\.([0-9a-f]{32})\.tmp"
)


class IndexFiles:
    """The files of the index in `directory`; `name` is what messages call it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.name = directory.name

    def database(self, stem: str) -> Path:
        return self.directory / f"{stem}.sqlite"

    def cache(self, stem: str) -> Path:
        return self.directory / f"{stem}.npz"

    def current(self) -> str:
        """The stem of the live file. Raises IndexMissing if there is none."""
        return self._named()[0]

    def previous(self) -> str | None:
        """The stem of the file that was live before, if it is kept."""
        names = self._named()
        return names[1] if len(names) > 1 else None

    def exists(self) -> bool:
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
                stack.enter_context(database.lock(wait))
            except IndexBusy:
                raise
            except StoreError as exc:  # damaged: there is nothing left to guard, and replacing it is the cure
                _log.warning("index %r is replaced although it cannot be locked: %s", self.name, exc)
            if self.current() != stem:
                raise IndexBusy(f"index {self.name!r} was replaced by another process just now: try again")
            yield stem

    def install(self, make: Callable[[Path], object], wait: float) -> None:
        """Let `make` write a new file, whole, and then make it the live one. Raises IndexBusy, StoreError."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with self.exclusive(wait) as previous:
                stem = uuid4().hex
                make(self.database(stem))
                self._publish(stem, previous)
        except OSError as exc:
            raise StoreError(f"index {self.name!r} cannot be written: {exc}") from exc

    def install_copy(self, source: IndexFiles, wait: float) -> None:
        """Make a copy of another directory's live file the live one here."""
        database = Database(source.database(source.current()))
        try:
            self.install(database.copy, wait)
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
        wanted = set(self._named())
        for path in self.directory.iterdir():
            match = _OURS.fullmatch(path.name)
            if match and match[1] not in wanted:
                path.unlink(missing_ok=True)
