"""CancelScope: what a call may take of somebody's time, and the means to end it from any thread.

An answer has one scope, and each call of a model made for it a child with a deadline of its own. The scope knows no model
and no socket: what waits says how its wait is ended (`on_end`), and `rag.models.sockets` does so for connections. Trying a
call again is here too, for it ends with the call's scope; how often and how soon is `rag.retries`' policy.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context, ContextVar, copy_context
from types import TracebackType
from typing import Any, TypeVar

from rag.errors import ModelError, ModelInterrupted, ModelTimeout, ModelUnavailable
from rag.models.threads import renewed_after_fork
from rag.retries import RetryPolicy

T = TypeVar("T")
LONGEST = 86_400.0
"""Seconds; neither sockets nor locks take any number."""
_CURRENT: ContextVar[CancelScope | None] = ContextVar("cancel_scope", default=None)


class CancelScope:
    """A deadline and a cancel for one call, or for all calls of one answer. Thread-safe.

    `deadline`: seconds from now for all of it, LONGEST at most; `stall`: seconds that one read may wait. A scope made
    while another is active in this thread is cancelled with that one, but keeps its own deadline.
    """

    def __init__(self, deadline: float = LONGEST, *, stall: float = LONGEST) -> None:
        self._ends = time.monotonic() + min(deadline, LONGEST)
        self._stall = stall
        self._cancelled_at = math.inf
        self._over = threading.Event()
        # Reentrant: what `on_end` was given may look at the scope, or cancel it.
        self._lock = threading.RLock()
        self._stop: Callable[[], None] | None = None
        self._children: weakref.WeakSet[CancelScope] = weakref.WeakSet()
        self._parents: list[CancelScope] = []  # kept alive: a cancel reaches a child through all that lie between
        self._watched = False
        if (current := _CURRENT.get()) is not None:
            current._adopt(self)

    def child(self, deadline: float = LONGEST, *, stall: float = LONGEST) -> CancelScope:
        """A scope that is cancelled with this one, and ends when this one does or after `deadline` seconds."""
        child = CancelScope(min(deadline, self.remaining()), stall=stall)
        self._adopt(child)
        return child

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called, of this scope or of one that it belongs to."""
        return self._cancelled_at < math.inf

    @property
    def expired(self) -> bool:
        """Whether the deadline came, and before any `cancel`."""
        return min(self._cancelled_at, time.monotonic()) >= self._ends

    def remaining(self) -> float:
        """Seconds left, 0 at least."""
        return max(0.0, self._ends - time.monotonic())

    def read_timeout(self) -> float:
        """Seconds the next read may wait; never 0, which would mean a socket that does not block."""
        return max(0.001, min(self._stall, self.remaining()))

    def check(self, name: str) -> None:
        """Raises ModelTimeout where the scope has expired, ModelInterrupted where it was cancelled. `name`: the model's.

        To be called after each wait: a connection shut by the scope looks like a failure of the network, or like an end.
        """
        if self.expired:
            raise ModelTimeout(f"{name} did not answer within the deadline; raise DEADLINE, or check the model's load")
        if self.cancelled:
            raise ModelInterrupted(f"the call of {name} was cancelled")

    def cancel(self) -> None:
        """End what runs in this scope and its children, and what would begin; from any thread, more than once."""
        with self._lock:
            self._cancelled_at = min(self._cancelled_at, time.monotonic())
            children = list(self._children)
        # Outside the lock: a child's end may take that of another scope.
        self.end()
        for child in children:
            child.cancel()

    def end(self) -> None:
        """Free whoever waits; for `cancel` and the deadline."""
        self._over.set()
        with self._lock:
            if self._stop is not None:
                self._stop()

    def on_end(self, stop: Callable[[], None] | None) -> None:
        """What the end of this scope has to do from now on, in the place of what it had to do before; at once where the
        scope has ended already. It runs in the thread that cancels, or in that of the deadlines: it must not wait."""
        with self._lock:
            self._stop = stop
            watched, self._watched = self._watched, True
            if stop is not None and (self.cancelled or self.expired):
                stop()
        # Only now: most scopes of whole answers have nothing of their own to end.
        if not watched:
            _WATCHDOG.watch(self, self._ends)

    def release(self) -> None:
        """The call is done with its connection: a late `cancel` or deadline must not touch it."""
        with self._lock:
            self._stop = None

    def sleep(self, seconds: float) -> None:
        """Wait, at most until the scope ends."""
        self._over.wait(seconds)

    @contextmanager
    def active(self) -> Iterator[None]:
        """What this thread begins inside the block, however deep, belongs to this scope: connections and other scopes."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def _adopt(self, child: CancelScope) -> None:
        child._parents.append(self)
        with self._lock:
            self._children.add(child)
            cancelled = self.cancelled
        if cancelled:
            child.cancel()


def current_scope() -> CancelScope | None:
    """The scope that is active in this thread or task."""
    return _CURRENT.get()


@contextmanager
def cancelled_with_task() -> Iterator[Context]:
    """The context to run a call in that an asyncio task awaits inside the block: cancelling the task ends the call."""
    scope = CancelScope()
    with scope.active():
        context = copy_context()
    try:
        yield context
    except asyncio.CancelledError:
        scope.cancel()
        raise


class CancellableStream(Generator[T, None, None]):
    """A generator that can be closed from another thread while it waits for a model: closing cancels its scope."""

    def __init__(self, items: Generator[T, None, None], scope: CancelScope) -> None:
        self._items = items
        self._scope = scope

    def send(self, value: None, /) -> T:
        """The next item, as of the generator itself."""
        return self._items.send(value)

    def throw(self, typ: Any, val: Any = None, tb: TracebackType | None = None, /) -> T:
        """As of the generator itself."""
        return self._items.throw(typ if val is None else val)

    def close(self) -> None:
        """End the items; from any thread, also while another one waits for the next item."""
        self._scope.cancel()
        with suppress(ValueError):  # "generator already executing": the thread in it is leaving
            self._items.close()


def call_with_retries(attempt: Callable[[], T], scope: CancelScope, policy: RetryPolicy, name: str) -> T:
    """The first result of `attempt`, which raises kinds of ModelError; its connections belong to `scope`.

    Tried again while the model is unavailable, as `policy` says and within the scope's deadline. Raises the last error,
    ModelTimeout at the deadline and ModelInterrupted where the scope is cancelled. `name`: the model's, in messages.
    """

    def checked() -> T:
        scope.check(name)
        try:
            with scope.active():
                result = attempt()
        except ModelError:
            scope.check(name)
            raise
        scope.check(name)
        return result

    return policy.call(checked, retryable=is_transient, remaining=scope.remaining, sleep=scope.sleep)


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed a moment later. A timeout is not: the call's time is used up."""
    return isinstance(error, ModelUnavailable) and not isinstance(error, ModelTimeout)


class _Watchdog:
    """Ends each scope at its deadline. One daemon thread, started for the first one that has something to end."""

    def __init__(self) -> None:
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Without the scopes of the process that forked: their sockets are not ours to shut."""
        self._due: list[tuple[float, int, weakref.ref[CancelScope]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, scope: CancelScope, when: float) -> None:
        """`when`: by time.monotonic."""
        with self._changed:
            heapq.heappush(self._due, (when, next(self._numbers), weakref.ref(scope)))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="model-deadlines", daemon=True)
                self._thread.start()
            if self._due[0][0] == when:  # else it sleeps long enough as it is; waking it costs each call .5 ms
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._due or self._due[0][0] > time.monotonic():
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                # A reference that holds nothing alive: most calls are over long before their deadline.
                scope = heapq.heappop(self._due)[2]()
            if scope is not None:
                scope.end()


_WATCHDOG = _Watchdog()
