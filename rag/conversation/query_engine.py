"""A conversation as a LlamaIndex retriever and query engine; and a question as it enters: checked, masked, read as meant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import RESPONSE_TYPE
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import NodeWithScore, QueryBundle

from rag.conversation.keyboard_modes import MAY_BE_MISTYPED, in_the_other_mode
from rag.conversation.searcher import Searcher
from rag.errors import InputError
from rag.korean import text_length, without_markup
from rag.models.cancellation import CancelScope
from rag.privacy import Masked, mask, without_masked_numbers
from rag.retrieval.rows import WholeRows
from rag.synthesis.answer import AnswerStream, AnswerSynthesizer, ScopedQuery
from rag.types import Filters, Turn


@dataclass(frozen=True, slots=True)
class QuestionCheck:
    """Checks a question, and masks personal numbers before any other step reads them. Called with the question as it was sent.

    `max_chars`: the longest question, counted in NFKC. `published`: numbers that are never masked, because the institution
    publishes them; see `rag.privacy.own_numbers`.
    """

    max_chars: int
    published: frozenset[str] = frozenset()

    def __call__(self, question: str) -> Masked:
        """The question, masked. Raises InputError for one that is empty, too long or no valid Unicode."""
        text = question.strip()
        if not text:
            raise InputError("the question is empty", korean="질문을 입력해 주세요.")
        # A lone surrogate cannot be encoded as UTF-8.
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise InputError("the question is not valid UTF-8 text", korean="읽을 수 없는 문자가 있습니다.")
        if (length := text_length(text)) > self.max_chars:
            raise InputError(
                f"the question is too long: expected at most {self.max_chars} characters; got {length}; "
                "set FSI_CHAT__MAX_QUESTION_CHARS",
                korean=f"질문이 너무 깁니다. {self.max_chars}자 이내로 줄여 주세요.",
            )
        return mask(text, self.published)

    def masked(self, text: str) -> str:
        """A text that is not checked, masked."""
        return mask(text, self.published).text

    def masked_history(self, history: Sequence[Turn]) -> tuple[Turn, ...]:
        """The turns with their questions and answers masked."""
        return tuple(
            replace(turn, question=self.masked(turn.question), answer=self.masked(turn.answer)) for turn in history
        )


class ConversationRetriever(BaseRetriever):
    """`Searcher.judge` as a LlamaIndex retriever. Returns the JudgedNodes to show, none for a declined question.

    Sets the verdict of a ScopedQuery. `new_searcher` is called for each question with the scope of the query, if any, because the
    index may have changed since the last one. `row`: the id of a row that the customer selected as the answer.
    """

    def __init__(
        self,
        new_searcher: Callable[[CancelScope | None], Searcher],
        *,
        filters: Filters | None,
        history: Sequence[Turn],
        row: str | None = None,
    ) -> None:
        super().__init__()
        self._new_searcher = new_searcher
        self._filters = filters or Filters()
        self._history = tuple(history)
        self._row = row

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        scoped = query_bundle if isinstance(query_bundle, ScopedQuery) else None
        # A plain query, of a caller that runs the parts of the engine one by one, has no scope.
        searcher = self._new_searcher(scoped.scope if scoped else None)
        with searcher.scope.active():
            question = query_bundle.query_str
            verdict = searcher.chosen(question, self._row) if self._row else None
            verdict = verdict or searcher.judge(*as_meant(question, self._history), self._filters)
        if scoped:
            scoped.verdict = verdict
        return list(verdict.nodes)

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class ChatQueryEngine(RetrieverQueryEngine):
    """A RetrieverQueryEngine whose retriever, postprocessor and synthesizer share the verdict of each question. Thread-safe.

    Filters and history belong to the retriever. `seconds`: time limit of one answer, including the rewrite of a follow-up.
    """

    def __init__(
        self,
        retriever: ConversationRetriever,
        synthesizer: AnswerSynthesizer,
        whole_rows: WholeRows,
        *,
        check: QuestionCheck,
        seconds: float,
    ) -> None:
        super().__init__(retriever=retriever, response_synthesizer=synthesizer, node_postprocessors=[whole_rows])
        self._synthesizer = synthesizer
        self._check = check
        self._seconds = seconds

    def scoped(self, question: str, scope: CancelScope | None = None) -> ScopedQuery:
        """The query for `retrieve` and then `stream`. Raises InputError for a question that cannot be searched for."""
        checked = self._check(question)
        return ScopedQuery(checked.text, scope=scope or CancelScope(self._seconds), masked=checked.kinds)

    def stream(self, query: ScopedQuery, nodes: Sequence[NodeWithScore]) -> AnswerStream:
        """The answer to a query, after its nodes were retrieved."""
        return self._synthesizer.stream(query, nodes, query.scope)

    # With a new query, because the caller may use one bundle for several engines, which must not share a verdict.
    def _query(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        return super()._query(self.scoped(query_bundle.query_str))

    async def _aquery(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        return await super()._aquery(self.scoped(query_bundle.query_str))


def as_meant(question: str, history: Sequence[Turn]) -> tuple[str, Sequence[Turn]]:
    """A question and its history without masks of personal numbers and markup, and in the intended keyboard mode."""
    turns = tuple(replace(turn, question=_as_meant(turn.question)) for turn in history)
    return without_markup(_as_meant(question)), turns


def _as_meant(message: str) -> str:
    text = without_masked_numbers(message)
    return in_the_other_mode(text) if MAY_BE_MISTYPED.search(text) else text
