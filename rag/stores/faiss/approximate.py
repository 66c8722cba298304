"""Vector search over many rows: an inverted file of 8-bit vectors finds candidates, float32 vectors give their scores.

Exact search reads every vector: 8 ms for 100,000 vectors of length 384 and 99 ms for a million, on one thread. Here the rows
are kept in lists around centroids (FAISS's `IndexIVFScalarQuantizer`), and only the lists nearest to the query are read, in
8 bits per number instead of 32. HNSW is not used because with a filter it may return fewer rows than pass, or none
(findings/faiss-hnsw-selector-drops-hits.sh). Building took 1.8 CPU s for 50,000 rows; HNSW with 8 bits (m 16) took 3.5.
"""

from __future__ import annotations

import math
import os
import weakref
from pathlib import Path
from typing import Any, Final, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.stores.bm25 import Floats, Mask
from rag.stores.faiss.snapshot import ROUNDING, DenseIndex, Rows, Vector, VectorIndex, Vectors, cosines, one_thread

EXACT_ROWS: Final = 30_000
"""Search is exact up to this number of rows: 1.7 ms per query on one thread. The time grows with the number of rows."""
SCAN_BUDGET: Final = 20_000
"""Rows to compare with a query without a filter: 0.7 ms."""
FILTERED_SCAN_BUDGET: Final = 16_000
"""The same with a filter, where a row that does not pass counts as `_FILTER_COST` rows."""
_FILTER_COST: Final = 1 / 16
_EXTRA_CANDIDATES: Final = 32
"""Candidates in addition to 2 * k: with 8 bits a row's rank is wrong by a few places."""
_ROWS_PER_CENTROID: Final = 64
"""Training rows per centroid; FAISS warns below 39."""
_CACHED_FILTERS: Final = 32
_CHUNK: Final = 1 << 24


class _PreparedFilter(NamedTuple):
    """A filter in the form that FAISS needs. `mask` keeps a reference to the array whose id is the key in the cache."""

    mask: Mask
    bits: NDArray[np.uint8]
    sizes: NDArray[np.int64]
    """(lists,) the number of rows of each list that pass."""
    costs: NDArray[np.float64]
    """(lists,) the cost of reading each list, in rows compared."""
    budget: int
    """The total cost allowed for one query."""


