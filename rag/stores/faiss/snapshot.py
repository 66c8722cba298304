"""One generation of an index in memory: vector search, filters, lexical search. Derived from the rows, never the truth.

Rows are numbered 0..n-1 in the order they were written. Everything here is immutable but for caches, so that any number of
threads may read a snapshot while the next one is made. Reads no file: rows come from `rag.stores.faiss.reader`.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

import numpy as np

from rag.stores.bm25 import Floats, LexicalIndex, Mask
from rag.stores.faiss.dense import ROUNDING, DenseIndex, Rows, Vector, VectorIndex
from rag.stores.faiss.metadata_columns import MetadataColumns
from rag.stores.filters import EVERYTHING, Group

Hits = Sequence[tuple[int, float]]
"""(row, score), best first."""


class Snapshot:
    """The rows of one generation. `seqs` (n,) int64 ascending; `ids` their node ids; `rank` (n,) their position by id."""

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
        if rank is None:
            rank = np.zeros(len(ids), np.int64)
            rank[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
        self.rank = rank

    @property
    def dimension(self) -> int:
        """0: no vectors."""
        return 0 if self.dense is None else self.dense.dimension

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """The row of each node id."""
        return {node_id: row for row, node_id in enumerate(self.ids)}

    def at(self, generation: int) -> Snapshot:
        """The same rows as a later generation."""
        later = copy.copy(self)
        later.generation = generation
        return later

    def allowed(
        self,
        filters: Group = EVERYTHING,
        node_ids: Collection[str] | None = None,
        seqs: Collection[int] | None = None,
    ) -> Mask | None:
        """(n,) the rows that pass every condition that is not None; None: every row does."""
        masks = [self.columns.select(filters)]
        if node_ids is not None:
            mask = np.zeros(len(self.ids), np.bool_)
            mask[[self.row_of[node_id] for node_id in node_ids if node_id in self.row_of]] = True
            masks.append(mask)
        if seqs is not None:
            masks.append(np.isin(self.seqs, np.array(sorted(seqs), np.int64)))
        conditions = [mask for mask in masks if mask is not None]
        # One alone as it is: a large index remembers what it made of a mask.
        return np.logical_and.reduce(conditions) if len(conditions) > 1 else next(iter(conditions), None)

    def rows(self, filters: Group, node_ids: Sequence[str] | None = None) -> list[int]:
        """The rows that pass: in the order of `node_ids`, each once, or sorted by id."""
        allowed = self.allowed(filters, node_ids)
        if node_ids is None:
            rows = np.argsort(self.rank).tolist()
        else:
            rows = [self.row_of[node_id] for node_id in dict.fromkeys(node_ids) if node_id in self.row_of]
        return rows if allowed is None else [row for row in rows if allowed[row]]

    def best_dense(self, query: Vector, k: int, allowed: Mask | None) -> Hits:
        """The `k` nearest (row, cosine), best first."""
        assert self.dense is not None
        rows = self.dense.top(query, k, allowed)
        return self._best(rows, self.dense.exact(query, rows), k)

    def best_lexical(self, coverage: Floats, k: int, allowed: Mask | None) -> Hits:
        """The `k` best (row, coverage) among the rows that match at all, best first."""
        matching = coverage > 0 if allowed is None else (coverage > 0) & allowed
        rows = _near_top(np.flatnonzero(matching), coverage, k, 0.0)
        return self._best(rows, coverage[rows], k)

    def best_hybrid(self, query: Vector, coverage: Floats, alpha: float, k: int, allowed: Mask | None) -> Hits:
        """The `k` best (row, alpha * cosine + (1 - alpha) * coverage) of all rows, best first."""
        assert self.dense is not None
        rows = np.arange(len(self.ids)) if allowed is None else np.flatnonzero(allowed)
        rough = alpha * self.dense.rough(query) + (1 - alpha) * coverage
        rows = _near_top(rows, rough, k, 2 * ROUNDING)
        return self._best(rows, alpha * self.dense.exact(query, rows) + (1 - alpha) * coverage[rows], k)

    def _best(self, rows: Rows, scores: Floats, k: int) -> Hits:
        # The last key sorts first: by score, then by id.
        order = np.lexsort((self.rank[rows], -scores))[: max(k, 0)]
        return list(zip(rows[order].tolist(), scores[order].tolist(), strict=True))


def empty_snapshot(stem: str, dimension: int) -> Snapshot:
    """No rows, before the first generation. `dimension` 0: no vectors."""
    dense = DenseIndex(np.zeros((0, dimension), np.float32)) if dimension else None
    return Snapshot(stem, -1, np.zeros(0, np.int64), [], MetadataColumns(0, {}), dense)


def _near_top(rows: Rows, scores: Floats, k: int, margin: float) -> Rows:
    """Those of `rows` whose score is at most `margin` below their k-th best."""
    if k <= 0:
        return rows[:0]
    if len(rows) <= k:
        return rows
    own = scores[rows]
    # Rows that tie with the k-th stay: which of them is shown is decided by id, later.
    threshold = np.partition(own, len(rows) - k)[len(rows) - k] - margin
    return np.asarray(rows[own >= threshold])
