"""The emulator's folder: its files, and the lock that shows whether its process is running.

POSIX only (flock). The kernel releases a lock when its process ends, however it ends; so a stale file is never mistaken for
a running emulator, nor a reused process ID for the emulator's.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from deploy.local.polling import poll

FOLDER = Path(".fsi/local")
LOCK, PLAN, URL, LOG = "lock", "plan.json", "url", "emulator.log"
_LOCK_SECONDS = 1.0
"""Time to retry taking the lock, because testing whether it is held takes it for a moment."""


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Serialise starting and stopping of this folder's emulator, by a lock on the parent folder."""
    above = folder.parent
    while True:
        above.mkdir(parents=True, exist_ok=True)
        handle = os.open(above, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if above.exists() and os.path.samestat(os.fstat(handle), above.stat()):  # it was not replaced while waiting
                yield
                return
        finally:
            os.close(handle)


def take_lock(folder: Path) -> TextIO | None:
    """Lock the folder's lock file and write this process's ID to it; None if another process holds the lock.

    Closing the returned file releases the lock.
    """
    lock = (folder / LOCK).open("a+", encoding="ascii")
    if not poll(lambda: _locked(lock, fcntl.LOCK_EX), _LOCK_SECONDS, pause=0.02):
        lock.close()
        return None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def is_current_lock(lock: TextIO, folder: Path) -> bool:
    """Whether `lock` is still the folder's lock file; it is not if the folder was deleted."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), (folder / LOCK).stat())
    except FileNotFoundError:
        return False


def owner_pid(folder: Path) -> int | None:
    """ID of the process that holds the lock, or None."""
    try:
        with (folder / LOCK).open(encoding="ascii") as lock:
            while not _locked(lock, fcntl.LOCK_SH):
                lock.seek(0)
                if text := lock.read():
                    return int(text)
                time.sleep(0.02)  # the lock is taken, and the ID not yet written
    except FileNotFoundError:
        pass
    return None


def write(path: Path, text: str) -> None:
    """Write a file atomically."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _locked(lock: TextIO, how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
