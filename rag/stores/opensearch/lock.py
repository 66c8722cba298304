"""One ingestion of an index at a time, on whatever machine: a lease on the server that ends when its owner does.

A lock of the operating system (`filelock`, as with FAISS) would hold off the processes of one machine alone.

The owner renews it while it works. It is taken over when it has run out, or at once where its process ran here and is gone.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import getnode, uuid4

from rag.errors import IndexBusy, StoreError
from rag.stores.opensearch.aliases import PREFIX
from rag.stores.opensearch.client import Connection

INDEX: Final = f"{PREFIX}.leases"
SECONDS: Final = 90.0
"""How long a lease lasts without being renewed; clocks of two machines may differ by less."""
# Two renewals in a row may fail before the lease is lost.
_RENEW: Final = SECONDS / 4
_POLL: Final = 0.2
_BODY: Final = {
    "settings": {"index": {"number_of_shards": 1, "auto_expand_replicas": "0-1"}},
    "mappings": {"dynamic": False},
}
_log = logging.getLogger(__name__)
_held: set[str] = set()
"""Tokens of the leases this process holds."""


class Lease:
    """A lease that is held, until it is released or lost."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._path = f"/{INDEX}/_doc/{name}"
        self._token = uuid4().hex
        self._version: dict[str, Any] = {}
        self._ended = threading.Event()
        self._until = 0.0
        self._gone = False

    @property
    def lost(self) -> bool:
        """Whether another ingestion may have begun: it was given to another, or could not be renewed in time."""
        return self._gone or time.time() > self._until

    def take(self) -> bool:
        """Whether it is ours now."""
        current = self._connection.request("GET", self._path, params={"ignore": 404})
        if not current.get("found"):
            return self._put({"op_type": "create"})
        if not _is_over(current["_source"]):
            return False
        # Of two that take over a lease that is over, the server lets one: the other's version is no longer the stored one.
        return self._put({"if_seq_no": current["_seq_no"], "if_primary_term": current["_primary_term"]})

    def renew_until_released(self) -> None:
        """To be run in a thread."""
        while not self._ended.wait(_RENEW):
            try:
                self._gone = not self._put(self._version)
            except StoreError as exc:
                _log.warning("the ingestion's lease cannot be renewed: %s", exc)
                continue
            if self._gone:
                return

    def release(self) -> None:
        """Let others in. Where the server is away, the lease runs out by itself."""
        self._ended.set()
        _held.discard(self._token)
        try:
            self._connection.request("DELETE", self._path, params={**self._version, "ignore": (404, 409)}, timeout=5.0)
        except StoreError as exc:
            _log.warning("the ingestion's lease cannot be deleted; it expires by itself: %s", exc)

    def _put(self, condition: dict[str, Any]) -> bool:
        # Wall-clock time, the only one that two machines share; hence the generous SECONDS.
        until = time.time() + SECONDS
        body = {"token": self._token, "host": here(), "pid": os.getpid(), "until": until}
        put = self._connection.request("PUT", self._path, body, params={**condition, "ignore": 409})
        if "_seq_no" not in put:
            return False
        self._version = {"if_seq_no": put["_seq_no"], "if_primary_term": put["_primary_term"]}
        self._until = until
        _held.add(self._token)
        return True


@contextmanager
def leased(connection: Connection, name: str, wait: float) -> Iterator[Lease]:
    """Keep other ingestions of this index out. Raises IndexBusy where another is not done within `wait` seconds."""
    connection.request("PUT", f"/{INDEX}", _BODY, params={"ignore": 400})  # 400: it is there
    lease, end = Lease(connection, name), time.monotonic() + wait
    while not lease.take():
        if time.monotonic() > end:
            raise IndexBusy(f"another ingestion of the index {name!r} is running: try again later")
        time.sleep(_POLL)
    # A daemon: a process that ends in any way stops renewing, and the lease runs out.
    thread = threading.Thread(target=lease.renew_until_released, name=f"lease of {name}", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        lease.release()


def here() -> str:
    """Where a process's number tells of that process: this container on this machine since its start. Host names repeat."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:  # not Linux
        return f"{socket.gethostname()} {getnode():x}"


def _is_over(lease: dict[str, Any]) -> bool:
    if lease["until"] < time.time():
        return True
    if lease["host"] != here():
        return False
    # The number may have been given again to us since its owner ended.
    if lease["pid"] == os.getpid():
        return lease["token"] not in _held
    try:
        os.kill(lease["pid"], 0)  # signal 0 is not sent; it only asks whether the process is there
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it lives, as somebody else's
    return False
