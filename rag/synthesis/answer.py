"""AnswerSynthesizer writes the text of every outcome, by one of two synthesizers; PassageSynthesizer is the base class of all.

`rag.synthesis.verbatim` quotes passages, `rag.synthesis.cited` uses a language model. AnswerSynthesizer selects one of them, or
the fixed text of a declined question. Each returns an AnswerStream, on which PassageSynthesizer implements LlamaIndex's
methods.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from llama_index.core.base.response.schema import RESPONSE_TYPE, AsyncStreamingResponse, Response, StreamingResponse
from llama_index.core.llms.mock import MockLLM
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.schema import NodeWithScore, QueryBundle, QueryType, TextNode

from rag.errors import ModelInterrupted
from rag.models.cancellation import CancellableStream, CancelScope
from rag.retrieval.confidence import JudgedNode, Verdict
from rag.synthesis.texts import BROKE_OFF, declined, is_english
from rag.types import Notice, SentenceSupport

if TYPE_CHECKING:
    from llama_index.core.llms.llm import LLM

SECONDS = 60.0
"""Time limit of one answer."""
NEAR = 0.007
"""Probability that a declined question is covered from which on the reply names the category of the first row."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an answer. `text`: the complete answer, which may differ from the pieces shown before if not `generated`.

    `cited`: the numbers of its nodes, counted from 1. `generated`: whether a model wrote it. `usage`: tokens, if the endpoint
    reports them. `support`: the findings for the model's sentences.
    """

    text: str
    cited: tuple[int, ...]
    notice: Notice | None = None
    generated: bool = False
    usage: Mapping[str, int] = field(default_factory=dict)
    support: tuple[SentenceSupport, ...] = ()


class AnswerStream:
    """The pieces of an answer, to be iterated once. `outcome` is set after the last one, and stays None if closed before.

    `generated`: whether a model wrote the pieces so far. `checked`: whether they have passed the checks. `support`: the
    findings for their sentences. The joined pieces are the outcome's text, unless the model's text broke off or was not
    checked. `generate` yields the pieces and sets these attributes.
    """

    def __init__(self, generate: Callable[[AnswerStream], Generator[str, None, None]]) -> None:
        self.outcome: Outcome | None = None
        self.generated = False
        self.checked = False
        self.support: tuple[SentenceSupport, ...] = ()
        self._pieces = generate(self)

    def __iter__(self) -> Generator[str, None, None]:
        return self._pieces

    def close(self) -> None:
        """End the pieces and the call of the model. From another thread, cancel the scope of the answer instead."""
        self._pieces.close()


@dataclass
class ScopedQuery(QueryBundle):
    """The query that LlamaIndex passes to retriever, postprocessors and synthesizer for one question.

    `scope`: the time limit of the answer, and the means to cancel it. `masked`: the kinds of personal numbers that were removed
    from the question. `verdict`: set by the retriever, because a declined question has no nodes that could carry it.
    """

    scope: CancelScope = field(kw_only=True)
    masked: tuple[str, ...] = field(default=(), kw_only=True)
    verdict: Verdict | None = field(default=None, kw_only=True)


class PassageSynthesizer(BaseSynthesizer):
    """Answers from nodes: `[n]` in the answer is the n-th node, and the response's `source_nodes` are the nodes.

    Without nodes the answer is `empty_response`. The metadata of a response is that of its nodes by node id, and `notice` and
    `usage` unless it is streamed. A streamed answer of a model that broke off continues with a line that says so and the
    passages. `seconds`: time limit of an answer to a query without a scope.
    """

    def __init__(
        self,
        llm: LLM | None = None,
        *,
        streaming: bool = False,
        empty_response: str | None = None,
        seconds: float = SECONDS,
    ) -> None:
        # Without an LLM, BaseSynthesizer would create one of OpenAI; MockLLM is never called.
        super().__init__(
            llm=llm or MockLLM(), streaming=streaming, empty_response=empty_response or declined("not_covered")
        )
        self._seconds = seconds

    @abstractmethod
    def answer(self, question: str, nodes: Sequence[NodeWithScore], scope: CancelScope | None = None) -> AnswerStream:
        """The answer to `question` from at least one node. A model is called when the first piece is requested.

        `scope`: its time limit, and the means to cancel it from another thread; None for `seconds`.
        """

    def answer_verdict(
        self, nodes: Sequence[NodeWithScore], verdict: Verdict | None, scope: CancelScope | None = None
    ) -> AnswerStream:
        """The answer from judged nodes; `verdict`: for a synthesizer that uses its note, sections or institutions."""
        return self.answer(verdict.query if verdict else "", nodes, scope)

    def stream(self, query: QueryType, nodes: Sequence[NodeWithScore], scope: CancelScope) -> AnswerStream:
        """The answer to a query with any number of nodes."""
        return self.answer(str(query), nodes, scope) if nodes else fixed_text(self._empty_response)

    def synthesize(
        self,
        query: QueryType,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
        **response_kwargs: Any,
    ) -> RESPONSE_TYPE:
        """A Response, or a StreamingResponse if the synthesizer was created with `streaming`."""
        sources = [*nodes, *(additional_source_nodes or ())]
        metadata: dict[str, Any] = {node.node.node_id: node.node.metadata for node in sources}
        metadata |= self._outcome_metadata(query, nodes)
        # The scope of the query, so that rewriting a follow-up and answering it have one deadline.
        scope = query.scope if isinstance(query, ScopedQuery) else CancelScope(self._seconds)
        stream = self.stream(query, nodes, scope)
        if self._streaming:
            return StreamingResponse(CancellableStream(_with_passages(stream), scope), sources, metadata)
        outcome = _read_to_end(stream)
        more = {"notice": outcome.notice, "usage": dict(outcome.usage)}
        return Response(outcome.text, source_nodes=sources, metadata={**metadata, **more})

    async def asynthesize(
        self,
        query: QueryType,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
        **response_kwargs: Any,
    ) -> RESPONSE_TYPE:
        """As `synthesize`, in a thread; with `streaming` the result is an AsyncStreamingResponse."""
        response = await asyncio.to_thread(self.synthesize, query, nodes, additional_source_nodes, **response_kwargs)
        if not isinstance(response, StreamingResponse):
            return response
        return AsyncStreamingResponse(_async(response.response_gen), response.source_nodes, response.metadata)

    def get_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> str:
        """The text of an answer from texts instead of nodes; `[n]` is the n-th text."""
        nodes = [NodeWithScore(node=TextNode(text=text)) for text in text_chunks]
        return _read_to_end(self.answer(query_str, nodes)).text if nodes else self._empty_response

    async def aget_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> str:
        """As `get_response`, in a thread."""
        return await asyncio.to_thread(self.get_response, query_str, text_chunks, **response_kwargs)

    def _outcome_metadata(self, query: QueryType, nodes: Sequence[NodeWithScore]) -> Mapping[str, Any]:
        """Further metadata of a response that is known before the answer is written."""
        return {}

    def _get_prompts(self) -> dict[str, Any]:
        return {}

    def _update_prompts(self, prompts: dict[str, Any]) -> None:
        """Does nothing: there are no prompt templates to update."""


class AnswerSynthesizer(PassageSynthesizer):
    """Writes the text of every outcome. Thread-safe.

    For a declined question the fixed text of its reason, which names `contact` (None: that of the bundled institutions) and
    `topics` as examples of what can be asked, in English for English questions and if `english`. For an answered one the text
    of `generated`, if there is one and the embedding did not fail. Else, and for suggestions, that of `verbatim`. The metadata
    of a response has `status`, `reason` and `notice` like `Answer`; the `notice` of a stream is only that of the search.
    """

    def __init__(
        self,
        verbatim: PassageSynthesizer,
        generated: PassageSynthesizer | None = None,
        *,
        contact: str | None = None,
        topics: Sequence[str] = (),
        english: bool = False,
        streaming: bool = False,
        seconds: float = SECONDS,
    ) -> None:
        super().__init__(streaming=streaming, empty_response=declined("not_covered", contact=contact), seconds=seconds)
        self._topics = topics
        self._english = english
        self._verbatim = verbatim
        self._generated = generated
        self._contact = contact

    def answer(self, question: str, nodes: Sequence[NodeWithScore], scope: CancelScope | None = None) -> AnswerStream:
        """The answer from nodes without a verdict, by a language model if there is one."""
        return (self._generated or self._verbatim).answer(question, nodes, scope)

    def stream(self, query: QueryType, nodes: Sequence[NodeWithScore], scope: CancelScope) -> AnswerStream:
        """The answer to a query, depending on its verdict."""
        verdict = verdict_of(query, nodes)
        if verdict.status == "declined":
            return fixed_text(self._declined(verdict), _search_notice(verdict))
        # Rows found by lexical search alone are too unreliable for a model, and a model would not say that a value is uncertain.
        is_reliable = not verdict.lexical_only and not any(hit.node.metadata.get("uncertain") for hit in nodes)
        # Nor would it say that one of two institutions compared is not held.
        is_whole = verdict.note is None or verdict.note.kind != "other_institution"
        if self._generated is not None and verdict.status == "answered" and is_reliable and is_whole:
            return self._generated.answer_verdict(nodes, verdict, scope)
        return _with_notice(self._verbatim.answer_verdict(nodes, verdict), _search_notice(verdict))

    def _declined(self, verdict: Verdict) -> str:
        reason = verdict.reason or "not_covered"
        # The category of a distant row is accidental, and the only category of an index says nothing.
        near = reason == "not_covered" and verdict.ranked and verdict.covered >= NEAR and len(self._topics) != 1
        nearest = verdict.ranked[0].node.metadata if near else {}
        return declined(
            reason,
            contact=self._contact,
            category=str(nearest.get("category") or ""),
            topics=self._topics,
            note=verdict.note,
            english=self._english or is_english(verdict.query),
        )

    def get_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> str:
        """As `get_response` of the synthesizer that writes the answers."""
        return (self._generated or self._verbatim).get_response(query_str, text_chunks, **response_kwargs)

    def _outcome_metadata(self, query: QueryType, nodes: Sequence[NodeWithScore]) -> Mapping[str, Any]:
        verdict = verdict_of(query, nodes)
        return {"status": verdict.status, "reason": verdict.reason, "notice": _search_notice(verdict)}


def verdict_of(query: QueryType, nodes: Sequence[NodeWithScore]) -> Verdict:
    """The verdict of the retriever; for a plain query, one made from its nodes."""
    if isinstance(query, ScopedQuery) and query.verdict:
        return query.verdict
    if not nodes:
        return Verdict("declined", "not_covered", (), (), 0.0, 0.0, str(query))
    judged = tuple(hit for hit in nodes if isinstance(hit, JudgedNode))
    return Verdict(judged[0].status if judged else "answered", None, judged, judged, 0.0, 0.0, str(query))


def fixed_text(text: str, notice: Notice | None = None) -> AnswerStream:
    """A stream of one piece without citations."""

    def generate(stream: AnswerStream) -> Generator[str, None, None]:
        yield text
        stream.outcome = Outcome(text, (), notice)

    return AnswerStream(generate)


def _with_notice(stream: AnswerStream, notice: Notice | None) -> AnswerStream:
    """The same pieces, with `notice` in the outcome."""

    def generate(noticed: AnswerStream) -> Generator[str, None, None]:
        yield from stream
        noticed.outcome = replace(stream.outcome, notice=notice) if stream.outcome else None

    return AnswerStream(generate) if notice else stream


def _search_notice(verdict: Verdict) -> Notice | None:
    """The notice of a search without embedding, or None."""
    return "model_unavailable" if verdict.lexical_only else None


def _read_to_end(stream: AnswerStream) -> Outcome:
    for _ in stream:
        pass
    if stream.outcome is None:
        raise ModelInterrupted("the answer was cancelled before its end")
    return stream.outcome


def _with_passages(stream: AnswerStream) -> Generator[str, None, None]:
    """The pieces; after those of a model that broke off or were not confirmed, also the outcome's text."""
    with closing(stream):
        yield from stream
    if stream.generated and stream.outcome and not (stream.outcome.generated and stream.checked):
        yield f"\n\n{BROKE_OFF}\n\n{stream.outcome.text}"


async def _async(texts: Generator[str, None, None]) -> AsyncGenerator[str, None]:
    """Wait for each piece in a thread. Leaving the loop closes `texts`, which ends the wait."""
    try:
        while (piece := await asyncio.to_thread(next, texts, None)) is not None:
            yield piece
    finally:
        texts.close()
