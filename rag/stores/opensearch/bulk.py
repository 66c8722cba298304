"""Many writes at once: a few requests of some megabytes side by side, and retries while the server cannot keep up.

Every write names its document, so that sending one again does no harm.

Not `opensearchpy.helpers`, because of what those do with an overloaded server (opensearch-py 3.2.0): `parallel_bulk` has no
retries; `streaming_bulk` sends one chunk after the other, repeats items for a 429 but not for a 503, a fixed number of times
whatever progress is made; and both stop after the first chunk with a refused item, which leaves it half written and the rest
not sent.
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
"""Without any progress for so long, a write is given up."""
SHOWN: Final = 5
_RETRIES: Final = RetryPolicy(first_pause=0.1, longest_pause=5.0)
# Only what is read, of an answer that repeats each row's id and index. `timeout`: how long the server waits for shards.
_ANSWER: Final = {"filter_path": "errors,items.*.status,items.*.error", "timeout": "15s"}


class Write(NamedTuple):
    """One document to index, or (None) to delete."""

    key: str
    document: bytes | None

    def lines(self) -> bytes:
        """Its lines in the body of a `_bulk` request."""
        action = "delete" if self.document is None else "index"
        head = orjson.dumps({action: {"_id": self.key}})
        return head + b"\n" if self.document is None else b"%b\n%b\n" % (head, self.document)


def write(connection: Connection, index: str, writes: Iterable[Write], *, retry_seconds: float = RETRY_SECONDS) -> None:
    """Carry out all writes; they are seen after the next refresh.

    Raises StoreError naming documents that the server refuses (the others are written), StoreUnavailable where it stays
    overloaded for `retry_seconds` or is away.
    """
    waiting: deque[Future[list[str]]] = deque()
    refused: list[str] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            for chunk in _chunks(writes):
                waiting.append(pool.submit(_send, connection, index, chunk, retry_seconds))
                while len(waiting) > WORKERS:  # no more in memory than is being sent
                    refused += waiting.popleft().result()
            for future in waiting:
                refused += future.result()
        except BaseException:
            # What is being sent ends first: nothing may be written after the caller has seen the error.
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    if refused:
        more = f" and {len(refused) - SHOWN} more" if len(refused) > SHOWN else ""
        raise StoreError(f"OpenSearch refuses {len(refused)} passages: {'; '.join(refused[:SHOWN])}{more}")


def _chunks(writes: Iterable[Write]) -> Iterator[list[tuple[str, bytes]]]:
    """(key, lines) in lists of about CHUNK_BYTES."""
    chunk: list[tuple[str, bytes]] = []
    size = 0
    for each in writes:
        lines = each.lines()
        if chunk and size + len(lines) > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append((each.key, lines))
        size += len(lines)
    if chunk:
        yield chunk


def _send(connection: Connection, index: str, chunk: Sequence[tuple[str, bytes]], retry_seconds: float) -> list[str]:
    """What the server refused of a chunk, each with the reason. What it was too busy for is sent again."""
    pending = list(chunk)
    refused: list[str] = []
    end = time.monotonic() + retry_seconds

    def attempt() -> None:
        nonlocal pending, end
        body = b"".join(lines for _, lines in pending)
        answer = connection.request("POST", f"/{index}/_bulk", body, params=_ANSWER, lines=True, timeout=60.0)
        if not answer["errors"]:
            return
        results = [next(iter(item.values())) for item in answer["items"]]
        outcomes = list(zip(pending, results, strict=True))
        for (key, _), result in outcomes:
            # Deleting what is not there has status 404, but no error.
            if result["status"] >= 400 and result["status"] not in OVERLOADED and "error" in result:
                _, reason = parse_error(result)
                not_allowed = result["status"] in (401, 403)
                refused.append(f"{key!r} (not allowed: {reason})" if not_allowed else f"{key!r} ({reason})")
        busy = [(part, result) for part, result in outcomes if result["status"] in OVERLOADED]
        # Progress, so the time starts again: a slow server is not an overloaded one.
        if len(busy) < len(pending):
            end = time.monotonic() + retry_seconds
        pending = [part for part, _ in busy]
        if busy:
            error = error_of_status(busy[0][1]["status"], busy[0][1], connection.url)
            raise TryAgain(f"{error}; {len(busy)} passages are not written, the first is {pending[0][0]!r}")

    _RETRIES.call(attempt, retryable=is_try_again, remaining=lambda: end - time.monotonic())
    return refused
