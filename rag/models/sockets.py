"""Calls that can be ended from outside: by `cancel()` from any thread, and by a deadline for the call as a whole.

botocore offers neither: its timeouts hold for one read each, and closing its stream from another thread waits until the
current read is over. So the HTTP connections below it tell the call of their thread which socket they use, and ending
the call shuts that socket down, which frees its reader at once. Knows nothing of SageMaker.
"""

from __future__ import annotations

import heapq
import itertools
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Literal

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)

from rag.models.cancellation import stopped_by_patience
from rag.models.threads import renewed_after_fork

Ending = Literal["cancelled", "expired"]

LONGEST = 86_400.0
"""Seconds; neither sockets nor locks take any number."""
_CURRENT: ContextVar[Call | None] = ContextVar("call", default=None)
_LOCK = threading.Lock()
"""Held while a socket changes owner or is shut: a pooled connection must not be shut by the call before."""


class Call:
    """One call of a model. `deadline`: seconds from now for all of it; `stall`: seconds one read may wait.

    Made while a Patience is active, it ends with that.
    """

    def __init__(self, *, deadline: float = 60.0, stall: float | None = None) -> None:
        self._ends = time.monotonic() + min(deadline, LONGEST)
        self._stall = stall if stall is not None else deadline
        self._over = threading.Event()
        self._connection: _Tracked | None = None
        self.ending: Ending | None = None
        _WATCHDOG.watch(self, self._ends)
        stopped_by_patience(self.cancel)

    def remaining(self) -> float:
        """Seconds left, 0 at least."""
        return max(0.0, self._ends - time.monotonic())

    def patience(self) -> float:
        """Seconds the next read may wait; never 0, which would mean a socket that does not block."""
        return max(0.001, min(self._stall, self.remaining()))

    def cancel(self) -> None:
        """End the call now; safe from any thread, at any time, more than once."""
        self._end("cancelled")

    def expire(self) -> None:
        """What the deadline does."""
        self._end("expired")

    def sleep(self, seconds: float) -> None:
        """Wait, at most until the call ends."""
        self._over.wait(seconds)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Connections used by this thread inside the block belong to this call."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def attach(self, connection: _Tracked) -> None:
        """Own this connection's socket from now on; it is shut at once if the call is already over."""
        with _LOCK:
            self._connection = connection
            connection.owner = self
            connection.owned = connection.sock
            if self.ending:
                _shut(connection.owned)

    def _end(self, ending: Ending) -> None:
        with _LOCK:
            self.ending = self.ending or ending
            connection = self._connection
            if connection is not None and connection.owner is self:
                _shut(connection.owned)
        self._over.set()

    def release(self) -> None:
        """The call is done with its connection; a late `cancel()` or deadline must not touch it."""
        with _LOCK:
            if self._connection is not None and self._connection.owner is self:
                self._connection.owner = None
            self._connection = None


class Calls:
    """Calls that end together, those included that begin after the end."""

    def __init__(self) -> None:
        self._begun: weakref.WeakSet[Call] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._cancelled = False

    def begin(self, *, deadline: float) -> Call:
        call = Call(deadline=deadline)
        with self._lock:
            self._begun.add(call)
            cancelled = self._cancelled
        if cancelled:
            call.cancel()
        return call

    def cancel(self) -> None:
        """As that of each call."""
        with self._lock:
            self._cancelled = True
            begun = list(self._begun)
        for call in begun:
            call.cancel()


def _shut(sock: socket.socket | None) -> None:
    """Both directions. The plain socket's method: SSLSocket's own forgets its state, which a reader may be using."""
    if sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Tracked:
    """Mixed into botocore's connections: tells the thread's call its socket, and takes its timeouts from it."""

    sock: socket.socket | None
    timeout: float | None
    owner: Call | None = None
    owned: socket.socket | None = None

    def connect(self) -> None:
        call = _CURRENT.get()
        if call is not None and self.timeout is not None:
            self.timeout = min(self.timeout, call.patience())
        super().connect()  # type: ignore[misc]
        if call is not None:
            call.attach(self)

    def request(self, *args: Any, **kwargs: Any) -> Any:
        if (call := _CURRENT.get()) is not None and self.sock is not None:
            call.attach(self)
        return super().request(*args, **kwargs)  # type: ignore[misc]

    def getresponse(self) -> Any:
        if (call := _CURRENT.get()) is not None:
            self.timeout = call.patience()
        return super().getresponse()  # type: ignore[misc]


class _Socket(_Tracked):
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock


def own(sock: socket.socket) -> None:
    """The call of this thread, if there is one, owns this socket from now on; for connections that are not botocore's."""
    if (call := _CURRENT.get()) is not None:
        call.attach(_Socket(sock))


class _HTTPConnection(_Tracked, AWSHTTPConnection):  # type: ignore[misc]
    pass


class _HTTPSConnection(_Tracked, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _HTTPPool(AWSHTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _HTTPConnection


class _HTTPSPool(AWSHTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _HTTPSConnection


def track(client: Any) -> None:
    """Let a boto3 client's connections know their calls. Reaches into botocore's session; its version is pinned."""
    classes = client._endpoint.http_session._pool_classes_by_scheme
    classes.update({"http": _HTTPPool, "https": _HTTPSPool})


class _Watchdog:
    """Ends each call at its deadline. One daemon thread, started by the first call."""

    def __init__(self) -> None:
        self.renew()
        renewed_after_fork(self)

    def renew(self) -> None:
        """Without the calls of the process that forked: their sockets are not ours to shut."""
        self._due: list[tuple[float, int, weakref.ref[Call]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, call: Call, when: float) -> None:
        with self._changed:
            heapq.heappush(self._due, (when, next(self._numbers), weakref.ref(call)))
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
                call = heapq.heappop(self._due)[2]()
            if call is not None:
                call.expire()


_WATCHDOG = _Watchdog()
