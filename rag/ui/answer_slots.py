"""Who is answered next: as many answers at once as the machine bears, and no visitor takes them all."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

HEARTBEAT_SECONDS = 1.0
"""Between signs of life to one who waits: only by sending does Gradio learn that a visitor has left."""

RECENT_SECONDS = 10.0
REST, LONGEST_REST = 2.0, 1.0
"""While somebody else has asked in the last RECENT_SECONDS, an owner's next answer begins after it has rested for REST times
as long as its last one took, LONGEST_REST seconds at most: so one visitor keeps no core busy all the time."""


@dataclass(eq=False, slots=True)
class Turn:
    """A question's place. `ready` is set when its answer may begin."""

    owner: str
    address: str
    ready: asyncio.Event
    began: float = 0.0

    async def wait(self) -> AsyncGenerator[None, None]:
        """Yields at each sign of life until it is its turn; not at all where it is so at once."""
        while not self.ready.is_set():
            try:
                await asyncio.wait_for(self.ready.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield


class AnswerSlots:
    """`count` answers at once. One owner has half of them at most; the next is who has the fewest running.

    Used from one event loop.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._per_owner = max(1, count // 2)
        self._waiting: list[Turn] = []
        self._owners: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()
        self._asked: dict[str, float] = {}
        self._resting: dict[str, float] = {}
        """When each owner has asked last, and until when it rests, by the loop's clock."""

    @property
    def running(self) -> int:
        """Answers being made."""
        return sum(self._owners.values())

    @property
    def waiting(self) -> int:
        """Questions whose turn has not come."""
        return len(self._waiting)

    @asynccontextmanager
    async def turn(self, owner: str, address: str) -> AsyncGenerator[Turn, None]:
        """A place among those who wait, and a slot from when `ready` is set until the end of the block."""
        turn = Turn(owner, address, asyncio.Event())
        now = asyncio.get_running_loop().time()
        # Pruned here, at each question: without it every visitor of a day would be kept.
        self._asked = {each: at for each, at in self._asked.items() if now - at < RECENT_SECONDS} | {owner: now}
        self._waiting.append(turn)
        self._start()
        try:
            yield turn
        finally:
            if turn.ready.is_set():
                self._free += 1
                self._owners[owner] -= 1
                self._addresses[address] -= 1
                self._owners, self._addresses = +self._owners, +self._addresses
                self._rest(turn)
                self._start()
            else:
                self._waiting.remove(turn)

    def _rest(self, turn: Turn) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if any(owner != turn.owner and now - at < RECENT_SECONDS for owner, at in self._asked.items()):
            until = now + min(REST * (now - turn.began), LONGEST_REST)
            self._resting[turn.owner] = until
            loop.call_at(until, self._wake, turn.owner, until)

    def _wake(self, owner: str, until: float) -> None:
        if self._resting.get(owner) == until:
            del self._resting[owner]
            self._start()

    def _start(self) -> None:
        while self._free:
            able = [
                turn
                for turn in self._waiting
                if self._owners[turn.owner] < self._per_owner and turn.owner not in self._resting
            ]
            if not able:
                return
            # min keeps the order of arrival among equals
            turn = min(able, key=lambda turn: (self._addresses[turn.address], self._owners[turn.owner]))
            self._waiting.remove(turn)
            self._free -= 1
            self._owners[turn.owner] += 1
            self._addresses[turn.address] += 1
            turn.began = asyncio.get_running_loop().time()
            turn.ready.set()
