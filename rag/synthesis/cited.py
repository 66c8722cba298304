"""CitedAnswerSynthesizer: a language model answers from numbered sources, and every answer shown cites one of them.

Nothing is shown before the first citation of a source that was given: a text without any is not the institution's word,
so the passages are quoted in its place. The same happens where the model fails, is too slow or is truncated.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Generator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from llama_index.core.llms.llm import LLM
from llama_index.core.schema import NodeWithScore

from rag.errors import ModelError, ModelPaused
from rag.models.cancellation import CancelScope
from rag.models.circuit_breaker import CircuitBreaker
from rag.models.streaming import LLMStream, stream_chat
from rag.retrieval.confidence import JudgedNode
from rag.synthesis.answer import SECONDS, AnswerStream, Outcome, PassageSynthesizer
from rag.synthesis.prompt_builder import MARKER, MARKER_BRACKETS, build_prompt
from rag.synthesis.verbatim import passages, pieces
from rag.types import Notice

if TYPE_CHECKING:
    from llama_index.core.llms.llm import LLM

logger = logging.getLogger(__name__)
LONGEST = 64
"""Characters a marker may have; a longer beginning of one is text."""
_NUMBER = re.compile(r"\d+")
_BEGINNING = re.compile(rf"[{re.escape(MARKER_BRACKETS[0])}][\s\d,，、·;/]*\Z")


class CitedAnswerSynthesizer(PassageSynthesizer):
    """Answers through `llm` over the nodes given, `[n]` being the n-th; quotes them where it cannot.

    Suggested nodes, and sources of which none fits, never reach the model. `seconds`: for one answer. `breaker`: the
    model's, where others ask it too.
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
        super().__init__(llm, streaming=streaming, empty_response=empty_response, seconds=seconds)
        self._breaker = breaker or CircuitBreaker("the language model")

    def answer(self, question: str, nodes: Sequence[NodeWithScore], scope: CancelScope | None = None) -> AnswerStream:
        """The model's answer, or the approved texts in its place. Nothing is sent before the first piece is asked for."""
        scope = scope or CancelScope(self._seconds)
        return AnswerStream(lambda stream: self._generate(stream, question, nodes, scope))

    def _generate(
        self, stream: AnswerStream, question: str, nodes: Sequence[NodeWithScore], scope: CancelScope
    ) -> Generator[str, None, None]:
        """The model's pieces; the passages' where no piece of the model was shown. Then the outcome."""
        notice: Notice | None = None
        suggested = isinstance(nodes[0], JudgedNode) and nodes[0].status == "suggested"
        if not suggested and (prompt := build_prompt(self._llm, question, nodes)):
            reply = Reply(prompt.numbers)
            answer: LLMStream | None = None
            try:
                with self._breaker.call(), closing(stream_chat(self._llm, prompt.messages, scope)) as answer:
                    for piece in answer:
                        if text := reply.feed(piece):
                            stream.generated = True
                            yield text
                    if text := reply.end(answer):
                        stream.generated = True
                        yield text
            except ModelError as exc:
                if not scope.cancelled:
                    reply.fail(exc, answer)
            # Nobody reads on: an outcome would be taken for a finished answer.
            if scope.cancelled:
                return
            if reply.notice is None:
                usage = answer.usage if answer else {}
                stream.outcome = Outcome(reply.text, reply.cited, generated=True, usage=usage)
                return
            notice = reply.notice
        outcome = passages(nodes, notice)
        # Shown words of a model cannot be taken back here; whoever shows them replaces them by the outcome's text.
        if not stream.generated:
            yield from pieces(outcome.text)
        stream.outcome = outcome


class Reply:
    """What of a model's answer may be shown: nothing before the first valid citation, from there on everything.

    `text` is what was released, and `cited` its sources' numbers. `notice`, after the end, says why it is no answer:
    model_unavailable: the model failed before its first words, was not done in time, cites nothing that it was given, or
    was not asked; interrupted: it broke off, reached its longest size, or was cut by a filter.
    """

    def __init__(self, numbers: Collection[int]) -> None:
        self.text = ""
        self.notice: Notice | None = None
        self._held = ""
        self._resolver = CitationResolver(numbers)

    @property
    def cited(self) -> tuple[int, ...]:
        """Numbers of the sources cited so far, sorted."""
        return tuple(sorted(self._resolver.cited))

    def feed(self, piece: str) -> str:
        """What the model's next piece releases, possibly nothing."""
        return self._release(self._resolver.feed(piece))

    def end(self, answer: LLMStream) -> str:
        """What the end of the model's answer releases; sets `notice`."""
        released = self._release(self._resolver.end())
        if answer.truncated:
            self.notice = "interrupted"
            logger.warning(
                "falling back to FAQ passages: the model's output was truncated; consider raising FSI_LLM__MAX_NEW_TOKENS"
            )
        elif not self._resolver.cited:
            self.notice = "model_unavailable"
            logger.warning("falling back to FAQ passages: the model's answer cites none of its sources")
        return released

    def fail(self, error: ModelError, answer: LLMStream | None) -> None:
        """Sets `notice` by the failure of the model's call. `answer`: as far as it came, None where it was not asked."""
        broke_off = answer is not None and answer.text and not answer.expired
        self.notice = "interrupted" if broke_off else "model_unavailable"
        # The breaker has logged the failures that opened it; the questions while it is open add nothing.
        if not isinstance(error, ModelPaused):
            logger.warning("falling back to FAQ passages (%s): %s", self.notice, error)

    def _release(self, text: str) -> str:
        self._held += text
        if not self._held or not self._resolver.cited:
            return ""
        released, self._held = self._held, ""
        # Models begin with a space or a line break.
        if not self.text:
            released = released.lstrip()
        self.text += released
        return released


class CitationResolver:
    """Takes a text in pieces cut anywhere, and gives it back with its markers resolved.

    A marker comes out as `[n]`, one for each number of a source that was given; other numbers are dropped, and everything
    else comes out as it came in. `known` are the sources' numbers, `cited` those met so far. What `feed` returns joined,
    and then `end`, is the same wherever the text was cut.
    """

    def __init__(self, known: Collection[int]) -> None:
        self._known = frozenset(known)
        self._pending = ""
        self.cited: set[int] = set()

    def feed(self, piece: str) -> str:
        """What can be said so far; the beginning of a possible marker is kept until the next piece."""
        text = self._pending + piece
        beginning = _BEGINNING.search(text)
        cut = beginning.start() if beginning and len(text) - beginning.start() <= LONGEST else len(text)
        self._pending = text[cut:]
        return MARKER.sub(self._marker, text[:cut])

    def end(self) -> str:
        """The rest: nothing follows that could close a marker."""
        rest, self._pending = self._pending, ""
        return rest

    def _marker(self, match: re.Match[str]) -> str:
        numbers = [number for text in _NUMBER.findall(match[1]) if (number := int(text)) in self._known]
        self.cited.update(numbers)
        return "".join(f"[{number}]" for number in dict.fromkeys(numbers))
