"""Rewrites a follow-up as a standalone question by a language model. The history is data, never a template."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING

from llama_index.core.base.llms.types import ChatMessage

from rag.conversation.follow_up_rules import MAX_TURNS
from rag.errors import ModelError, ModelPaused
from rag.models.cancellation import CancelScope
from rag.models.streaming import stream_chat
from rag.retries import CircuitBreaker
from rag.synthesis.prompt_builder import build_messages, count_tokens, one_line, prompt_room
from rag.synthesis.texts import CONDENSING
from rag.types import Turn

if TYPE_CHECKING:
    from llama_index.core.llms.llm import LLM

logger = logging.getLogger(__name__)
MAX_ANSWER_CHARS = 200
"""Characters of an earlier answer in the prompt; its first sentences name the subject."""
MAX_QUERY_CHARS = 200
"""Characters of a rewrite, at most. In a longer one the model has answered the question or continued the conversation."""
TIME_SHARE = 1 / 3
"""Share of the answer's remaining time that the rewrite may take."""

_LABEL = re.compile(
    r"^(?:[-*#>\s]*(?:다시\s*쓴\s*|독립(?:된|적인)?\s*|마지막\s*|고객의?\s*)*질문\s*[:：]\s*|고객\s*[:：]\s*)"
)
_QUOTES = "\"'“”‘’「」『』 "


def rewrite_follow_up(
    llm: LLM, question: str, history: Sequence[Turn], scope: CancelScope, breaker: CircuitBreaker | None = None
) -> str | None:
    """The question rewritten so that it stands alone, with at most MAX_QUERY_CHARS characters.

    None if the model fails, is too slow or returns something else, or while its `breaker` is open; the follow-up is then answered
    without a rewrite. Raises no ModelError.
    """
    messages = _messages(llm, question, history)
    if messages is None:
        return None
    try:
        with (
            breaker.call() if breaker else nullcontext(),
            closing(stream_chat(llm, messages, scope.child(TIME_SHARE * scope.remaining()))) as reply,
        ):
            text = "".join(reply)
        # With several lines the model has answered the question or continued the conversation.
        lines = [] if reply.truncated else [line for line in text.splitlines() if line.strip()]
        rewritten = _LABEL.sub("", lines[0]).strip(_QUOTES) if len(lines) == 1 else ""
        return rewritten if 0 < len(rewritten) <= MAX_QUERY_CHARS else None
    except ModelError as exc:
        # Neither for a cancelled answer nor for an open breaker, which has logged its errors.
        if not scope.cancelled and not isinstance(exc, ModelPaused):
            logger.warning("rewriting a follow-up failed; searching both readings instead: %s", exc)
        return None


def _messages(llm: LLM, question: str, history: Sequence[Turn]) -> tuple[ChatMessage, ...] | None:
    """The prompt with the question and the latest turns that fit into the window; None if not even one does."""
    for count in range(min(MAX_TURNS, len(history)), 0, -1):
        lines = ["대화:"]
        for turn in history[-count:]:
            lines.append(f"고객: {one_line(turn.question)}")
            if answer := one_line(turn.answer)[:MAX_ANSWER_CHARS]:
                lines.append(f"상담원: {answer}")
        content = "\n".join([*lines, "", f"마지막 질문: {one_line(question)}"])
        if count_tokens(llm, CONDENSING) + count_tokens(llm, content) <= prompt_room(llm):
            return build_messages(CONDENSING, content)
    return None
