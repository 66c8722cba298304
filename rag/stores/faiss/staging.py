"""Which FAISS index an ingestion writes to, and that no two write to it at once."""

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
    """The store to fill with the nodes of an ingestion, for the FAISS index in `directory`.

    An index that matches `manifest` is changed in place: each batch is found at once. A missing, damaged or mismatched
    one (another embedder, analyzer or schema) is rebuilt beside it and takes over from it, in one step, when the block
    ends well; what a killed run has built so far is continued by the next.

    `finish` is called with the store, and True, once it is whole; a new one is swapped in after that.
    Raises IndexBusy when another ingestion of this index is not done within `wait` seconds.
    """
    # On the same disk, and hidden from `FaissCatalog.names`.
    building = directory.with_name(f".{directory.name}.building")
    with _exclusive(directory, wait):
        if store := open_match(directory, manifest):
            shutil.rmtree(building, ignore_errors=True)  # of a rebuild that was given up
            with closing(store):
                yield store
                finish(store, True)
            return
        store = open_match(building, manifest)
        if store is None:
            # What may lie there is damaged, or was begun under other settings.
            shutil.rmtree(building, ignore_errors=True)
            store = FaissStore.create(building, manifest)
        with closing(store):
            yield store
            finish(store, True)
        FaissStore.swap_in(building, directory, wait=wait)


def open_match(directory: Path, manifest: Manifest) -> FaissStore | None:
    """The index in `directory` if an ingestion can continue it, else None; where it is damaged or another, the log says so."""
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
    """Keep other ingestions of this index out: a lock of the operating system, which ends with its process."""
    # No lock file that merely exists where the file system has no locks: a killed run would leave it behind.
    lock = FileLock(directory.with_name(f".{directory.name}.lock"), timeout=wait, fallback_to_soft=False)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as exc:
        raise IndexBusy(f"another ingestion of the index {directory.name!r} is running: try again later") from exc
    except OSError as exc:
        raise StoreError(
            f"the folder {directory.parent} cannot be written ({exc}): set FSI_STORE__DIRECTORY to one that can"
        ) from exc
    try:
        yield
    finally:
        lock.release()
