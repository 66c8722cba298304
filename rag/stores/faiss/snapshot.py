"""One generation of an index in memory: exact vector search, filters and lexical search. Always derived from the database.

Rows are numbered 0..n-1 in the order they were written. Everything except caches is immutable, so that any number of
threads may read a snapshot while the next one is built. Reads no files: rows come from `rag.stores.faiss.reader`.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

import faiss
import numpy as np
from numpy.typing import NDArray

from rag.stores.bm25 import Floats, LexicalIndex, Mask
from rag.stores.faiss.metadata_columns import MetadataColumns
from rag.stores.filters import EVERYTHING, Group
from rag.stores.node_codec import StoredNode

if TYPE_CHECKING:
    from rag.stores.faiss.approximate import ApproximateIndex

Rows = NDArray[np.int64]
Vector = NDArray[np.float64]
Vectors = NDArray[np.float32]
VectorIndex: TypeAlias = "DenseIndex | ApproximateIndex"

ROUNDING: Final = 1e-5
"""An upper bound of the rounding error of float32 inner products of unit vectors. Closer scores are compared in float64."""
CACHED_MASKS: Final = 256
CACHED_NODES: Final = 4096
"""Nodes kept after they were read and verified: about 20 MB of FAQ rows."""
Hits = Sequence[tuple[int, float]]
"""(row, score), best first."""


class Snapshot:
    """The rows of one generation.

    `seqs`: (n,) int64, ascending. `ids`: the node id of each row. `rank`: (n,) the position of each row when sorted by id.
    """

    def __init__(
        self,
        stem: str,
        generation: int,
        seqs: Rows,
        ids: Sequence[str],
        columns: MetadataColumns,
        dense: VectorIndex | None,
        rank: Rows | None = None,
    ) -> None:
        self.stem = stem
        self.generation = generation
        self.seqs = seqs
        self.ids = ids
        self.columns = columns
        self.dense = dense
        self.lexical: Mapping[str, LexicalIndex] | None = None
        self.nodes: dict[int, StoredNode] = {}
        self._masks: dict[Group, Mask | None] = {}
        self._strings: dict[str, list[str]] = {}
        if rank is None:
            rank = np.zeros(len(ids), np.int64)
            rank[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
        self.rank = rank

    @property
    def dimension(self) -> int:
        """The length of the vectors; 0 if the index has none."""
        return 0 if self.dense is None else self.dense.dimension

    @cached_property
    def row_by_id(self) -> Mapping[str, int]:
        """Maps node id to row."""
        return {node_id: row for row, node_id in enumerate(self.ids)}

    def with_generation(self, generation: int) -> Snapshot:
        """Return a copy with the same rows and another generation."""
        snapshot = copy.copy(self)  # with the same caches
        snapshot.generation = generation
        return snapshot

    def allowed(
        self,
        filters: Group = EVERYTHING,
        node_ids: Collection[str] | None = None,
        seqs: Collection[int] | None = None,
    ) -> Mask | None:
        """Return a mask (n,) of the rows that pass all conditions that are not None; None if all rows pass."""
        masks = [self._select(filters)]
        if node_ids is not None:
            mask = np.zeros(len(self.ids), np.bool_)
            mask[[self.row_by_id[node_id] for node_id in node_ids if node_id in self.row_by_id]] = True
            masks.append(mask)
        if seqs is not None:
            masks.append(np.isin(self.seqs, np.array(sorted(seqs), np.int64)))
        conditions = [mask for mask in masks if mask is not None]
        # A single mask is returned as the same object, because ApproximateIndex caches its work by mask identity.
        return np.logical_and.reduce(conditions) if len(conditions) > 1 else next(iter(conditions), None)

    def _select(self, filters: Group) -> Mask | None:
        if not filters.children:
            return None
        try:
            return self._masks[filters]
        except KeyError:
            mask = self.columns.select(filters)
        # Questions share a few filters. They include the date, so that old masks are no longer used after a day.
        if len(self._masks) >= CACHED_MASKS:
            self._masks.clear()
        self._masks[filters] = allowed = None if mask.all() else mask
        return allowed

    def strings(self, key: str) -> list[str]:
        """Return the distinct strings under a metadata key, sorted."""
        if key not in self._strings:
            self._strings[key] = self.columns.strings(key)
        return list(self._strings[key])

    def rows(self, filters: Group, node_ids: Sequence[str] | None = None) -> list[int]:
        """Return the rows that pass: in the order of `node_ids` without repetition, or sorted by id if it is None."""
        allowed = self.allowed(filters, node_ids)
        if node_ids is None:
            rows = np.argsort(self.rank).tolist()
        else:
            rows = [self.row_by_id[node_id] for node_id in dict.fromkeys(node_ids) if node_id in self.row_by_id]
        return rows if allowed is None else [row for row in rows if allowed[row]]

    def search_dense(self, query: Vector, k: int, allowed: Mask | None) -> Hits:
        """Return the `k` best (row, cosine), best first."""
        assert self.dense is not None
        rows = self.dense.candidates(query, k, allowed)
        return self._best(rows, self.dense.exact_scores(query, rows), k)

    def search_lexical(self, coverage: Floats, k: int, allowed: Mask | None) -> Hits:
        """Return the `k` best (row, coverage) of the rows with coverage > 0, best first."""
        matching = coverage > 0 if allowed is None else (coverage > 0) & allowed
        rows = _within_margin(np.flatnonzero(matching), coverage, k, 0.0)
        return self._best(rows, coverage[rows], k)

    def search_hybrid(self, query: Vector, coverage: Floats, alpha: float, k: int, allowed: Mask | None) -> Hits:
        """Return the `k` best (row, alpha * cosine + (1 - alpha) * coverage) of all allowed rows, best first."""
        assert self.dense is not None
        rows = np.arange(len(self.ids)) if allowed is None else np.flatnonzero(allowed)
        approximate_scores = alpha * self.dense.approximate_scores(query) + (1 - alpha) * coverage
        rows = _within_margin(rows, approximate_scores, k, 2 * ROUNDING)
        return self._best(rows, alpha * self.dense.exact_scores(query, rows) + (1 - alpha) * coverage[rows], k)

    def _best(self, rows: Rows, scores: Floats, k: int) -> Hits:
        # lexsort uses the last key first: sorted by descending score, then by id.
        order = np.lexsort((self.rank[rows], -scores))[: max(k, 0)]
        return list(zip(rows[order].tolist(), scores[order].tolist(), strict=True))


def empty_snapshot(stem: str, dimension: int) -> Snapshot:
    """Return a snapshot without rows, generation -1. `dimension` 0: no vectors."""
    dense = DenseIndex(np.zeros((0, dimension), np.float32)) if dimension else None
    return Snapshot(stem, -1, np.zeros(0, np.int64), [], MetadataColumns(0, {}), dense)


def _within_margin(rows: Rows, scores: Floats, k: int, margin: float) -> Rows:
    """Return those of `rows` whose score is at most `margin` below the k-th best score among them."""
    if k <= 0:
        return rows[:0]
    if len(rows) <= k:
        return rows
    row_scores = scores[rows]
    # Keeps all rows that tie with the k-th; `_best` then decides between them by id.
    threshold = np.partition(row_scores, len(rows) - k)[len(rows) - k] - margin
    return np.asarray(rows[row_scores >= threshold])


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
