"""CitedAnswerSynthesizer: a language model answers from numbered sources, and every answer shown cites one of them.

Nothing is shown before the first citation of a source that was given: a text without any is not the institution's word,
so the passages are quoted in its place. The same happens where the model fails, is too slow or is cut off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection, Generator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.base.response.schema import RESPONSE_TYPE, AsyncStreamingResponse, Response, StreamingResponse
from llama_index.core.llms.llm import LLM
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.schema import NodeWithScore, QueryBundle, QueryType, TextNode

from rag.errors import ModelError, ModelPaused
from rag.models.cancellation import Closable, Patience
from rag.models.circuit_breaker import CircuitBreaker
from rag.models.streaming import Heard, listen
from rag.retrieval.confidence import JudgedNode
from rag.synthesis import texts as prompts
from rag.synthesis.answer_stream import AnswerStream, Outcome, passages
from rag.synthesis.citations import CitationResolver
from rag.synthesis.prompt_builder import briefing
from rag.synthesis.verbatim import pieces
from rag.types import Notice

if TYPE_CHECKING:
    from llama_index.core.llms.llm import LLM

SECONDS = 60.0
"""For one answer."""


class CitedAnswerSynthesizer(BaseSynthesizer):
    """Answers through `llm` over the nodes given, `[n]` being the n-th; quotes them where it cannot.

    Suggested nodes, and sources of which none fits, never reach the model. `seconds`: for one answer. `breaker`: the
    model's, where others ask it too. The response's metadata has `notice` and `usage` beside the nodes' own (streaming:
    nodes' own alone).
    """

    def __init__(
        self,
        llm: LLM,
        *,
        streaming: bool = False,
        empty_response: str | None = None,
        seconds: float = SECONDS,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        super().__init__(llm=llm, streaming=streaming, empty_response=empty_response or prompts.declined("not_covered"))
        self._seconds = seconds
        self._breaker = breaker or CircuitBreaker("the language model")

    def answer(self, question: str, nodes: Sequence[NodeWithScore], patience: Patience | None = None) -> AnswerStream:
        """The answer to `question` over at least one node, in pieces. Nothing is sent before the first is asked for."""
        patience = patience or Patience(self._seconds)
        return AnswerStream(lambda spoken: self._tell(spoken, question, nodes, patience), patience)

    def synthesize(
        self,
        query: QueryType,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
        **response_kwargs: Any,
    ) -> RESPONSE_TYPE:
        """Response, or StreamingResponse. A streamed answer that broke off goes on with a line that says so, and the passages."""
        sources = [*nodes, *(additional_source_nodes or ())]
        metadata: dict[str, Any] = {node.node.node_id: node.node.metadata for node in sources}
        question = query.query_str if isinstance(query, QueryBundle) else query
        if self._streaming:
            patience = Patience(self._seconds)
            stream = Closable(self._streamed(question, nodes, patience), patience)
            return StreamingResponse(response_gen=stream, source_nodes=sources, metadata=metadata)
        if not nodes:
            return Response(self._empty_response, source_nodes=sources, metadata=metadata)
        outcome = self._whole(question, nodes)
        more = {"notice": outcome.notice, "usage": dict(outcome.usage)}
        return Response(outcome.text, source_nodes=sources, metadata={**metadata, **more})

    async def asynthesize(
        self,
        query: QueryType,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
        **response_kwargs: Any,
    ) -> RESPONSE_TYPE:
        """As `synthesize`, in threads; streaming gives an AsyncStreamingResponse."""
        response = await asyncio.to_thread(self.synthesize, query, nodes, additional_source_nodes, **response_kwargs)
        if not isinstance(response, StreamingResponse):
            return response
        return AsyncStreamingResponse(_async(response.response_gen), response.source_nodes, response.metadata)

    def get_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> str:
        """For callers that hold texts rather than nodes; `[n]` is the n-th text."""
        nodes = [NodeWithScore(node=TextNode(text=text)) for text in text_chunks]
        return self._whole(query_str, nodes).text if nodes else self._empty_response

    async def aget_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> str:
        return await asyncio.to_thread(self.get_response, query_str, text_chunks, **response_kwargs)

    def _get_prompts(self) -> dict[str, Any]:
        return {}

    def _update_prompts(self, prompts: dict[str, Any]) -> None:
        """Instructions are texts, not templates: there is nothing to fill in."""

    def _whole(self, question: str, nodes: Sequence[NodeWithScore]) -> Outcome:
        with closing(self.answer(question, nodes)) as spoken:
            for _ in spoken:
                pass
        assert spoken.outcome is not None
        return spoken.outcome

    def _streamed(
        self, question: str, nodes: Sequence[NodeWithScore], patience: Patience
    ) -> Generator[str, None, None]:
        if not nodes:
            yield self._empty_response
            return
        with closing(self.answer(question, nodes, patience)) as spoken:
            said = False
            for piece in spoken:
                said = said or spoken.generated
                yield piece
        if said and spoken.outcome and spoken.outcome.notice:
            yield f"\n\n{prompts.BROKE_OFF}\n\n{spoken.outcome.text}"

    def _tell(
        self, spoken: AnswerStream, question: str, nodes: Sequence[NodeWithScore], patience: Patience
    ) -> Generator[str, None, None]:
        """The model's pieces; the passages' where no piece of the model was shown. Then the outcome."""
        notice: Notice | None = None
        if not _suggested(nodes) and (brief := briefing(self._llm, question, nodes)):
            reply = Reply(brief.numbers, self._breaker)
            for piece in reply.pieces(self._llm, brief.messages, patience):
                spoken.generated = True
                yield piece
            if patience.cancelled:
                return
            if reply.notice is None:
                spoken.outcome = Outcome(reply.text, reply.cited, generated=True, usage=reply.usage)
                return
            notice = reply.notice
        outcome = passages(nodes, notice)
        if not spoken.generated:
            yield from pieces(outcome.text)
        spoken.outcome = outcome


def _suggested(nodes: Sequence[NodeWithScore]) -> bool:
    return isinstance(nodes[0], JudgedNode) and nodes[0].status == "suggested"


async def _async(texts: Generator[str, None, None]) -> AsyncGenerator[str, None]:
    """Each piece is waited for in a thread. Leaving the loop closes `texts`, which ends that wait."""
    try:
        while (piece := await asyncio.to_thread(next, texts, None)) is not None:
            yield piece
    finally:
        texts.close()


logger = logging.getLogger(__name__)


class Reply:
    """`pieces` once; then `text` is what was released, `cited` its sources' numbers, and `notice` why it is no answer.

    model_unavailable: it failed before its first words, was not done in time, cites nothing that it was given, or was not
    asked, by its `breaker`.
    interrupted: it broke off, reached its longest size, or was cut by a filter.
    """

    def __init__(self, numbers: Collection[int], breaker: CircuitBreaker) -> None:
        self.text = ""
        self.notice: Notice | None = None
        self.usage: Mapping[str, int] = {}
        self._resolver = CitationResolver(numbers)
        self._breaker = breaker

    @property
    def cited(self) -> tuple[int, ...]:
        return tuple(sorted(self._resolver.cited))

    def pieces(self, llm: LLM, messages: Sequence[ChatMessage], patience: Patience) -> Generator[str, None, None]:
        """What may be shown, as it comes: nothing before the first valid citation, from there on everything."""
        heard: Heard | None = None
        try:
            with self._breaker.call(), closing(listen(llm, messages, patience)) as heard:
                for piece in self._released(heard):
                    self.text += piece
                    yield piece
                self.usage = heard.usage
                self.notice = self._fault(heard)
        except ModelError as exc:
            if not patience.cancelled:
                begun = heard is not None and heard.text and not heard.expired
                self.notice = "interrupted" if begun else "model_unavailable"
                if not isinstance(exc, ModelPaused):
                    logger.warning("the passages are the answer (%s): %s", self.notice, exc)

    def _released(self, heard: Heard) -> Generator[str, None, None]:
        held = ""
        for piece in heard:
            held += self._resolver.feed(piece)
            if held and self._resolver.cited:
                yield held if self.text else held.lstrip()
                held = ""
        held += self._resolver.end()
        if held and self._resolver.cited:
            yield held

    def _fault(self, heard: Heard) -> Notice | None:
        if heard.truncated:
            logger.warning("the passages are the answer: the model's was cut: by a filter, or raise MAX_NEW_TOKENS")
            return "interrupted"
        if not self._resolver.cited:
            logger.warning("the passages are the answer: the model's cites none of its sources")
            return "model_unavailable"
        return None
