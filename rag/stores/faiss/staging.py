"""Selects the FAISS index that an ingestion writes to, and keeps other ingestions out meanwhile."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import IndexBusy, IndexMissing, StoreError
from rag.stores.base import Manifest, PassageStore
from rag.stores.faiss.store import FaissStore

_log = logging.getLogger(__name__)


@contextmanager
def staged(
    directory: Path, manifest: Manifest, *, wait: float, finish: Callable[[PassageStore, bool], object]
) -> Iterator[FaissStore]:
    """Yield the store to fill with the nodes of an ingestion, for the FAISS index in `directory`.

    An index that matches `manifest` is changed in place, and each batch can be found immediately. If it is missing,
    damaged or built with another embedding model, analyzer or schema, a new index is built in a directory beside it and
    replaces it in one step on success. The next run continues what a killed run has built.

    `finish` is called with the store and True when all nodes are written, before a new index is swapped in.
    Raises IndexBusy if another ingestion of this index does not end within `wait` seconds.
    """
    # On the same disk, and hidden from `FaissCatalog.names`.
    building = directory.with_name(f".{directory.name}.building")
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
