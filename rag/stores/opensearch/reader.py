"""An open index: which one the name stands for now, and answers that all come from that one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from rag.errors import IndexBusy, StoreError
from rag.stores.base import Manifest
from rag.stores.opensearch import aliases, query_dsl
from rag.stores.opensearch.aliases import IndexInfo
from rag.stores.opensearch.bulk import Write, write
from rag.stores.opensearch.client import Connection, available
from rag.stores.opensearch.errors import error_of_status
from rag.stores.opensearch.metadata_terms import Query

SWAPS: Final = 20
"""Swaps in a row that one question follows before it gives up."""
_REFRESH_SECONDS: Final = 120.0

Ask = Callable[[IndexInfo], list[query_dsl.Body]]


class IndexReader:
    """Safe to use from several threads. `expected` (None: anything) is compared with each index that becomes live."""

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
        """ "" for the live index, else as in `rag.stores.opensearch.aliases`."""
        return self._role

    @property
    def alias(self) -> str:
        """The alias that is asked."""
        return aliases.alias(self.name, self._role)

    def become(self, role: str) -> None:
        """Go on with the index in another role."""
        self._role, self._seen = role, None

    def close(self) -> None:
        """Later calls raise StoreError; the connection is the caller's."""
        self._closed = True

    def current(self) -> IndexInfo:
        """The index seen last; whether it is still the live one, `ask` finds out beside the question."""
        return self._seen or self.look_up()

    def look_up(self) -> IndexInfo:
        """The index as it is now, its manifest checked. Raises IndexMissing, IndexMismatch."""
        if self._closed:
            raise StoreError(f"index {self.name!r} was closed: open it again")
        info = aliases.look_up(self.connection, self.name, self._role)
        if self.expected is not None:
            info.manifest.check(self.expected, index=self.name)
        self._seen = info
        return info

    def ask(self, make: Ask) -> tuple[IndexInfo, list[dict[str, Any]]]:
        """The answers to what `make` asks of an index, in one round trip: all from one, and from the one live now.

        They are asked of the index seen last; beside them the alias is asked which one it stands for.
        Raises IndexBusy where that changes SWAPS times in a row, and what the server's errors stand for.
        """
        for _ in range(SWAPS):
            info = self.current()
            searches = [(info.index, body) for body in make(info)]
            # In the same request: asked before or after, the alias could move in between.
            *answers, which = self.connection.msearch([*searches, (self.alias, query_dsl.WHICH)])
            if self._is_live(info, which) and not any(map(_gone, answers)):
                # Half an answer, from a shard that failed, is an error and not a shorter list.
                for answer in answers:
                    self._check(answer)
                return info, answers
            self._seen = None
        raise IndexBusy(f"index {self.name!r} is replaced again and again: try again later")

    def listed(self, allowed: list[Query], page: int, fields: Sequence[str] = ()) -> list[query_dsl.Hit]:
        """All rows that pass, sorted by id, from one index."""
        rows: list[query_dsl.Hit] = []
        begun: str | None = None
        while True:
            body = query_dsl.listing(page, allowed, hit_id(rows[-1]) if rows else None, fields=fields)
            info, (answer,) = self.ask(lambda _, body=body: [body])  # type: ignore[misc]
            if begun not in (None, info.index):  # another was swapped in between two pages
                rows, begun = [], None
                continue
            begun = info.index
            rows += (hits := hits_of(answer))
            if len(hits) < page:
                return rows

    def write(self, info: IndexInfo, writes: Iterable[Write], count: int) -> None:
        """Carry out `count` writes and show them. Raises StoreError."""
        if not count:
            return
        try:
            write(self.connection, info.index, writes)
        finally:  # also after a refused passage: the others are written, and a reader shall not see them some time later
            self.connection.request("POST", f"/{info.index}/_refresh", timeout=_REFRESH_SECONDS)

    def _is_live(self, info: IndexInfo, which: Mapping[str, Any]) -> bool:
        if _gone(which):
            return False  # and the next look says IndexMissing
        self._check(which)
        hits = hits_of(which)
        index = hits[0]["_index"] if hits else self.look_up().index  # an empty index has no hit to name it
        return bool(index == info.index)

    def _check(self, answer: Mapping[str, Any]) -> None:
        if "error" in answer:
            raise error_of_status(answer["status"], answer, self.connection.url)
        available(answer, self.connection.url)


def hits_of(answer: Mapping[str, Any]) -> list[query_dsl.Hit]:
    """The hits of one search, in its order."""
    hits: list[query_dsl.Hit] = answer["hits"]["hits"]
    return hits


def hit_id(hit: query_dsl.Hit) -> str:
    """The node id of a hit: every list is sorted by id last."""
    return str(hit["sort"][-1])


def _gone(answer: Mapping[str, Any]) -> bool:
    return answer.get("status") == 404
