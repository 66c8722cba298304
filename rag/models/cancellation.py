"""CancelScope: a deadline for a call, and a way to cancel it from any thread.

An answer has one scope, and each model call for it has a child scope with its own deadline. A scope does not know models:
code that waits registers a function that ends its wait (`on_end`); `ScopedSocket` does this for the socket of a connection.
`call_with_retries` retries a call within its scope, with a policy of `rag.retries`.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import socket
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context, ContextVar, copy_context
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from rag.errors import ModelError, ModelInterrupted, ModelTimeout, ModelUnavailable
from rag.models.threads import reset_after_fork
from rag.retries import RetryPolicy

T = TypeVar("T")
MAX_SECONDS = 86_400.0
"""The longest deadline in seconds; sockets and locks do not accept arbitrarily large numbers."""
_CURRENT: ContextVar[CancelScope | None] = ContextVar("cancel_scope", default=None)


class CancelScope:
    """A deadline and a cancellation for one call, or for all calls of one answer. Thread-safe.

    `deadline`: seconds from now until the scope ends, at most MAX_SECONDS. `stall`: seconds that one read may wait. A scope
    that is created while another one is active in this thread is cancelled with that one, but keeps its own deadline.
    """

    def __init__(self, deadline: float = MAX_SECONDS, *, stall: float = MAX_SECONDS) -> None:
        self._ends = time.monotonic() + min(deadline, MAX_SECONDS)
        self._stall = stall
        self._cancelled_at = math.inf
        self._over = threading.Event()
        # Reentrant, because the function passed to `on_end` may use or cancel this scope.
        self._lock = threading.RLock()
        self._stop: Callable[[], None] | None = None
        self._children: weakref.WeakSet[CancelScope] = weakref.WeakSet()
        self._parents: list[
            CancelScope
        ] = []  # references that keep the chain alive through which a cancel reaches children
        self._watched = False
        if (current := _CURRENT.get()) is not None:
            current._add_child(self)

    def child(self, deadline: float = MAX_SECONDS, *, stall: float = MAX_SECONDS) -> CancelScope:
        """Return a scope that is cancelled with this one, and ends with this one or after `deadline` seconds."""
        child = CancelScope(min(deadline, self.remaining()), stall=stall)
        self._add_child(child)
        return child

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called on this scope or on one of its parents."""
        return self._cancelled_at < math.inf

    @property
    def expired(self) -> bool:
        """Whether the deadline passed before the scope was cancelled."""
        return min(self._cancelled_at, time.monotonic()) >= self._ends

    def remaining(self) -> float:
        """Return the seconds until the deadline, at least 0."""
        return max(0.0, self._ends - time.monotonic())

    def read_timeout(self) -> float:
        """Return the seconds that the next read may wait; never 0, which would make a socket non-blocking."""
        return max(0.001, min(self._stall, self.remaining()))

    def check(self, name: str) -> None:
        """Raise ModelTimeout if the scope has expired, ModelInterrupted if it was cancelled. `name` is that of the model.

        Call this after each wait: a connection that the scope has shut looks like a network error or the end of a stream.
        """
        if self.expired:
            raise ModelTimeout(f"{name} did not answer within the deadline; raise DEADLINE, or check the model's load")
        if self.cancelled:
            raise ModelInterrupted(f"the call of {name} was cancelled")

    def cancel(self) -> None:
        """End what runs in this scope and its children, and prevent new calls. May be called from any thread, repeatedly."""
        with self._lock:
            self._cancelled_at = min(self._cancelled_at, time.monotonic())
            children = list(self._children)
        # Outside the lock, because a child's `on_end` function may take the lock of another scope.
        self.end()
        for child in children:
            child.cancel()

    def end(self) -> None:
        """Wake `sleep` and call the `on_end` function. Used by `cancel` and at the deadline."""
        self._over.set()
        with self._lock:
            if self._stop is not None:
                self._stop()

    def on_end(self, stop: Callable[[], None] | None) -> None:
        """Set the function to call when the scope ends, replacing the previous one; None removes it.

        If the scope has ended already, `stop` is called immediately. Otherwise it runs in the thread that cancels or in the
        deadline thread, so it must not wait.
        """
        with self._lock:
            self._stop = stop
            watched, self._watched = self._watched, True
            if stop is not None and (self.cancelled or self.expired):
                stop()
        # Watched only from the first `on_end` call, because most scopes of answers never have a function to call.
        if not watched:
            _WATCHDOG.watch(self, self._ends)

    def release(self) -> None:
        """Remove the `on_end` function when the call no longer uses its connection."""
        with self._lock:
            self._stop = None

    def sleep(self, seconds: float) -> None:
        """Sleep for `seconds` or until the scope ends."""
        self._over.wait(seconds)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make this the current scope: connections and scopes that this thread creates in the block belong to it."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def _add_child(self, child: CancelScope) -> None:
        child._parents.append(self)
        with self._lock:
            self._children.add(child)
            cancelled = self.cancelled
        if cancelled:
            child.cancel()


