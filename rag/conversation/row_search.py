"""RowSearch: one text to the rows it finds and the outcome they make, whatever was said before.

A text is searched as it is, in Korean where it holds English words of banking, and without the name of the institution it is
limited to: the likelier outcome counts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from llama_index.core.schema import QueryBundle

from rag.conversation.follow_up_choice import as_suggestions, merge_as_suggestions
from rag.conversation.follow_up_rules import content_words, is_about_banking
from rag.conversation.row_match import prefer_same_question, suggest_by_words
from rag.models.circuit_breaker import CircuitBreaker
from rag.retrieval.confidence import Calibration, Verdict, judge, lexical_only_calibration
from rag.retrieval.hybrid import FusedNode, HybridRetriever, is_passage, row_id
from rag.retrieval.offering import Wording
from rag.retrieval.query_analysis import BANK, NamedBanks, expand, in_korean, limit_to_bank, named_banks
from rag.stores.base import QUESTION, TOKENS, PassageStore
from rag.stores.filters import metadata_filters
from rag.types import Filters

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding

DEPTH = 20
"""Rows retrieved for the confidence step, however many are shown, and as many passages: by documents no row is pushed out."""


class RowSearch:
    """Searches one store for one question. The arguments are those of `rag.conversation.searcher.Searcher`."""

    def __init__(
        self,
        store: PassageStore,
        embed_model: BaseEmbedding | None,
        calibration: Calibration,
        *,
        breaker: CircuitBreaker | None = None,
        top_k: int = 5,
        candidates: int = 50,
        institutions: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._store = store
        self._embed_model = embed_model
        self._calibration = calibration
        self._breaker = breaker
        self._top_k = top_k
        self._candidates = candidates
        self._institutions = institutions or {}

    @property
    def unheld(self) -> Collection[str]:
        """The lexicon's terms that no row of the index holds."""
        return self._calibration.unheld

    @cached_property
    def banks(self) -> list[str]:
        """The institutions of the rows."""
        # Nearly every step asks for them, and on a server each reading would be a round trip of its own.
        return [bank for bank in self._store.values(BANK) if bank]

    def named(self, text: str) -> NamedBanks:
        """What a text says of institutions."""
        return named_banks(text, self.banks, self._institutions)

    def limited(self, text: str, filters: Filters | None) -> Filters:
        """The filters, limited to the institution a text names, unless one was chosen already."""
        return limit_to_bank(filters or Filters(), text, self.banks, self._institutions)

    def hits(self, text: str, filters: Filters | None = None) -> list[FusedNode]:
        """The rows of one text, best first, DEPTH at most of each kind, with their fused scores and parts.

        For measuring and fitting: raises ModelError where the embedding fails, for a lexical search would spoil both.
        """
        filters = self.limited(text, filters)
        return _fused(self._retriever(filters, lexical_fallback=False), self.reading(text))

    def reading(self, text: str) -> str:
        """The text without the name of the institution that it limits a search to, unless nothing else is left."""
        named = self.named(text)
        return (named.rest or text) if len(named.chosen) == 1 else text

    def question_of(self, row: str) -> str:
        """The question of the row of that id; empty where it is gone."""
        nodes = self._store.get_nodes([row, f"{row}#0"])
        return str(nodes[0].metadata.get(QUESTION) or "") if nodes else ""

    def search(self, text: str, filters: Filters) -> Verdict:
        """One reading of the question, as a text of its own: retrieved and judged.

        The name of the institution that the search is limited to counts against rows that do not hold it, and for those that
        hold it beside another subject: so the text is searched without it, too, and the likelier outcome counts.
        """
        named = self.named(text)
        # Limited again: a rewrite or an earlier question in context may name an institution that the message does not.
        filters = self.limited(text, filters)
        excluded = () if BANK in filters.equals else named.excluded
        verdict = self._search_words(text, filters, excluded)
        if verdict.status != "answered" and (korean := in_korean(text)) != text:
            verdict = max(verdict, self._search_words(korean, filters, excluded), key=_by_outcome)
        if BANK in filters.equals and named.rest not in ("", text):
            without = self._search_words(named.rest, filters, excluded)
            verdict = max(verdict, without, key=_by_outcome)
        return replace(verdict, query=text, names_banks=len(self.banks) > 1)

    def search_at(self, bank: str, text: str, filters: Filters, *, only: bool = False) -> Verdict:
        """The search of a text; of `bank` alone, unless empty, where that finds as much, or `only` it is asked about.

        A customer names the institution once. What is answered by either search alone is only suggested.
        """
        there = self.search(text, replace(filters, equals={**filters.equals, BANK: bank})) if bank else None
        if there and only:
            return there
        everywhere = self.search(text, filters)
        if not there or everywhere.status == "declined" or there.status == "declined":
            return everywhere
        if there.status == everywhere.status:
            return there
        return as_suggestions(there) if there.status == "answered" else merge_as_suggestions(there, everywhere)

    def bank_of(self, messages: Sequence[str]) -> str:
        """The institution of the index that the last message naming any named; empty where it named several or another."""
        for message in reversed(messages):
            named = self.named(message)
            if named.chosen or named.others:
                return named.chosen[0] if len(named.chosen) == 1 and named.chosen[0] in self.banks else ""
        return ""

    def own_match(self, question: str, contextual: Verdict, filters: Filters) -> float:
        """How much of the message's own words the contextual reading's first row covers, 0..1."""
        words = " ".join(content_words(question))
        if not words or not contextual.ranked:
            return 0.0
        first = contextual.ranked[0].node
        # Limited to the row's own topic, so that in a large index it is among the candidates.
        keys = {key: str(first.metadata[key]) for key in (BANK, "category") if first.metadata.get(key)}
        candidates = self._store.candidates(
            query_embedding=None,
            query_str=expand(words, without=self.unheld),
            size=self._candidates,
            filters=metadata_filters(replace(filters, equals={**filters.equals, **keys})),
        )
        row = row_id(contextual.ranked[0])
        covered = candidates.lexical.get(TOKENS, {})
        return max((score for node, score in covered.items() if candidates.documents[node] == row), default=0.0)

    def _search_words(self, text: str, filters: Filters, excluded: Sequence[str]) -> Verdict:
        retriever = self._retriever(filters, lexical_fallback=True)
        hits = [hit for hit in _fused(retriever, text) if hit.node.metadata.get(BANK) not in excluded]
        # An institution's name is in no row's question: what it is asked about decides.
        words = content_words(self.named(text).rest)
        wording = Wording(words, is_about_banking(text), self.unheld)
        judged = judge(text, hits, self._calibration, top_k=self._top_k, wording=wording)
        verdict = suggest_by_words(prefer_same_question(judged, text), words)
        return replace(verdict, lexical_only=retriever.lexical_only)

    def _retriever(self, filters: Filters, *, lexical_fallback: bool) -> HybridRetriever:
        return HybridRetriever(
            self._store,
            self._embed_model,
            fusion=self._calibration.fusion,
            lexical_only_fusion=lexical_only_calibration(self._calibration).fusion if lexical_fallback else None,
            # Measuring must see each failure: a breaker's answer in its place would be a search without the embedding.
            breaker=self._breaker if lexical_fallback else None,
            top_k=2 * DEPTH,
            candidates=self._candidates,
            filters=metadata_filters(filters),
            unheld=self.unheld,
        )


def _by_outcome(verdict: Verdict) -> tuple[bool, float, float]:
    return verdict.status != "declined", verdict.confidence, verdict.covered


def _fused(retriever: HybridRetriever, text: str) -> list[FusedNode]:
    # LlamaIndex's signature says NodeWithScore; HybridRetriever makes nothing but FusedNodes.
    hits = [hit for hit in retriever.retrieve(QueryBundle(text)) if isinstance(hit, FusedNode)]
    kept: dict[bool, list[FusedNode]] = {True: [], False: []}
    for hit in hits:
        kept[is_passage(hit)].append(hit)
    places = {id(hit) for of_kind in kept.values() for hit in of_kind[:DEPTH]}
    return [hit for hit in hits if id(hit) in places]
