"""The vectors of the last questions, bounded in number; a question is kept as a hash, not as text."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


class VectorCache:
    """At most `size` vectors, the least recently used one dropped first: 1.7 KB each at 384 numbers. Thread-safe.

    A vector is kept as float32, which is what an embedder computes, so a cached one is the same numbers.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._vectors: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._vectors)

    def get(self, text: str, compute: Callable[[str], list[float]]) -> list[float]:
        """The text's vector, computed at most once while it is kept; two threads that ask at once may both compute it."""
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        with self._lock:
            vector = self._vectors.get(key)
            if vector is not None:
                self._vectors.move_to_end(key)
        if vector is None:
            vector = np.array(compute(text), dtype=np.float32)
            with self._lock:
                self._vectors[key] = vector
                while len(self._vectors) > self._size:
                    self._vectors.popitem(last=False)
        values: list[float] = vector.tolist()
        return values
