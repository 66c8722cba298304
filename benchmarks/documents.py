"""Measures reading many documents of all kinds, some of them broken: errors, memory, and the use of two cores.

    python -m benchmarks.documents [--files 300] [--processes 2] [--json OUT]

Reads copies of the bundled documents, and 20 broken files. The share of the cores is the time that the processes ran, or
waited for a core in use by another program, relative to the available time; it thus does not depend on the machine's load. It
includes the start. Limits: exactly 20 errors, 1.2 GB for all processes, 0.9 of the cores.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from rag.errors import RowError
from rag.ingestion.documents.reading import read_many

SOURCES = Path(__file__).parents[1] / "data" / "documents"
PDF_PAGES = 501


def pdf_of_pages(count: int) -> bytes:
    """Pages without any text."""
    kids = " ".join(f"{number + 3} 0 R" for number in range(count))
    objects = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Count {count}/Kids[{kids}]>>"]
    objects += ["<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>"] * count
    body, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj{each}endobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer<</Size {len(objects) + 1}/Root 1 0 R>>\n"
    return body + f"{end}startxref\n{len(body)}\n%%EOF".encode()


def broken(folder: Path, files: Sequence[Path]) -> None:
    """20 files that cannot be read."""
    by_suffix = {path.suffix: path.read_bytes() for path in files}
    made = {
        f"cut{suffix}": data[: len(data) // 2] for suffix, data in by_suffix.items() if suffix in (".docx", ".pptx")
    }
    made |= {f"cut-short{suffix}": by_suffix[suffix][:200] for suffix in (".xlsx", ".hwpx", ".hwp", ".pdf")}
    made |= {"a.docx": by_suffix[".pdf"], "b.pdf": by_suffix[".docx"], "c.html": by_suffix[".pdf"], "d.xlsx": b"a,b\n"}
    made |= {f"empty{suffix}": b"" for suffix in (".pdf", ".md", ".docx")}
    locked = b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")
    made |= {"locked.docx": locked, "locked.xlsx": locked, "macros.docm": b"PK", "old.doc": b"\xd0\xcf\x11\xe0"}
    made |= {"pages.pdf": pdf_of_pages(PDF_PAGES), "noise.txt": bytes(range(128, 256)) * 50}
    for name, data in made.items():
        (folder / name).write_bytes(data)
    with zipfile.ZipFile(folder / "swells.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"<a>" + b" " * (400 << 20) + b"</a>")


class Watch(threading.Thread):
    """Seconds that this process's children ran or waited for a core, and the memory of all processes in bytes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.used: dict[int, float] = {}
        self.memory = 0
        self._over = threading.Event()

    def run(self) -> None:
        own = psutil.Process()
        while not self._over.wait(0.05):
            total = 0
            for process in [own, *own.children(recursive=True)]:
                try:
                    ran, waited, _ = Path(f"/proc/{process.pid}/schedstat").read_text(encoding="ascii").split()
                    total += process.memory_info().rss
                except (OSError, psutil.Error):
                    continue
                if process.pid != own.pid:
                    self.used[process.pid] = (int(ran) + int(waited)) / 1e9
            self.memory = max(self.memory, total)

    def end(self) -> None:
        self._over.set()
        self.join()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="OUT")
    options = parser.parse_args(arguments)
    sources = sorted(path for path in SOURCES.glob("*.*") if path.is_file())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broken(folder, sources)
        bad = {path.name for path in folder.iterdir()}
        for number in range(options.files - len(bad)):
            source = sources[number % len(sources)]
            shutil.copy(source, folder / f"{number:03}-{source.name}")
        paths = sorted(folder.iterdir())
        watch, began = Watch(), time.perf_counter()
        watch.start()
        outcomes = dict(read_many(paths, processes=options.processes))
        seconds = time.perf_counter() - began
        watch.end()
    errors = {path.name: str(outcome) for path, outcome in outcomes.items() if isinstance(outcome, RowError)}
    share = sum(watch.used.values()) / (options.processes * seconds)
    print(f"{len(paths)} files, {len(bad)} of them broken, in {seconds:.1f} s by {options.processes} processes")
    print(
        f"{len(errors)} errors (limit: the broken ones), each of one line: {all(chr(10) not in e for e in errors.values())}"
    )
    print(f"memory {watch.memory / 2**20:.0f} MB (limit 1229), share of the cores {share:.2f} (limit .9)")
    if unexpected := set(errors) ^ bad:
        print(f"read though broken, or refused though whole: {', '.join(sorted(unexpected))}")
    if options.json:
        result = {"files": len(paths), "errors": errors, "seconds": seconds, "memory": watch.memory, "share": share}
        options.json.write_text(json.dumps(result, indent=2, ensure_ascii=False), encoding="utf-8")
    return 0 if set(errors) == bad and share >= 0.9 and watch.memory <= 1.2 * 2**30 else 1


if __name__ == "__main__":
    sys.exit(main())
