"""A row in one sentence in the light of a question: a language model's, checked as an answer's are; else the row's own."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.errors import ModelError, ModelPaused
from rag.korean import answering_sentence
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
    """Summaries by `llm`, or without one the rows' own sentences. `breaker`: the model's, where others ask it too."""

    def __init__(
        self, llm: LLM | None, *, breaker: CircuitBreaker | None = None, verifier: Verifier | None = None
    ) -> None:
        self._llm = llm
        self._breaker = breaker or CircuitBreaker("the language model")
        self._verifier = verifier or RuleVerifier()

    def summarized(self, question: str, source: Source, scope: CancelScope) -> Source:
        """The source with its summary, and whether the model wrote it.

        The model's first sentence counts, where the text with its institution and title supports it whole. Raises no
        ModelError.
        """
        passage = "\n".join(filter(None, (source.metadata.get("bank"), source.question, source.text)))
        # A model's words would not carry that a document's value is uncertain.
        llm = None if source.metadata.get("uncertain") else self._llm
        if llm is not None and (written := self._written(llm, question, passage, scope)):
            return replace(source, summary=written, summary_generated=True)
        start, end = answering_sentence(question, source.text)
        return replace(source, summary=source.text[start:end], summary_generated=False)

    def _written(self, llm: LLM, question: str, passage: str, scope: CancelScope) -> str:
        content = f"자료:\n{escape_markers(passage)}\n\n질문: {one_line(question)}"
        # Not cut to fit: the half that is left out may be the condition.
        if count_tokens(llm, SUMMARIZING) + count_tokens(llm, content) > prompt_room(llm):
            return ""
        said = ""
        try:
            with self._breaker.call(), closing(stream_chat(llm, build_messages(SUMMARIZING, content), scope)) as reply:
                for piece in reply:
                    said += piece
                    if len(said) > LONGEST_SENTENCE:
                        return ""
        except ModelError as exc:
            # An open breaker has logged those that opened it.
            if not isinstance(exc, ModelPaused):
                logger.warning("summarizing failed; showing the row's own sentence instead: %s", exc)
            return ""
        start, end = next(split_sentences(said.strip()), (0, 0))
        sentence = MARKER.sub("", said.strip()[start:end]).strip()
        is_whole = not reply.truncated and says_something(sentence)
        if not is_whole or Gate(SUMMARIZING, [passage]).sentence(sentence):
            return ""
        # A weak one is marked in an answer; a card has no room for that.
        return sentence if self._verifier.verify(sentence, [passage]).status == "supported" else ""
