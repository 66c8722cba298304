"""The indexes of an OpenSearch server, by name, and how an ingestion replaces one."""

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
from rag.stores.opensearch.lock import leased
from rag.stores.opensearch.staging import StagingIndex
from rag.stores.opensearch.store import OpenSearchStore

EXACT_ROWS: Final = 50_000
"""Passages up to which an index has no graph; see docs/opensearch.md for the measurement."""


class OpenSearchCatalog(IndexCatalog):
    """A server. Each ingestion that changes anything makes a new index and swaps it in; the one before is kept."""

    changes_in_place = False

    def __init__(self, connection: Connection, *, exact_rows: int = EXACT_ROWS) -> None:
        self._connection = connection
        self._exact_rows = exact_rows

    def open(self, name: str, expected: Manifest | None = None) -> OpenSearchStore:
        """See `IndexCatalog.open`. Raises StoreUnavailable, StoreRefused too."""
        return OpenSearchStore(self._connection, name, expected)

    def names(self) -> list[str]:
        """See `IndexCatalog.names`."""
        return aliases.names(self._connection)

    def rollback(self, name: str) -> None:
        """See `IndexCatalog.rollback`."""
        with leased(self._connection, name, WAIT):
            aliases.rollback(self._connection, name)

    def delete(self, name: str) -> None:
        """See `IndexCatalog.delete`. Raises IndexBusy while an ingestion is running."""
        with leased(self._connection, name, WAIT):
            aliases.delete(self._connection, name)

    def _open_match(self, name: str, manifest: Manifest) -> OpenSearchStore | None:
        try:
            return self.open(name, manifest)
        except (IndexMissing, IndexMismatch):
            return None

    @contextmanager
    def _staged(self, name: str, manifest: Manifest, size: int, wait: float, finish: Finish) -> Iterator[PassageStore]:
        with leased(self._connection, name, wait) as lease:
            store = StagingIndex.begin(self._connection, name, manifest, exact=size <= self._exact_rows, lease=lease)
            yield store
            store.expunge_deletes()
            try:
                finish(store, store.has_changes)
            except IndexRejected:
                aliases.discard(self._connection, name)  # not to be continued by the next ingestion
                raise
            store.publish()
