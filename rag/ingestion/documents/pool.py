"""Reads documents in separate processes, so that a file that hangs, exhausts memory or crashes does not affect the others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from pathlib import Path

from rag.errors import RowError
from rag.ingestion.documents.blocks import Document
from rag.ingestion.documents.reading import read_document
from rag.ingestion.messages import UnreadableFile

SECONDS_PER_FILE = 90
"""Time limit for one file."""
MEMORY_MB = 900
"""Limit of the address space that a process may allocate after its start."""
Outcome = Document | RowError


def read_many(paths: Sequence[Path], *, processes: int | None = None) -> Iterator[tuple[Path, Outcome]]:
    """Read the files in parallel and yield each one's Document, or the error, in the order of completion.

    `processes`: default: one per core.
    """
    if not paths:
        return
    workers = min(processes or os.cpu_count() or 1, len(paths))
    remaining = list(paths)
    try:
        with _executor(workers) as pool:
            for path, outcome in _outcomes(pool, paths):
                remaining.remove(path)
                yield path, outcome
    except BrokenProcessPool:
        # The pool does not say which file crashed its process, so the remaining files are read one by one.
        for path in remaining:
            try:
                with _executor(1) as pool:
                    yield from _outcomes(pool, [path])
            except BrokenProcessPool:
                yield path, UnreadableFile("crashed").to_row_error(str(path))


def _outcomes(pool: ProcessPoolExecutor, paths: Sequence[Path]) -> Iterator[tuple[Path, Outcome]]:
    futures: dict[Future[Outcome], Path] = {pool.submit(_read, path): path for path in paths}
    for future in as_completed(futures):
        yield futures[future], future.result()


def _executor(workers: int) -> ProcessPoolExecutor:
    # Forked from a server process with imported readers, because in this process an embedder's threads may hold locks.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    # Without max_tasks_per_child, with which Python 3.11's pool may wait for ever after its workers have ended.
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_init_worker)


def _init_worker() -> None:
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    # Added to the address space that is already mapped, which is larger than the memory in use.
    limit = pages * resource.getpagesize() + (MEMORY_MB << 20)
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
    # Ctrl-C signals all processes of the group; the parent process handles it and ends these.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    """Exit when the parent process has ended; if it is killed, it cannot end its pool."""
    if parent := multiprocessing.parent_process():
        wait([parent.sentinel])
        os._exit(1)


def _read(path: Path) -> Outcome:
    def stop(_signal: int, _frame: object) -> None:
        raise UnreadableFile("timeout", seconds=SECONDS_PER_FILE)

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS_PER_FILE)
    try:
        return read_document(path)
    except UnreadableFile as exc:
        return exc.to_row_error(str(path))
    except (MemoryError, RecursionError):
        return UnreadableFile("memory").to_row_error(str(path))
    except ModuleNotFoundError:
        raise  # the installation lacks an extra, which the command reports
    # A reader's bug on one file must not prevent reading the others.
    except Exception as exc:  # noqa: BLE001
        reason = (str(exc).splitlines() or [""])[0][:100]
        return UnreadableFile("damaged", reason=f"{type(exc).__name__}: {reason}").to_row_error(str(path))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
