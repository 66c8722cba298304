"""Generates many rows that cluster as passages on one subject do, and questions about them; measures searches.

Rows are generated in chunks from the chunk's number, so that several processes get the same ones without a file.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.faiss_store import DIMENSION, words

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode

BUNDLED_VECTORS = Path(__file__).parents[1] / "data" / "vectors" / "bundled.npz"
CHUNK = 10_000
QUESTIONS = 200
TOP = 10
FILTERS: dict[str, tuple[str, str] | None] = {
    "none": None,
    "tenth": ("tenth", "3"),
    "hundredth": ("hundredth", "42"),
    "topic": ("topic", "7"),
}


def known() -> NDArray[np.float32]:
    with np.load(BUNDLED_VECTORS) as file:
        found = file["vectors"].astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def chunk(number: int, size: int, noise: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(vectors, which of the FAQ's vectors each was made from) of rows number * CHUNK onward; questions are chunk -1."""
    numbers, real = np.random.default_rng([5, number + 1]), known()
    origins = numbers.integers(0, len(real), size)
    found = real[origins] + noise / DIMENSION**0.5 * numbers.standard_normal((size, DIMENSION), dtype=np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True), origins


def chunks(rows: int, noise: float) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.int64]]]:
    for start in range(0, rows, CHUNK):
        yield (start, *chunk(start // CHUNK, min(CHUNK, rows - start), noise))


def metadata(row: int, origin: int) -> dict[str, str]:
    return {"tenth": str(row % 10), "hundredth": str(row % 100), "topic": str(origin % 100)}


def nodes(rows: int, noise: float) -> Iterator[list[TextNode]]:
    from llama_index.core.schema import TextNode

    text = words()
    for start, vectors, origins in chunks(rows, noise):
        yield [
            TextNode(
                id_=f"row-{row:07}",
                text=text(300),
                embedding=vector.tolist(),
                metadata={
                    **metadata(row, origin),
                    "question": text(40),
                    "bank": "새나래은행",
                    "source_url": f"https://faq.example/{row}",
                    "content_hash": f"{row:064x}",
                    "effective_from": f"2025-{row % 12 + 1:02}-01",
                    "effective_until": "",
                },
            )
            for row, vector, origin in zip(range(start, rows), vectors, origins.tolist(), strict=False)
        ]


def resident_mb() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def asked(noise: float) -> NDArray[np.float32]:
    return chunk(-1, QUESTIONS, noise)[0]


def timed(ask: Callable[[NDArray[np.float32], str], list[str]], truth: Any, noise: float) -> dict[str, Any]:
    """p50 and p95 in ms, p50 of the CPU alone, and recall, by filter."""
    result = {}
    for name in FILTERS:
        times, cpu, found = [], [], []
        for number, question in enumerate(asked(noise)):
            if number == 0:
                ask(question, name)  # the first with a filter selects its rows
            start, began = time.perf_counter(), time.thread_time()
            ids = ask(question, name)
            times.append(1000 * (time.perf_counter() - start))
            cpu.append(1000 * (time.thread_time() - began))
            true = [f"row-{row:07}" for row in truth[name][number].tolist()]
            found.append(len(set(ids) & set(true)) / len(true))
        result[name] = {
            "p50_ms": statistics.median(times),
            "p95_ms": statistics.quantiles(times, n=20)[-1],
            "cpu_ms": statistics.median(cpu),
            "recall": statistics.fmean(found),
            "fewest": min(found),
        }
    return result


def true_rows(folder: Path, rows: int, noise: float) -> dict[str, Any]:
    questions = asked(noise)
    best: dict[str, list[tuple[NDArray[np.float32], NDArray[np.int64]]]] = {name: [] for name in FILTERS}
    for start, vectors, origins in chunks(rows, noise):
        scores = questions @ vectors.T
        for name, wanted in FILTERS.items():
            passes = np.array(
                [
                    wanted is None or metadata(start + i, origin)[wanted[0]] == wanted[1]
                    for i, origin in enumerate(origins)
                ]
            )
            own = np.where(passes, scores, -2.0)
            top = np.argpartition(-own, TOP, axis=1)[:, :TOP]
            best[name].append((np.take_along_axis(own, top, axis=1), top + start))
    found = {}
    for name, parts in best.items():
        own, numbers = (np.concatenate(each, axis=1) for each in zip(*parts, strict=True))
        found[name] = np.take_along_axis(numbers, np.argsort(-own, axis=1)[:, :TOP], axis=1)
    np.savez(folder / "truth.npz", allow_pickle=False, **found)
    return {}
