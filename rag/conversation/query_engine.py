"""ChatQueryEngine: one question answered by the parts of a LlamaIndex query engine, for the page and for other programs.

`ConversationRetriever` (rag.conversation.searcher) and `WholeRows` (rag.retrieval.hybrid) give the nodes, `AnswerSynthesizer`
their text. `ChatService.stream` calls the parts one by one, to show the sources before the first words; `query` and `aquery`
are LlamaIndex's own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

from llama_index.core.base.response.schema import RESPONSE_TYPE
from llama_index.core.llms.mock import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.schema import NodeWithScore, QueryBundle, QueryType

from rag.conversation.searcher import ConversationRetriever, ScopedQuery
from rag.models.cancellation import CancelScope
from rag.models.circuit_breaker import CircuitBreaker
from rag.retrieval.confidence import JudgedNode, Verdict
from rag.retrieval.hybrid import WholeRows
from rag.synthesis.answer_stream import AnswerStream, Outcome, stream_verbatim
from rag.synthesis.cited import SECONDS, CitedAnswerSynthesizer
from rag.synthesis.texts import declined
from rag.synthesis.verbatim import VerbatimSynthesizer
from rag.types import Notice

if TYPE_CHECKING:
    from llama_index.core.llms.llm import LLM


class AnswerSynthesizer(BaseSynthesizer):
    """The text of every outcome. Thread-safe.

    declined: the fixed text of its reason, which names `contact` (None: the bundled institutions'). suggested, searched by
    words only, or without an `llm`: the approved texts, word for word. Else `llm` answers from the nodes, numbered from 1,
    within `seconds`; where it fails, the approved texts follow.
    """

    def __init__(
        self,
        llm: LLM | None,
        *,
        breaker: CircuitBreaker | None = None,
        contact: str | None = None,
        seconds: float = SECONDS,
        streaming: bool = False,
    ) -> None:
        # MockLLM, which is never called: BaseSynthesizer would otherwise reach for OpenAI.
        super().__init__(llm=llm or MockLLM(), streaming=streaming)
        self._contact = contact
        self._verbatim = VerbatimSynthesizer(streaming=streaming)
        self._cited = (
            CitedAnswerSynthesizer(llm, streaming=streaming, seconds=seconds, breaker=breaker) if llm else None
        )

    def stream(self, query: ScopedQuery, nodes: Sequence[NodeWithScore]) -> AnswerStream:
        """The answer to a retrieved query, in pieces; nothing is sent to the model before the first is asked for."""
        verdict = verdict_of(query, nodes)
        match self._part(verdict):
            case CitedAnswerSynthesizer() as cited:
                return cited.answer(verdict.query, nodes, query.scope)
            case _ if nodes:
                return stream_verbatim(nodes, _notice(verdict))
            case _:
                return _stream_text(self._declined(verdict), _notice(verdict))

    def synthesize(
        self,
        query: QueryType,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
        **response_kwargs: Any,
    ) -> RESPONSE_TYPE:
        """Response, or StreamingResponse. Its metadata has `status`, `reason` and `notice` as `Answer` has them.

        A stream's `notice` tells of the search alone: whether the model's answer broke off is not known yet.
        """
        verdict = verdict_of(query, nodes)
        part = self._part(verdict)
        return _with_outcome(part.synthesize(verdict.query, nodes, additional_source_nodes, **response_kwargs), verdict)

    async def asynthesize(
        self,
        query: QueryType,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
        **response_kwargs: Any,
    ) -> RESPONSE_TYPE:
        """As `synthesize`, with the model in a thread; streaming gives an AsyncStreamingResponse."""
        verdict = verdict_of(query, nodes)
        part = self._part(verdict)
        response = await part.asynthesize(verdict.query, nodes, additional_source_nodes, **response_kwargs)
        return _with_outcome(response, verdict)

    def get_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> Any:
        """For callers that hold texts rather than nodes; `[n]` is the n-th text."""
        return (self._cited or self._verbatim).get_response(query_str, text_chunks, **response_kwargs)

    async def aget_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> Any:
        """As `get_response`, with the model in a thread."""
        return await (self._cited or self._verbatim).aget_response(query_str, text_chunks, **response_kwargs)

    def _part(self, verdict: Verdict) -> BaseSynthesizer:
        """Who writes the text. Only what is `answered` is worth a model's call, and not what words alone found."""
        if verdict.status == "declined":
            return VerbatimSynthesizer(streaming=self._streaming, empty_response=self._declined(verdict))
        for_model = verdict.status == "answered" and not verdict.lexical_only
        return self._cited if self._cited is not None and for_model else self._verbatim

    def _declined(self, verdict: Verdict) -> str:
        return declined(verdict.reason or "not_covered", contact=self._contact)

    def _get_prompts(self) -> dict[str, Any]:
        return {}

    def _update_prompts(self, prompts: dict[str, Any]) -> None:
        """There is nothing to change: approved texts and instructions are not templates."""


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
        return self._synthesizer.stream(query, nodes)

    def _query(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        return super()._query(self.scoped(query_bundle.query_str))

    async def _aquery(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        return await super()._aquery(self.scoped(query_bundle.query_str))


def verdict_of(query: QueryType, nodes: Sequence[NodeWithScore]) -> Verdict:
    """The retriever's verdict; of a plain query, whose caller runs the engine's parts one by one, what its nodes show."""
    if isinstance(query, ScopedQuery) and query.verdict:
        return query.verdict
    if not nodes:
        return Verdict("declined", "not_covered", (), (), 0.0, 0.0, str(query))
    judged = tuple(hit for hit in nodes if isinstance(hit, JudgedNode))
    return Verdict(judged[0].status if judged else "answered", None, judged, judged, 0.0, 0.0, str(query))


def _stream_text(text: str, notice: Notice | None) -> AnswerStream:
    def generate(stream: AnswerStream) -> Generator[str, None, None]:
        yield text
        stream.outcome = Outcome(text, (), notice)

    return AnswerStream(generate)


def _notice(verdict: Verdict) -> Notice | None:
    return "model_unavailable" if verdict.lexical_only else None


def _with_outcome(response: RESPONSE_TYPE, verdict: Verdict) -> RESPONSE_TYPE:
    # The notice that is there is the model's own, of how its answer ended.
    metadata = {"notice": _notice(verdict), **(response.metadata or {})}
    response.metadata = {**metadata, "status": verdict.status, "reason": verdict.reason}
    return response
