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
"""An upper bound of the rounding error of float32 inner products of unit vectors. Closer scores are compared in float64."""


class VectorIndex(Protocol):
    """Unit vectors (n, dimension), numbered 0..n-1. Scores are cosines in [-1, 1]. Immutable."""

    index: Any
    """The FAISS index, read-only."""

    def __len__(self) -> int: ...

    @property
    def dimension(self) -> int:
        """The length of the vectors."""
        ...

    def updated(self, keep: Mask, vectors: Vectors) -> VectorIndex:
        """Return the index of the rows where `keep` (n,) is true, followed by `vectors`."""
        ...

    def candidates(self, query: Vector, k: int, allowed: Mask | None) -> Rows:
        """Return a superset of the best `k` allowed rows, in no particular order; `allowed` None: all rows."""
        ...

    def exact_scores(self, query: Vector, rows: Rows) -> Floats:
        """Return (len(rows),) the cosines of `rows` in float64; equal vectors get exactly equal scores."""
        ...

    def approximate_scores(self, query: Vector) -> Floats:
        """Return (n,) the cosines of all rows, with an error below ROUNDING."""
        ...


class DenseIndex:
    """Unit vectors (n, dimension) behind an exact FAISS index. Scores are cosines in [-1, 1]."""

    def __init__(self, vectors: Vectors) -> None:
        count, dimension = vectors.shape
        # Over unit vectors the inner product is the cosine.
        self.index = faiss.IndexFlatIP(dimension)
        self.index.add(vectors)
        # A view of FAISS's own memory, valid as long as `self.index` exists: the vectors are not stored twice.
        self.vectors = (
            faiss.rev_swig_ptr(self.index.get_xb(), count * dimension).reshape(vectors.shape) if count else vectors
        )

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def dimension(self) -> int:
        """The length of the vectors."""
        return int(self.vectors.shape[1])

    def updated(self, keep: Mask, vectors: Vectors) -> DenseIndex:
        """Return the index of the rows where `keep` (n,) is true, followed by `vectors`."""
        return DenseIndex(np.concatenate([self.vectors[keep], vectors]))

    def candidates(self, query: Vector, k: int, allowed: Mask | None) -> Rows:
        """Return all allowed rows whose float32 score is not clearly below the k-th best."""
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
            count *= 4  # more rows may tie with the k-th

    def exact_scores(self, query: Vector, rows: Rows) -> Floats:
        """Return (len(rows),) the cosines of `rows` in float64; equal vectors get exactly equal scores."""
        return cosines(self.vectors[rows], query)

    def approximate_scores(self, query: Vector) -> Floats:
        """Return (n,) the cosines of all rows, with an error below ROUNDING."""
        return np.asarray(self.vectors @ query.astype(np.float32), np.float64)


def cosines(vectors: Vectors, query: Vector) -> Floats:
    """Return (n,) the cosine of each of `vectors` (n, dimension) with `query`, in float64, clipped to [-1, 1]."""
    # Summed row by row: in a matrix product the last bits depend on the position of the row in the matrix.
    scores: Floats = np.clip((vectors.astype(np.float64) * query).sum(axis=1), -1.0, 1.0)
    return scores


@contextmanager
def one_thread() -> Iterator[None]:
    """Make FAISS search in one thread within the block.

    By default it splits a query over all cores and waits for the slowest one: 4 ms instead of 2 ms on a busy machine.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # applies to the calling thread only
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
