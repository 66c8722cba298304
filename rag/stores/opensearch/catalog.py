"""The indexes of an OpenSearch server by name, and the next version of an index while an ingestion builds it.

Readers see that version when it is complete. Until the first write it reads from the live one; the first write copies that
on the server, so that unchanged rows are neither sent nor embedded again. An ingestion without changes creates nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from llama_index.core.bridge.pydantic import PrivateAttr

from rag.errors import IndexBusy, IndexMismatch, IndexMissing, IndexRejected, StoreError
from rag.retries import RetryPolicy
from rag.stores.base import WAIT, Manifest, PassageStore
from rag.stores.catalog import Finish, IndexCatalog
from rag.stores.opensearch import aliases
from rag.stores.opensearch.aliases import IndexInfo
from rag.stores.opensearch.client import Connection, TryAgain, is_try_again
from rag.stores.opensearch.lock import Lease, hold_lease
from rag.stores.opensearch.query_dsl import ROWS
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


BUILDING: Final = "building"
_COPY_SECONDS: Final = 3600.0
_POLLING: Final = RetryPolicy(first_pause=0.1, longest_pause=2.0)
_log = logging.getLogger(__name__)


class StagingIndex(OpenSearchStore):
    """A store for writing the next version of an index. `publish` makes it live.

    The caller holds `lease` meanwhile. If it is lost, writing and publishing raise IndexBusy, because another ingestion may
    have begun.
    """

    _exact: bool = PrivateAttr()
    _lease: Lease | None = PrivateAttr()

    def __init__(
        self,
        connection: Connection,
        name: str,
        expected: Manifest | None = None,
        *,
        role: str = "",
        exact: bool = True,
        lease: Lease | None = None,
    ) -> None:
        super().__init__(connection, name, expected, role=role)
        self._exact = exact
        self._lease = lease

    @classmethod
    def begin(
        cls, connection: Connection, name: str, manifest: Manifest, *, exact: bool, lease: Lease | None = None
    ) -> StagingIndex:
        """Continue the index of a killed run, or start from the live version, or create an empty index.

        An index with another manifest is not used; the log then says why the index is rebuilt.
        """
        # The index of a killed run comes first: its rows need not be embedded again.
        for role in (BUILDING, ""):
            try:
                return cls(connection, name, manifest, role=role, exact=exact, lease=lease)
            except IndexMissing:
                continue
            except IndexMismatch as exc:
                _log.warning("rebuilding the index: %s", exc)
            aliases.delete_building(connection, name)
        aliases.create(connection, name, manifest, role=BUILDING, exact=exact)
        return cls(connection, name, manifest, role=BUILDING, exact=exact, lease=lease)

    @property
    def has_changes(self) -> bool:
        """Whether anything was written, so that this version may differ from the live one."""
        return self._reader.role == BUILDING

    def publish(self) -> None:
        """Make this version live in one step; does nothing if there are no changes. Raises IndexBusy."""
        self._check_lease()
        if self.has_changes:
            aliases.swap_in(self._reader.connection, self._reader.name)

    def expunge_deletes(self) -> None:
        """Remove deleted and replaced rows physically: until then they count in the term statistics."""
        if self.has_changes:
            index = self._reader.look_up().index
            params = {"only_expunge_deletes": "true"}
            # The server merges by itself in time, but the calibration that follows needs correct statistics.
            self._reader.connection.request("POST", f"/{index}/_forcemerge", params=params, timeout=_COPY_SECONDS)
            self._reader.connection.request("POST", f"/{index}/_refresh", timeout=_COPY_SECONDS)

    def _begin_write(self) -> IndexInfo:
        """Return the next version, which the first write creates as a copy of the live one. Raises IndexBusy.

        The copy has no role until it is complete, so that the next run does not continue an incomplete copy if this run is
        killed: the server would go on copying and restore rows that the next run deletes.
        """
        self._check_lease()
        if not self.has_changes:
            connection, name, live = self._reader.connection, self._reader.name, self._reader.look_up()
            index = aliases.create_version(connection, name, live.manifest, exact=self._exact)
            copy = {"source": {"index": live.index, "query": ROWS}, "dest": {"index": index}}
            params = {"refresh": "true", "timeout": "1m", "wait_for_completion": "false"}
            self._wait_for_copy(connection.request("POST", "/_reindex", copy, params=params)["task"])
            aliases.assign_role(connection, name, index, BUILDING)
            self._reader.switch_role(BUILDING)
        return super()._begin_write()

    def _check_lease(self) -> None:
        if self._lease and self._lease.lost:
            raise IndexBusy(f"lost the lease of index {self._reader.name!r} to another ingestion: run this one again")

    def _wait_for_copy(self, task: str) -> None:
        """Wait for the task by polling, because a load balancer closes a connection that is idle for a minute."""
        name, end = self._reader.name, time.monotonic() + _COPY_SECONDS

        def result() -> dict[str, Any]:
            state: dict[str, Any] = self._reader.connection.request("GET", f"/_tasks/{task}")
            if not state["completed"]:
                raise TryAgain(f"index {name!r} was not copied within an hour: is its cluster busy?")
            return state

        done = _POLLING.call(result, retryable=is_try_again, remaining=lambda: end - time.monotonic())
        failures = done.get("response", {}).get("failures") or done.get("error")
        if failures:
            raise StoreError(f"the server failed to copy index {name!r}: {str(failures)[:300]}")
