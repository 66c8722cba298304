"""Connections of the page's server: the listening socket, connections per address, and the time a request may take to arrive.

Each connection uses a file descriptor; without a free one nobody can connect. uvicorn has no setting for either limit.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import resource
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from rag.errors import InputError
from rag.ui.visitors import address_group

MAX_PORTS_TRIED = 100
DESCRIPTORS = 65_536
"""File descriptors to request; the usual default of services is 1,024."""


def bounded_protocol(*, trusts: Callable[[str], bool], per_address: int, seconds: float) -> type[H11Protocol]:
    """An HTTP protocol class for `uvicorn.Config(http=…)` that closes connections beyond the limits.

    `per_address`: open connections of one address (`address_group`). `trusts`: whether an address is a trusted proxy's,
    which has no such limit. `seconds`: time from the connection, or from the request's first byte on a reused one, to the
    request's last byte.
    """
    open_connections: Counter[str] = Counter()

    class BoundedProtocol(H11Protocol):
        """Based on h11 and not httptools, because h11 also limits the size of a request's head."""

        _address = ""
        _request_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            peer = self.client[0] if self.client else ""
            if not trusts(peer):
                self._address = address_group(peer)
                open_connections[self._address] += 1
                if open_connections[self._address] > per_address:
                    transport.abort()
                    return
            self._start_request_timer()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_request_timer()
            if self._address:
                open_connections[self._address] -= 1
                if not open_connections[self._address]:
                    del open_connections[self._address]
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and not self.transport.is_closing():
                self._start_request_timer()
            else:
                self._stop_request_timer()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
                self._stop_request_timer()  # uvicorn's keep-alive timeout runs until the next request begins

        def _start_request_timer(self) -> None:
            if self._request_timer is None:
                self._request_timer = self.loop.call_later(seconds, self.transport.abort)

        def _stop_request_timer(self) -> None:
            if self._request_timer is not None:
                self._request_timer.cancel()
                self._request_timer = None

    return BoundedProtocol


def raise_descriptor_limit() -> None:
    """Raise the soft limit of file descriptors to the hard limit, DESCRIPTORS at most. Never lowers it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, cast(Any, hard)))


def is_loopback(host: str) -> bool:
    """Whether `host` can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, preferred: int) -> socket.socket:
    """A socket listening on the port `preferred` or the next free one, of MAX_PORTS_TRIED.

    Raises InputError if none is free or `host` is no address of this machine.
    """
    for port in range(preferred, min(preferred + MAX_PORTS_TRIED, 65536)):
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            listener = socket.socket(family, socket.SOCK_STREAM)
            try:
                # Else closed connections in TIME_WAIT would block the port.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((host, port))
                listener.listen(1024)  # at once, because until then another program could take the same port
            except OSError:
                listener.close()
                raise
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                raise InputError(
                    f"cannot listen on {host} port {port}: {exc.strerror}; choose --host and --port"
                ) from exc
        else:
            return listener
    raise InputError(f"no free port at or above {preferred}; choose another --port")


def free_port(host: str, preferred: int) -> int:
    """The port that `listen` would use now."""
    with listen(host, preferred) as listener:
        return int(listener.getsockname()[1])
