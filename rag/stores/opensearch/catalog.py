"""The indexes of an OpenSearch server by name, and how an ingestion replaces an index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rag.errors import IndexMismatch, IndexMissing, IndexRejected
from rag.stores.base import Manifest, PassageStore
from rag.stores.catalog import Finish, IndexCatalog
from rag.stores.faiss.store import WAIT
from rag.stores.opensearch import aliases
from rag.stores.opensearch.client import Connection
from rag.stores.opensearch.lock import hold_lease
from rag.stores.opensearch.staging import StagingIndex
from rag.stores.opensearch.store import OpenSearchStore

EXACT_ROWS: Final = 50_000
"""The largest number of passages for which an index has no graph; docs/opensearch.md has the measurement."""


class OpenSearchCatalog(IndexCatalog):
    """The indexes of one server. An ingestion with changes builds a new index, swaps it in and keeps the previous one."""

    changes_in_place = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, name: str, expected: Manifest | None = None) -> OpenSearchStore:
        """See `IndexCatalog.open`. Also raises StoreUnavailable and StoreRefused."""
        return OpenSearchStore(self._connection, name, expected)

    def names(self) -> list[str]:
        """See `IndexCatalog.names`."""
        return aliases.names(self._connection)

    def rollback(self, name: str) -> None:
        """See `IndexCatalog.rollback`."""
        with hold_lease(self._connection, name, WAIT):
            aliases.rollback(self._connection, name)

    def delete(self, name: str) -> None:
        """See `IndexCatalog.delete`. Raises IndexBusy while an ingestion is running."""
        with hold_lease(self._connection, name, WAIT):
            aliases.delete(self._connection, name)

    def _open_match(self, name: str, manifest: Manifest) -> OpenSearchStore | None:
        try:
            return self.open(name, manifest)
        except (IndexMissing, IndexMismatch):
            return None

    @contextmanager
    def _staged(self, name: str, manifest: Manifest, size: int, wait: float, finish: Finish) -> Iterator[PassageStore]:
        with hold_lease(self._connection, name, wait) as lease:
            store = StagingIndex.begin(self._connection, name, manifest, exact=size <= EXACT_ROWS, lease=lease)
            yield store
            store.expunge_deletes()
            try:
                finish(store, store.has_changes)
            except IndexRejected:
                aliases.delete_building(self._connection, name)  # the next ingestion must not continue it
                raise
            store.publish()
