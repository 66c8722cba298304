"""Searcher: a question, with the conversation before it, to a verdict: the outcome and the rows it is about.

The order of the steps is that of `Searcher.judge` and `Searcher.rank`, top to bottom. `ConversationRetriever` is the same
search as a LlamaIndex retriever, and `ChatQueryEngine` puts it before the synthesizer, of which nothing is known here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import RESPONSE_TYPE
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import NodeWithScore, QueryBundle

from rag.conversation import follow_up_rules
from rag.conversation.decline_rules import match_decline_rule
from rag.conversation.follow_up_choice import STANDALONE_COVERED, STANDALONE_POSSIBLE, choose_reading
from rag.conversation.follow_up_llm import rewrite_follow_up
from rag.models.cancellation import CancelScope
from rag.models.circuit_breaker import CircuitBreaker
from rag.retrieval.confidence import Calibration, Verdict, judge, lexical_only_calibration
from rag.retrieval.hybrid import FusedNode, HybridRetriever, WholeRows
from rag.retrieval.query_analysis import BANK, limit_to_bank
from rag.stores.base import PassageStore
from rag.stores.filters import metadata_filters
from rag.synthesis.answer import AnswerStream, AnswerSynthesizer, ScopedQuery
from rag.types import Filters, Turn

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms.llm import LLM

DEPTH = 10
"""Rows retrieved for the confidence step, however many are shown."""


class Searcher:
    """Searches one store; follow-ups are rewritten by `llm` if there is one. Thread-safe.

    `embedding_breaker`, `llm_breaker`: while one is open, a question goes on without that model instead of waiting for
    it. `top_k`: rows shown beside an answer at most; `candidates`: rows taken from each list of the store.
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

    def judge(self, question: str, history: Sequence[Turn], filters: Filters | None, scope: CancelScope) -> Verdict:
        """The outcome by the question's words where a decline rule matches, else by the rows that `rank` finds.

        What a rule declines is not searched: its verdict has no rows.
        """
        # Before anything is retrieved or sent: a greeting needs no search, and an injection should reach no model.
        if reason := match_decline_rule(question):
            return Verdict("declined", reason, (), (), 0.0, 0.0, question)
        return self.rank(question, history, filters, scope)

    def rank(self, question: str, history: Sequence[Turn], filters: Filters | None, scope: CancelScope) -> Verdict:
        """The outcome by the rows alone; a message in a conversation in the reading that fits it.

        Where the embedding fails, only the lexical lists are searched and `Verdict.lexical_only` is set. A failing
        language model counts as none: both readings of the message are searched.
        """
        banks = self._store.values(BANK)
        # Before the readings are made: the institution that this message names, not one that an earlier message named.
        filters = limit_to_bank(filters or Filters(), question, banks)
        standalone_text = follow_up_rules.standalone_text(question, history)
        if not follow_up_rules.is_follow_up(question, history):
            return self._search(standalone_text, filters, banks)
        if self._llm is not None:
            rewritten = rewrite_follow_up(self._llm, question, history, scope, self._llm_breaker)
            # A rewrite that finds nothing may be the model's mistake: then the readings have their turn.
            if rewritten and (verdict := self._search(rewritten, filters, banks)).status != "declined":
                return verdict
        if follow_up_rules.has_back_reference(question):
            return self._search_in_context(question, history, filters, banks)
        # The standalone reading first: where it is clear, the second search, which may cost an embedding call, is spared.
        is_elliptical = follow_up_rules.is_elliptical(question)
        standalone = self._search(standalone_text, filters, banks)
        if standalone.covered >= STANDALONE_COVERED and not is_elliptical:
            return standalone
        contextual = self._search_in_context(question, history, filters, banks)
        return choose_reading(contextual, standalone, is_elliptical=is_elliptical)

    def hits(self, text: str, filters: Filters | None = None) -> list[FusedNode]:
        """The rows of one text, best first, DEPTH at most, with their fused scores and parts.

        For measuring and fitting: raises ModelError where the embedding fails, for a lexical search would spoil both.
        """
        filters = limit_to_bank(filters or Filters(), text, self._store.values(BANK))
        return _fused(self._retriever(filters, lexical_fallback=False), text)

    def _search_in_context(
        self, question: str, history: Sequence[Turn], filters: Filters, banks: Sequence[str]
    ) -> Verdict:
        def has_topic(text: str) -> bool:
            return self._search(text, filters, banks).covered >= STANDALONE_POSSIBLE

        return self._search(follow_up_rules.contextual_text(question, history, has_topic), filters, banks)

    def _search(self, text: str, filters: Filters, banks: Sequence[str]) -> Verdict:
        """One reading of the question, as a text of its own: retrieved and judged."""
        # Limited again: a rewrite or an earlier question in context may name an institution that the message does not.
        retriever = self._retriever(limit_to_bank(filters, text, banks), lexical_fallback=True)
        verdict = judge(text, _fused(retriever, text), self._calibration, top_k=self._top_k)
        return replace(verdict, lexical_only=retriever.lexical_only)

    def _retriever(self, filters: Filters, *, lexical_fallback: bool) -> HybridRetriever:
        return HybridRetriever(
            self._store,
            self._embed_model,
            fusion=self._calibration.fusion,
            lexical_only_fusion=lexical_only_calibration(self._calibration).fusion if lexical_fallback else None,
            breaker=self._embedding_breaker if lexical_fallback else None,
            top_k=DEPTH,
            candidates=self._candidates,
            filters=metadata_filters(filters),
        )


