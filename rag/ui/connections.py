"""Connections of the page's server: where it listens, how many one address may hold, how long a request may take to arrive.

Each costs the process a file descriptor, of which it has few: with none left nobody can connect. uvicorn limits neither.
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
"""File descriptors asked of the system: services begin with 1,024."""


def bounded_protocol(*, trusts: Callable[[str], bool], per_address: int, seconds: float) -> type[H11Protocol]:
    """A protocol for `uvicorn.Config(http=…)`.

    `trusts`: whether an address is a stated proxy's, which carries everybody's connections. `seconds`: from the first byte of
    a request, or the connection, to the request's last byte.
    """
    held: Counter[str] = Counter()

    class BoundedProtocol(H11Protocol):
        """h11, for it bounds the bytes of a request's head as well."""

        _address = ""
        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            peer = self.client[0] if self.client else ""
            if not trusts(peer):
                self._address = address_group(peer)
                held[self._address] += 1
                if held[self._address] > per_address:
                    transport.abort()
                    return
            self._expect_request()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            if self._address:
                held[self._address] -= 1
                if not held[self._address]:
                    del held[self._address]
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and not self.transport.is_closing():
                self._expect_request()
            else:
                self._stop_waiting()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
                self._stop_waiting()  # uvicorn's own time runs until the next request begins

        def _expect_request(self) -> None:
            if self._late is None:
                self._late = self.loop.call_later(seconds, self.transport.abort)

        def _stop_waiting(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

    return BoundedProtocol


def raise_descriptor_limit() -> None:
    """As many file descriptors as the system lets this process have, DESCRIPTORS at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, cast(Any, hard)))


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, preferred: int) -> socket.socket:
    """A socket that listens on `preferred`, or on the next port nobody listens on.

    Raises InputError when there is none or the address is wrong.
    """
    for port in range(preferred, min(preferred + MAX_PORTS_TRIED, 65536)):
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            listener = socket.socket(family, socket.SOCK_STREAM)
            try:
                # Connections that have ended do not hold a port.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((host, port))
                listener.listen(1024)  # at once: until then another program could take the same port
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
    raise InputError(f"no free port from {preferred} on; choose another --port")


def free_port(host: str, preferred: int) -> int:
    """The port that `listen` would take now."""
    with listen(host, preferred) as listener:
        return int(listener.getsockname()[1])
