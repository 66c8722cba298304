"""Reads a blocking stream of answer events in a thread and yields them in batches in the event loop; can be stopped."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Generator

from rag.types import AnswerEvent

BATCH_SECONDS = 0.05
"""Minimum time between batches: the cost of updating the page depends on the number of updates, not on their size."""

HEARTBEAT_SECONDS = 1.0
"""Time without events after which an empty batch is yielded: Gradio notices that a visitor has left only when it sends."""

Events = Generator[AnswerEvent, None, None]


class StreamBridge:
    """Reads `open_stream()` in its own thread. Use once, from one event loop."""

    def __init__(self, open_stream: Callable[[], Events]) -> None:
        self._open_stream = open_stream
        self._queue: asyncio.Queue[AnswerEvent | Exception | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._events: Events | None = None
        self._stopped = threading.Event()
        self._ended = asyncio.Event()

    async def batches(self) -> AsyncGenerator[list[AnswerEvent], None]:
        """Yields the events in order, in batches at least BATCH_SECONDS apart, or empty batches every HEARTBEAT_SECONDS.

        Raises the stream's exception.
        """
        threading.Thread(target=self._read, name="answer", daemon=True).start()
        try:
            ended = False
            while not ended:
                try:
                    item = await asyncio.wait_for(self._queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield []
                    continue
                batch, ended = self._drain(item)
                if batch:
                    yield batch
                    # No pause after the last event: other questions may be waiting for this answer's slot.
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._ended.wait(), BATCH_SECONDS)
        finally:
            self.stop()

    def stop(self) -> None:
        """End `batches` at once and close the stream. May be called repeatedly, and after the end.

        A plain generator cannot be closed while it runs in another thread; it is closed after its next event. Streams whose
        `close` may be called from any thread, such as CancellableStream, are closed at once.
        """
        if not self._stopped.is_set():
            self._stopped.set()
            if not self._ended.is_set():  # otherwise the reading thread has closed it
                self._put(None)
                threading.Thread(target=self._close, name="answer-close", daemon=True).start()

    def _drain(self, item: AnswerEvent | Exception | None) -> tuple[list[AnswerEvent], bool]:
        batch: list[AnswerEvent] = []
        while not self._stopped.is_set():
            if item is None:
                return batch, True
            if isinstance(item, Exception):
                if batch:
                    self._queue.put_nowait(item)
                    return batch, False
                raise item
            batch.append(item)
            if self._queue.empty():
                return batch, False
            item = self._queue.get_nowait()
        return [], True

    def _read(self) -> None:
        try:
            self._events = self._open_stream()
            while not self._stopped.is_set() and (event := next(self._events, None)) is not None:
                self._put(event)
            self._put(None)
        except Exception as exc:  # noqa: BLE001 - raised again by `batches`
            self._put(exc)
        finally:
            self._close()

    def _close(self) -> None:
        if self._events is not None:
            with contextlib.suppress(ValueError):  # "generator already executing": the reading thread will close it
                self._events.close()

    def _put(self, item: AnswerEvent | Exception | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed because the server is shutting down
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)
            if item is None or isinstance(item, Exception):
                self._loop.call_soon_threadsafe(self._ended.set)
