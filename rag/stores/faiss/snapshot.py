"""One generation of an index in memory: exact vector search, filters, lexical search. Derived from the rows, never the truth.

Rows are numbered 0..n-1 in the order they were written. Everything here is immutable but for caches, so that any number of
threads may read a view while the next one is made.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from rag.stores.bm25 import Floats, LexicalIndex, field_tokens
from rag.stores.faiss.database import Connection
from rag.stores.faiss.metadata_columns import Column, Columns, Mask
from rag.stores.filters import EVERYTHING, Group, Scalar, scalar

Rows = NDArray[np.int64]
Vector = NDArray[np.float64]
Hits = Sequence[tuple[int, float]]
"""(row, score), best first."""

_ROUNDING: Final = 1e-5
"""What float32 sums over unit vectors may be off by, generously. Closer scores are decided in float64."""


class DenseIndex:
    """Unit vectors (n, dimension) behind an exact FAISS index. Scores are cosines in [-1, 1]."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        count, dimension = vectors.shape
        self.index = faiss.IndexFlatIP(dimension)
        self.index.add(vectors)
        # FAISS owns the only copy; this is a window on it, valid as long as `self.index` lives.
        self.vectors = (
            faiss.rev_swig_ptr(self.index.get_xb(), count * dimension).reshape(vectors.shape) if count else vectors
        )

    def updated(self, kept: Mask, vectors: NDArray[np.float32]) -> DenseIndex:
        """The index of the rows where `kept`, followed by `vectors`."""
        return DenseIndex(np.concatenate([self.vectors[kept], vectors]))

    def top(self, query: Vector, k: int, allowed: Mask | None) -> Rows:
        """Rows that may be among the best `k`: all whose float32 score is not clearly below the k-th."""
        possible = len(self.vectors) if allowed is None else int(np.count_nonzero(allowed))
        parameters = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))
        wanted = k + 16 if k > 0 else 0
        while True:
            wanted = min(wanted, possible)
            if wanted <= 0:
                return np.zeros(0, np.int64)
            with _one_thread():
                scores, rows = self.index.search(query.astype(np.float32)[np.newaxis], wanted, params=parameters)
            if wanted == possible or scores[0, -1] < scores[0, k - 1] - 2 * _ROUNDING:
                return np.asarray(rows[0])
            wanted *= 4  # many rows tie with the k-th: see them all

    def exact(self, query: Vector, rows: Rows) -> Floats:
        """Cosines of some rows in float64, each computed alike: equal vectors get equal scores to the last bit."""
        scores: Floats = np.clip((self.vectors[rows].astype(np.float64) * query).sum(axis=1), -1.0, 1.0)
        return scores

    def rough(self, query: Vector) -> Floats:
        """(n,) cosines within _ROUNDING."""
        return np.asarray(self.vectors @ query.astype(np.float32), np.float64)


