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

from rag.errors import IndexBusy, IndexMismatch, IndexMissing, StoreError, StoreUnavailable
from rag.stores.base import Manifest
from rag.stores.opensearch import aliases as indexes
from rag.stores.opensearch.client import Connection
from rag.stores.opensearch.lock import Lease
from rag.stores.opensearch.query_dsl import ROWS
from rag.stores.opensearch.store import OpenSearchStore

BUILDING: Final = "building"
_COPY_SECONDS: Final = 3600.0
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
        for role in (BUILDING, ""):
            try:
                return cls(connection, name, manifest, role=role, exact=exact, lease=lease)
            except IndexMissing:
                continue
            except IndexMismatch as exc:
                _log.warning("building the index anew: %s", exc)
            indexes.discard(connection, name)
        indexes.create(connection, name, manifest, role=BUILDING, exact=exact)
        return cls(connection, name, manifest, role=BUILDING, exact=exact, lease=lease)

    @property
    def begun(self) -> bool:
        """Whether anything differs from the live version."""
        return self._live.role == BUILDING

    def publish(self) -> None:
        """Make it the live version, in one step; without changes there is nothing to do."""
        self._check_lease()
        if self.begun:
            indexes.swap_in(self._live.connection, self._live.name)

    def expunge_deletes(self) -> None:
        """Drop replaced rows for good: until then they count in the words' statistics."""
        if self.begun:
            index = self._live.look_up().index
            params = {"only_expunge_deletes": "true"}
            self._live.connection.request("POST", f"/{index}/_forcemerge", params=params, timeout=_COPY_SECONDS)
            self._live.connection.request("POST", f"/{index}/_refresh", timeout=_COPY_SECONDS)

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        self._begin()
        return super().add(nodes, **kwargs)

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        self._begin()
        super().delete(ref_doc_id, **delete_kwargs)

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        self._begin()
        super().delete_nodes(node_ids, filters, **delete_kwargs)

    def clear(self) -> None:
        self._begin()
        super().clear()

    def replace_manifest(self, manifest: Manifest) -> None:
        self._begin()
        super().replace_manifest(manifest)

    def _begin(self) -> None:
        """Copy the live version to an index of its own, and go on there.

        Until the copy is whole it has no role, so a run that is killed meanwhile is not continued in half of it: the
        server would go on copying, and bring back rows that the next run no longer wants.
        """
        self._check_lease()
        if self.begun:
            return
        connection, name, live = self._live.connection, self._live.name, self._live.look_up()
        index = indexes.create_version(connection, name, live.manifest, exact=self._exact)
        copy = {"source": {"index": live.index, "query": ROWS}, "dest": {"index": index}}
        params = {"refresh": "true", "timeout": "1m", "wait_for_completion": "false"}
        self._wait_for(connection.request("POST", "/_reindex", copy, params=params)["task"])
        indexes.give_role(connection, name, index, BUILDING)
        self._live.become(BUILDING)

    def _check_lease(self) -> None:
        if self._lease and self._lease.lost:
            raise IndexBusy(f"another ingestion of the index {self._live.name!r} took over: run this one again")

    def _wait_for(self, task: str) -> None:
        """Asked again and again: a load balancer cuts a connection that is silent for a minute."""
        end, pause = time.monotonic() + _COPY_SECONDS, 0.05
        while not (done := self._live.connection.request("GET", f"/_tasks/{task}"))["completed"]:
            if time.monotonic() > end:
                raise StoreUnavailable(f"index {self._live.name!r} is not copied within an hour: is its cluster busy?")
            time.sleep(pause)
            pause = min(2 * pause, 2.0)
        failures = done.get("response", {}).get("failures") or done.get("error")
        if failures:
            raise StoreError(f"index {self._live.name!r} cannot be copied: {str(failures)[:300]}")