class ConversationRetriever(BaseRetriever):
    """`Searcher.judge` as a LlamaIndex retriever: the JudgedNodes the customer is shown, none when declined.

    A ScopedQuery also gets the verdict. `seconds`: what a rewrite may take where the query brings no scope.
    """

    def __init__(self, searcher: Searcher, *, filters: Filters | None, history: Sequence[Turn], seconds: float) -> None:
        super().__init__()
        self._searcher = searcher
        self._filters = filters
        self._history = tuple(history)
        self._seconds = seconds

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        scoped = query_bundle if isinstance(query_bundle, ScopedQuery) else None
        # Only a caller that runs the engine's parts one by one, with a plain query, has no scope of its own.
        scope = scoped.scope if scoped else CancelScope(self._seconds)
        with scope.active():
            verdict = self._searcher.judge(query_bundle.query_str, self._history, self._filters, scope)
        if scoped:
            scoped.verdict = verdict
        return list(verdict.nodes)

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class ChatQueryEngine(RetrieverQueryEngine):
    """A RetrieverQueryEngine whose retriever, postprocessor and synthesizer share the verdict of each question.

    Filters and history are the retriever's. `validate` gives the question to search for, or raises InputError; `seconds`:
    what one answer may take, rewriting a follow-up included. The engine may be shared by threads.
    """

    def __init__(
        self,
        retriever: ConversationRetriever,
        synthesizer: AnswerSynthesizer,
        whole_rows: WholeRows,
        *,
        validate: Callable[[str], str],
        seconds: float,
    ) -> None:
        super().__init__(retriever=retriever, response_synthesizer=synthesizer, node_postprocessors=[whole_rows])
        self._synthesizer = synthesizer
        self._validate = validate
        self._seconds = seconds

    def scoped(self, question: str, scope: CancelScope | None = None) -> ScopedQuery:
        """What `retrieve` and then `stream` take. Raises InputError for a question that cannot be searched for."""
        return ScopedQuery(self._validate(question), scope=scope or CancelScope(self._seconds))

    def stream(self, query: ScopedQuery, nodes: Sequence[NodeWithScore]) -> AnswerStream:
        """The answer to a query that was retrieved, in pieces, with its outcome after the last one."""
        return self._synthesizer.stream(query, nodes, query.scope)

    # A query of their own: the caller may use one bundle for several engines, and the verdict on it must not reach another.
    def _query(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        return super()._query(self.scoped(query_bundle.query_str))

    async def _aquery(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        return await super()._aquery(self.scoped(query_bundle.query_str))


def _fused(retriever: HybridRetriever, text: str) -> list[FusedNode]:
    # LlamaIndex's signature says NodeWithScore; HybridRetriever makes nothing but FusedNodes.
    return [hit for hit in retriever.retrieve(QueryBundle(text)) if isinstance(hit, FusedNode)]
