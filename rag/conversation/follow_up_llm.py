"""A follow-up and its conversation to one question that stands alone, by the model. The history is data, never a template."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING

from llama_index.core.base.llms.types import ChatMessage

from rag.conversation.follow_up_rules import MAX_TURNS
from rag.errors import ModelError, ModelPaused
from rag.models.cancellation import Patience
from rag.models.circuit_breaker import CircuitBreaker
from rag.models.streaming import listen
from rag.synthesis import texts as prompts
from rag.synthesis.prompt_builder import build_messages, count_tokens, one_line, prompt_room
from rag.types import Turn

if TYPE_CHECKING:
    from llama_index.core.llms.llm import LLM

logger = logging.getLogger(__name__)
MAX_ANSWER_CHARS = 200
"""Of an earlier answer; its first sentences name the subject."""
MAX_QUERY_CHARS = 200
"""A longer rewrite is no question: the model has answered, or gone on."""
SHARE = 1 / 3
"""Of the answer's time that the rewrite may take."""

_LABEL = re.compile(
    r"^(?:[-*#>\s]*(?:다시\s*쓴\s*|독립(?:된|적인)?\s*|마지막\s*|고객의?\s*)*질문\s*[:：]\s*|고객\s*[:：]\s*)"
)
_QUOTES = "\"'“”‘’「」『』 "


def standalone(
    llm: LLM, question: str, history: Sequence[Turn], patience: Patience, breaker: CircuitBreaker | None = None
) -> str | None:
    """The rewritten question; None where the model failed, was too slow, or gave none of at most MAX_QUERY_CHARS.

    `breaker`: the model's; while it is open, None at once.
    """
    messages = _messages(llm, question, history)
    if messages is None:
        return None
    try:
        with (
            breaker.call() if breaker else nullcontext(),
            closing(listen(llm, messages, patience, seconds=SHARE * patience.remaining())) as heard,
        ):
            text = "".join(heard)
        return None if heard.truncated else _only_question(text)
    except ModelError as exc:
        if not patience.cancelled and not isinstance(exc, ModelPaused):
            logger.warning("a follow-up was not rewritten: %s", exc)
        return None


def _messages(llm: LLM, question: str, history: Sequence[Turn]) -> tuple[ChatMessage, ...] | None:
    """The latest turns that fit into the window, with the question; None where not even one does."""
    for count in range(min(MAX_TURNS, len(history)), 0, -1):
        lines = ["대화:"]
        for turn in history[-count:]:
            lines.append(f"고객: {one_line(turn.question)}")
            if answer := one_line(turn.answer)[:MAX_ANSWER_CHARS]:
                lines.append(f"상담원: {answer}")
        content = "\n".join([*lines, "", f"마지막 질문: {one_line(question)}"])
        if count_tokens(llm, prompts.CONDENSING) + count_tokens(llm, content) <= prompt_room(llm):
            return build_messages(prompts.CONDENSING, content)
    return None


def _only_question(text: str) -> str | None:
    """What the model wrote, without a label and quotation marks around it; None where that is no one question."""
    lines = [line for line in text.splitlines() if line.strip()]
    rewritten = _LABEL.sub("", lines[0]).strip(_QUOTES) if len(lines) == 1 else ""
    return rewritten if 0 < len(rewritten) <= MAX_QUERY_CHARS else None
