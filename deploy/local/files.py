"""The emulator's folder: which files are in it, and the lock that tells whether its process lives.

POSIX only (flock), as the local embedder is. A lock ends with its process even where that was killed, so no file can claim
a process that is gone, and no process id is taken for the emulator's after it was given to another program.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

FOLDER = Path(".fsi/local")
LOCK, PLAN, URL, LOG = "lock", "plan.json", "url", "emulator.log"
_LOCK_SECONDS = 1.0
"""Seconds: looking whether a lock is held holds it for a moment."""


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """One starter or stopper of this folder's emulator at a time; others wait. The lock is the folder above, itself."""
    above = folder.parent
    while True:
        above.mkdir(parents=True, exist_ok=True)
        handle = os.open(above, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if above.exists() and os.path.samestat(os.fstat(handle), above.stat()):  # not removed while waiting for it
                yield
                return
        finally:
            os.close(handle)


def take_lock(folder: Path) -> TextIO | None:
    """The open file whose closing gives the lock back, with this process's id in it; None: another process has it."""
    lock = (folder / LOCK).open("a+", encoding="ascii")
    end = time.monotonic() + _LOCK_SECONDS
    while not _locked(lock, fcntl.LOCK_EX):
        if time.monotonic() > end:
            lock.close()
            return None
        time.sleep(0.02)
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def in_place(lock: TextIO, folder: Path) -> bool:
    """Whether this is still the folder's lock: nobody can find an emulator whose folder was removed."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), (folder / LOCK).stat())
    except FileNotFoundError:
        return False


def owner(folder: Path) -> int | None:
    """The id of the living process that holds the lock; None: there is none."""
    try:
        with (folder / LOCK).open(encoding="ascii") as lock:
            while not _locked(lock, fcntl.LOCK_SH):
                lock.seek(0)
                if text := lock.read():
                    return int(text)
                time.sleep(0.02)  # taken a moment ago, and not yet written
    except FileNotFoundError:
        pass
    return None


def write(path: Path, text: str) -> None:
    """Whole or not at all, for whoever reads at the same time."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _locked(lock: TextIO, how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
