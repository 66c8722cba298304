"""Finder: a question, with the conversation before it, to the rows found and the outcome they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from llama_index.core.schema import QueryBundle

from rag.conversation import decline_rules, follow_up_llm, follow_up_rules
from rag.conversation.follow_up_choice import ALONE_COVERED, ALONE_POSSIBLE, choose_reading
from rag.models.cancellation import Patience
from rag.models.circuit_breaker import CircuitBreaker
from rag.retrieval.bank_filter import detect_bank
from rag.retrieval.confidence import Calibration, Verdict, judge, lexical_only_calibration
from rag.retrieval.hybrid import FusedNode, HybridRetriever
from rag.stores.base import PassageStore
from rag.stores.filters import metadata_filters
from rag.types import Filters, Turn

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms.llm import LLM

BANK = "bank"
DEPTH = 10
"""Rows retrieved for the confidence step, whatever is shown."""


class Searcher:
    """Searches one store; follow-ups are rewritten by `llm` if there is one. Thread-safe.

    The breakers spare a question the wait for a model that it can go on without.
    """

    def __init__(
        self,
        store: PassageStore,
        embed_model: BaseEmbedding | None,
        calibration: Calibration,
        llm: LLM | None = None,
        *,
        embedding_breaker: CircuitBreaker | None = None,
        llm_breaker: CircuitBreaker | None = None,
        top_k: int = 5,
        candidates: int = 50,
    ) -> None:
        self._store = store
        self._embed_model = embed_model
        self._calibration = calibration
        self._llm = llm
        self._embedding_breaker = embedding_breaker
        self._llm_breaker = llm_breaker
        self._top_k = top_k
        self._candidates = candidates

    def judge(self, question: str, history: Sequence[Turn], filters: Filters | None, patience: Patience) -> Verdict:
        """Decide by the words alone where they show it, else by what is found."""
        if reason := decline_rules.match_decline_rule(question):
            return Verdict("declined", reason, (), (), 0.0, 0.0)
        return self.rank(question, history, filters, patience)

    def rank(self, question: str, history: Sequence[Turn], filters: Filters | None, patience: Patience) -> Verdict:
        """Decide by what is found alone; a message in a conversation in the reading that fits."""
        banks = self._store.values(BANK)
        filters = _limited(filters or Filters(), question, banks)  # rather than to an institution named earlier
        alone = follow_up_rules.standalone_text(question, history)
        if not follow_up_rules.is_follow_up(question, history):
            return self._found(alone, filters, banks)
        if self._llm is not None:
            rewritten = follow_up_llm.standalone(self._llm, question, history, patience, self._llm_breaker)
            if rewritten and (verdict := self._found(rewritten, filters, banks)).status != "declined":
                return verdict
        if follow_up_rules.has_back_reference(question):
            return self._joined(question, history, filters, banks)
        by_itself, is_elliptical = self._found(alone, filters, banks), follow_up_rules.is_elliptical(question)
        if by_itself.covered >= ALONE_COVERED and not is_elliptical:
            return by_itself
        return choose_reading(self._joined(question, history, filters, banks), by_itself, is_elliptical=is_elliptical)

    def _joined(self, question: str, history: Sequence[Turn], filters: Filters, banks: Sequence[str]) -> Verdict:
        def has_topic(text: str) -> bool:
            return self._found(text, filters, banks).covered >= ALONE_POSSIBLE

        return self._found(follow_up_rules.contextual_text(question, history, has_topic), filters, banks)

    def _found(self, text: str, filters: Filters, banks: Sequence[str]) -> Verdict:
        retriever = self.retriever(_limited(filters, text, banks), or_lexical_only=True)
        verdict = judge(text, _hits(retriever, text), self._calibration, top_k=self._top_k)
        return replace(verdict, lexical_only=retriever.lexical_only)

    def hits(self, text: str, filters: Filters | None = None) -> list[FusedNode]:
        """The rows found for a text, best first, DEPTH at most, with their fused scores and parts."""
        return _hits(self.retriever(_limited(filters or Filters(), text, self._store.values(BANK))), text)

    def retriever(self, filters: Filters | None, *, or_lexical_only: bool = False) -> HybridRetriever:
        """What searches within the filters.

        `or_lexical_only`: by its words alone where the embedding fails or rests, rather than raising its ModelError.
        """
        return HybridRetriever(
            self._store,
            self._embed_model,
            fusion=self._calibration.fusion,
            lexical_only_calibration=lexical_only_calibration(self._calibration).fusion if or_lexical_only else None,
            breaker=self._embedding_breaker if or_lexical_only else None,
            top_k=DEPTH,
            candidates=self._candidates,
            filters=metadata_filters(filters or Filters()),
        )


def _limited(filters: Filters, text: str, banks: Sequence[str]) -> Filters:
    """An institution named in the text limits the search to it, unless one was chosen already."""
    if BANK in filters.equals:
        return filters
    bank = detect_bank(text, banks)
    return replace(filters, equals={**filters.equals, BANK: bank}) if bank else filters


def _hits(retriever: HybridRetriever, text: str) -> list[FusedNode]:
    return [hit for hit in retriever.retrieve(QueryBundle(text)) if isinstance(hit, FusedNode)]
