"""Puts an index's lists on one scale, from its own rows and without labels.

A row's own question, searched among the other rows as a customer's would be, shows what an unrelated match looks like in
this index: the mean and the spread of each list of candidates become the zero and the unit of that list. Only rows in
force count, and rows that say the same count once: seven expired versions of a row, or eight institutions with the same
questions, are no unrelated rows. The mean is of the nearer half of the rows at most: in a small index the list would hold
them all, and the zero would lie too low (docs/evaluation-log.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import ceil, log
from statistics import fmean, pstdev
from typing import TYPE_CHECKING

from rag.korean import compact, tokens
from rag.retrieval.confidence import Calibration, defaults
from rag.retrieval.hybrid import DENSE, Fusion, Scale
from rag.retrieval.query_analysis import lexicon_version, unheld_terms
from rag.retrieval.rows import is_phrasing, last_heading
from rag.retrieval.subjects import subjects_of
from rag.stores.base import DOCUMENT, LEXICAL_FIELDS, QUESTION, Candidates, PassageStore
from rag.stores.filters import metadata_filters
from rag.types import Filters

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding

SAMPLE = 100
LIST = 50
DEEPEST = 400
"""Candidates fetched at most to find LIST different ones."""
MIN_ROWS = 3
FEW, MANY = 30, 100
FEW_ROWS = 0.9
"""Log-odds by which a clearly leading first row's chance rises in an index of at most FEW different rows, of none from MANY
on, and linear in the logarithm of their number between. The regressions underestimate rows of small indexes: with the right
row removed, the next one reaches a chance as rarely as in one of hundreds when 0.8 to 1.3 are added for 8 to 30 rows, 0.6 for
45, 0.4 for 70 and none for 105 (docs/evaluation-log.md)."""
MAX_READ = 20_000
"""Nodes up to which all are read for the lexicon's terms that none holds; more hold nearly all of them."""
MIN_STD = 1e-3
NEAR_IDENTICAL = 0.8
"""Dice coefficient of two questions' tokens from which on their rows count as one."""

TELLING = 20
"""Characters from which on equal answers mean phrasings of one question; "고객센터로 문의해 주세요." answers many."""


@dataclass(frozen=True, slots=True)
class _Row:
    question: str
    answer: str
    words: frozenset[str]


def from_own_rows(store: PassageStore, embed_model: BaseEmbedding | None) -> Calibration:
    """The start of an index without labels: the thresholds that come with the package, in units of the index's own scales.

    The scales are from at most SAMPLE different questions of rows in force, spread evenly over the questions in alphabetical
    order, so that other ids for the same rows change nothing. A lexical list is filled up with zeros. Indexes of fewer than
    MIN_ROWS different rows keep the default scales.
    """
    start = defaults(dense=embed_model is not None)
    rows, nodes = _rows_in_force(store)
    # Beyond 2 * LIST different rows their number no longer matters.
    different = _count_different(rows.values(), limit=2 * LIST)
    if different < MIN_ROWS:
        return with_own_words(start, store)
    depth = min(DEEPEST, ceil(2 * LIST * max(1.0, nodes / len({row.question for row in rows.values()}))))
    scales = {**start.fusion.scales, **_scales(store, embed_model, rows, different=different, depth=depth)}
    few_rows = FEW_ROWS * min(1.0, max(0.0, log(MANY / different) / log(MANY / FEW)))
    return with_own_words(replace(start, fusion=Fusion(start.fusion.weights, scales), few_rows=few_rows), store)


def with_own_words(calibration: Calibration, store: PassageStore) -> Calibration:
    """The calibration with the terms of today's lexicon that no row holds, in force or not: what is in force changes without an
    ingestion, and with the subjects of the rows. None of an index of more than MAX_READ nodes."""
    nodes = store.get_nodes() if 0 < store.count() <= MAX_READ else ()
    unheld = unheld_terms(f"{node.metadata.get(QUESTION) or ''}\n{node.get_content()}" for node in nodes)
    rows = (node.metadata for node in nodes if DOCUMENT not in node.metadata)
    subjects = subjects_of((str(row.get(QUESTION) or ""), str(row.get("category") or "")) for row in rows)
    return replace(calibration, unheld=unheld if nodes else frozenset(), subjects=subjects, lexicon=lexicon_version())


