"""An open index: resolves its alias, and makes sure that all answers of a request come from the live index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from rag.errors import IndexBusy, StoreError
from rag.stores.base import Manifest
from rag.stores.opensearch import aliases, query_dsl
from rag.stores.opensearch.aliases import IndexInfo
from rag.stores.opensearch.bulk import Write, write
from rag.stores.opensearch.client import Connection, check_shards
from rag.stores.opensearch.errors import error_of_status
from rag.stores.opensearch.metadata_terms import Query

MAX_SWAPS: Final = 20
"""How often `search` starts again after a swap before it gives up."""
_REFRESH_SECONDS: Final = 120.0

MakeSearches = Callable[[IndexInfo], list[query_dsl.Body]]


class IndexReader:
    """Searches and writes the index that an alias points to. Thread-safe.

    `expected` is compared with the manifest of each index that becomes live (None: no check).
    """

    def __init__(self, connection: Connection, name: str, expected: Manifest | None, role: str) -> None:
        self.connection = connection
        self.name = name
        self.expected = expected
        self._role = role
        self._seen: IndexInfo | None = None
        self._closed = False
        self.look_up()

    @property
    def role(self) -> str:
        """The role of the index: "" for the live one, or another role of `rag.stores.opensearch.aliases`."""
        return self._role

    @property
    def alias(self) -> str:
        """The alias of the index."""
        return aliases.alias(self.name, self._role)

    def switch_role(self, role: str) -> None:
        """Use the index in another role from now on."""
        self._role, self._seen = role, None

    def close(self) -> None:
        """Make later calls raise StoreError. The connection stays open, as it belongs to the caller."""
        self._closed = True

    def current(self) -> IndexInfo:
        """Return the index seen last, which may be out of date; `search` checks that it is still live."""
        return self._seen or self.look_up()

    def look_up(self) -> IndexInfo:
        """Return the current index and check its manifest. Raises IndexMissing, IndexMismatch."""
        if self._closed:
            raise StoreError(f"index {self.name!r} is closed: open it again")
        info = aliases.look_up(self.connection, self.name, self._role)
        if self.expected is not None:
            info.manifest.check(self.expected, index=self.name)
        self._seen = info
        return info

    def search(self, make_searches: MakeSearches) -> tuple[IndexInfo, list[dict[str, Any]]]:
        """Run the searches that `make_searches` returns for an index, in one round trip. Returns the index and the answers.

        All answers come from the index that is live now: the searches go to the index seen last, and the same request
        searches the alias to check that it still points to that index.
        Raises IndexBusy if the index is replaced MAX_SWAPS times in a row, and StoreError for errors of the server.
        """
        for _ in range(MAX_SWAPS):
            info = self.current()
            searches = [(info.index, body) for body in make_searches(info)]
            # In the same request, because the alias could move between two requests.
            *answers, probe = self.connection.msearch([*searches, (self.alias, query_dsl.ALIAS_PROBE)])
            if self._is_live(info, probe) and not any(map(_is_missing, answers)):
                # An answer that lacks a failed shard is an error and not a shorter list.
                for answer in answers:
                    self._check(answer)
                return info, answers
            self._seen = None
        raise IndexBusy(f"index {self.name!r} is being replaced repeatedly: try again later")

    def list_rows(self, allowed: list[Query], page: int, fields: Sequence[str] = ()) -> list[query_dsl.Hit]:
        """Return all allowed rows, sorted by id, from one index."""
        rows: list[query_dsl.Hit] = []
        first_index: str | None = None
        while True:
            body = query_dsl.rows_page(page, allowed, hit_id(rows[-1]) if rows else None, fields=fields)
            info, (answer,) = self.search(lambda _, body=body: [body])  # type: ignore[misc]
            if first_index not in (None, info.index):  # another index was swapped in between two pages
                rows, first_index = [], None
                continue
            first_index = info.index
            rows += (hits := hits_of(answer))
            if len(hits) < page:
                return rows

    def write(self, info: IndexInfo, writes: Iterable[Write], count: int) -> None:
        """Send `count` writes and refresh the index. Raises StoreError."""
        if not count:
            return
        try:
            write(self.connection, info.index, writes)
        finally:  # also after an error: the other passages are written and should be visible immediately
            self.connection.request("POST", f"/{info.index}/_refresh", timeout=_REFRESH_SECONDS)

    def _is_live(self, info: IndexInfo, probe: Mapping[str, Any]) -> bool:
        if _is_missing(probe):
            return False  # the next `look_up` raises IndexMissing
        self._check(probe)
        hits = hits_of(probe)
        index = hits[0]["_index"] if hits else self.look_up().index  # an empty index has no hit
        return bool(index == info.index)

    def _check(self, answer: Mapping[str, Any]) -> None:
        if "error" in answer:
            raise error_of_status(answer["status"], answer, self.connection.url)
        check_shards(answer, self.connection.url)


def hits_of(answer: Mapping[str, Any]) -> list[query_dsl.Hit]:
    """Return the hits of one search, in order."""
    hits: list[query_dsl.Hit] = answer["hits"]["hits"]
    return hits


def hit_id(hit: query_dsl.Hit) -> str:
    """Return the node id of a hit, which is the last sort key of every search."""
    return str(hit["sort"][-1])


def _is_missing(answer: Mapping[str, Any]) -> bool:
    return answer.get("status") == 404
