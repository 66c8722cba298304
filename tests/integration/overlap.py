"""Checks without a clock that calls overlap and that the event loop is not blocked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
TICKS = 20


class Gate:
    """Holds every request in the server until all `count` are there and the client's loop has ticked TICKS times since.

    With fewer at once, or a loop that stands still, nothing gets through and the barrier breaks.
    """

    def __init__(self, count: int) -> None:
        self._all_here = threading.Event()
        self._ticked = threading.Event()
        self._barrier = threading.Barrier(count, action=self._all_here.set)

    def hold(self) -> None:
        """For the server."""
        self._barrier.wait(60)
        assert self._ticked.wait(60), "the event loop stood still"

    async def gather(self, ways: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
        """For the client: all of them, and the ticks."""
        ticking = asyncio.create_task(self._tick())
        results = await asyncio.gather(*(way() for way in ways))
        await ticking
        return results

    async def _tick(self) -> None:
        ticks = 0
        while ticks < TICKS:
            await asyncio.sleep(0.001)
            ticks += self._all_here.is_set()
        self._ticked.set()
