"""AnswerSynthesizer: the text of every outcome, written by one of two synthesizers; and what all three have in common.

`rag.synthesis.verbatim` quotes, `rag.synthesis.cited` has a language model write. AnswerSynthesizer decides which of them
writes, or takes the fixed text of a declined question. Each answers by an AnswerStream; LlamaIndex's methods are written
once, over that, in PassageSynthesizer.
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
"""For one answer."""
NEAR = 0.007
"""Chance that a declined question is covered from which on the category of its first row is named."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer ended. `text` is the answer; where `generated` is false it is the passages, whatever was shown before.

    `cited`: numbers of the nodes, from 1. `generated`: a model wrote it. `usage`: tokens, as far as the container reports them.
    """

    text: str
    cited: tuple[int, ...]
    notice: Notice | None = None
    generated: bool = False
    usage: Mapping[str, int] = field(default_factory=dict)
    support: tuple[SentenceSupport, ...] = ()


class AnswerStream:
    """An answer's pieces, to be iterated once. `outcome` is known after the last one, and stays None where it was closed
    before.

    `generated`: whether a model wrote the pieces so far; `checked`: whether its sources state them; `support`: the checks of
    their sentences. Joined, the pieces are the outcome's text, unless the model's text broke off or came unchecked. `generate`
    makes the pieces and sets these attributes.
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
        """End the pieces, and the call of a model that they come from. From another thread, cancel the answer's scope."""
        self._pieces.close()


@dataclass
class ScopedQuery(QueryBundle):
    """One question on its way through retriever, postprocessors and synthesizer, which LlamaIndex hands this object.

    `scope`: what the answer may take, and how it is cancelled. `masked`: the kinds of personal numbers that were taken out
    of the question before it came here. `verdict`: set by the retriever; nodes alone cannot carry
    it, for a declined question has none. One for each question, so that threads share nothing.
    """

    scope: CancelScope = field(kw_only=True)
    masked: tuple[str, ...] = field(default=(), kw_only=True)
    verdict: Verdict | None = field(default=None, kw_only=True)


class PassageSynthesizer(BaseSynthesizer):
    """Answers from nodes as they are: `[n]` in the answer is the n-th node given, and `source_nodes` are the nodes.

    Without nodes the answer is `empty_response`. A response's metadata is the nodes' own, by node id; that of a whole one
    also has `notice` and `usage`. A streamed answer of a model that broke off goes on with a line that says so, and the
    passages. `seconds`: for one answer, where the query brings no scope.
    """

    def __init__(
        self,
        llm: LLM | None = None,
        *,
        streaming: bool = False,
        empty_response: str | None = None,
        seconds: float = SECONDS,
    ) -> None:
        # MockLLM, which is never called: BaseSynthesizer would otherwise reach for OpenAI.
        super().__init__(
            llm=llm or MockLLM(), streaming=streaming, empty_response=empty_response or declined("not_covered")
        )
        self._seconds = seconds

    @abstractmethod
    def answer(self, question: str, nodes: Sequence[NodeWithScore], scope: CancelScope | None = None) -> AnswerStream:
        """The answer to `question` over at least one node. Nothing is sent to a model before the first piece is asked for.

        `scope`: within which, and by which it is cancelled from another thread; None: within `seconds`.
        """

    def answer_verdict(
        self, nodes: Sequence[NodeWithScore], verdict: Verdict | None, scope: CancelScope | None = None
    ) -> AnswerStream:
        """The answer over judged nodes; `verdict`: theirs, for a synthesizer that says more than the nodes show."""
        return self.answer(verdict.query if verdict else "", nodes, scope)

    def stream(self, query: QueryType, nodes: Sequence[NodeWithScore], scope: CancelScope) -> AnswerStream:
        """The answer to a query, whose nodes may be none."""
        return self.answer(str(query), nodes, scope) if nodes else fixed_text(self._empty_response)

    def synthesize(
        self,
        query: QueryType,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
        **response_kwargs: Any,
    ) -> RESPONSE_TYPE:
        """Response, or StreamingResponse where the synthesizer was made with `streaming`."""
        sources = [*nodes, *(additional_source_nodes or ())]
        metadata: dict[str, Any] = {node.node.node_id: node.node.metadata for node in sources}
        metadata |= self._outcome_metadata(query, nodes)
        # The engine's own scope, so that rewriting a follow-up and answering it share one deadline.
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
        """As `synthesize`, in a thread; streaming gives an AsyncStreamingResponse, as async callers expect."""
        response = await asyncio.to_thread(self.synthesize, query, nodes, additional_source_nodes, **response_kwargs)
        if not isinstance(response, StreamingResponse):
            return response
        return AsyncStreamingResponse(_async(response.response_gen), response.source_nodes, response.metadata)

    def get_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> str:
        """For callers that hold texts rather than nodes; `[n]` is the n-th text."""
        nodes = [NodeWithScore(node=TextNode(text=text)) for text in text_chunks]
        return _read_to_end(self.answer(query_str, nodes)).text if nodes else self._empty_response

    async def aget_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> str:
        """As `get_response`, in a thread."""
        return await asyncio.to_thread(self.get_response, query_str, text_chunks, **response_kwargs)

    def _outcome_metadata(self, query: QueryType, nodes: Sequence[NodeWithScore]) -> Mapping[str, Any]:
        """What a response's metadata has beside the nodes' own before the answer is written."""
        return {}

    def _get_prompts(self) -> dict[str, Any]:
        return {}

    def _update_prompts(self, prompts: dict[str, Any]) -> None:
        """Instructions and approved texts are no templates: there is nothing to fill in."""


