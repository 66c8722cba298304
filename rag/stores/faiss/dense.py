"""Exact vector search over the rows of one generation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from rag.stores.bm25 import Floats, Mask

Rows = NDArray[np.int64]
Vector = NDArray[np.float64]
Vectors = NDArray[np.float32]

ROUNDING: Final = 1e-5
"""What float32 sums over unit vectors may be off by, generously. Closer scores are decided in float64."""


class VectorIndex(Protocol):
    """Unit vectors (n, dimension), numbered 0..n-1. Scores are cosines in [-1, 1]. Immutable."""

    index: Any
    """FAISS's own, to read."""

    def __len__(self) -> int: ...

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        ...

    def updated(self, keep: Mask, vectors: Vectors) -> VectorIndex:
        """The index of the rows where `keep`, followed by `vectors`."""
        ...

    def top(self, query: Vector, k: int, allowed: Mask | None) -> Rows:
        """Rows that may be among the best `k`, more than `k` where there are."""
        ...

    def exact(self, query: Vector, rows: Rows) -> Floats:
        """Cosines of some rows in float64, each computed alike: equal vectors get equal scores to the last bit."""
        ...

    def rough(self, query: Vector) -> Floats:
        """(n,) cosines within ROUNDING."""
        ...


class DenseIndex:
    """Unit vectors (n, dimension) behind an exact FAISS index. Scores are cosines in [-1, 1]."""

    def __init__(self, vectors: Vectors) -> None:
        count, dimension = vectors.shape
        # Over unit vectors the inner product is the cosine.
        self.index = faiss.IndexFlatIP(dimension)
        self.index.add(vectors)
        # FAISS owns the only copy; this is a window on it, valid as long as `self.index` lives.
        self.vectors = (
            faiss.rev_swig_ptr(self.index.get_xb(), count * dimension).reshape(vectors.shape) if count else vectors
        )

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return int(self.vectors.shape[1])

    def updated(self, keep: Mask, vectors: Vectors) -> DenseIndex:
        """The index of the rows where `keep`, followed by `vectors`."""
        return DenseIndex(np.concatenate([self.vectors[keep], vectors]))

    def top(self, query: Vector, k: int, allowed: Mask | None) -> Rows:
        """Rows that may be among the best `k`: all whose float32 score is not clearly below the k-th."""
        possible = len(self.vectors) if allowed is None else int(np.count_nonzero(allowed))
        parameters = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))
        # A few more than asked for, so that a tie at the k-th place seldom needs a second search.
        count = k + 16 if k > 0 else 0
        while True:
            count = min(count, possible)
            if count <= 0:
                return np.zeros(0, np.int64)
            with one_thread():
                scores, rows = self.index.search(query.astype(np.float32)[np.newaxis], count, params=parameters)
            if count == possible or scores[0, -1] < scores[0, k - 1] - 2 * ROUNDING:
                return np.asarray(rows[0])
            count *= 4  # many rows tie with the k-th: see them all

    def exact(self, query: Vector, rows: Rows) -> Floats:
        """Cosines of some rows in float64, each computed alike: equal vectors get equal scores to the last bit."""
        return cosines(self.vectors[rows], query)

    def rough(self, query: Vector) -> Floats:
        """(n,) cosines within ROUNDING."""
        return np.asarray(self.vectors @ query.astype(np.float32), np.float64)


def cosines(vectors: Vectors, query: Vector) -> Floats:
    """(n,) the cosine of each of `vectors` (n, dimension) with `query`, in float64."""
    # Summed row by row: in a matrix product the last bits depend on where in the matrix a row stands.
    scores: Floats = np.clip((vectors.astype(np.float64) * query).sum(axis=1), -1.0, 1.0)
    return scores


@contextmanager
def one_thread() -> Iterator[None]:
    """FAISS splits one query over all cores and then waits for the slowest: beside a busy neighbour 4 ms, not 2."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # of the calling thread alone
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
