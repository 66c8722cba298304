"""Where indexes are kept: a folder of FAISS indexes, or an OpenSearch server. The same operations on both."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

from rag.errors import IndexMismatch, IndexMissing
from rag.stores.base import Manifest, PassageStore
from rag.stores.faiss.files import CURRENT, IndexFiles
from rag.stores.faiss.staging import open_for_ingest
from rag.stores.faiss.store import WAIT, FaissStore

if TYPE_CHECKING:
    from rag.stores.opensearch.client import Connection

EXACT_ROWS = 50_000
"""Passages up to which an OpenSearch index has no graph; see docs/opensearch.md for the measurement."""

Finish = Callable[[PassageStore], None]


class IndexCatalog(Protocol):
    """What the rest of the program does with indexes by name. All raise IndexMissing where there is none, and StoreError."""

    def open(self, name: str, expected: Manifest | None = None) -> PassageStore: ...

    def open_for_ingest(
        self,
        name: str,
        manifest: Manifest,
        *,
        size: int,
        dry_run: bool = False,
        wait: float = WAIT,
        finish: Finish | None = None,
    ) -> AbstractContextManager[PassageStore]:
        """The store that shall hold the `size` wanted nodes; readers see it whole or not at all.

        `finish` is called once it is whole, before readers see it. `dry_run`: one to compare with, never written to.
        Raises IndexBusy when another ingestion of this index is not done within `wait` seconds.
        """
        ...

    def names(self) -> list[str]: ...

    def rollback(self, name: str) -> None:
        """Exchange the index with the version before it. Raises IndexBusy as `open_for_ingest` does."""
        ...

    def delete(self, name: str) -> None: ...


class FaissCatalog:
    """A folder with a directory for each index."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self, name: str, expected: Manifest | None = None) -> FaissStore:
        return FaissStore.open(self._root / name, expected)

    def open_for_ingest(
        self,
        name: str,
        manifest: Manifest,
        *,
        size: int,
        dry_run: bool = False,
        wait: float = WAIT,
        finish: Finish | None = None,
    ) -> AbstractContextManager[PassageStore]:
        return open_for_ingest(self._root / name, manifest, size=size, dry_run=dry_run, wait=wait, finish=finish)

    def names(self) -> list[str]:
        return sorted(path.parent.name for path in self._root.glob(f"[!.]*/{CURRENT}"))

    def rollback(self, name: str) -> None:
        FaissStore.rollback(self._root / name)

    def delete(self, name: str) -> None:
        directory = self._root / name
        if not IndexFiles(directory).exists():  # the folder may hold others, which are none of ours
            raise IndexMissing(f"there is no index {name!r} in {self._root}")
        shutil.rmtree(directory)


class OpenSearchCatalog:
    """A server. Each ingestion that changes anything makes a new index and swaps it in; the one before is kept."""

    def __init__(self, connection: Connection, *, exact_rows: int = EXACT_ROWS) -> None:
        self._connection = connection
        self._exact_rows = exact_rows

    def open(self, name: str, expected: Manifest | None = None) -> PassageStore:
        from rag.stores.opensearch.store import OpenSearchStore

        return OpenSearchStore(self._connection, name, expected)

    @contextmanager
    def open_for_ingest(
        self,
        name: str,
        manifest: Manifest,
        *,
        size: int,
        dry_run: bool = False,
        wait: float = WAIT,
        finish: Finish | None = None,
    ) -> Iterator[PassageStore]:
        if dry_run:
            with self._to_compare(name, manifest) as store:
                yield store
            return
        from rag.stores.opensearch.lock import leased
        from rag.stores.opensearch.staging import StagingIndex

        with leased(self._connection, name, wait) as lease:
            draft = StagingIndex.begin(self._connection, name, manifest, exact=size <= self._exact_rows, lease=lease)
            yield draft
            draft.expunge_deletes()
            if finish and (draft.begun or not draft.manifest.calibration):
                finish(draft)
            draft.publish()

    def names(self) -> list[str]:
        from rag.stores.opensearch import aliases as indexes

        return indexes.names(self._connection)

    def rollback(self, name: str) -> None:
        from rag.stores.opensearch import aliases as indexes
        from rag.stores.opensearch.lock import leased

        with leased(self._connection, name, WAIT):
            indexes.rollback(self._connection, name)

    def delete(self, name: str) -> None:
        from rag.stores.opensearch import aliases as indexes
        from rag.stores.opensearch.lock import leased

        with leased(self._connection, name, WAIT):
            indexes.delete(self._connection, name)

    @contextmanager
    def _to_compare(self, name: str, manifest: Manifest) -> Iterator[PassageStore]:
        try:
            found = self.open(name, manifest)
        except (IndexMissing, IndexMismatch):
            with TemporaryDirectory() as scratch, closing(FaissStore.create(Path(scratch) / name, manifest)) as empty:
                yield empty
        else:
            yield found
