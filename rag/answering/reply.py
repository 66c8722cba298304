"""Reply: one call of the model for an answer, its citations resolved, and what is wrong with it if anything is."""

from __future__ import annotations

import logging
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from llama_index.core.base.llms.types import ChatMessage

from rag.answering.citations import CitationResolver
from rag.errors import ModelError, ModelPaused
from rag.models.breaker import Breaker
from rag.models.listening import Heard, listen
from rag.models.patience import Patience
from rag.types import Notice

if TYPE_CHECKING:
    from llama_index.core.llms.llm import LLM

logger = logging.getLogger(__name__)


class Reply:
    """`pieces` once; then `text` is what was released, `cited` its sources' numbers, and `notice` why it is no answer.

    model_unavailable: it failed before its first words, was not done in time, cites nothing that it was given, or was not
    asked, by its `breaker`.
    interrupted: it broke off, reached its longest size, or was cut by a filter.
    """

    def __init__(self, numbers: Collection[int], breaker: Breaker) -> None:
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
            with self._breaker.guarding(), closing(listen(llm, messages, patience)) as heard:
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
