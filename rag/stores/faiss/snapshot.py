"""One generation of an index in memory: exact vector search, filters, lexical search. Derived from the rows, never the truth.

Rows are numbered 0..n-1 in the order they were written. Everything here is immutable but for caches, so that any number of
threads may read a snapshot while the next one is made. Reads no file: rows come from `rag.stores.faiss.reader`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import faiss
import numpy as np
from llama_index.core.vector_stores.types import FilterCondition
from numpy.typing import NDArray

from rag.stores.bm25 import Floats, LexicalIndex, Mask
from rag.stores.filters import EVERYTHING, Clause, Group, Scalar, holds, scalar

Rows = NDArray[np.int64]
Vector = NDArray[np.float64]
Hits = Sequence[tuple[int, float]]
"""(row, score), best first."""

_ROUNDING: Final = 1e-5
"""What float32 sums over unit vectors may be off by, generously. Closer scores are decided in float64."""
_MISSING: Final = -1


@dataclass(frozen=True, slots=True)
class MetadataColumn:
    """One key: `codes` (n,) int32 number each row's value in `values` (a dictionary kept in that order), -1 is missing."""

    codes: NDArray[np.int32]
    values: Mapping[Scalar, int]

    def where(self, verdict: Callable[[Scalar | None], bool]) -> Mask:
        """(n,) the verdict on each row's value (None: missing)."""
        verdicts = [verdict(value) for value in self.values]
        return np.array([*verdicts, verdict(None)], np.bool_)[self.codes]  # -1 takes the last

    def updated(self, keep: Mask, values: Sequence[Scalar | None]) -> MetadataColumn:
        """The column of the rows where `keep`, followed by new rows."""
        numbers = dict(self.values)
        codes = [_MISSING if value is None else numbers.setdefault(value, len(numbers)) for value in values]
        return MetadataColumn(np.concatenate([self.codes[keep], np.array(codes, np.int32)]), numbers)


class MetadataColumns:
    """All keys of an index's metadata. Immutable but for the masks it remembers."""

    _REMEMBERED = 256

    def __init__(self, rows: int, columns: Mapping[str, MetadataColumn]) -> None:
        self._rows = rows
        self._columns = columns
        self._masks: dict[Group, Mask] = {}

    def updated(self, keep: Mask, metadata: Sequence[Mapping[str, Any]]) -> MetadataColumns:
        """The columns of the rows where `keep`, followed by new rows with this metadata."""
        rows = int(np.count_nonzero(keep)) + len(metadata)
        keys = dict.fromkeys([*self._columns, *(key for row in metadata for key in row)])
        empty = MetadataColumn(np.full(self._rows, _MISSING, np.int32), {})
        return MetadataColumns(
            rows,
            {
                key: self._columns.get(key, empty).updated(keep, [scalar(row.get(key)) for row in metadata])
                for key in keys
            },
        )

    def select(self, filters: Group) -> Mask | None:
        """(n,) the rows that pass; None for all of them. Do not write into it."""
        if not filters.children:
            return None
        mask = self._masks.get(filters)
        if mask is None:
            # Questions share a few filters. Dates are among them, so old masks go out of use: emptied whole when full.
            if len(self._masks) >= self._REMEMBERED:
                self._masks.clear()
            mask = self._masks[filters] = self._select(filters)
        return mask

    def strings(self, key: str) -> list[str]:
        """The distinct strings some row has under this key, sorted."""
        column = self._columns.get(key)
        if column is None:
            return []
        # Values of deleted rows stay numbered.
        used = set(column.codes.tolist())
        return sorted(str(value) for (kind, value), code in column.values.items() if kind == "string" and code in used)

    def _select(self, node: Clause | Group) -> Mask:
        if isinstance(node, Clause):
            column = self._columns.get(node.key)
            if column is None:
                return np.full(self._rows, holds(node, None))
            return column.where(lambda value: holds(node, value))
        if not node.children:
            return np.ones(self._rows, np.bool_)
        masks = np.stack([self._select(child) for child in node.children])
        match node.condition:
            case FilterCondition.AND:
                return np.asarray(masks.all(axis=0))
            case FilterCondition.OR:
                return np.asarray(masks.any(axis=0))
            case FilterCondition.NOT:
                return np.asarray(~masks.any(axis=0))


