"""Many writes at once: a few requests of some megabytes side by side, and patience with a server that cannot keep up.

Every write names its document, so that sending one again does no harm.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import orjson

from rag.errors import StoreError, StoreUnavailable
from rag.stores.opensearch.client import Connection
from rag.stores.opensearch.errors import OVERLOADED, of_status, told

CHUNK_BYTES: Final = 5_000_000
WORKERS: Final = 3
PATIENCE: Final = 60.0
"""Seconds without any progress after which a write is given up."""
SHOWN: Final = 5
_ANSWER: Final = {"filter_path": "errors,items.*.status,items.*.error", "timeout": "15s"}


class Write(NamedTuple):
    """One document to index, or (None) to delete."""

    key: str
    document: bytes | None

    def lines(self) -> bytes:
        action = "delete" if self.document is None else "index"
        head = orjson.dumps({action: {"_id": self.key}})
        return head + b"\n" if self.document is None else b"%b\n%b\n" % (head, self.document)


def write(connection: Connection, index: str, writes: Iterable[Write], *, patience: float = PATIENCE) -> None:
    """Carry out all writes; they are seen after the next refresh.

    Raises StoreError naming documents that the server refuses (the others are written), StoreUnavailable where it stays
    overloaded or away.
    """
    waiting: deque[Future[list[str]]] = deque()
    refused: list[str] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            for chunk in _chunks(writes):
                waiting.append(pool.submit(_send, connection, index, chunk, patience))
                while len(waiting) > WORKERS:  # no more in memory than is being sent
                    refused += waiting.popleft().result()
            for future in waiting:
                refused += future.result()
        except BaseException:
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


def _send(connection: Connection, index: str, chunk: Sequence[tuple[str, bytes]], patience: float) -> list[str]:
    """What the server refused of a chunk, each with the reason. What it was too busy for is sent again."""
    refused: list[str] = []
    end, pause = time.monotonic() + patience, 0.1
    while chunk:
        body = b"".join(lines for _, lines in chunk)
        answer = connection.request("POST", f"/{index}/_bulk", body, params=_ANSWER, lines=True, timeout=60.0)
        if not answer["errors"]:
            break
        results = [next(iter(item.values())) for item in answer["items"]]
        again = [part for part, result in zip(chunk, results, strict=True) if result["status"] in OVERLOADED]
        refused += [_reason(part[0], result) for part, result in zip(chunk, results, strict=True) if _wrong(result)]
        if again and len(again) == len(chunk) and time.monotonic() > end:
            busy = next(result for result in results if result["status"] in OVERLOADED)
            raise _given_up(connection, busy, [key for key, _ in again])
        if len(again) < len(chunk):
            end = time.monotonic() + patience
        chunk = again
        if chunk:
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - only to keep writers from asking in step
            pause = min(2 * pause, 5.0)
    return refused


def _wrong(result: dict[str, Any]) -> bool:
    """Whether an item failed for good. Deleting what is not there is no failure."""
    return result["status"] >= 400 and result["status"] not in OVERLOADED and "error" in result


def _reason(key: str, result: dict[str, Any]) -> str:
    if result["status"] in (401, 403):
        return f"{key!r} (not allowed: {told(result)[1]})"
    return f"{key!r} ({told(result)[1]})"


def _given_up(connection: Connection, result: dict[str, Any], keys: Sequence[str]) -> StoreError:
    error = of_status(result["status"], result, connection.url)
    return StoreUnavailable(f"{error}; {len(keys)} passages are not written, the first is {keys[0]!r}")