def _scales(
    store: PassageStore, embed_model: BaseEmbedding | None, rows: Mapping[str, _Row], *, different: int, depth: int
) -> dict[str, Scale]:
    """The scale of each list that is searched, of which `depth` candidates are read; `different`: number of different rows."""
    filters = metadata_filters(Filters())
    means: dict[str, list[float]] = {part: [] for part in (DENSE, *LEXICAL_FIELDS)}
    spreads: dict[str, list[float]] = {part: [] for part in means}
    for row in _spread(rows.values()):
        candidates = store.candidates(
            query_embedding=embed_model.get_query_embedding(row.question) if embed_model else None,
            query_str=row.question,
            size=depth,
            filters=filters,
        )
        for part, scores in {DENSE: candidates.dense, **candidates.lexical}.items():
            others = _of_other_rows(row, scores, candidates, rows)
            if part != DENSE:
                others += [0.0] * (min(LIST, different - 1) - len(others))
            if others:
                means[part].append(fmean(others[: max(1, different // 2)]))
                spreads[part].append(pstdev(others))
    return {part: Scale(fmean(means[part]), max(fmean(spreads[part]), MIN_STD)) for part in means if means[part]}


def _rows_in_force(store: PassageStore) -> tuple[dict[str, _Row], int]:
    """The rows by id, in alphabetical order, and the number of nodes; of a row in several nodes the first stands for its answer.

    Passages of documents count where there are no rows of an FAQ: beside documents, these match as they do alone.
    """
    rows: dict[str, _Row] = {}
    nodes = store.get_nodes(filters=metadata_filters(Filters()))
    of_faq = [node for node in nodes if not node.metadata.get(DOCUMENT)]
    for node in of_faq if len(of_faq) >= MIN_ROWS else nodes:
        question = str(node.metadata.get(QUESTION) or node.get_content()[:100])
        if node.metadata.get(DOCUMENT):
            question = last_heading(question)
        row = _Row(question, compact(node.get_content()), frozenset(tokens(question)))
        rows.setdefault(node.ref_doc_id or node.node_id, row)
    return dict(sorted(rows.items(), key=lambda item: (compact(item[1].question), item[1].answer))), len(nodes)


def _spread(rows: Iterable[_Row]) -> list[_Row]:
    """At most SAMPLE rows, no two of the same question."""
    by_question: dict[str, _Row] = {}
    for row in rows:
        by_question.setdefault(compact(row.question), row)
    chosen = list(by_question.values())
    count = min(SAMPLE, len(chosen))
    return [chosen[number * len(chosen) // count] for number in range(count)]


def _of_other_rows(
    row: _Row, scores: Mapping[str, float], candidates: Candidates, rows: Mapping[str, _Row]
) -> list[float]:
    """The scores of LIST rows at most, best first, none of which says the same as `row` or as a better one."""
    best: dict[str, float] = {}
    for node, score in scores.items():
        # Phrasings change no scale: with them or without, an unrelated row lies at zero.
        if candidates.documents[node] in rows and not is_phrasing(node, candidates.documents[node]):
            best.setdefault(candidates.documents[node], score)
    others: list[_Row] = [row]
    values: list[float] = []
    for name, score in best.items():
        if len(values) < LIST and not any(_says_the_same(rows[name], other) for other in others):
            others.append(rows[name])
            values.append(score)
    return values


def _count_different(rows: Iterable[_Row], *, limit: int) -> int:
    """The number of rows of which no two say the same, at most `limit`."""
    different: list[_Row] = []
    for row in rows:
        if len(different) < limit and not any(_says_the_same(row, other) for other in different):
            different.append(row)
    return len(different)


def _says_the_same(row: _Row, other: _Row) -> bool:
    if row.words == other.words or (row.answer == other.answer and len(row.answer) >= TELLING):
        return True
    return 2 * len(row.words & other.words) >= NEAR_IDENTICAL * (len(row.words) + len(other.words))
