"""Vector search over many rows: an inverted file of 8-bit vectors gives candidates, float32 vectors their scores.

Exact search reads every vector: 8 ms for 100,000 rows of 384 numbers, 99 ms for a million, on one thread. Here the rows are
kept in lists around centroids (FAISS's `IndexIVFScalarQuantizer`), and only the lists nearest to the question are read, at
a quarter of the bytes. An inverted file, not HNSW, which with a filter returns fewer rows than there are, or none
(findings/faiss-hnsw-selector-drops-hits.sh); 50,000 rows took 1.8 CPU s to build, HNSW over the same 8 bits (m 16) 3.5.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from rag.stores.bm25 import Floats, Mask
from rag.stores.faiss.dense import ROUNDING, DenseIndex, Rows, Vector, VectorIndex, Vectors, cosines, one_thread
from rag.stores.faiss.vector_file import VectorFile

EXACT_ROWS: Final = 30_000
"""Up to here search is exact: 1.7 ms a question on one thread. Above it the time grows with the rows."""
COMPARED: Final = 20_000
"""Rows that are compared with a question, without a filter: .7 ms."""
COMPARED_FILTERED: Final = 16_000
"""The same with a filter, where a row that does not pass counts as a sixteenth. Fewer are all compared."""
_TEST_COST: Final = 1 / 16
_MORE: Final = 32
"""Candidates beyond twice those asked for: 8 bits misplace a row by a few places."""
_TRAINING: Final = 64
"""Rows a centroid is found from; FAISS warns below 39."""
_REMEMBERED: Final = 32


class _Allowed(NamedTuple):
    """A filter as the search takes it. `mask` keeps the array alive that the entry is found by."""

    mask: Mask
    bits: NDArray[np.uint8]
    sizes: NDArray[np.int64]
    """(lists,) rows of each list that pass."""
    costs: NDArray[np.float64]
    """(lists,) what reading each costs, in rows compared."""
    budget: int


class ApproximateIndex:
    """`base` (b, dimension), unit vectors in memory or in a file, with their inverted file `index`; `alive` (b,)
    which of them are still rows; `tail`: rows written since, searched exactly. The rows are the living, then the tail's."""

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
        self._everything = self._prepare(self.alive)
        self._remembered: dict[int, _Allowed] = {}

    def __len__(self) -> int:
        return len(self._living) + len(self.tail)

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return int(self.base.shape[1])

    @property
    def is_stored(self) -> bool:
        """Whether its vectors are in a file, as they are once it was saved."""
        return isinstance(self.base, VectorFile)

    def updated(self, keep: Mask, vectors: Vectors) -> VectorIndex:
        """The index of the rows where `keep`, followed by `vectors`; built again once a quarter of it has changed."""
        old = len(self._living)
        alive = np.zeros_like(self.alive)
        alive[self._living[keep[:old]]] = True
        tail = self.tail.updated(keep[old:], vectors)
        if len(tail) + np.count_nonzero(~alive) <= len(self.base) // 4:
            return ApproximateIndex(self.base, self.index, alive, tail)
        return make(np.concatenate([self.base[alive], tail.vectors]))

    def top(self, query: Vector, k: int, allowed: Mask | None) -> Rows:
        """Rows that may be among the best `k`, more than `k` where there are."""
        if k <= 0:
            return np.zeros(0, np.int64)
        old = len(self._living)
        rows = self._row[self._candidates(query, k, self._everything if allowed is None else self._filter(allowed))]
        if not len(self.tail):
            return np.asarray(rows)
        return np.concatenate([rows, old + self.tail.top(query, k, None if allowed is None else allowed[old:])])

    def exact(self, query: Vector, rows: Rows) -> Floats:
        """Cosines of some rows in float64, each computed alike: equal vectors get equal scores to the last bit."""
        return cosines(self.vectors(rows), query)

    def vectors(self, rows: Rows) -> Vectors:
        """(len(rows), dimension) the vectors of some rows."""
        found = np.empty((len(rows), self.dimension), np.float32)
        of_base = rows < len(self._living)
        found[of_base] = self.base[self._living[rows[of_base]]]
        found[~of_base] = self.tail.vectors[rows[~of_base] - len(self._living)]
        return found

    def rough(self, query: Vector) -> Floats:
        """(n,) cosines within ROUNDING. Reads every vector."""
        scores = np.concatenate([self.base @ query.astype(np.float32), self.tail.vectors @ query.astype(np.float32)])
        return np.asarray(scores[np.concatenate([self.alive, np.ones(len(self.tail), np.bool_)])], np.float64)

    def _candidates(self, query: Vector, k: int, allowed: _Allowed) -> Rows:
        """Rows of `base` that may be among the best `k` that pass."""
        asked = query.astype(np.float32)
        # Not a matrix product: BLAS would wait for all cores, 22 ms on a busy machine; this takes .07.
        nearness = np.einsum("ij,j->i", self._centroids, asked)
        holding = np.flatnonzero(allowed.sizes)
        near = holding[np.argsort(-nearness[holding], kind="stable")]
        if not len(near):
            return np.zeros(0, np.int64)
        seen, cost = np.cumsum(allowed.sizes[near]), np.cumsum(allowed.costs[near])
        possible, affordable = int(seen[-1]), int(np.searchsorted(cost, allowed.budget))
        count = 2 * k + _MORE
        while True:
            count = min(count, possible)
            # Nearest first, as many as the budget allows, and until there are as many rows as candidates.
            lists = near[: max(affordable, int(np.searchsorted(seen, count))) + 1].copy()
            scores, rows = self._read(asked, lists, nearness[lists], allowed, count)
            if count == possible or scores[-1] < scores[min(k, count) - 1] - 2 * ROUNDING:
                return rows
            count *= 4  # many rows tie with the k-th: see them all

    def _read(
        self, asked: Vectors, lists: NDArray[np.int64], nearness: Vectors, allowed: _Allowed, count: int
    ) -> tuple[Vectors, Rows]:
        """(count,) the best rows of these lists that pass, best first, with their scores in 8 bits."""
        scores, rows = np.empty(count, np.float32), np.empty(count, np.int64)
        parameters = faiss.SearchParametersIVF(nprobe=len(lists), sel=faiss.IDSelectorBitmap(allowed.bits))
        pointers = [faiss.swig_ptr(each) for each in (lists, nearness, scores, rows)]
        # Arrays FAISS is given the addresses of: all are whole, of these types, and live until it returns.
        with one_thread():
            # The lists are ours to choose: those without a row that passes are left out.
            self.index.search_preassigned_c(1, faiss.swig_ptr(asked), count, *pointers, False, parameters)
        return scores, rows

    def _filter(self, allowed: Mask) -> _Allowed:
        # Questions share a few filters, and the masks of these are the same objects (MetadataColumns.select).
        known = self._remembered.get(id(allowed))
        if known is not None and known.mask is allowed:
            return known
        mask = np.zeros_like(self.alive)
        mask[self._living] = allowed[: len(self._living)]
        prepared = self._prepare(mask)._replace(mask=allowed)
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[id(allowed)] = prepared
        return prepared

    def _prepare(self, mask: Mask) -> _Allowed:
        sizes = np.bincount(self._lists[mask], minlength=self.index.nlist)
        every = np.bincount(self._lists, minlength=self.index.nlist)
        costs = sizes + _TEST_COST * every
        budget = COMPARED if mask.all() else COMPARED_FILTERED
        return _Allowed(mask, np.packbits(mask, bitorder="little"), sizes, costs, budget)


