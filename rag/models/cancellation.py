"""How long an answer may take, and whether it is still wanted. Knows no model: whatever runs tells how it is stopped."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context, ContextVar, copy_context
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")
_CURRENT: ContextVar[Patience | None] = ContextVar("patience", default=None)


class Patience:
    """What one answer may take of its reader's time; shared by all its calls of models. `cancel` from any thread."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._stop: Callable[[], None] | None = None
        self.cancelled = False

    def remaining(self) -> float:
        """Seconds left, 0 at least."""
        return max(0.0, self._ends - time.monotonic())

    def cancel(self) -> None:
        """The answer is not wanted any more: end what is running, and whatever would begin."""
        with self._lock:
            self.cancelled = True
            stop = self._stop
        if stop:
            stop()

    def on_cancel(self, stop: Callable[[], None] | None) -> None:
        """What `cancel` has to do from now on; done at once where it was cancelled already."""
        with self._lock:
            self._stop = stop
            cancelled = self.cancelled
        if cancelled and stop:
            stop()

    @contextmanager
    def active(self) -> Iterator[None]:
        """`cancel` ends a call of an endpoint that this thread makes inside the block, however deep; one at a time."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)


def stopped_by_patience(stop: Callable[[], None]) -> None:
    """Let the active patience of this thread, if there is one, stop what begins now."""
    if (patience := _CURRENT.get()) is not None:
        patience.on_cancel(stop)


@contextmanager
def ended_with_task() -> Iterator[Context]:
    """The context to run a call in that an asyncio task awaits inside the block: cancelling the task ends the call."""
    patience = Patience(math.inf)
    stopped_by_patience(patience.cancel)
    with patience.active():
        context = copy_context()
    try:
        yield context
    except asyncio.CancelledError:
        patience.cancel()
        raise


class Closable(Generator[T, None, None]):
    """A generator that can be closed from another thread while it waits for a model: that ends the wait."""

    def __init__(self, items: Generator[T, None, None], patience: Patience) -> None:
        self._items = items
        self._patience = patience

    def send(self, value: None, /) -> T:
        return self._items.send(value)

    def throw(self, typ: Any, val: Any = None, tb: TracebackType | None = None, /) -> T:
        return self._items.throw(typ if val is None else val)

    def close(self) -> None:
        self._patience.cancel()
        with suppress(ValueError):  # "generator already executing": the thread in it is leaving
            self._items.close()
