"""Indexes by name: the interface that FAISS and OpenSearch share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rag.stores.base import WAIT, Manifest, PassageStore
from rag.stores.faiss.store import FaissStore

Finish = Callable[[PassageStore, bool], object]
"""Called with the store that an ingestion has filled, and whether its rows may differ from the previous ones."""


class IndexCatalog(ABC):
    """Opens, lists, fills, rolls back and deletes indexes by name. Methods raise IndexMissing and other StoreErrors.

    `changes_in_place`: whether readers see the batches of an ingestion before `finish` is called.
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
        """Yield the store to fill with the `size` nodes of an ingestion.

        Readers see a new index only when it is complete. `finish` is called when all nodes are written, before readers
        see them (except if `changes_in_place`); if it raises IndexRejected, the new index is removed.
        With `dry_run` the store is only for comparison and must not be written to: it is empty if there is no index
        that the ingestion could continue.
        Raises IndexBusy if another ingestion of this index does not end within `wait` seconds.
        """
        if not dry_run:
            with self._staged(name, manifest, size, wait, finish or (lambda _store, _changed: None)) as store:
                yield store
            return
        with TemporaryDirectory() as scratch:
            # FAISS for every catalog: a dry run must not create anything on a server.
            store = self._open_match(name, manifest) or FaissStore.create(Path(scratch) / name, manifest)
            with closing(store):
                yield store

    @abstractmethod
    def open(self, name: str, expected: Manifest | None = None) -> PassageStore:
        """Open an index. Raises IndexMismatch if its manifest differs from `expected` (None: no check)."""

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of all indexes that can be opened, sorted."""

    @abstractmethod
    def rollback(self, name: str) -> None:
        """Exchange the index with its previous version. Raises IndexBusy as `open_for_ingest` does."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove the index and all its versions. Raises IndexMissing."""

    @abstractmethod
    def _open_match(self, name: str, manifest: Manifest) -> PassageStore | None:
        """Open the index if an ingestion could continue it; return None otherwise."""

    @abstractmethod
    def _staged(
        self, name: str, manifest: Manifest, size: int, wait: float, finish: Finish
    ) -> AbstractContextManager[PassageStore]:
        """Implement `open_for_ingest` without `dry_run`."""