class DenseIndex:
    """Unit vectors (n, dimension) behind an exact FAISS index. Scores are cosines in [-1, 1]."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        count, dimension = vectors.shape
        # Over unit vectors the inner product is the cosine.
        self.index = faiss.IndexFlatIP(dimension)
        self.index.add(vectors)
        # FAISS owns the only copy; this is a window on it, valid as long as `self.index` lives.
        self.vectors = (
            faiss.rev_swig_ptr(self.index.get_xb(), count * dimension).reshape(vectors.shape) if count else vectors
        )

    def updated(self, keep: Mask, vectors: NDArray[np.float32]) -> DenseIndex:
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
            with _one_thread():
                scores, rows = self.index.search(query.astype(np.float32)[np.newaxis], count, params=parameters)
            if count == possible or scores[0, -1] < scores[0, k - 1] - 2 * _ROUNDING:
                return np.asarray(rows[0])
            count *= 4  # many rows tie with the k-th: see them all

    def exact(self, query: Vector, rows: Rows) -> Floats:
        """Cosines of some rows in float64, each computed alike: equal vectors get equal scores to the last bit."""
        # Summed row by row: in a matrix product the last bits depend on where in the matrix a row stands.
        scores: Floats = np.clip((self.vectors[rows].astype(np.float64) * query).sum(axis=1), -1.0, 1.0)
        return scores

    def rough(self, query: Vector) -> Floats:
        """(n,) cosines within _ROUNDING."""
        return np.asarray(self.vectors @ query.astype(np.float32), np.float64)


class Snapshot:
    """The rows of one generation. `seqs` (n,) int64 ascending; `ids` their node ids; `rank` (n,) their position by id."""

    def __init__(
        self,
        stem: str,
        generation: int,
        seqs: Rows,
        ids: Sequence[str],
        documents: MetadataColumn,
        columns: MetadataColumns,
        dense: DenseIndex | None,
    ) -> None:
        self.stem = stem
        self.generation = generation
        self.seqs = seqs
        self.ids = ids
        self.documents = documents
        self.columns = columns
        self.dense = dense
        self.lexical: Mapping[str, LexicalIndex] | None = None
        self.row_of = {node_id: row for row, node_id in enumerate(ids)}
        self.rank = np.zeros(len(ids), np.int64)
        self.rank[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))

    @property
    def dimension(self) -> int:
        """0: no vectors."""
        return int(self.dense.vectors.shape[1]) if self.dense else 0

    @cached_property
    def document_ids(self) -> Sequence[str]:
        """The document of each row; of a node without one its own id."""
        names = [str(name) for _, name in self.documents.values]
        return [names[code] if code >= 0 else self.ids[row] for row, code in enumerate(self.documents.codes.tolist())]

    def at(self, generation: int) -> Snapshot:
        """The same rows as a later generation."""
        later = copy.copy(self)
        later.generation = generation
        return later

    def allowed(
        self,
        filters: Group = EVERYTHING,
        node_ids: Collection[str] | None = None,
        doc_ids: Collection[str] | None = None,
    ) -> Mask | None:
        """(n,) the rows that pass every condition that is not None; None: every row does."""
        masks = [self.columns.select(filters)]
        if node_ids is not None:
            mask = np.zeros(len(self.ids), np.bool_)
            mask[[self.row_of[node_id] for node_id in node_ids if node_id in self.row_of]] = True
            masks.append(mask)
        if doc_ids is not None:
            documents = {("string", doc_id) for doc_id in doc_ids}
            masks.append(self.documents.where(lambda value: value in documents))
        conditions = [mask for mask in masks if mask is not None]
        return np.logical_and.reduce(conditions) if conditions else None

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
        rows = _near_top(rows, rough, k, 2 * _ROUNDING)
        return self._best(rows, alpha * self.dense.exact(query, rows) + (1 - alpha) * coverage[rows], k)

    def _best(self, rows: Rows, scores: Floats, k: int) -> Hits:
        # The last key sorts first: by score, then by id.
        order = np.lexsort((self.rank[rows], -scores))[: max(k, 0)]
        return list(zip(rows[order].tolist(), scores[order].tolist(), strict=True))


def empty_snapshot(stem: str, dimension: int) -> Snapshot:
    """No rows, before the first generation. `dimension` 0: no vectors."""
    dense = DenseIndex(np.zeros((0, dimension), np.float32)) if dimension else None
    return Snapshot(
        stem, -1, np.zeros(0, np.int64), [], MetadataColumn(np.zeros(0, np.int32), {}), MetadataColumns(0, {}), dense
    )


@contextmanager
def _one_thread() -> Iterator[None]:
    """FAISS splits one query over all cores and then waits for the slowest: beside a busy neighbour 4 ms, not 2."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # of the calling thread alone
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


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