def make(vectors: Vectors) -> VectorIndex:
    """The index for so many unit vectors (n, dimension)."""
    return build(vectors) if len(vectors) > EXACT_ROWS else DenseIndex(vectors)


def updated(old: VectorIndex, keep: Mask, vectors: Vectors) -> VectorIndex:
    """The index of the rows of `old` where `keep`, followed by `vectors`; of the kind for so many rows."""
    if isinstance(old, DenseIndex) and np.count_nonzero(keep) + len(vectors) > EXACT_ROWS:
        return build(np.concatenate([old.vectors[keep], vectors]) if keep.any() else vectors)
    return old.updated(keep, vectors)


def build(vectors: Vectors) -> ApproximateIndex:
    """Centroids, lists and 8-bit vectors: 84 s for a million rows on two cores. The same for the same vectors."""
    count, dimension = vectors.shape
    # Twice the root of the rows: 632 lists of 158 rows, 2,000 of 500. FAISS warns of centroids made from few rows.
    lists = max(1, min(2 * math.isqrt(count), count // _TRAINING))
    # Not what is left to a row's centroid, but the row itself: equal rows have equal 8-bit vectors in whatever list.
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension), dimension, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT, False
    )
    index.cp.niter, index.cp.max_points_per_centroid = 10, _TRAINING
    # Room beyond the values seen in training, by a tenth of their range.
    index.sq.rangestat_arg = 0.1
    chosen = np.random.default_rng(0).choice(count, min(count, lists * _TRAINING), replace=False)
    index.train(vectors[np.sort(chosen)])
    index.add(vectors)
    return ApproximateIndex(vectors, index)