class AnswerSynthesizer(PassageSynthesizer):
    """The text of every outcome. Thread-safe.

    declined: the fixed text of its reason, which names `contact` (None: the bundled institutions') and `topics` as
    examples of what can be asked, in English for English questions, or always where `english`. answered: `generated`
    writes it, where there is one and the embedding did not fail. Else, and for what is suggested: `verbatim`. A response's
    metadata has `status`, `reason` and `notice` as `Answer` has them; a stream's `notice` is that of the search alone.
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
        """The answer over nodes whose verdict is not known: by a language model if there is one."""
        return (self._generated or self._verbatim).answer(question, nodes, scope)

    def stream(self, query: QueryType, nodes: Sequence[NodeWithScore], scope: CancelScope) -> AnswerStream:
        """The answer to a query by its verdict."""
        verdict = verdict_of(query, nodes)
        if verdict.status == "declined":
            return fixed_text(self._declined(verdict), _search_notice(verdict))
        # Only what is answered is worth a model's call; and what words alone found is no ground for a model's words.
        # A model's words would not carry that a document's value is uncertain.
        doubted = any(hit.node.metadata.get("uncertain") for hit in nodes)
        if self._generated is not None and verdict.status == "answered" and not verdict.lexical_only and not doubted:
            return self._generated.answer_verdict(nodes, verdict, scope)
        return _with_notice(self._verbatim.answer_verdict(nodes, verdict), _search_notice(verdict))

    def _declined(self, verdict: Verdict) -> str:
        reason = verdict.reason or "not_covered"
        # Far from all rows the category of the first is chance; where there is but one, its name tells nothing.
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
        """As that of the synthesizer that writes the answers."""
        return (self._generated or self._verbatim).get_response(query_str, text_chunks, **response_kwargs)

    def _outcome_metadata(self, query: QueryType, nodes: Sequence[NodeWithScore]) -> Mapping[str, Any]:
        verdict = verdict_of(query, nodes)
        return {"status": verdict.status, "reason": verdict.reason, "notice": _search_notice(verdict)}


def verdict_of(query: QueryType, nodes: Sequence[NodeWithScore]) -> Verdict:
    """The retriever's verdict; of a plain query, whose caller runs the engine's parts one by one, what its nodes show."""
    if isinstance(query, ScopedQuery) and query.verdict:
        return query.verdict
    if not nodes:
        return Verdict("declined", "not_covered", (), (), 0.0, 0.0, str(query))
    judged = tuple(hit for hit in nodes if isinstance(hit, JudgedNode))
    return Verdict(judged[0].status if judged else "answered", None, judged, judged, 0.0, 0.0, str(query))


def fixed_text(text: str, notice: Notice | None = None) -> AnswerStream:
    """A text that quotes nothing, in one piece."""

    def generate(stream: AnswerStream) -> Generator[str, None, None]:
        yield text
        stream.outcome = Outcome(text, (), notice)

    return AnswerStream(generate)


def _with_notice(stream: AnswerStream, notice: Notice | None) -> AnswerStream:
    """The same pieces, with a notice in their outcome."""

    def generate(noticed: AnswerStream) -> Generator[str, None, None]:
        yield from stream
        noticed.outcome = replace(stream.outcome, notice=notice) if stream.outcome else None

    return AnswerStream(generate) if notice else stream


def _search_notice(verdict: Verdict) -> Notice | None:
    """The notice that the search makes: the embedding failed."""
    return "model_unavailable" if verdict.lexical_only else None


def _read_to_end(stream: AnswerStream) -> Outcome:
    for _ in stream:
        pass
    if stream.outcome is None:
        raise ModelInterrupted("the answer was cancelled before its end")
    return stream.outcome


def _with_passages(stream: AnswerStream) -> Generator[str, None, None]:
    """The pieces, and after a model's that broke off what stands in their place: they cannot be taken back here."""
    with closing(stream):
        yield from stream
    if stream.generated and stream.outcome and not (stream.outcome.generated and stream.checked):
        yield f"\n\n{BROKE_OFF}\n\n{stream.outcome.text}"


async def _async(texts: Generator[str, None, None]) -> AsyncGenerator[str, None]:
    """Each piece is waited for in a thread. Leaving the loop closes `texts`, which ends that wait."""
    try:
        while (piece := await asyncio.to_thread(next, texts, None)) is not None:
            yield piece
    finally:
        texts.close()
