"""Where indexes are kept, by name: what a folder of FAISS indexes and an OpenSearch server have in common, and the folder."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rag.errors import IndexMissing
from rag.stores.base import Manifest, PassageStore
from rag.stores.faiss.files import CURRENT, IndexFiles
from rag.stores.faiss.staging import open_match, staged
from rag.stores.faiss.store import WAIT, FaissStore

Finish = Callable[[PassageStore, bool], object]
"""Called with the store that an ingestion has filled, and whether its rows may differ from those that were there before."""


class IndexCatalog(ABC):
    """What the rest of the program does with indexes by name. All raise IndexMissing where there is none, and StoreError.

    `changes_in_place`: readers see an ingestion's batches before `finish` is called.
    """

    changes_in_place: bool

    @contextmanager
    def open_for_ingest(
        self,
        name: str,
        manifest: Manifest,
        *,
        size: int = 0,
        dry_run: bool = False,
        wait: float = WAIT,
        finish: Finish | None = None,
    ) -> Iterator[PassageStore]:
        """The store to fill with the `size` nodes of an ingestion; readers see it whole or not at all.

        `finish` is called once it is whole, before readers see it (but see `changes_in_place`); where it raises
        IndexRejected, what was built is removed. `dry_run`: a store to compare with, never written to;
        an empty one where there is no index that the ingestion would continue.
        Raises IndexBusy when another ingestion of this index is not done within `wait` seconds.
        """
        if not dry_run:
            with self._staged(name, manifest, size, wait, finish or (lambda _store, _changed: None)) as store:
                yield store
            return
        with TemporaryDirectory() as scratch:
            # FAISS whatever the catalog: nothing of a dry run may appear on a server.
            store = self._open_match(name, manifest) or FaissStore.create(Path(scratch) / name, manifest)
            with closing(store):
                yield store

    @abstractmethod
    def open(self, name: str, expected: Manifest | None = None) -> PassageStore:
        """The index of that name. Raises IndexMismatch where it is not the `expected` one (None: any will do)."""

    @abstractmethod
    def names(self) -> list[str]:
        """Of all indexes that can be opened, sorted."""

    @abstractmethod
    def rollback(self, name: str) -> None:
        """Exchange the index with the version before it. Raises IndexBusy as `open_for_ingest` does."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove the index and all its versions. Raises IndexMissing."""

    @abstractmethod
    def _open_match(self, name: str, manifest: Manifest) -> PassageStore | None:
        """The index if an ingestion would continue it, else None."""

    @abstractmethod
    def _staged(
        self, name: str, manifest: Manifest, size: int, wait: float, finish: Finish
    ) -> AbstractContextManager[PassageStore]:
        """`open_for_ingest`, to be written to."""


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
        # Hidden folders are what an ingestion has not finished.
        return sorted(path.parent.name for path in self._root.glob(f"[!.]*/{CURRENT}"))

    def rollback(self, name: str) -> None:
        """See `IndexCatalog.rollback`."""
        FaissStore.rollback(self._root / name)

    def delete(self, name: str) -> None:
        """See `IndexCatalog.delete`."""
        directory = self._root / name
        if not IndexFiles(directory).exists():  # the folder may hold others, which are not indexes
            raise IndexMissing(f"there is no index {name!r} in {self._root}")
        shutil.rmtree(directory)

    def _open_match(self, name: str, manifest: Manifest) -> FaissStore | None:
        return open_match(self._root / name, manifest)

    def _staged(
        self,
        name: str,
        manifest: Manifest,
        size: int,
        wait: float,
        finish: Finish,
    ) -> AbstractContextManager[PassageStore]:
        return staged(self._root / name, manifest, wait=wait, finish=finish)
