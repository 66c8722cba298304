"""AnswerStream: an answer in pieces, and how it ended. What the chat and the synthesizers have in common."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field

from llama_index.core.schema import NodeWithScore

from rag.synthesis.verbatim import pieces, quoted, verbatim
from rag.types import Notice


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer ended. `text` is the answer; with a notice it is the passages, whatever was shown before.

    `cited`: numbers of the nodes, from 1. `generated`: a model wrote it. `usage`: tokens, as far as the container reports them.
    """

    text: str
    cited: tuple[int, ...]
    notice: Notice | None = None
    generated: bool = False
    usage: Mapping[str, int] = field(default_factory=dict)


class AnswerStream:
    """An answer's pieces, to be iterated once. `outcome` is known after the last one, and stays None where it was closed
    before.

    `generated`: whether the pieces so far are a model's. Joined they are the outcome's text, unless a model's broke off.
    `generate` makes the pieces and sets both.
    """

    def __init__(self, generate: Callable[[AnswerStream], Generator[str, None, None]]) -> None:
        self.outcome: Outcome | None = None
        self.generated = False
        self._pieces = generate(self)

    def __iter__(self) -> Generator[str, None, None]:
        return self._pieces

    def close(self) -> None:
        """End the pieces, and the call of a model that they come from. From another thread, cancel the answer's scope."""
        self._pieces.close()


def passages(nodes: Sequence[NodeWithScore], notice: Notice | None = None) -> Outcome:
    """The approved texts as the answer."""
    return Outcome(verbatim(nodes), quoted(nodes), notice)


def stream_verbatim(nodes: Sequence[NodeWithScore], notice: Notice | None = None) -> AnswerStream:
    """The approved texts, sentence by sentence."""

    def generate(stream: AnswerStream) -> Generator[str, None, None]:
        outcome = passages(nodes, notice)
        yield from pieces(outcome.text)
        stream.outcome = outcome

    return AnswerStream(generate)
