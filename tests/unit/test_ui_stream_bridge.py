"""The stream bridge: batches in order, errors, and an immediate stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Any

import pytest

from rag.errors import ModelUnavailable
from rag.types import AnswerDelta, AnswerEvent
from rag.ui import answer_streams
from rag.ui.answer_streams import StreamBridge


async def collect(pump: StreamBridge) -> list[AnswerEvent]:
    return [event async for batch in pump.batches() for event in batch]


def test_all_events_in_order() -> None:
    events = [AnswerDelta(str(number)) for number in range(500)]

    async def run() -> list[AnswerEvent]:
        return await collect(StreamBridge(lambda: (event for event in events)))

    assert asyncio.run(run()) == events


def test_fast_events_come_together() -> None:
    async def run() -> int:
        pump = StreamBridge(lambda: (AnswerDelta("x") for _ in range(500)))
        return len([batch async for batch in pump.batches()])

    assert asyncio.run(run()) < 50


def test_no_batch_is_awaited_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_streams, "BATCH_SECONDS", 3600.0)

    async def run() -> list[AnswerEvent]:
        return await asyncio.wait_for(collect(StreamBridge(lambda: (AnswerDelta(each) for each in "가나"))), 60)

    assert [event for event in asyncio.run(run()) if isinstance(event, AnswerDelta)] == [
        AnswerDelta("가"),
        AnswerDelta("나"),
    ]


def test_a_silent_stream_gives_empty_batches_meanwhile() -> None:
    """Gradio checks for a disconnect only when something is yielded."""
    go_on = threading.Event()

    def events() -> Generator[AnswerEvent, None, None]:
        go_on.wait()
        yield AnswerDelta("가")

    async def run() -> list[list[AnswerEvent]]:
        got = []
        async for batch in StreamBridge(events).batches():
            got.append(batch)
            go_on.set()
        return got

    assert asyncio.run(run()) == [[], [AnswerDelta("가")]]


def test_error_comes_after_what_was_before_it() -> None:
    def events() -> Generator[AnswerEvent, None, None]:
        yield AnswerDelta("가")
        raise ModelUnavailable("gone")

    async def run() -> list[AnswerEvent]:
        batches = StreamBridge(events).batches()
        got = await anext(batches)
        with pytest.raises(ModelUnavailable, match="gone"):
            await anext(batches)
        return got

    assert asyncio.run(run()) == [AnswerDelta("가")]


def test_error_on_opening() -> None:
    def refuse() -> Generator[AnswerEvent, None, None]:
        raise ModelUnavailable("gone")

    async def run() -> None:
        with pytest.raises(ModelUnavailable, match="gone"):
            await collect(StreamBridge(refuse))

    asyncio.run(run())


def test_stop_ends_the_batches_while_the_stream_blocks_and_closes_it_after() -> None:
    waiting, release, closed = threading.Event(), threading.Event(), threading.Event()

    def events() -> Generator[AnswerEvent, None, None]:
        try:
            yield AnswerDelta("가")
            waiting.set()
            release.wait()
            yield AnswerDelta("나")
        finally:
            closed.set()

    async def run() -> list[AnswerEvent]:
        pump, got = StreamBridge(events), []
        async for batch in pump.batches():
            got += batch
            await asyncio.to_thread(waiting.wait)
            pump.stop()
        return got

    assert asyncio.run(run()) == [AnswerDelta("가")]
    assert not closed.is_set(), "the stream is still waiting"
    release.set()
    assert closed.wait(60)


class Cancellable(Generator[AnswerEvent, None, None]):
    """A stream whose `close` wakes a `next` that is waiting, as a model's stream over a socket does."""

    def __init__(self) -> None:
        self.woken = threading.Event()
        self.waiting = threading.Event()

    def send(self, value: None, /) -> AnswerEvent:
        self.waiting.set()
        self.woken.wait()
        raise StopIteration

    def throw(self, typ: Any, val: Any = None, tb: TracebackType | None = None, /) -> AnswerEvent:
        raise typ

    def close(self) -> None:
        self.woken.set()

    def __iter__(self) -> Iterator[AnswerEvent]:  # type: ignore[override]
        return self


def test_stop_closes_at_once_a_stream_that_can_be() -> None:
    stream = Cancellable()

    async def run() -> None:
        pump = StreamBridge(lambda: stream)
        reading = asyncio.create_task(collect(pump))
        await asyncio.to_thread(stream.waiting.wait)
        pump.stop()
        pump.stop()
        assert await reading == []

    asyncio.run(run())
    assert stream.woken.wait(60)


def test_leaving_the_batches_stops_the_stream() -> None:
    closed = threading.Event()

    def endless() -> Generator[AnswerEvent, None, None]:
        try:
            while True:
                yield AnswerDelta("계속")
        finally:
            closed.set()

    async def run() -> None:
        batches = StreamBridge(endless).batches()
        assert await anext(batches)
        await batches.aclose()

    asyncio.run(run())
    assert closed.wait(60)
