"""Builds the prompt of an answer: the instruction, the numbered sources that fit into the model's window, and the question.

Sources keep their numbers: `[n]` is the n-th node, even if others are left out. Texts are data: each is on its own lines, and its
markers are escaped with round brackets, so that it cannot imitate a source or a question.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.schema import NodeWithScore

from rag.korean import estimate_tokens
from rag.retrieval.confidence import JudgedNode
from rag.stores.base import QUESTION
from rag.synthesis.texts import ANSWERING

if TYPE_CHECKING:
    from llama_index.core.llms.llm import LLM

MARGIN = 1.25
"""Difference in log-odds to the best source from which on a source is not shown; fitted in docs/evaluation-log.md."""
FRAME = 160
"""Tokens reserved for the model's own prompt format."""
MARKER_BRACKETS = "[［【〔", "]］】〕"
_NUMBERS = r"\s{0,2}\d{1,3}(?:[\s,，、·;/]{1,3}\d{1,3}){0,9}\s{0,2}"
MARKER = re.compile(rf"[{re.escape(MARKER_BRACKETS[0])}]({_NUMBERS})[{re.escape(MARKER_BRACKETS[1])}]")
"""A citation: `[n]`, `[n, m]` or the same in full-width brackets, one to three digits each; group 1 holds the numbers."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The `messages` for the model, and the `numbers` of the sources in them."""

    messages: tuple[ChatMessage, ...]
    numbers: tuple[int, ...]


def build_prompt(llm: LLM, question: str, nodes: Sequence[NodeWithScore]) -> Prompt | None:
    """The prompt, or None if no source is left or a required one does not fit, because a part of it could mislead."""
    last_line = f"질문: {one_line(question)}"
    room = prompt_room(llm) - count_tokens(llm, ANSWERING) - count_tokens(llm, last_line)
    shown: dict[int, str] = {}
    for number in near_the_best(nodes):
        text = _numbered(number, nodes[number - 1])
        room -= count_tokens(llm, text)
        # A shorter source after it would be less relevant.
        if room < 0:
            break
        shown[number] = text
    # The quoted sources are required; if none is quoted, the first one.
    required = {number for number, hit in enumerate(nodes, 1) if _quoted(hit)} or {1}
    if not shown or not shown.keys() >= required:
        return None
    content = "\n\n".join([*shown.values(), last_line])
    return Prompt(build_messages(ANSWERING, content), tuple(shown))


def near_the_best(nodes: Sequence[NodeWithScore], margin: float = MARGIN) -> list[int]:
    """The numbers, counted from 1, of the nodes that are quoted or within `margin` (log-odds) of the best.

    All nodes that were not judged are included, because their scores cannot be compared.
    """
    best = max((_log_odds(hit) for hit in nodes), default=0.0)
    return [number for number, hit in enumerate(nodes, 1) if _quoted(hit) or best - _log_odds(hit) <= margin]


def build_messages(instruction: str, content: str) -> tuple[ChatMessage, ...]:
    """A system message with the instruction and a user message with the content."""
    return (
        ChatMessage(role=MessageRole.SYSTEM, content=instruction),
        ChatMessage(role=MessageRole.USER, content=content),
    )


def prompt_room(llm: LLM) -> int:
    """Tokens that a prompt may have."""
    metadata = llm.metadata
    # Some LlamaIndex models use -1 for no limit.
    return metadata.context_window - max(0, metadata.num_output) - FRAME


def count_tokens(llm: LLM, text: str) -> int:
    """The number of tokens of a text by the model's tokenizer, or an estimate, which is rather too high."""
    counter: Callable[[str], int] = getattr(llm, "token_count", estimate_tokens)
    return counter(text)


def escape_markers(text: str) -> str:
    """The text with its markers in round brackets, so that they do not look like those of the prompt."""
    return MARKER.sub(lambda match: f"({match[1].strip()})", text)


def one_line(text: str) -> str:
    """The text on one line with escaped markers, because a line break could begin another source."""
    return " ".join(escape_markers(text).split())


def _numbered(number: int, hit: NodeWithScore) -> str:
    metadata = hit.node.metadata
    titles = [f"{name}: {one_line(str(metadata[key]))}" for name, key in _TITLES if metadata.get(key)]
    text = escape_markers(hit.node.get_content().strip())
    return "\n".join([f"[{number}] {titles[0]}" if titles else f"[{number}]", *titles[1:], text])


_TITLES = (("금융회사", "bank"), ("제목", QUESTION))
PROMPT_LINE = re.compile(rf"\s*(?:{'|'.join(name for name, _ in _TITLES)}|질문): ")
"""Matches a line of the prompt, which is no statement if a model repeats it."""


def _quoted(hit: NodeWithScore) -> bool:
    return isinstance(hit, JudgedNode) and hit.quoted


def _log_odds(hit: NodeWithScore) -> float:
    if not isinstance(hit, JudgedNode):
        return 0.0
    # A score may be 0 or 1 after rounding, and has no log-odds then.
    chance = min(max(hit.score or 0.0, 1e-9), 1 - 1e-9)
    return math.log(chance / (1 - chance))