class ApproximateIndex:
    """An inverted file that can be updated without building it again.

    `base`: unit vectors (b, dimension), in memory or in a file; `index`: their inverted file; `alive` (b,): which of them
    are not deleted; `tail`: rows that were added later, searched exactly. Rows are numbered 0..n-1: first those of `base`
    that are alive, then those of `tail`.
    """

    def __init__(
        self, base: Vectors | VectorFile, index: Any, alive: Mask | None = None, tail: DenseIndex | None = None
    ) -> None:
        self.base = base
        self.index = index
        self.alive = np.ones(len(base), np.bool_) if alive is None else alive
        self.tail = tail or DenseIndex(np.zeros((0, base.shape[1]), np.float32))
        self._living = np.flatnonzero(self.alive)
        self._row = np.cumsum(self.alive) - 1
        self._centroids = index.quantizer.reconstruct_n(0, index.nlist)
        self._lists = np.zeros(len(base), np.int32)
        for number in range(index.nlist):
            size = index.invlists.list_size(number)
            if size:
                self._lists[faiss.rev_swig_ptr(index.invlists.get_ids(number), size)] = number
        self._all_rows = self._prepare(self.alive)
        self._filter_cache: dict[int, _PreparedFilter] = {}

    def __len__(self) -> int:
        return len(self._living) + len(self.tail)

    @property
    def dimension(self) -> int:
        """The length of the vectors."""
        return int(self.base.shape[1])

    @property
    def is_stored(self) -> bool:
        """Whether the vectors of `base` are in a file and not in memory."""
        return isinstance(self.base, VectorFile)

    def updated(self, keep: Mask, vectors: Vectors) -> VectorIndex:
        """Return the index of the rows where `keep` (n,) is true, followed by `vectors`.

        It is built again when more than a quarter of the rows of `base` have been added or deleted.
        """
        old = len(self._living)
        alive = np.zeros_like(self.alive)
        alive[self._living[keep[:old]]] = True
        tail = self.tail.updated(keep[old:], vectors)
        if len(tail) + np.count_nonzero(~alive) <= len(self.base) // 4:
            return ApproximateIndex(self.base, self.index, alive, tail)
        return build_index(np.concatenate([self.base[alive], tail.vectors]))

    def candidates(self, query: Vector, k: int, allowed: Mask | None) -> Rows:
        """Return rows that are likely to include the best `k` allowed rows; `allowed` None: all rows."""
        if k <= 0:
            return np.zeros(0, np.int64)
        old = len(self._living)
        rows = self._row[self._base_candidates(query, k, self._all_rows if allowed is None else self._filter(allowed))]
        if not len(self.tail):
            return np.asarray(rows)
        return np.concatenate([rows, old + self.tail.candidates(query, k, None if allowed is None else allowed[old:])])

    def exact_scores(self, query: Vector, rows: Rows) -> Floats:
        """Return (len(rows),) the cosines of `rows` in float64; equal vectors get exactly equal scores."""
        return cosines(self.vectors(rows), query)

    def vectors(self, rows: Rows) -> Vectors:
        """Return (len(rows), dimension) the vectors of `rows`."""
        vectors = np.empty((len(rows), self.dimension), np.float32)
        in_base = rows < len(self._living)
        vectors[in_base] = self.base[self._living[rows[in_base]]]
        vectors[~in_base] = self.tail.vectors[rows[~in_base] - len(self._living)]
        return vectors

    def approximate_scores(self, query: Vector) -> Floats:
        """Return (n,) the cosines of all rows, with an error below ROUNDING. Reads every vector."""
        scores = np.concatenate([self.base @ query.astype(np.float32), self.tail.vectors @ query.astype(np.float32)])
        return np.asarray(scores[np.concatenate([self.alive, np.ones(len(self.tail), np.bool_)])], np.float64)

    def _base_candidates(self, query: Vector, k: int, allowed: _PreparedFilter) -> Rows:
        """Return rows of `base` that are likely to include the best `k` that pass."""
        query32 = query.astype(np.float32)
        # Not a matrix product: BLAS would wait for all cores, 22 ms on a busy machine; this takes 0.07 ms.
        similarity = np.einsum("ij,j->i", self._centroids, query32)
        non_empty = np.flatnonzero(allowed.sizes)
        near = non_empty[np.argsort(-similarity[non_empty], kind="stable")]
        if not len(near):
            return np.zeros(0, np.int64)
        seen, cost = np.cumsum(allowed.sizes[near]), np.cumsum(allowed.costs[near])
        possible, affordable = int(seen[-1]), int(np.searchsorted(cost, allowed.budget))
        count = 2 * k + _EXTRA_CANDIDATES
        while True:
            count = min(count, possible)
            # The nearest lists, as many as the budget allows, and at least as many as contain `count` rows.
            lists = near[: max(affordable, int(np.searchsorted(seen, count))) + 1].copy()
            scores, rows = self._read(query32, lists, similarity[lists], allowed, count)
            if count == possible or scores[-1] < scores[min(k, count) - 1] - 2 * ROUNDING:
                return rows
            count *= 4  # more rows may tie with the k-th

    def _read(
        self, query32: Vectors, lists: NDArray[np.int64], similarity: Vectors, allowed: _PreparedFilter, count: int
    ) -> tuple[Vectors, Rows]:
        """Return (count,) the 8-bit scores and the numbers of the best rows of these lists that pass, best first."""
        scores, rows = np.empty(count, np.float32), np.empty(count, np.int64)
        parameters = faiss.SearchParametersIVF(nprobe=len(lists), sel=faiss.IDSelectorBitmap(allowed.bits))
        pointers = [faiss.swig_ptr(each) for each in (lists, similarity, scores, rows)]
        # FAISS gets the addresses of these arrays: they must be contiguous, of these types, and exist until it returns.
        with one_thread():
            # `search_preassigned` lets us choose the lists, and so leave out those without a row that passes.
            self.index.search_preassigned_c(1, faiss.swig_ptr(query32), count, *pointers, False, parameters)
        return scores, rows

    def _filter(self, allowed: Mask) -> _PreparedFilter:
        # Questions share a few filters, whose masks are the same objects each time (MetadataColumns.select).
        cached = self._filter_cache.get(id(allowed))
        if cached is not None and cached.mask is allowed:
            return cached
        mask = np.zeros_like(self.alive)
        mask[self._living] = allowed[: len(self._living)]
        prepared = self._prepare(mask)._replace(mask=allowed)
        if len(self._filter_cache) >= _CACHED_FILTERS:
            self._filter_cache.clear()
        self._filter_cache[id(allowed)] = prepared
        return prepared

    def _prepare(self, mask: Mask) -> _PreparedFilter:
        sizes = np.bincount(self._lists[mask], minlength=self.index.nlist)
        all_sizes = np.bincount(self._lists, minlength=self.index.nlist)
        costs = sizes + _FILTER_COST * all_sizes
        budget = SCAN_BUDGET if mask.all() else FILTERED_SCAN_BUDGET
        return _PreparedFilter(mask, np.packbits(mask, bitorder="little"), sizes, costs, budget)


