"""Bulk writes: items that the server is too busy for are retried, rejected ones are named."""

from __future__ import annotations

import threading
from typing import Any

import orjson
import pytest

from rag.errors import StoreError, StoreUnavailable
from rag.stores.opensearch import reader as bulk
from rag.stores.opensearch.client import Connection, Layout, connect
from rag.stores.opensearch.reader import Write, write

REJECTED = {"type": "rejected_execution_exception", "reason": "queue is full"}
UNFIT = {"type": "mapper_parsing_exception", "reason": "no such field"}


class Server(Connection):
    """Answers as OpenSearch does: `busy` times 429 for each of some keys, 400 for others; records what was written."""

    def __init__(self, busy: dict[str, int] | None = None, unfit: tuple[str, ...] = ()) -> None:
        super().__init__(connect("http://127.0.0.1:9").client, "http://fake", Layout())
        self._busy, self._unfit, self._lock = dict(busy or {}), unfit, threading.Lock()
        self.written: list[str] = []
        self.requests: list[int] = []

    def request(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        keys = [orjson.loads(line)["index"]["_id"] for line in body.split(b"\n")[:-1:2]]
        with self._lock:
            self.requests.append(len(body))
            items = [self._item(key) for key in keys]
        return {"errors": any("error" in item["index"] for item in items), "items": items}

    def _item(self, key: str) -> dict[str, Any]:
        if self._busy.get(key, 0) > 0:
            self._busy[key] -= 1
            return {"index": {"status": 429, "error": REJECTED}}
        if key in self._unfit:
            return {"index": {"status": 400, "error": UNFIT}}
        self.written.append(key)
        return {"index": {"status": 201}}


def writes(count: int, size: int = 10) -> list[Write]:
    return [Write(f"k{i:03}", b'"' + b"x" * size + b'"') for i in range(count)]


def test_all_are_written_in_several_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK_BYTES", 1000)
    server = Server()
    write(server, "i", writes(100, 100))
    assert sorted(server.written) == [f"k{i:03}" for i in range(100)]
    assert len(server.requests) > 10 and max(server.requests) <= 1000


def test_one_larger_than_a_request_may_be_is_sent_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK_BYTES", 100)
    server = Server()
    write(server, "i", writes(3, 500))
    assert len(server.requests) == 3


def test_what_was_too_much_is_sent_again_and_nothing_else_is() -> None:
    server = Server(busy={"k001": 3, "k004": 1})
    write(server, "i", writes(6))
    assert sorted(server.written) == [f"k{i:03}" for i in range(6)], "each exactly once"
    assert len(server.requests) == 4


def test_a_server_that_stays_overloaded_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "RETRY_SECONDS", 0.0)
    with pytest.raises(StoreUnavailable, match=r"overloaded.* 2 passages.*k000"):
        write(Server(busy={"k000": 10**6, "k001": 10**6}), "i", writes(2))


def test_what_is_refused_is_named_and_the_others_are_written() -> None:
    server = Server(unfit=tuple(f"k{i:03}" for i in range(1, 9)), busy={"k009": 2})
    with pytest.raises(StoreError, match=r"rejected 8 passages: 'k001' \(no such field\).* and 3 more"):
        write(server, "i", writes(10))
    assert sorted(server.written) == ["k000", "k009"]


def test_a_request_that_fails_ends_it() -> None:
    class Unreachable(Server):
        def request(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
            raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable, match="away"):
        write(Unreachable(), "i", writes(3))
