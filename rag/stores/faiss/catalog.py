"""A folder of FAISS indexes by name, and the next version of an index while an ingestion builds it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import IndexBusy, IndexMissing, StoreError
from rag.stores.base import Manifest
from rag.stores.catalog import Finish, IndexCatalog
from rag.stores.faiss.files import CURRENT, IndexFiles
from rag.stores.faiss.store import FaissStore

_log = logging.getLogger(__name__)


class FaissCatalog(IndexCatalog):
    """A folder with a directory for each index."""

    changes_in_place = True

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self, name: str, expected: Manifest | None = None) -> FaissStore:
        """See `IndexCatalog.open`."""
        return FaissStore.open(self._root / name, expected)

    def names(self) -> list[str]:
        """See `IndexCatalog.names`."""
        # Hidden folders are unfinished ingestions.
        return sorted(path.parent.name for path in self._root.glob(f"[!.]*/{CURRENT}"))

    def rollback(self, name: str) -> None:
        """See `IndexCatalog.rollback`."""
        FaissStore.rollback(self._root / name)

    def delete(self, name: str) -> None:
        """See `IndexCatalog.delete`."""
        directory = self._root / name
        if not IndexFiles(directory).exists():  # never delete a folder that is not an index
            raise IndexMissing(f"there is no index {name!r} in {self._root}")
        shutil.rmtree(directory)

    def _open_match(self, name: str, manifest: Manifest) -> FaissStore | None:
        return open_match(self._root / name, manifest)

    @contextmanager
    def _staged(self, name: str, manifest: Manifest, size: int, wait: float, finish: Finish) -> Iterator[FaissStore]:
        """An index that matches `manifest` is changed in place, and each batch can be found immediately.

        If it is missing, damaged or built with another embedding model, analyzer or schema, a new index is built in a
        directory beside it and replaces it in one step on success. The next run continues what a killed run has built.
        """
        directory = self._root / name
        # On the same disk, and hidden from `names`.
        building = self._root / f".{name}.building"
        with _exclusive(directory, wait):
            if store := open_match(directory, manifest):
                shutil.rmtree(building, ignore_errors=True)  # left by an abandoned rebuild
                with closing(store):
                    yield store
                    finish(store, True)
                return
            store = open_match(building, manifest)
            if store is None:
                # If the directory exists, it is damaged or was begun with other settings.
                shutil.rmtree(building, ignore_errors=True)
                store = FaissStore.create(building, manifest)
            with closing(store):
                yield store
                finish(store, True)
            FaissStore.swap_in(building, directory, wait=wait)


def open_match(directory: Path, manifest: Manifest) -> FaissStore | None:
    """Open the index in `directory` if an ingestion can continue it.

    Returns None if it is missing, and, with a warning in the log, if it is damaged or does not match `manifest`.
    """
    try:
        return FaissStore.open(directory, manifest)
    except IndexBusy:
        raise
    except IndexMissing:
        return None
    except StoreError as exc:
        _log.warning("rebuilding the index: %s", exc)
        return None


@contextmanager
def _exclusive(directory: Path, wait: float) -> Iterator[None]:
    """Keep other ingestions of this index out with a lock of the operating system, released when the process ends."""
    # No soft lock (a file that merely exists): a killed run would leave it behind.
    lock = FileLock(directory.with_name(f".{directory.name}.lock"), timeout=wait, fallback_to_soft=False)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as exc:
        raise IndexBusy(f"another ingestion of the index {directory.name!r} is running: try again later") from exc
    except OSError as exc:
        raise StoreError(
            f"the folder {directory.parent} cannot be written ({exc}): set FSI_STORE__DIRECTORY to a writable folder"
        ) from exc
    try:
        yield
    finally:
        lock.release()
