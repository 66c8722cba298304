"""Summarizes a row in one sentence for a question: a checked sentence of a language model, or one of the row itself."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.errors import ModelError, ModelPaused
from rag.korean import answering_sentence, without_yes_or_no
from rag.models.cancellation import CancelScope
from rag.models.streaming import stream_chat
from rag.retries import CircuitBreaker
from rag.synthesis.prompt_builder import MARKER, build_messages, count_tokens, escape_markers, one_line, prompt_room
from rag.synthesis.release import LONGEST_SENTENCE, Gate
from rag.synthesis.sentences import says_something, split_sentences
from rag.synthesis.texts import SUMMARIZING
from rag.synthesis.verification import RuleVerifier, Verifier
from rag.types import Source

if TYPE_CHECKING:
    from llama_index.core.llms.llm import LLM

logger = logging.getLogger(__name__)


class Summarizer:
    """Summaries written by `llm`, or without one taken from the rows. `breaker`: shared with other users of the model."""

    def __init__(
        self, llm: LLM | None, *, breaker: CircuitBreaker | None = None, verifier: Verifier | None = None
    ) -> None:
        self._llm = llm
        self._breaker = breaker or CircuitBreaker("the language model")
        self._verifier = verifier or RuleVerifier()

    def summarized(self, question: str, source: Source, scope: CancelScope) -> Source:
        """The source with `summary` and `summary_generated`.

        The model's first sentence is used if the text with its institution and title fully supports it. Raises no ModelError.
        """
        passage = "\n".join(filter(None, (source.metadata.get("bank"), source.question, source.text)))
        # A model's sentence would not say that a value of a document is uncertain.
        llm = None if source.metadata.get("uncertain") else self._llm
        if llm is not None and (written := self._written(llm, question, passage, scope)):
            return replace(source, summary=written, summary_generated=True)
        text = without_yes_or_no(source.text)
        start, end = answering_sentence(question, text)
        return replace(source, summary=text[start:end], summary_generated=False)

    def _written(self, llm: LLM, question: str, passage: str, scope: CancelScope) -> str:
        content = f"자료:\n{escape_markers(passage)}\n\n질문: {one_line(question)}"
        # Not shortened to fit, because the missing half may contain a condition.
        if count_tokens(llm, SUMMARIZING) + count_tokens(llm, content) > prompt_room(llm):
            return ""
        text = ""
        try:
            with self._breaker.call(), closing(stream_chat(llm, build_messages(SUMMARIZING, content), scope)) as reply:
                for piece in reply:
                    text += piece
                    if len(text) > LONGEST_SENTENCE:
                        return ""
        except ModelError as exc:
            # The breaker has already logged the errors that opened it.
            if not isinstance(exc, ModelPaused):
                logger.warning("summarizing failed; showing the row's own sentence instead: %s", exc)
            return ""
        text = text.strip()
        start, end = next(split_sentences(text), (0, 0))
        sentence = MARKER.sub("", text[start:end]).strip()
        is_whole = not reply.truncated and says_something(sentence)
        if not is_whole or Gate(SUMMARIZING, [passage]).sentence(sentence):
            return ""
        # Weakly supported sentences are marked in an answer, but there is no room for a mark in a summary.
        return sentence if self._verifier.verify(sentence, [passage]).status == "supported" else ""
