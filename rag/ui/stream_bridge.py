"""Carries a blocking stream of answer events into the event loop, in batches, and ends it at once when asked."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Generator

from rag.types import AnswerEvent

BATCH_SECONDS = 0.05
"""Seconds between batches: what each change of the page costs grows with its number, not its size."""

HEARTBEAT_SECONDS = 1.0
"""Seconds without an event after which there is an empty batch: only by sending does Gradio learn that a visitor has left."""

Events = Generator[AnswerEvent, None, None]


class StreamBridge:
    """Reads `open_stream()` in a thread of its own. Used once, from one event loop."""

    def __init__(self, open_stream: Callable[[], Events]) -> None:
        self._open_stream = open_stream
        self._queue: asyncio.Queue[AnswerEvent | Exception | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._events: Events | None = None
        self._stopped = threading.Event()
        self._ended = asyncio.Event()

    async def batches(self) -> AsyncGenerator[list[AnswerEvent], None]:
        """Events in order, those of the last BATCH_SECONDS together; an empty batch where HEARTBEAT_SECONDS bring none.

        Raises what the stream raised.
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
                    # Not beyond the end: who waits for this answer's slot would wait for nothing.
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._ended.wait(), BATCH_SECONDS)
        finally:
            self.stop()

    def stop(self) -> None:
        """End `batches` now and close the stream. May be called again, and after the end.

        A plain generator that is waiting for its next event cannot be closed from outside; it is then closed as soon
        as that wait ends. One whose `close` may be called at any time is closed at once.
        """
        if not self._stopped.is_set():
            self._stopped.set()
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
        with contextlib.suppress(RuntimeError):  # the loop is gone: the server is shutting down
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)
            if item is None or isinstance(item, Exception):
                self._loop.call_soon_threadsafe(self._ended.set)
