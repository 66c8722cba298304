"""HybridRetriever: dense and lexical candidates from the store in one round trip, put on one scale and added.

Scores are fused, not ranks: ranks throw away how well a row matched, which the confidence step needs. The recipe and
what it was measured against are in docs/evaluation-log.md. A row is one result here, however many nodes it was split into.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle

from rag.data_files import read_text
from rag.errors import ModelError, ModelInterrupted, ModelPaused
from rag.retries import CircuitBreaker
from rag.retrieval.query_analysis import BANK, expand
from rag.retrieval.rows import is_passage, is_phrasing
from rag.stores.base import JAMO, TOKENS, Candidates, PassageStore

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.vector_stores.types import MetadataFilters

logger = logging.getLogger(__name__)
DENSE = "dense"
PARTS = (DENSE, TOKENS, JAMO)
MAX_EMBEDDED = 160
"""Characters of a question that are embedded, once: what a vector costs grows with them, and no measured question has more
than 160. Of a longer one its first and its last half of them; all of it is searched by its words."""
PASSAGE_WITHIN = 0.5
"""Fused score behind the last suggestion within which a document's passage takes its place: what the FAQ says and what the
documents say of a matter are both offered."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and standard deviation of one list's scores, fitted once per index (`rag.retrieval.score_scales`)."""

    mean: float
    std: float

    def __call__(self, score: float) -> float:
        return (score - self.mean) / self.std


@dataclass(frozen=True, slots=True)
class Fusion:
    """Weights of the lists and their scales, by PARTS. Without an embedder the dense list is absent and counts nothing."""

    weights: Mapping[str, float]
    scales: Mapping[str, Scale]

    def as_json(self) -> dict[str, Any]:
        """As an index's manifest keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fusion:
        """The opposite of `as_json`. Raises KeyError or TypeError for the JSON of another version."""
        return cls(dict(data["weights"]), {part: Scale(**scale) for part, scale in data["scales"].items()})


@cache
def default_fusion() -> Fusion:
    """The one of the calibration that an index starts with (`rag.retrieval.confidence.defaults`)."""
    return Fusion.from_json(json.loads(read_text(__package__, "calibration.json"))["hybrid"]["fusion"])


class FusedNode(NodeWithScore):
    """A candidate with its parts: `dense` is a cosine in [-1, 1], `tokens` and `jamo` coverages in [0, 1].

    `score` is the fused score: a weighted sum of standard deviations above an unrelated row, unbounded, comparable
    between the queries of one index. `rag.retrieval.confidence` turns it into a probability.
    """

    parts: dict[str, float]


class _Best(NamedTuple):
    """The node of a row that matches best: its fused score, its id and its scores in the lists."""

    score: float
    node: str
    values: list[float]


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What one call of the store found for `text`: `hits`, best first, of `candidates`, lists of at most `size` nodes."""

    text: str
    hits: Sequence[FusedNode]
    candidates: Candidates
    fusion: Fusion
    size: int
    lexical_only: bool

    def hits_at(self, bank: str) -> list[FusedNode]:
        """All rows found that a customer of one institution is answered by, with the scores that they have among all."""
        documents, nodes = self.candidates.documents, self.candidates.nodes
        # As in `metadata_filters`: a row of none holds for each.
        own = {node: documents[node] for node in documents if (nodes[node].metadata.get(BANK) or bank) == bank}
        return fuse(replace(self.candidates, documents=own), self.fusion, size=self.size)


