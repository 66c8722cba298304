"""HTTP connections for botocore whose socket is shut when the scope of the call ends.

botocore cannot cancel a call: its timeouts apply to single reads, and closing a stream from another thread waits for the
current read. Therefore the HTTP connections register their socket with the scope of their thread, and the end of the scope
shuts the socket down, so that a reader returns immediately.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from functools import partial
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)

from rag.models.cancellation import CancelScope, current_scope

_LOCK = threading.Lock()
"""Held while a socket changes owner or is shut, so that a call cannot shut the pooled connection of the next call."""


class _Tracked:
    """A mixin for botocore's connections that registers the socket with the thread's scope and uses the scope's timeouts."""

    sock: socket.socket | None
    timeout: float | None
    owner: CancelScope | None = None
    owned: socket.socket | None = None

    def claim(self, scope: CancelScope) -> None:
        """Make `scope` the only one whose end shuts this connection's socket. If it has ended, the socket is shut now."""
        with _LOCK:
            self.owner, self.owned = scope, self.sock
        scope.on_end(partial(self._shut, scope))

    def _shut(self, scope: CancelScope) -> None:
        with _LOCK:
            if self.owner is scope and self.owned is not None:
                # The method of the plain socket, because SSLSocket.shutdown discards state that a reader may be using.
                with suppress(OSError):
                    socket.socket.shutdown(self.owned, socket.SHUT_RDWR)

    def connect(self) -> None:
        scope = current_scope()
        if scope is not None and self.timeout is not None:
            self.timeout = min(self.timeout, scope.read_timeout())
        super().connect()  # type: ignore[misc]
        if scope is not None:
            self.claim(scope)

    def request(self, *args: Any, **kwargs: Any) -> Any:
        # A pooled connection is already connected, so `connect` is not called.
        if (scope := current_scope()) is not None and self.sock is not None:
            self.claim(scope)
        return super().request(*args, **kwargs)  # type: ignore[misc]

    def getresponse(self) -> Any:
        if (scope := current_scope()) is not None:
            self.timeout = scope.read_timeout()
        return super().getresponse()  # type: ignore[misc]


class _Socket(_Tracked):
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock


def claim(sock: socket.socket) -> None:
    """Have this socket shut when the scope of this thread, if any, ends; for connections other than botocore's."""
    if (scope := current_scope()) is not None:
        _Socket(sock).claim(scope)


class _HTTPConnection(_Tracked, AWSHTTPConnection):  # type: ignore[misc]
    pass


class _HTTPSConnection(_Tracked, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _HTTPPool(AWSHTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _HTTPConnection


class _HTTPSPool(AWSHTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _HTTPSConnection


def track_connections(client: Any) -> None:
    """Make a boto3 client use the connections above. This uses private attributes of botocore, whose version is pinned."""
    classes = client._endpoint.http_session._pool_classes_by_scheme
    classes.update({"http": _HTTPPool, "https": _HTTPSPool})
