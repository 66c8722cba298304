"""An open index: resolves its alias, makes sure that all answers of a request come from the live index, and writes in bulk.

Bulk requests of some megabytes are sent in parallel and retried while the server is overloaded. Every write names its
document, so that it can be sent again safely. `opensearchpy.helpers` (3.2.0) is not used because of its behaviour with an
overloaded server: `parallel_bulk` does not retry; `streaming_bulk` sends chunks one after another and retries items for
status 429 but not for 503, a fixed number of times regardless of progress; both stop after the first chunk with a rejected
item and do not send the rest.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import orjson

from rag.errors import IndexBusy, StoreError
from rag.retries import RetryPolicy
from rag.stores.base import Manifest
from rag.stores.opensearch import aliases, query_dsl
from rag.stores.opensearch.aliases import IndexInfo
from rag.stores.opensearch.client import (
    OVERLOADED,
    Connection,
    TryAgain,
    check_shards,
    error_of_status,
    is_try_again,
    parse_error,
)
from rag.stores.opensearch.mapping import Query

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


CHUNK_BYTES: Final = 5_000_000
WORKERS: Final = 3
RETRY_SECONDS: Final = 60.0
"""Give up a write after this time without progress."""
MAX_SHOWN: Final = 5
_RETRIES: Final = RetryPolicy(first_pause=0.1, longest_pause=5.0)
# Limits the answer, which otherwise repeats each row's id and index. `timeout`: how long the server waits for shards.
_ANSWER: Final = {"filter_path": "errors,items.*.status,items.*.error", "timeout": "15s"}


class Write(NamedTuple):
    """One document to index, or (None) to delete."""

    key: str
    document: bytes | None

    def ndjson(self) -> bytes:
        """Return the lines of this write in the body of a `_bulk` request."""
        action = "delete" if self.document is None else "index"
        head = orjson.dumps({action: {"_id": self.key}})
        return head + b"\n" if self.document is None else b"%b\n%b\n" % (head, self.document)


def write(connection: Connection, index: str, writes: Iterable[Write]) -> None:
    """Send all writes. They are visible after the next refresh.

    Raises StoreError naming the documents that the server rejects (the others are written), and StoreUnavailable if the
    server makes no progress for RETRY_SECONDS or cannot be reached.
    """
    waiting: deque[Future[list[str]]] = deque()
    rejected: list[str] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            for chunk in _chunks(writes):
                waiting.append(pool.submit(_send, connection, index, chunk))
                while len(waiting) > WORKERS:  # keep few chunks in memory
                    rejected += waiting.popleft().result()
            for future in waiting:
                rejected += future.result()
        except BaseException:
            # Wait for requests in progress: nothing may be written after the caller has received the error.
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    if rejected:
        more = f" and {len(rejected) - MAX_SHOWN} more" if len(rejected) > MAX_SHOWN else ""
        raise StoreError(f"OpenSearch rejected {len(rejected)} passages: {'; '.join(rejected[:MAX_SHOWN])}{more}")


def _chunks(writes: Iterable[Write]) -> Iterator[list[tuple[str, bytes]]]:
    """Yield lists of (key, lines) of about CHUNK_BYTES."""
    chunk: list[tuple[str, bytes]] = []
    size = 0
    for each in writes:
        ndjson = each.ndjson()
        if chunk and size + len(ndjson) > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append((each.key, ndjson))
        size += len(ndjson)
    if chunk:
        yield chunk


def _send(connection: Connection, index: str, chunk: Sequence[tuple[str, bytes]]) -> list[str]:
    """Send a chunk, retrying items that the server was too busy for. Returns the rejected items with their reasons."""
    pending = list(chunk)
    rejected: list[str] = []
    end = time.monotonic() + RETRY_SECONDS

    def attempt() -> None:
        nonlocal pending, end
        body = b"".join(ndjson for _, ndjson in pending)
        # A longer timeout than for searches, because an overloaded server takes long to write a chunk.
        answer = connection.request("POST", f"/{index}/_bulk", body, params=_ANSWER, ndjson=True, timeout=60.0)
        if not answer["errors"]:
            return
        results = [next(iter(item.values())) for item in answer["items"]]
        outcomes = list(zip(pending, results, strict=True))
        for (key, _), result in outcomes:
            # Deleting a missing document has status 404 but no error.
            if result["status"] >= 400 and result["status"] not in OVERLOADED and "error" in result:
                _, reason = parse_error(result)
                not_allowed = result["status"] in (401, 403)
                rejected.append(f"{key!r} (not allowed: {reason})" if not_allowed else f"{key!r} ({reason})")
        busy = [(part, result) for part, result in outcomes if result["status"] in OVERLOADED]
        # Some items were written, so the time limit starts again: the server is slow but makes progress.
        if len(busy) < len(pending):
            end = time.monotonic() + RETRY_SECONDS
        pending = [part for part, _ in busy]
        if busy:
            error = error_of_status(busy[0][1]["status"], busy[0][1], connection.url)
            raise TryAgain(f"{error}; {len(busy)} passages are not written, the first is {pending[0][0]!r}")

    _RETRIES.call(attempt, retryable=is_try_again, remaining=lambda: end - time.monotonic())
    return rejected