class Snapshot:
    """The rows of one generation. `seqs` (n,) int64 ascending; `ids` their node ids; `rank` (n,) their place by id."""

    def __init__(
        self,
        stem: str,
        generation: int,
        seqs: Rows,
        ids: Sequence[str],
        documents: Column,
        columns: Columns,
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
        view = copy.copy(self)
        view.generation = generation
        return view

    def allowed(
        self,
        filters: Group = EVERYTHING,
        node_ids: Collection[str] | None = None,
        doc_ids: Collection[str] | None = None,
    ) -> Mask | None:
        """(n,) the rows that pass all that is given; None: every row does."""
        masks = [self.columns.select(filters)]
        if node_ids is not None:
            mask = np.zeros(len(self.ids), np.bool_)
            mask[[self.row_of[node_id] for node_id in node_ids if node_id in self.row_of]] = True
            masks.append(mask)
        if doc_ids is not None:
            wanted = {("string", doc_id) for doc_id in doc_ids}
            masks.append(self.documents.where(lambda value: value in wanted))
        given = [mask for mask in masks if mask is not None]
        return np.logical_and.reduce(given) if given else None

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
        found = coverage > 0 if allowed is None else (coverage > 0) & allowed
        rows = _near_top(np.flatnonzero(found), coverage, k, 0.0)
        return self._best(rows, coverage[rows], k)

    def best_hybrid(self, query: Vector, coverage: Floats, alpha: float, k: int, allowed: Mask | None) -> Hits:
        """The `k` best (row, alpha * cosine + (1 - alpha) * coverage) of all rows, best first."""
        assert self.dense is not None
        rows = np.arange(len(self.ids)) if allowed is None else np.flatnonzero(allowed)
        rough = alpha * self.dense.rough(query) + (1 - alpha) * coverage
        rows = _near_top(rows, rough, k, 2 * _ROUNDING)
        return self._best(rows, alpha * self.dense.exact(query, rows) + (1 - alpha) * coverage[rows], k)

    def _best(self, rows: Rows, scores: Floats, k: int) -> Hits:
        order = np.lexsort((self.rank[rows], -scores))[: max(k, 0)]
        return list(zip(rows[order].tolist(), scores[order].tolist(), strict=True))


def load(connection: Connection, generation: int, dimension: int, old: Snapshot | None) -> Snapshot:
    """The view of what `connection` sees. Rows that `old`, an earlier one of the same file, holds are not read again."""
    seqs = np.array([seq for (seq,) in connection.execute("SELECT seq FROM nodes")], np.int64)
    seqs.sort()
    old = old or _empty(connection.stem, dimension)
    kept = np.isin(old.seqs, seqs, assume_unique=True)
    last = int(old.seqs[-1]) if len(old.seqs) else 0
    count = int(np.count_nonzero(seqs > last))
    if not count and kept.all():
        return old.at(generation)
    fresh = NewRows.read(connection, last, count, dimension)
    view = Snapshot(
        connection.stem,
        generation,
        seqs,
        ids=[*(old.ids[row] for row in np.flatnonzero(kept).tolist()), *fresh.ids],
        documents=old.documents.updated(kept, fresh.documents),
        columns=old.columns.updated(kept, fresh.metadata),
        dense=old.dense and old.dense.updated(kept, fresh.vectors),
    )
    if old.lexical is not None:
        view.lexical = {
            field: index.updated(kept, read_tokens(connection, field, last)) for field, index in old.lexical.items()
        }
    return view


def read_tokens(connection: Connection, field: str, after: int = 0) -> Iterator[list[str]]:
    """What the rows written after seq `after` are indexed under, in their order."""
    query = "SELECT metadata, text FROM nodes WHERE seq > ? ORDER BY seq"
    for metadata, text in connection.execute(query, (after,)):
        yield field_tokens(field, json.loads(metadata), text)


class NewRows(NamedTuple):
    ids: list[str]
    documents: list[Scalar | None]
    metadata: list[Mapping[str, Any]]
    vectors: NDArray[np.float32]

    @classmethod
    def read(cls, connection: Connection, after: int, count: int, dimension: int) -> NewRows:
        fresh = cls([], [], [], np.empty((count, dimension), np.float32))
        query = "SELECT id, ref_doc_id, metadata, vector FROM nodes WHERE seq > ? ORDER BY seq"
        for row, (node_id, document, metadata, vector) in enumerate(connection.execute(query, (after,))):
            fresh.ids.append(node_id)
            fresh.documents.append(scalar(document))
            fresh.metadata.append(json.loads(metadata))
            if dimension:
                fresh.vectors[row] = np.frombuffer(vector, np.float32)
        return fresh


@contextmanager
def _one_thread() -> Iterator[None]:
    """FAISS splits one query over all cores and then waits for the slowest: beside a busy neighbour 4 ms, not 2."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # of the calling thread alone
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _empty(stem: str, dimension: int) -> Snapshot:
    dense = DenseIndex(np.zeros((0, dimension), np.float32)) if dimension else None
    return Snapshot(stem, -1, np.zeros(0, np.int64), [], Column(np.zeros(0, np.int32), {}), Columns(0, {}), dense)


def _near_top(rows: Rows, scores: Floats, k: int, margin: float) -> Rows:
    """Those of `rows` whose score is at most `margin` below their k-th best."""
    if k <= 0:
        return rows[:0]
    if len(rows) <= k:
        return rows
    mine = scores[rows]
    threshold = np.partition(mine, len(rows) - k)[len(rows) - k] - margin
    return np.asarray(rows[mine >= threshold])