def current_scope() -> CancelScope | None:
    """Return the scope that is active in this thread or task, or None."""
    return _CURRENT.get()


@contextmanager
def cancelled_with_task() -> Iterator[Context]:
    """Yield a context in which to run a call while a task awaits it: cancelling the task cancels the call."""
    scope = CancelScope()
    with scope.active():
        context = copy_context()
    try:
        yield context
    except asyncio.CancelledError:
        scope.cancel()
        raise


_SOCKET_LOCK = threading.Lock()
"""Held while a socket changes owner or is shut, so that a call cannot shut the pooled connection of the next call."""


class ScopedSocket:
    """A connection, or a mixin for one, whose socket `sock` is shut when the scope of its call ends.

    A blocking read cannot be cancelled otherwise; the reader of a socket that was shut returns immediately.
    """

    sock: socket.socket | None
    owner: CancelScope | None = None
    owned: socket.socket | None = None

    def claim(self, scope: CancelScope) -> None:
        """Make `scope` the only one whose end shuts this connection's socket. If it has ended, the socket is shut now."""
        with _SOCKET_LOCK:
            self.owner, self.owned = scope, self.sock
        scope.on_end(partial(self._shut, scope))

    def _shut(self, scope: CancelScope) -> None:
        with _SOCKET_LOCK:
            if self.owner is scope and self.owned is not None:
                # The method of the plain socket, because SSLSocket.shutdown discards state that a reader may be using.
                with suppress(OSError):
                    socket.socket.shutdown(self.owned, socket.SHUT_RDWR)


class CancellableStream(Generator[T, None, None]):
    """A generator that another thread can close while it waits for a model: `close` cancels its scope."""

    def __init__(self, items: Generator[T, None, None], scope: CancelScope) -> None:
        self._items = items
        self._scope = scope

    def send(self, value: None, /) -> T:
        """See `Generator.send`."""
        return self._items.send(value)

    def throw(self, typ: Any, val: Any = None, tb: TracebackType | None = None, /) -> T:
        """See `Generator.throw`."""
        return self._items.throw(typ if val is None else val)

    def close(self) -> None:
        """Close the generator from any thread, even while another thread waits for the next item."""
        self._scope.cancel()
        with suppress(ValueError):  # "generator already executing": the thread that runs it will end it
            self._items.close()


def call_with_retries(attempt: Callable[[], T], scope: CancelScope, policy: RetryPolicy, name: str) -> T:
    """Call `attempt`, which raises subclasses of ModelError, in `scope` and return its first result.

    Retries while the model is unavailable, following `policy` and within the scope's deadline. Raises the last error,
    ModelTimeout at the deadline, and ModelInterrupted if the scope is cancelled. `name` is that of the model in messages.
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
    """Return whether the same call may succeed if it is retried. A timeout is not transient: no time is left."""
    return isinstance(error, ModelUnavailable) and not isinstance(error, ModelTimeout)


class _Watchdog:
    """Ends each scope at its deadline, in one daemon thread that is started for the first scope."""

    def __init__(self) -> None:
        self.reset()
        reset_after_fork(self)

    def reset(self) -> None:
        """Forget the scopes of the parent process: their sockets belong to it."""
        self._due: list[tuple[float, int, weakref.ref[CancelScope]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, scope: CancelScope, when: float) -> None:
        """End `scope` at the time `when` (time.monotonic)."""
        with self._changed:
            heapq.heappush(self._due, (when, next(self._numbers), weakref.ref(scope)))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="model-deadlines", daemon=True)
                self._thread.start()
            if self._due[0][0] == when:  # otherwise the thread need not wake earlier; waking it costs each call 0.5 ms
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._due or self._due[0][0] > time.monotonic():
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                # A weak reference, because most calls end long before their deadline.
                scope = heapq.heappop(self._due)[2]()
            if scope is not None:
                scope.end()


_WATCHDOG = _Watchdog()