class HybridRetriever(BaseRetriever):
    """A LlamaIndex retriever over a store of the contract; cheap to make, so make one per request with its filters.

    The caller's QueryBundle is left as it is. A row split into several nodes counts once, by its best node. A question
    is searched together with its expansion (`rag.retrieval.query_analysis`): lexically by the expanded text, densely by the
    mean of both vectors. `unheld`: terms of the lexicon that no row holds, which are not added. `fusion`: None for
    `default_fusion`.

    Where the embedding fails and there is a `lexical_only_fusion`, only the lexical lists are searched, on that fusion:
    the nodes have no dense part. Without it, the ModelError is raised. `breaker` is shared by the retrievers of an embedding:
    while it is open, the embedding is not called. `retrieved`: what the last call found.
    """

    def __init__(
        self,
        store: PassageStore,
        embed_model: BaseEmbedding | None,
        *,
        fusion: Fusion | None = None,
        lexical_only_fusion: Fusion | None = None,
        breaker: CircuitBreaker | None = None,
        top_k: int = 5,
        candidates: int = 50,
        filters: MetadataFilters | None = None,
        unheld: Collection[str] = frozenset(),
    ) -> None:
        super().__init__()
        self._store = store
        self._embed_model = embed_model
        self.retrieved: Retrieved | None = None
        self._fusion = fusion or default_fusion()
        self._lexical_only_fusion = lexical_only_fusion
        self._breaker = breaker
        self._top_k = top_k
        self._candidates = candidates
        self._filters = filters
        self._unheld = unheld

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        text = query_bundle.query_str
        expanded = expand(text, without=self._unheld)
        # A bundle that brings its embedding is searched by it, as LlamaIndex's retrievers do.
        embedding, fusion = query_bundle.embedding, self._fusion
        try:
            embedding = embedding or self._embed(text, expanded)
        except ModelError as exc:
            if self._lexical_only_fusion is None:
                raise
            # An open breaker has logged the failures that opened it; an interrupted call is the reader's Stop.
            if not isinstance(exc, ModelPaused | ModelInterrupted):
                logger.warning("embedding failed; using lexical search only: %s", exc)
            fusion = self._lexical_only_fusion
        # One call for all lists: on a server each would be a round trip of its own.
        candidates = self._store.candidates(
            query_embedding=embedding, query_str=expanded, size=self._candidates, filters=self._filters
        )
        hits = fuse(candidates, fusion, size=self._candidates, top_k=self._top_k)
        lexical_only = fusion is not self._fusion
        self.retrieved = Retrieved(text, hits, candidates, fusion, self._candidates, lexical_only)
        return list(hits)

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        # The core is sync (boto3, FAISS and opensearch-py are): a thread keeps the loop free.
        return await asyncio.to_thread(self._retrieve, query_bundle)

    def _embed(self, text: str, expanded: str) -> list[float] | None:
        if self._embed_model is None:
            return None
        if len(text) > MAX_EMBEDDED:
            text = expanded = shortened(text)
        # Both calls in one: a question counts once, however many texts it embeds.
        with self._breaker.call() if self._breaker else nullcontext():
            vector = self._embed_model.get_query_embedding(text)
            if expanded == text:
                return vector
            second = self._embed_model.get_query_embedding(expanded)
        # The sum points where the mean does, and a cosine does not see lengths.
        return [a + b for a, b in zip(vector, second, strict=True)]


def shortened(text: str) -> str:
    """At most MAX_EMBEDDED characters of a question, without its middle: it asks at its beginning or at its end."""
    half = MAX_EMBEDDED // 2
    return text if len(text) <= MAX_EMBEDDED else f"{text[:half]} {text[len(text) - half + 1 :]}"


def fuse(candidates: Candidates, fusion: Fusion, *, size: int, top_k: int | None = None) -> list[FusedNode]:
    """The best `top_k` rows (None: all), one entry each, sorted by (-score, row id).

    A node missing from a list gets that list's floor: of a full list its last score, for the node lies below it; of a
    shorter lexical list 0, for the node does not match. Where another phrasing of a row matches better than its own question,
    the mean of both counts: by the best alone, rows with many phrasings would push those with one aside.
    """
    lists = {DENSE: candidates.dense, **candidates.lexical}
    # Without any dense list (no embedder) its weight counts nothing; an empty lexical list still counts its floor.
    used = [part for part in PARTS if lists.get(part) or part != DENSE]
    floors = [min(lists[part].values()) if len(lists[part]) >= size else 0.0 for part in used]
    columns = [(lists[part], floor) for part, floor in zip(used, floors, strict=True)]
    scaling = [(fusion.weights[part], fusion.scales[part].mean, fusion.scales[part].std) for part in used]

    def fused(values: Sequence[float]) -> float:
        # Without calls of `Scale`: a hundred nodes are scored for each text searched.
        return sum(
            [weight * ((value - mean) / std) for value, (weight, mean, std) in zip(values, scaling, strict=True)]
        )

    # By row: of a row split into several nodes, the best one stands for it; its own question's and its phrasings' apart.
    own: dict[str, _Best] = {}
    phrasings: dict[str, _Best] = {}
    for node_id, row in candidates.documents.items():
        values = [column.get(node_id, floor) for column, floor in columns]
        best = phrasings if is_phrasing(node_id, row) else own
        score = fused(values)
        if row not in best or score > best[row].score:
            best[row] = _Best(score, node_id, values)
    # What no list holds lies at their floors, a row's own question too.
    lowest = _Best(fused(floors), "", floors)
    for row, phrasing in phrasings.items():
        question = own.get(row, lowest)
        if phrasing.score > question.score:
            means = [(value + other) / 2 for value, other in zip(phrasing.values, question.values, strict=True)]
            own[row] = _Best((phrasing.score + question.score) / 2, phrasing.node, means)
    ranked = sorted(own.items(), key=lambda item: (-item[1].score, item[0]))[:top_k]
    return [
        FusedNode(node=candidates.nodes[best.node], score=best.score, parts=dict(zip(used, best.values, strict=True)))
        for _, best in ranked
    ]


def with_a_passage(hits: Sequence[FusedNode], *, first: int) -> Sequence[FusedNode]:
    """The hits with their best passage at place `first`, where only rows stand up to there and it is within PASSAGE_WITHIN."""
    last = first - 1
    place = next((place for place, hit in enumerate(hits) if is_passage(hit)), 0)
    if place <= last or (hits[last].score or 0.0) - (hits[place].score or 0.0) > PASSAGE_WITHIN:
        return hits
    return [*hits[:last], hits[place], *hits[last:place], *hits[place + 1 :]]
