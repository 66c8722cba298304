"""Runs answers for the page: so many at once, shared fairly between visitors, each read in a thread of its own.

`AnswerSlots` says when an answer may begin, and lets other work wait for the answers. `StreamBridge` reads the answer's
blocking stream, passes its events in batches to the event loop, and can be stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from dataclasses import dataclass

from rag.types import AnswerEvent

BATCH_SECONDS = 0.05
"""Minimum time between batches: the cost of updating the page depends on the number of updates, not on their size."""

HEARTBEAT_SECONDS = 1.0
"""Time without events after which an empty batch is yielded: Gradio notices that a visitor has left only when it sends."""

Events = Generator[AnswerEvent, None, None]

RECENT_SECONDS = 10.0
COOLDOWN_FACTOR, MAX_COOLDOWN_SECONDS = 2.0, 1.0
"""After an answer, its owner's next one waits COOLDOWN_FACTOR times as long as that answer took, MAX_COOLDOWN_SECONDS at most.

Only while another owner has asked within RECENT_SECONDS. Without it one visitor could keep a core busy all the time.
"""


@dataclass(eq=False, slots=True)
class SlotRequest:
    """A question that waits for a slot or holds one. `ready` is set when its answer may begin.

    `owner`, `address`: as in `rag.ui.visitors.Visitor`. `began`: when the answer began, by the loop's clock.
    """

    owner: str
    address: str
    ready: asyncio.Event
    began: float = 0.0

    async def wait(self) -> AsyncGenerator[None, None]:
        """Yields every HEARTBEAT_SECONDS until `ready` is set; yields nothing if it is set already."""
        while not self.ready.is_set():
            try:
                await asyncio.wait_for(self.ready.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield


class AnswerSlots:
    """At most `count` answers at once, and half of them for one owner.

    A free slot goes to the question whose address, then whose owner, has the fewest answers running; among equals to the
    first that came. Not thread-safe: use it from one event loop.
    """

    def __init__(self, count: int) -> None:
        self._count = self._free = count
        self._per_owner = max(1, count // 2)
        self._waiting: list[SlotRequest] = []
        self._unanswered = 0
        self._uncrowded = asyncio.Event()
        self._uncrowded.set()
        self._owners: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()
        # By owner, in the loop's clock: the last question, and the end of the cooldown.
        self._last_question: dict[str, float] = {}
        self._cooldown_end: dict[str, float] = {}

    @property
    def running(self) -> int:
        """Number of answers being produced."""
        return sum(self._owners.values())

    @property
    def waiting(self) -> int:
        """Number of questions that wait for a slot."""
        return len(self._waiting)

    @contextlib.contextmanager
    def unanswered(self) -> Iterator[None]:
        """Count a question as unanswered, from its arrival until the end of the block."""
        self._change_unanswered(1)
        try:
            yield
        finally:
            self._change_unanswered(-1)

    def _change_unanswered(self, change: int) -> None:
        self._unanswered += change
        if self._unanswered > self._count:
            self._uncrowded.clear()
        else:
            self._uncrowded.set()

    async def wait_until_uncrowded(self, seconds: float) -> None:
        """Wait, at most `seconds`, until no more questions are unanswered than there are slots.

        For work that may come after the answers of other visitors.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._uncrowded.wait()

    @contextlib.asynccontextmanager
    async def request(self, owner: str, address: str) -> AsyncGenerator[SlotRequest, None]:
        """Queue a question for a slot. It holds the slot from when `ready` is set until the end of the block."""
        request = SlotRequest(owner, address, asyncio.Event())
        now = asyncio.get_running_loop().time()
        # Old entries are removed here; otherwise the dictionary would grow with every visitor.
        recent = {each: at for each, at in self._last_question.items() if now - at < RECENT_SECONDS}
        self._last_question = recent | {owner: now}
        self._waiting.append(request)
        self._assign()
        try:
            yield request
        finally:
            if request.ready.is_set():
                self._free += 1
                self._owners[owner] -= 1
                self._addresses[address] -= 1
                # Unary plus drops the entries at zero.
                self._owners, self._addresses = +self._owners, +self._addresses
                self._start_cooldown(request)
                self._assign()
            else:
                self._waiting.remove(request)

    def _start_cooldown(self, ended: SlotRequest) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if any(owner != ended.owner and now - at < RECENT_SECONDS for owner, at in self._last_question.items()):
            end = now + min(COOLDOWN_FACTOR * (now - ended.began), MAX_COOLDOWN_SECONDS)
            self._cooldown_end[ended.owner] = end

            def end_cooldown() -> None:
                # A later answer of the same owner may have started another cooldown.
                if self._cooldown_end.get(ended.owner) == end:
                    del self._cooldown_end[ended.owner]
                    self._assign()

            loop.call_at(end, end_cooldown)

    def _assign(self) -> None:
        """Give free slots to waiting questions."""
        while self._free:
            eligible = [
                each
                for each in self._waiting
                if self._owners[each.owner] < self._per_owner and each.owner not in self._cooldown_end
            ]
            if not eligible:
                return
            # `min` keeps the order of arrival among equals.
            chosen = min(eligible, key=lambda each: (self._addresses[each.address], self._owners[each.owner]))
            self._waiting.remove(chosen)
            self._free -= 1
            self._owners[chosen.owner] += 1
            self._addresses[chosen.address] += 1
            chosen.began = asyncio.get_running_loop().time()
            chosen.ready.set()


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
