"""One visitor's conversation: what was asked, what has been answered so far, and how both are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rag.types import Answer, AnswerCompleted, AnswerDelta, AnswerEvent, Source, SourcesFound, Turn
from rag.ui.markdown import aside, cited, literal
from rag.ui.streaming import Pump

KEPT = 20
"""Exchanges kept: each change of the page costs more the longer the history is."""


@dataclass(slots=True)
class Exchange:
    """A question and its answer so far. `remark` is a line of the page itself: progress, a notice or an error.

    `generated`: a language model wrote the text, which is then labelled.
    """

    turn: int
    question: str
    text: str = ""
    sources: tuple[Source, ...] = ()
    answer: Answer | None = None
    remark: str = ""
    generated: bool = False

    def take(self, event: AnswerEvent) -> None:
        match event:
            case SourcesFound(sources=sources):
                self.sources = sources
            case AnswerDelta(text=text, generated=generated):
                self.text += text
                self.generated = generated
            case AnswerCompleted(answer=answer):
                self.answer, self.text, self.sources = answer, answer.text, answer.sources
                self.generated = answer.generated

    def markdown(self, label: str) -> str:
        """The text, under `label` where a language model wrote it, and the remark."""
        parts = [cited(self.text, turn=self.turn, sources=len(self.sources))] if self.text else []
        if parts and self.generated:
            parts.insert(0, aside(label))
        return "\n\n".join([*parts, aside(self.remark)] if self.remark else parts)


@dataclass(slots=True)
class Running:
    """The exchange being answered, and the means to stop it."""

    exchange: Exchange
    pump: Pump | None = None
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True
        if self.pump:
            self.pump.stop()


@dataclass(slots=True)
class Conversation:
    """Changed only from the event loop, so that no two handlers change it at once."""

    exchanges: list[Exchange] = field(default_factory=list)
    turns: int = 0
    running: Running | None = None

    def begin(self, question: str) -> Running:
        """Add a question; the oldest exchange beyond KEPT goes. Turn numbers are never used twice."""
        self.turns += 1
        self.exchanges = [*self.exchanges, Exchange(self.turns, question)][-KEPT:]
        self.running = Running(self.exchanges[-1])
        return self.running

    def history(self) -> tuple[Turn, ...]:
        """The answered exchanges, oldest first."""
        return tuple(Turn(each.question, each.text) for each in self.exchanges if each.answer)

    def forget_last(self) -> str | None:
        """Take the last exchange back and return its question."""
        return self.exchanges.pop().question if self.exchanges else None

    def stop(self) -> None:
        if self.running:
            self.running.stop()

    def clear(self) -> None:
        """Start over. What is still being answered is stopped and shown nowhere."""
        self.stop()
        self.running = None
        self.exchanges = []


def messages(exchanges: Sequence[Exchange], *, label: str) -> list[dict[str, Any]]:
    """The value of the chat component: two messages per exchange, and the nearest questions as buttons of the last.

    `label` stands over what a language model wrote.
    """
    shown: list[dict[str, Any]] = []
    for each in exchanges:
        shown.append({"role": "user", "content": literal(each.question)})
        shown.append({"role": "assistant", "content": each.markdown(label)})
    if exchanges and (last := exchanges[-1]).answer and last.answer.status == "suggested":
        shown[-1]["options"] = [{"value": source.question} for source in last.sources]
    return shown
