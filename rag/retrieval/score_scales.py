"""Puts an index's lists on one scale, from its own rows and without labels.

A row's own question, searched among the other rows, shows what an unrelated match looks like in this index: the mean
and the spread of each list of candidates become the zero and the unit of that list. The mean is of the nearer half of
the rows at most: in a small index the list would hold them all, and the zero would lie too low (docs/evaluation-log.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean, pstdev
from typing import TYPE_CHECKING

from rag.retrieval.confidence import Calibration, defaults
from rag.retrieval.hybrid import DENSE, Fusion, Scale
from rag.stores.base import LEXICAL_FIELDS, QUESTION, Candidates, PassageStore

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.schema import BaseNode

SAMPLE = 100
LIST = 50
MIN_STD = 1e-3


def from_own_rows(store: PassageStore, embed_model: BaseEmbedding | None) -> Calibration:
    """The start of an index without labels: the thresholds that come with the package, in units of its own scales."""
    start = defaults(dense=embed_model is not None)
    return replace(start, fusion=own_scales(store, embed_model, weights=start.fusion), origin="own rows")


def own_scales(store: PassageStore, embed_model: BaseEmbedding | None, *, weights: Fusion | None = None) -> Fusion:
    """The fusion of this index: given (or default) weights, scales from at most SAMPLE rows spread evenly by id.

    A lexical list is filled up with zeros. Indexes of fewer than three rows keep the default scales.
    """
    default = weights or Fusion()
    nodes = store.get_nodes()
    pieces = Counter(map(_row, nodes))
    if len(pieces) < 3:
        return default
    means: dict[str, list[float]] = {part: [] for part in (DENSE, *LEXICAL_FIELDS)}
    spreads: dict[str, list[float]] = {part: [] for part in means}
    size = min(LIST, len(pieces) - 1)
    near = min(size, len(pieces) // 2)
    for node in _spread(list({_row(node): node for node in nodes}.values())):
        question = str(node.metadata.get(QUESTION) or node.get_content()[:100])
        embedding = embed_model.get_query_embedding(question) if embed_model else None
        found = store.candidates(query_embedding=embedding, query_str=question, size=size + pieces[_row(node)])
        for part, scores in {DENSE: found.dense, **found.lexical}.items():
            others = _of_other_rows(node, scores, found)[:size]
            if part != DENSE:
                others += [0.0] * (size - len(others))
            if others:
                means[part].append(fmean(others[:near]))
                spreads[part].append(pstdev(others))
    scales = {
        part: Scale(fmean(means[part]), max(fmean(spreads[part]), MIN_STD)) if means[part] else default.scales[part]
        for part in means
    }
    return Fusion(default.weights, scales)


def _spread(nodes: Sequence[BaseNode]) -> list[BaseNode]:
    count = min(SAMPLE, len(nodes))
    return [nodes[number * len(nodes) // count] for number in range(count)]


def _of_other_rows(node: BaseNode, scores: Mapping[str, float], found: Candidates) -> list[float]:
    """The best score of each row but the node's own, best first, as `scores` are."""
    best: dict[str, float] = {}
    for name, score in scores.items():
        best.setdefault(_row(found.nodes[name]), score)
    best.pop(_row(node), None)
    return list(best.values())


def _row(node: BaseNode) -> str:
    return node.ref_doc_id or node.node_id
