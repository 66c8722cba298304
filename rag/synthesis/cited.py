"""CitedAnswerSynthesizer: a language model answers from numbered sources, and only what these state is shown.

Each sentence passes `rag.synthesis.release`. If nothing of the answer may be shown, or the model fails, is too slow or is
truncated, the passages are quoted instead.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from llama_index.core.schema import NodeWithScore

from rag.errors import ModelError, ModelPaused, ModelTimeout
from rag.korean import without_yes_or_no
from rag.models.cancellation import CancelScope
from rag.models.streaming import LLMStream, stream_chat
from rag.retries import CircuitBreaker
from rag.retrieval.confidence import JudgedNode, Verdict
from rag.retrieval.query_analysis import BANK
from rag.retrieval.rows import bank_of
from rag.stores.base import QUESTION
from rag.synthesis.answer import SECONDS, AnswerStream, Outcome, PassageSynthesizer
from rag.synthesis.prompt_builder import Prompt, build_prompt
from rag.synthesis.release import SentenceRelease
from rag.synthesis.verbatim import passages, pieces
from rag.synthesis.verification import RuleVerifier, Verifier
from rag.types import Notice

if TYPE_CHECKING:
    from llama_index.core.llms.llm import LLM

logger = logging.getLogger(__name__)
ReleaseMode = Literal["sentence", "token"]


class CitedAnswerSynthesizer(PassageSynthesizer):
    """Answers with `llm` from the nodes, where `[n]` is the n-th node, and otherwise quotes them.

    The model is not called for suggested nodes, for a question of which a part has no answer, or if no source fits into its
    window. `seconds`: for one answer. `breaker`: shared with other users of the model. `verifier`: checks each sentence.
    `release`: "sentence" to yield checked sentences; "token" to yield the model's pieces unchecked, so that only the outcome is
    checked.
    """

    def __init__(
        self,
        llm: LLM,
        *,
        streaming: bool = False,
        empty_response: str | None = None,
        seconds: float = SECONDS,
        breaker: CircuitBreaker | None = None,
        verifier: Verifier | None = None,
        release: ReleaseMode = "sentence",
        english: bool = False,
    ) -> None:
        super().__init__(llm, streaming=streaming, empty_response=empty_response, seconds=seconds)
        self._breaker = breaker or CircuitBreaker("the language model")
        self._verifier = verifier or RuleVerifier()
        self._release = release
        self._english = english

    def answer(self, question: str, nodes: Sequence[NodeWithScore], scope: CancelScope | None = None) -> AnswerStream:
        """The model's answer, or the approved texts instead. The model is called when the first piece is requested."""
        return self._stream(question, nodes, None, scope)

    def answer_verdict(
        self, nodes: Sequence[NodeWithScore], verdict: Verdict | None, scope: CancelScope | None = None
    ) -> AnswerStream:
        """As `answer`, with the institution names and quoted parts that the verdict requires."""
        return self._stream(verdict.query if verdict else "", nodes, verdict, scope)

    def _stream(
        self, question: str, nodes: Sequence[NodeWithScore], verdict: Verdict | None, scope: CancelScope | None
    ) -> AnswerStream:
        scope = scope or CancelScope(self._seconds)
        return AnswerStream(lambda stream: self._generate(stream, question, nodes, verdict, scope))

    def _generate(
        self,
        stream: AnswerStream,
        question: str,
        nodes: Sequence[NodeWithScore],
        verdict: Verdict | None,
        scope: CancelScope,
    ) -> Generator[str, None, None]:
        """Yield the model's pieces, or those of the passages if none of the model's was shown; then set the outcome."""
        suggested = isinstance(nodes[0], JudgedNode) and nodes[0].status == "suggested"
        # A model would not say which part of the question has no answer.
        has_open_part = any(section.status != "answered" for section in verdict.sections) if verdict else False
        if not suggested and not has_open_part and (prompt := build_prompt(self._llm, question, nodes)):
            checked = self._checked(prompt, nodes, verdict)
            answer: LLMStream | None = None
            failure: Notice | None = None
            try:
                with self._breaker.call(), closing(stream_chat(self._llm, prompt.messages, scope)) as answer:
                    yield from self._pieces(stream, answer, checked)
            except ModelError as exc:
                if not scope.cancelled:
                    failure = _failure(exc, answer)
            # No outcome, because it would mean that the answer is complete.
            if scope.cancelled:
                return
            notice = failure or checked.notice
            if notice in (None, "withheld") and checked.text:
                usage = answer.usage if answer and not checked.stopped else {}
                stream.outcome = Outcome(
                    checked.text, checked.cited, notice, generated=True, usage=usage, support=tuple(checked.support)
                )
                return
            outcome = replace(
                passages(nodes, notice, verdict, question=question, english=self._english),
                support=tuple(checked.support),
            )
        else:
            outcome = passages(nodes, verdict=verdict, question=question, english=self._english)
        # What was shown of the model's text cannot be withdrawn here; the caller replaces it by the outcome's text.
        if not stream.generated:
            yield from pieces(outcome.text)
        stream.outcome = outcome

    def _checked(self, prompt: Prompt, nodes: Sequence[NodeWithScore], verdict: Verdict | None) -> SentenceRelease:
        sources: dict[int, str] = {}
        approved: dict[int, str] = {}
        for number in prompt.numbers:
            node = nodes[number - 1].node
            # The model saw the institution and the title, too, so it may state them.
            titles = [str(node.metadata[key]) for key in (BANK, QUESTION) if node.metadata.get(key)]
            sources[number] = "\n".join([*titles, node.get_content()])
            # A single sentence would not say that a value of a document is uncertain.
            if not node.metadata.get("uncertain"):
                approved[number] = without_yes_or_no(node.get_content())
        institutions = {number: bank_of(nodes[number - 1]) for number in prompt.numbers}
        is_named = (verdict and verdict.names_banks) or len(set(institutions.values())) > 1
        return SentenceRelease(
            sources,
            self._verifier,
            instruction=str(prompt.messages[0].content),
            approved=approved,
            institutions=institutions if is_named else None,
        )

    def _pieces(self, stream: AnswerStream, answer: LLMStream, checked: SentenceRelease) -> Generator[str, None, None]:
        """The pieces that may be shown; ends early if `checked` stops the answer."""
        unchecked = self._release == "token"
        for piece in answer:
            released = checked.feed(piece)
            if text := piece if unchecked and not checked.stopped else released:
                stream.generated, stream.checked = True, not unchecked
                stream.support = () if unchecked else tuple(checked.support)
                yield text
            if checked.stopped:
                return
        released = checked.end(is_truncated=answer.truncated)
        if released and not unchecked:
            stream.generated = stream.checked = True
            stream.support = tuple(checked.support)
            yield released


def _failure(error: ModelError, answer: LLMStream | None) -> Notice:
    """The notice for an incomplete answer; `answer`: None if the model was not called."""
    notice: Notice = "model_unavailable"
    if isinstance(error, ModelTimeout) or (answer is not None and answer.expired):
        notice = "too_slow"
    elif answer is not None and answer.text:
        notice = "interrupted"
    # Not while the breaker is open, which has already been logged.
    if not isinstance(error, ModelPaused):
        logger.warning("falling back to FAQ passages (%s): %s", notice, error)
    return notice
