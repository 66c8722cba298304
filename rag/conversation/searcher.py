"""Finder: a question, with the conversation before it, to the rows found and the outcome they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from llama_index.core.schema import QueryBundle

from rag.conversation import decline_rules as reasons
from rag.conversation import follow_up_llm as rewriting
from rag.conversation import follow_up_rules as condense
from rag.conversation.follow_up_choice import ALONE_COVERED, ALONE_POSSIBLE, choose
from rag.models.cancellation import Patience
from rag.models.circuit_breaker import Breaker
from rag.retrieval.bank_filter import mentioned
from rag.retrieval.confidence import Calibration, Verdict, by_words, judge
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


class Finder:
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
        embedding_breaker: Breaker | None = None,
        llm_breaker: Breaker | None = None,
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
        if reason := reasons.from_words(question):
            return Verdict("declined", reason, (), (), 0.0, 0.0)
        return self.rank(question, history, filters, patience)

    def rank(self, question: str, history: Sequence[Turn], filters: Filters | None, patience: Patience) -> Verdict:
        """Decide by what is found alone; a message in a conversation in the reading that fits."""
        banks = self._store.values(BANK)
        filters = _limited(filters or Filters(), question, banks)  # rather than to an institution named earlier
        alone = condense.alone(question, history)
        if not condense.follows(question, history):
            return self._found(alone, filters, banks)
        if self._llm is not None:
            rewritten = rewriting.standalone(self._llm, question, history, patience, self._llm_breaker)
            if rewritten and (verdict := self._found(rewritten, filters, banks)).status != "declined":
                return verdict
        if condense.points_back(question):
            return self._joined(question, history, filters, banks)
        by_itself, elliptic = self._found(alone, filters, banks), condense.elliptic(question)
        if by_itself.covered >= ALONE_COVERED and not elliptic:
            return by_itself
        return choose(self._joined(question, history, filters, banks), by_itself, elliptic=elliptic)

    def _joined(self, question: str, history: Sequence[Turn], filters: Filters, banks: Sequence[str]) -> Verdict:
        def has_topic(text: str) -> bool:
            return self._found(text, filters, banks).covered >= ALONE_POSSIBLE

        return self._found(condense.joined(question, history, has_topic), filters, banks)

    def _found(self, text: str, filters: Filters, banks: Sequence[str]) -> Verdict:
        retriever = self.retriever(_limited(filters, text, banks), or_by_words=True)
        verdict = judge(text, _hits(retriever, text), self._calibration, top_k=self._top_k)
        return replace(verdict, words_alone=retriever.words_alone)

    def hits(self, text: str, filters: Filters | None = None) -> list[FusedNode]:
        """The rows found for a text, best first, DEPTH at most, with their fused scores and parts."""
        return _hits(self.retriever(_limited(filters or Filters(), text, self._store.values(BANK))), text)

    def retriever(self, filters: Filters | None, *, or_by_words: bool = False) -> HybridRetriever:
        """What searches within the filters.

        `or_by_words`: by its words alone where the embedding fails or rests, rather than raising its ModelError.
        """
        return HybridRetriever(
            self._store,
            self._embed_model,
            fusion=self._calibration.fusion,
            by_words=by_words(self._calibration).fusion if or_by_words else None,
            breaker=self._embedding_breaker if or_by_words else None,
            top_k=DEPTH,
            candidates=self._candidates,
            filters=metadata_filters(filters or Filters()),
        )


def _limited(filters: Filters, text: str, banks: Sequence[str]) -> Filters:
    """An institution named in the text limits the search to it, unless one was chosen already."""
    if BANK in filters.equals:
        return filters
    bank = mentioned(text, banks)
    return replace(filters, equals={**filters.equals, BANK: bank}) if bank else filters


def _hits(retriever: HybridRetriever, text: str) -> list[FusedNode]:
    return [hit for hit in retriever.retrieve(QueryBundle(text)) if isinstance(hit, FusedNode)]
