"""Which socket a call waits on, so that the end of its scope can shut it.

botocore offers no way to end a call: its timeouts hold for one read each, and closing its stream from another thread waits
until the current read is over. So the HTTP connections below it tell the scope of their thread which socket they use, and
the scope's end shuts that socket down, which frees its reader at once. Knows nothing of SageMaker.
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
"""Held while a socket changes owner or is shut: a pooled connection must not be shut by the call before."""


class _Tracked:
    """Mixed into botocore's connections: gives the thread's scope its socket, and takes its timeouts from it."""

    sock: socket.socket | None
    timeout: float | None
    owner: CancelScope | None = None
    owned: socket.socket | None = None

    def claim(self, scope: CancelScope) -> None:
        """From now on the end of `scope`, and of no other, shuts this connection's socket; at once where it has ended."""
        with _LOCK:
            self.owner, self.owned = scope, self.sock
        scope.on_end(partial(self._shut, scope))

    def _shut(self, scope: CancelScope) -> None:
        with _LOCK:
            if self.owner is scope and self.owned is not None:
                # Both directions. The plain socket's method: SSLSocket's own forgets its state, which a reader may use.
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
        # A pooled connection has its socket already, and no `connect` that would claim it.
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
    """The end of this thread's scope, if there is one, shuts this socket; for connections that are not botocore's."""
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


def track(client: Any) -> None:
    """Let a boto3 client's connections know their scopes. Reaches into botocore's session; its version is pinned."""
    classes = client._endpoint.http_session._pool_classes_by_scheme
    classes.update({"http": _HTTPPool, "https": _HTTPSPool})
