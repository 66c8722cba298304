"""Reads documents, each with the reader for its extension, in several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from multiprocessing.connection import wait
from pathlib import Path

from rag.errors import RowError
from rag.ingestion.documents.blocks import Document
from rag.ingestion.files import BINARY, check_kind, read_bytes
from rag.ingestion.messages import PARTS, UnreadableFile, join_items, reason_of

SECONDS_PER_FILE = 90
"""Time limit for one file."""
MEMORY_MB = 900
"""Limit of the address space that a process may allocate after its start."""
Outcome = Document | RowError

_READERS = {
    ".pdf": ("pdf", "read_pdf"),
    ".docx": ("docx", "read_docx"),
    ".hwp": ("hangul", "read_hangul"),
    ".hwpx": ("hangul", "read_hangul"),
    ".pptx": ("slides", "read_slides"),
    ".xlsx": ("sheets", "read_sheets"),
    ".csv": ("sheets", "read_delimited"),
    ".tsv": ("sheets", "read_delimited"),
    ".html": ("html_pages", "read_html"),
    ".htm": ("html_pages", "read_html"),
    ".md": ("markdown", "read_markdown"),
    ".txt": ("plain_text", "read_text"),
}
SUFFIXES = tuple(_READERS)
_TEXTS = (".csv", ".tsv", ".html", ".htm", ".md", ".txt")
_CONVERTIBLE = {".doc": ".docx", ".xls": ".xlsx", ".ppt": ".pptx", ".docm": ".docx", ".xlsm": ".xlsx", ".pptm": ".pptx"}
"""Unsupported Office formats, and the formats to convert them to."""
_OTHER = {
    ".ods": ".xlsx", ".numbers": ".xlsx", ".xlsb": ".xlsx", ".cell": ".xlsx", ".nxl": ".xlsx",
    ".odt": ".docx", ".rtf": ".docx", ".pages": ".docx", ".wps": ".docx",
    ".odp": ".pptx", ".key": ".pptx", ".show": ".pptx",
    ".mht": ".html", ".mhtml": ".html", ".eml": ".txt", ".msg": ".txt", ".hwt": ".hwpx",
    ".hml": ".hwpx", ".epub": ".pdf", ".xps": ".pdf", ".ps": ".pdf", ".xml": ".docx",
}  # fmt: skip
"""Formats of other programs, and what those programs can save that is read."""
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".heic")
_PAGE_STARTS = (b"<html", b"<!doctype html", b"<table", b"<meta", b"<head", b"<body", b"<style", b"<div")
_ARCHIVES = (".zip", ".7z", ".rar", ".alz", ".egg", ".tar", ".gz", ".tgz")


def read_document(path: Path) -> Document:
    """Read a document. Raises UnreadableFile if its format is unsupported or does not match the extension, if it is damaged,
    encrypted or empty, or if it has no text."""
    suffix = path.suffix.lower()
    if suffix == ".xls" and read_bytes(path)[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGE_STARTS):
        # Web applications save HTML under the name of a workbook, and Excel opens it.
        suffix = ".html"
    if suffix in _CONVERTIBLE:
        raise UnreadableFile("macros" if suffix.endswith("m") else "old_office", instead=_CONVERTIBLE[suffix])
    if suffix in _OTHER:
        raise UnreadableFile("convert", instead=_OTHER[suffix])
    if suffix in _PICTURES:
        raise UnreadableFile("picture")
    if suffix in _ARCHIVES:
        raise UnreadableFile("archive")
    if suffix not in _READERS:
        raise UnreadableFile("unsupported", supported=", ".join(SUFFIXES))
    data = read_bytes(path)
    if suffix in _TEXTS:
        if data.startswith(BINARY):
            raise UnreadableFile("wrong_kind", suffix=suffix, holds=PARTS["program"])
        if not data.strip(b"\0\x1a \t\r\n"):
            raise UnreadableFile("empty")
    else:
        check_kind(suffix, data)
    module, name = _READERS[suffix]
    # Imported on demand, because a reader's libraries take up to half a second, and most folders need only two readers.
    read: Callable[[str, bytes], Document] = getattr(import_module(f"rag.ingestion.documents.{module}"), name)
    document = read(str(path), data)
    if path.suffix.lower() == ".xls":
        document.note("renamed_html")
    if not any(block.text.strip() for block in document.blocks):
        raise UnreadableFile("no_text")
    if uncertain := [quantity for block in document.blocks for quantity in block.uncertain]:
        document.note("uncertain", count=len(uncertain), values=join_items(uncertain))
    return document


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
        return UnreadableFile("damaged", reason=reason_of(exc)).to_row_error(str(path))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
