"""Many files read in processes of their own: one that hangs, takes all memory or crashes its reader costs no other file."""

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

SECONDS = 90
"""For one file."""
MEMORY_MB = 900
"""Address space of one process beyond what it has at its start."""
Outcome = Document | RowError


def read_many(paths: Sequence[Path], *, processes: int | None = None) -> Iterator[tuple[Path, Outcome]]:
    """Each file's document, or why there is none, as they are done."""
    if not paths:
        return
    workers = min(processes or os.cpu_count() or 1, len(paths))
    left = list(paths)
    try:
        with _executor(workers) as pool:
            for path, outcome in _outcomes(pool, paths):
                left.remove(path)
                yield path, outcome
    except BrokenProcessPool:
        # Which file ended its process is not told: the rest one by one, and the guilty one again.
        for path in left:
            try:
                with _executor(1) as pool:
                    yield from _outcomes(pool, [path])
            except BrokenProcessPool:
                yield path, UnreadableFile("crashed").as_defect(str(path))


def _outcomes(pool: ProcessPoolExecutor, paths: Sequence[Path]) -> Iterator[tuple[Path, Outcome]]:
    futures: dict[Future[Outcome], Path] = {pool.submit(_read, path): path for path in paths}
    for future in as_completed(futures):
        yield futures[future], future.result()


def _executor(workers: int) -> ProcessPoolExecutor:
    # Not forked from here, where an embedder's threads may hold locks: from a clean process that has the readers imported.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    # Without max_tasks_per_child, under which Python 3.11's pool waits for ever once its workers have ended.
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_limit)


def _limit() -> None:
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    # On top of what is mapped already: address space is counted, not memory in use.
    limit = pages * resource.getpagesize() + (MEMORY_MB << 20)
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
    # Ctrl-C goes to the whole group; the program ends its processes itself, and says one line.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A program that is killed cannot end its pool: each process sees to it itself."""
    if parent := multiprocessing.parent_process():
        wait([parent.sentinel])
        os._exit(1)


def _read(path: Path) -> Outcome:
    def stop(_signal: int, _frame: object) -> None:
        raise UnreadableFile("timeout", seconds=SECONDS)

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return read_document(path)
    except UnreadableFile as exc:
        return exc.as_defect(str(path))
    except (MemoryError, RecursionError):
        return UnreadableFile("memory").as_defect(str(path))
    except ModuleNotFoundError:
        raise  # of the installation, not of the file: the command says which extra brings it
    # A reader's own mistake on a strange file must not cost the others; the line says which.
    except Exception as exc:  # noqa: BLE001
        reason = (str(exc).splitlines() or [""])[0][:100]
        return UnreadableFile("damaged", reason=f"{type(exc).__name__}: {reason}").as_defect(str(path))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