def build_index(vectors: Vectors) -> VectorIndex:
    """Build an exact index up to EXACT_ROWS unit vectors (n, dimension), an approximate one above."""
    return build_approximate(vectors) if len(vectors) > EXACT_ROWS else DenseIndex(vectors)


def update_index(old: VectorIndex, keep: Mask, vectors: Vectors) -> VectorIndex:
    """Return an index of the rows of `old` where `keep` is true, followed by `vectors`.

    An exact index becomes approximate when it exceeds EXACT_ROWS.
    """
    if isinstance(old, DenseIndex) and np.count_nonzero(keep) + len(vectors) > EXACT_ROWS:
        return build_approximate(np.concatenate([old.vectors[keep], vectors]) if keep.any() else vectors)
    return old.updated(keep, vectors)


def build_approximate(vectors: Vectors) -> ApproximateIndex:
    """Build an inverted file over unit vectors (n, dimension). Deterministic; a million rows take 84 s on two cores."""
    count, dimension = vectors.shape
    # 2 * sqrt(n) lists: 632 lists of 158 rows for 100,000 rows, 2,000 lists of 500 for a million; fewer for few rows,
    # because FAISS warns about centroids that are trained on few rows.
    lists = max(1, min(2 * math.isqrt(count), count // _ROWS_PER_CENTROID))
    # by_residual False: the vector itself is quantised and not its difference to the centroid, so that equal vectors
    # have equal codes in every list.
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension), dimension, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT, False
    )
    index.cp.niter, index.cp.max_points_per_centroid = 10, _ROWS_PER_CENTROID
    # Extend the quantiser's range by a tenth beyond the values in the training sample.
    index.sq.rangestat_arg = 0.1
    sample = np.random.default_rng(0).choice(count, min(count, lists * _ROWS_PER_CENTROID), replace=False)
    index.train(vectors[np.sort(sample)])
    index.add(vectors)
    return ApproximateIndex(vectors, index)


class VectorFile:
    """The vectors of an `.npy` file, indexed by arrays like a NumPy array.

    The file is read with `pread` because a memory map of it would count as memory in use.
    """

    def __init__(self, path: Path) -> None:
        """Raises IndexDamaged, OSError or ValueError if the file is not a two-dimensional float32 array."""
        self.path = path
        with path.open("rb") as file:
            np.lib.format.read_magic(file)
            shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
            self._start = file.tell()
        if by_columns or dtype != np.float32 or len(shape) != 2:
            raise IndexDamaged(f"{path} is not a two-dimensional float32 array")
        if path.stat().st_size != self._start + 4 * shape[0] * shape[1]:
            raise IndexDamaged(f"the size of {path} does not match its header")
        self.shape: tuple[int, int] = (shape[0], shape[1])
        # Windows has no `pread`; there the file is mapped.
        self._mapped = None if hasattr(os, "pread") else np.memmap(path, np.float32, "r", self._start, self.shape)
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: NDArray[Any]) -> Vectors:
        """Return (len(rows), dimension) the vectors of `rows`, given as numbers or as a mask."""
        numbers = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        if self._mapped is not None:
            return np.asarray(self._mapped[numbers])
        size = 4 * self.shape[1]
        read = b"".join(os.pread(self._file, size, self._start + size * row) for row in numbers.tolist())
        return np.frombuffer(read, np.float32).reshape(len(numbers), self.shape[1])

    def __matmul__(self, query: Vectors) -> Vectors:
        """Return (n,) the inner product of each vector with `query`. Reads the whole file in chunks."""
        step = max(1, _CHUNK // (4 * self.shape[1]))
        starts = range(0, len(self), step)
        parts = [self[np.arange(start, min(start + step, len(self)))] @ query for start in starts]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)
