"""Which index an ingestion writes to, and that no two write to it at once."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rag.errors import IndexBusy, IndexMissing, StoreError
from rag.stores.base import Manifest, PassageStore
from rag.stores.faiss.store import WAIT, FaissStore

_log = logging.getLogger(__name__)


@contextmanager
def open_for_ingest(
    directory: Path,
    manifest: Manifest,
    *,
    size: int = 0,  # noqa: ARG001 - a directory is laid out alike whatever its size
    dry_run: bool = False,
    wait: float = WAIT,
    finish: Callable[[PassageStore], None] | None = None,
) -> Iterator[PassageStore]:
    """The store that shall hold the wanted nodes of the FAISS index in `directory`.

    An index that matches `manifest` is changed in place: each batch is found at once. A missing, damaged or mismatched
    one (another embedder, analyzer or schema) is built anew beside it and takes its place, in one step, when the block
    ends well; what a killed run has built so far is continued by the next. `dry_run`: nothing is ever written there.

    `finish` is called with the store once it is whole; a new one is swapped in after that.
    Raises IndexBusy when another ingestion of this index is not done within `wait` seconds.
    """
    if dry_run:
        with (
            TemporaryDirectory() as scratch,
            closing(_match(directory, manifest) or _new(Path(scratch), manifest)) as store,
        ):
            yield store
        return
    building = directory.with_name(f".{directory.name}.building")
    with _alone(directory, wait):
        if found := _match(directory, manifest):
            shutil.rmtree(building, ignore_errors=True)
            with closing(found):
                yield found
                if finish:
                    finish(found)
            return
        with closing(_match(building, manifest) or _new(building, manifest)) as store:
            yield store
            if finish:
                finish(store)
        FaissStore.swap_in(building, directory, wait=wait)


def _match(directory: Path, manifest: Manifest) -> FaissStore | None:
    """The index there if it can be continued, else None: the log says why."""
    try:
        return FaissStore.open(directory, manifest)
    except IndexBusy:
        raise
    except IndexMissing:
        return None
    except StoreError as exc:
        _log.warning("building the index anew: %s", exc)
        return None


def _new(directory: Path, manifest: Manifest) -> FaissStore:
    shutil.rmtree(directory, ignore_errors=True)
    return FaissStore.create(directory, manifest)


@contextmanager
def _alone(directory: Path, wait: float) -> Iterator[None]:
    """Keep other ingestions of this index out: SQLite's file lock, which dies with its process."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(directory.with_name(f".{directory.name}.lock"), timeout=wait, isolation_level=None)
    except (OSError, sqlite3.Error) as exc:
        raise StoreError(f"the folder {directory.parent} cannot be written: {exc}") from exc
    with closing(lock):
        try:
            lock.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as exc:
            raise IndexBusy(f"another ingestion of the index {directory.name!r} is running: try again later") from exc
        yield
