"""The cache of question vectors: same vectors, computed once, limited size, thread-safe."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from rag.models.local_embedding import VectorCache


def test_a_kept_vector_is_the_computed_one_and_computed_once() -> None:
    asked: list[str] = []

    def compute(text: str) -> list[float]:
        asked.append(text)
        values: list[float] = np.array([0.1, len(text)], dtype=np.float32).tolist()
        return values

    cache = VectorCache(10)
    first, again = cache.get("한도", compute), cache.get("한도", compute)
    assert first == again == compute("한도") and asked == ["한도", "한도"]
    first[0] = 9.0
    assert cache.get("한도", compute) == again, "a caller's change is its own"
    assert cache.get("한도 ", compute) != again


def embed(asked: list[str], text: str) -> list[float]:
    asked.append(text)
    return [1.0]


def test_the_least_recently_used_is_dropped() -> None:
    asked: list[str] = []
    cache = VectorCache(2)
    for text in ("a", "b", "a", "c", "a", "b"):
        cache.get(text, partial(embed, asked))
    assert asked == ["a", "b", "c", "b"] and len(cache) == 2


def test_many_threads_get_their_own_vectors() -> None:
    cache = VectorCache(5)
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda n: cache.get(str(n % 9), lambda text: [float(text)]), range(2000)))
    assert got == [[float(n % 9)] for n in range(2000)] and len(cache) == 5
