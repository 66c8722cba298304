"""What a model is sent before it answers: the instruction, the numbered sources that fit into its window, the question.

Sources keep their numbers: `[n]` is the n-th node, whichever of them are shown. All texts are data: each is put on its
own lines, and nothing in it can pass for a source or a question of ours: its own markers are put in round brackets.
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
"""Log-odds under the best source below which one is not shown to the model; how it was fitted: docs/evaluation-log.md."""
FRAME = 160
"""Tokens kept for what the model's own prompt format puts around ours."""
MARKER_BRACKETS = "[［【〔", "]］】〕"
_NUMBERS = r"\s{0,2}\d{1,3}(?:[\s,，、·;/]{1,3}\d{1,3}){0,9}\s{0,2}"
MARKER = re.compile(rf"[{re.escape(MARKER_BRACKETS[0])}]({_NUMBERS})[{re.escape(MARKER_BRACKETS[1])}]")
"""A citation: `[n]`, `[n, m]` or the same in full-width brackets, one to three digits each; group 1 holds the numbers."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """`messages` for the model, and the `numbers` of the sources in them."""

    messages: tuple[ChatMessage, ...]
    numbers: tuple[int, ...]


def build_prompt(llm: LLM, question: str, nodes: Sequence[NodeWithScore]) -> Prompt | None:
    """None where no source is left, or where one that must be shown does not fit: half of it could be half the truth."""
    last_line = f"질문: {one_line(question)}"
    room = prompt_room(llm) - count_tokens(llm, ANSWERING) - count_tokens(llm, last_line)
    shown: dict[int, str] = {}
    for number in near_the_best(nodes):
        text = _numbered(number, nodes[number - 1])
        room -= count_tokens(llm, text)
        # Not the next, shorter one in its place: it is less likely than the one left out.
        if room < 0:
            break
        shown[number] = text
    # An answer has to know the quoted ones, or where none is quoted the first.
    required = {number for number, hit in enumerate(nodes, 1) if _quoted(hit)} or {1}
    if not shown or not shown.keys() >= required:
        return None
    content = "\n\n".join([*shown.values(), last_line])
    return Prompt(build_messages(ANSWERING, content), tuple(shown))


def near_the_best(nodes: Sequence[NodeWithScore], margin: float = MARGIN) -> list[int]:
    """The numbers, counted from 1, of the nodes that are quoted or within `margin` of the best.

    Only judged nodes have scores that can be compared so; of others all are kept.
    """
    best = max((_log_odds(hit) for hit in nodes), default=0.0)
    return [number for number, hit in enumerate(nodes, 1) if _quoted(hit) or best - _log_odds(hit) <= margin]


def build_messages(instruction: str, content: str) -> tuple[ChatMessage, ...]:
    """An instruction and what it is about, as every format takes them."""
    return (
        ChatMessage(role=MessageRole.SYSTEM, content=instruction),
        ChatMessage(role=MessageRole.USER, content=content),
    )


def prompt_room(llm: LLM) -> int:
    """Tokens that a prompt of ours may have."""
    metadata = llm.metadata
    # Some LlamaIndex models say -1 where they know no limit.
    return metadata.context_window - max(0, metadata.num_output) - FRAME


def count_tokens(llm: LLM, text: str) -> int:
    """As the model counts, where it can; else estimated, rather too many."""
    counter: Callable[[str], int] = getattr(llm, "token_count", estimate_tokens)
    return counter(text)


def escape_markers(text: str) -> str:
    """The text with its markers in round brackets: what is quoted to a model must not look like a source of its own."""
    return MARKER.sub(lambda match: f"({match[1].strip()})", text)


def one_line(text: str) -> str:
    """The text on one line, with its markers escaped: a line break could begin a source of its own."""
    return " ".join(escape_markers(text).split())


def _numbered(number: int, hit: NodeWithScore) -> str:
    metadata = hit.node.metadata
    titles = [f"{name}: {one_line(str(metadata[key]))}" for name, key in _TITLES if metadata.get(key)]
    text = escape_markers(hit.node.get_content().strip())
    return "\n".join([f"[{number}] {titles[0]}" if titles else f"[{number}]", *titles[1:], text])


_TITLES = (("금융회사", "bank"), ("제목", QUESTION))
PROMPT_LINE = re.compile(rf"\s*(?:{'|'.join(name for name, _ in _TITLES)}|질문): ")
"""Begins a line of the prompt that is ours: a model that recites it says nothing."""


def _quoted(hit: NodeWithScore) -> bool:
    return isinstance(hit, JudgedNode) and hit.quoted


def _log_odds(hit: NodeWithScore) -> float:
    if not isinstance(hit, JudgedNode):
        return 0.0
    # A score may be 0 or 1 after rounding, and has no log-odds then.
    chance = min(max(hit.score or 0.0, 1e-9), 1 - 1e-9)
    return math.log(chance / (1 - chance))
