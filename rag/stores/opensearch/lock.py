"""A lease on the server that allows one ingestion of an index at a time, from any machine.

A lock of the operating system (`filelock`, as with FAISS) would only work between processes of one machine.

The owner renews the lease while it works. Another ingestion can take the lease when it has expired, or immediately if the
owner ran on the same machine and its process no longer exists.
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
"""Duration of a lease without renewal. The clocks of two machines must differ by less than this."""
# Two renewals in a row may fail before the lease expires.
_RENEW: Final = SECONDS / 4
_POLL: Final = 0.2
_BODY: Final = {
    "settings": {"index": {"number_of_shards": 1, "auto_expand_replicas": "0-1"}},
    "mappings": {"dynamic": False},
}
_log = logging.getLogger(__name__)
_held: set[str] = set()
"""Tokens of the leases that this process holds."""


class Lease:
    """A lease for one index name. It is held from `acquire` until `release`, unless it is lost."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._path = f"/{INDEX}/_doc/{name}"
        self._token = uuid4().hex
        self._version: dict[str, Any] = {}
        self._ended = threading.Event()
        self._until = 0.0
        self._lost = False

    @property
    def lost(self) -> bool:
        """Whether another ingestion may have begun, because it took the lease or the lease was not renewed in time."""
        return self._lost or time.time() > self._until

    def acquire(self) -> bool:
        """Try to acquire the lease. Returns whether it is held now."""
        current = self._connection.request("GET", self._path, params={"ignore": 404})
        if not current.get("found"):
            return self._put({"op_type": "create"})
        if not _is_expired(current["_source"]):
            return False
        # If two processes try to take an expired lease, the server rejects the second: its version is out of date.
        return self._put({"if_seq_no": current["_seq_no"], "if_primary_term": current["_primary_term"]})

    def renew_until_released(self) -> None:
        """Renew the lease until it is released or lost. Runs in its own thread."""
        while not self._ended.wait(_RENEW):
            try:
                self._lost = not self._put(self._version)
            except StoreError as exc:
                _log.warning("cannot renew the lease of the ingestion: %s", exc)
                continue
            if self._lost:
                return

    def release(self) -> None:
        """Release the lease. If the server cannot be reached, logs a warning, and the lease expires by itself."""
        self._ended.set()
        _held.discard(self._token)
        try:
            self._connection.request("DELETE", self._path, params={**self._version, "ignore": (404, 409)}, timeout=5.0)
        except StoreError as exc:
            _log.warning("cannot delete the lease of the ingestion; it expires by itself: %s", exc)

    def _put(self, condition: dict[str, Any]) -> bool:
        # Wall-clock time, because two machines share no other clock; SECONDS allows for their difference.
        until = time.time() + SECONDS
        body = {"token": self._token, "host": machine_id(), "pid": os.getpid(), "until": until}
        put = self._connection.request("PUT", self._path, body, params={**condition, "ignore": 409})
        if "_seq_no" not in put:
            return False
        self._version = {"if_seq_no": put["_seq_no"], "if_primary_term": put["_primary_term"]}
        self._until = until
        _held.add(self._token)
        return True


@contextmanager
def hold_lease(connection: Connection, name: str, wait: float) -> Iterator[Lease]:
    """Keep other ingestions of this index out. Raises IndexBusy if another one does not end within `wait` seconds."""
    connection.request("PUT", f"/{INDEX}", _BODY, params={"ignore": 400})  # 400: the index exists
    lease, end = Lease(connection, name), time.monotonic() + wait
    while not lease.acquire():
        if time.monotonic() > end:
            raise IndexBusy(f"another ingestion of the index {name!r} is running: try again later")
        time.sleep(_POLL)
    # A daemon thread, so that a process that ends stops renewing, and its lease expires.
    thread = threading.Thread(target=lease.renew_until_released, name=f"lease of {name}", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        lease.release()


def machine_id() -> str:
    """Return an id of this container on this machine since its start: process ids are unique within it.

    The host name is not used on Linux because several machines may have the same one.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:  # not Linux
        return f"{socket.gethostname()} {getnode():x}"


def _is_expired(lease: dict[str, Any]) -> bool:
    if lease["until"] < time.time():
        return True
    if lease["host"] != machine_id():
        return False
    # The process id of the owner may have been assigned to this process after the owner ended.
    if lease["pid"] == os.getpid():
        return lease["token"] not in _held
    try:
        os.kill(lease["pid"], 0)  # signal 0 only checks that the process exists
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it exists and belongs to another user
    return False
