"""Bulk requests of some megabytes, sent in parallel and retried while the server is overloaded.

Every write names its document, so that it can be sent again safely.

`opensearchpy.helpers` (3.2.0) is not used because of its behaviour with an overloaded server: `parallel_bulk` does not retry;
`streaming_bulk` sends chunks one after another and retries items for status 429 but not for 503, a fixed number of times
regardless of progress; both stop after the first chunk with a rejected item and do not send the rest.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, NamedTuple

import orjson

from rag.errors import StoreError
from rag.retries import RetryPolicy
from rag.stores.opensearch.client import Connection
from rag.stores.opensearch.errors import OVERLOADED, TryAgain, error_of_status, is_try_again, parse_error

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
