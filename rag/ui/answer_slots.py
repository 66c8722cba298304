"""Limits how many answers run at once, shares them fairly between visitors, and lets other work wait for them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

from rag.ui.stream_bridge import HEARTBEAT_SECONDS

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

    @contextmanager
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
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._uncrowded.wait()

    @asynccontextmanager
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
