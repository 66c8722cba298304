"""Puts an index's lists on one scale, from its own rows and without labels.

A row's own question, searched among the other rows as a customer's would be, shows what an unrelated match looks like in
this index: the mean and the spread of each list of candidates become the zero and the unit of that list. Only rows in
force count, those of one institution at a time, and rows that say the same as the one searched for are left out: seven
expired versions of a row, or eight institutions with the same questions, are no unrelated rows. The mean is of the
nearer half of the rows at most: in a small index the list would hold them all, and the zero would lie too low
(docs/evaluation-log.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, pstdev
from typing import TYPE_CHECKING

from rag.korean import compact, tokens
from rag.retrieval.confidence import Calibration, defaults
from rag.retrieval.hybrid import DENSE, Fusion, Scale
from rag.stores.base import LEXICAL_FIELDS, QUESTION, Candidates, PassageStore
from rag.stores.filters import metadata_filters
from rag.types import Filters

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding

SAMPLE = 100
LIST = 50
MIN_ROWS = 3
MIN_STD = 1e-3
NEAR_IDENTICAL = 0.8
"""Dice coefficient of two questions' tokens from which on their rows count as one."""


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    bank: str
    question: str
    answer: str
    words: frozenset[str]
    pieces: int = 1


def from_own_rows(store: PassageStore, embed_model: BaseEmbedding | None) -> Calibration:
    """The start of an index without labels: the thresholds that come with the package, in units of its own scales."""
    start = defaults(dense=embed_model is not None)
    return replace(start, fusion=own_scales(store, embed_model, weights=start.fusion), origin="own rows")


def own_scales(store: PassageStore, embed_model: BaseEmbedding | None, *, weights: Fusion | None = None) -> Fusion:
    """The fusion of this index: given (or default) weights, scales from at most SAMPLE different questions of rows in force.

    They are spread evenly over the questions in alphabetical order, so that other ids for the same rows change nothing. A
    lexical list is filled up with zeros. An institution of fewer than MIN_ROWS rows is searched with the others; an index
    of fewer keeps the default scales.
    """
    default = weights or Fusion()
    rows = _rows_in_force(store)
    sizes = Counter(row.bank for row in rows.values())
    means: dict[str, list[float]] = {part: [] for part in (DENSE, *LEXICAL_FIELDS)}
    spreads: dict[str, list[float]] = {part: [] for part in means}
    for row in _spread(list(rows.values())) if len(rows) >= MIN_ROWS else ():
        by_bank = bool(row.bank) and sizes[row.bank] >= MIN_ROWS
        found = store.candidates(
            query_embedding=embed_model.get_query_embedding(row.question) if embed_model else None,
            query_str=row.question,
            size=2 * LIST + row.pieces,
            filters=metadata_filters(Filters({"bank": row.bank} if by_bank else {})),
        )
        same = {name for name in set(found.documents.values()) if _says_the_same(row, rows[name])}
        size = (sizes[row.bank] if by_bank else len(rows)) - len(same)
        for part, scores in {DENSE: found.dense, **found.lexical}.items():
            others = _of_other_rows(same, scores, found)[:LIST]
            if part != DENSE:
                others += [0.0] * (min(LIST, size) - len(others))
            if others:
                means[part].append(fmean(others[: max(1, (size + 1) // 2)]))
                spreads[part].append(pstdev(others))
    scales = {
        part: Scale(fmean(means[part]), max(fmean(spreads[part]), MIN_STD)) if means[part] else default.scales[part]
        for part in means
    }
    return Fusion(default.weights, scales)


def _rows_in_force(store: PassageStore) -> dict[str, _Row]:
    """The rows by id; of a row in several pieces the first stands for its answer."""
    rows: dict[str, _Row] = {}
    for node in store.get_nodes(filters=metadata_filters(Filters())):
        if (name := node.ref_doc_id or node.node_id) in rows:
            rows[name] = replace(rows[name], pieces=rows[name].pieces + 1)
            continue
        question = str(node.metadata.get(QUESTION) or node.get_content()[:100])
        bank = str(node.metadata.get("bank") or "")
        rows[name] = _Row(name, bank, question, compact(node.get_content()), frozenset(tokens(question)))
    return rows


def _spread(rows: Sequence[_Row]) -> list[_Row]:
    """At most SAMPLE rows, no two of the same question."""
    distinct: dict[str, _Row] = {}
    for row in sorted(rows, key=lambda row: (compact(row.question), row.bank, row.answer)):
        distinct.setdefault(compact(row.question), row)
    chosen = list(distinct.values())
    count = min(SAMPLE, len(chosen))
    return [chosen[number * len(chosen) // count] for number in range(count)]


def _says_the_same(row: _Row, other: _Row) -> bool:
    if row.id == other.id or row.answer == other.answer:
        return True
    return 2 * len(row.words & other.words) >= NEAR_IDENTICAL * (len(row.words) + len(other.words))


def _of_other_rows(same: Collection[str], scores: Mapping[str, float], found: Candidates) -> list[float]:
    """The best score of each row but these, best first, as `scores` are."""
    best: dict[str, float] = {}
    for name, score in scores.items():
        best.setdefault(found.documents[name], score)
    return [score for name, score in best.items() if name not in same]
