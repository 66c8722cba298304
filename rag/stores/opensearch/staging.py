"""The next version of an index, while an ingestion makes it: nobody sees it before it is whole.

It answers from the live version until the first write, which copies that on the server: unchanged rows are neither sent nor
embedded again, and an ingestion that changes nothing leaves everything as it is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any, Final

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import MetadataFilters

from rag.errors import IndexBusy, IndexMismatch, IndexMissing, StoreError
from rag.retries import RetryPolicy
from rag.stores.base import Manifest
from rag.stores.opensearch import aliases
from rag.stores.opensearch.client import Connection
from rag.stores.opensearch.errors import TryAgain, is_try_again
from rag.stores.opensearch.lock import Lease
from rag.stores.opensearch.query_dsl import ROWS
from rag.stores.opensearch.store import OpenSearchStore

BUILDING: Final = "building"
_COPY_SECONDS: Final = 3600.0
_POLLING: Final = RetryPolicy(first_pause=0.1, longest_pause=2.0)
_log = logging.getLogger(__name__)


class StagingIndex(OpenSearchStore):
    """A store to write the next version of `name` to. `publish` makes it the live one.

    `lease`: held while it is written. Once that is lost, writing and publishing raise IndexBusy: another ingestion may be at it.
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
        """Goes on with what a killed run has built so far; else over the live version; else empty.

        Where neither has this manifest, it starts from nothing, and the log says why.
        """
        # A killed run's first: it holds rows that need not be embedded again.
        for role in (BUILDING, ""):
            try:
                return cls(connection, name, manifest, role=role, exact=exact, lease=lease)
            except IndexMissing:
                continue
            except IndexMismatch as exc:
                _log.warning("rebuilding the index: %s", exc)
            aliases.discard(connection, name)
        aliases.create(connection, name, manifest, role=BUILDING, exact=exact)
        return cls(connection, name, manifest, role=BUILDING, exact=exact, lease=lease)

    @property
    def has_changes(self) -> bool:
        """Whether anything differs from the live version."""
        return self._reader.role == BUILDING

    def publish(self) -> None:
        """Make it the live version, in one step; without changes there is nothing to do. Raises IndexBusy."""
        self._check_lease()
        if self.has_changes:
            aliases.swap_in(self._reader.connection, self._reader.name)

    def expunge_deletes(self) -> None:
        """Drop replaced rows for good: until then they count in the words' statistics."""
        if self.has_changes:
            index = self._reader.look_up().index
            params = {"only_expunge_deletes": "true"}
            # Merging happens in time anyway; the calibration that comes next needs it now.
            self._reader.connection.request("POST", f"/{index}/_forcemerge", params=params, timeout=_COPY_SECONDS)
            self._reader.connection.request("POST", f"/{index}/_refresh", timeout=_COPY_SECONDS)

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """As the store's, in the next version. Raises IndexBusy where the lease was lost."""
        self._copy_live_version()
        return super().add(nodes, **kwargs)

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """As the store's, in the next version. Raises IndexBusy where the lease was lost."""
        self._copy_live_version()
        super().delete(ref_doc_id, **delete_kwargs)

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """As the store's, in the next version. Raises IndexBusy where the lease was lost."""
        self._copy_live_version()
        super().delete_nodes(node_ids, filters, **delete_kwargs)

    def clear(self) -> None:
        """As the store's, in the next version. Raises IndexBusy where the lease was lost."""
        self._copy_live_version()
        super().clear()

    def replace_manifest(self, manifest: Manifest) -> None:
        """As the store's, in the next version. Raises IndexBusy where the lease was lost."""
        self._copy_live_version()
        super().replace_manifest(manifest)

    def _copy_live_version(self) -> None:
        """Copy the live version to an index of its own, and go on there; done already: nothing.

        Until the copy is whole it has no role, so a run that is killed meanwhile is not continued in half of it: the
        server would go on copying, and bring back rows that the next run deletes.
        """
        self._check_lease()
        if self.has_changes:
            return
        connection, name, live = self._reader.connection, self._reader.name, self._reader.look_up()
        index = aliases.create_version(connection, name, live.manifest, exact=self._exact)
        copy = {"source": {"index": live.index, "query": ROWS}, "dest": {"index": index}}
        params = {"refresh": "true", "timeout": "1m", "wait_for_completion": "false"}
        self._wait_for_copy(connection.request("POST", "/_reindex", copy, params=params)["task"])
        aliases.give_role(connection, name, index, BUILDING)
        self._reader.become(BUILDING)

    def _check_lease(self) -> None:
        if self._lease and self._lease.lost:
            raise IndexBusy(f"another ingestion of the index {self._reader.name!r} took over: run this one again")

    def _wait_for_copy(self, task: str) -> None:
        """Polls: a load balancer cuts a connection that is silent for a minute."""
        name, end = self._reader.name, time.monotonic() + _COPY_SECONDS

        def result() -> dict[str, Any]:
            state: dict[str, Any] = self._reader.connection.request("GET", f"/_tasks/{task}")
            if not state["completed"]:
                raise TryAgain(f"index {name!r} is not copied within an hour: is its cluster busy?")
            return state

        done = _POLLING.call(result, retryable=is_try_again, remaining=lambda: end - time.monotonic())
        failures = done.get("response", {}).get("failures") or done.get("error")
        if failures:
            raise StoreError(f"index {name!r} cannot be copied: {str(failures)[:300]}")
