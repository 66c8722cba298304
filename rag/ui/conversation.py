"""One visitor's conversation: its exchanges, the one being answered, and what an undo brings back. Knows no page."""

from __future__ import annotations

from dataclasses import dataclass, field

from rag.types import Answer, AnswerCompleted, AnswerDelta, AnswerEvent, Source, SourcesFound, Turn
from rag.ui.stream_bridge import StreamBridge
from rag.ui.texts import Texts

MAX_EXCHANGES = 20
"""Exchanges that later questions are read with. The page goes on showing those before them."""


@dataclass(slots=True)
class Exchange:
    """A question and its answer so far. `remark` is a line of the page itself: progress, a notice or an error.

    `generated`: a language model wrote the text, which is then labelled; `checked`: its sources state what is shown.
    `record`: the id of its answer record; empty where none is kept. `failed`: asking again may bring another answer.
    """

    turn: int
    question: str
    text: str = ""
    sources: tuple[Source, ...] = ()
    answer: Answer | None = None
    remark: str = ""
    generated: bool = False
    checked: bool = False
    failed: bool = False
    record: str = ""

    def apply(self, event: AnswerEvent) -> None:
        """Add one event of the answer's stream; the last one replaces what the others brought."""
        match event:
            case SourcesFound(sources=sources):
                self.sources = sources
            case AnswerDelta(text=text, generated=generated, checked=checked):
                self.text += text
                self.generated, self.checked = generated, checked
            case AnswerCompleted(answer=answer):
                self.answer, self.text, self.sources = answer, answer.text, answer.sources
                self.generated = self.checked = answer.generated
                # What was masked is not remembered here either: the history and the page show the masked question.
                self.question = answer.question if answer.masked else self.question

    def label(self, texts: Texts) -> str:
        """What stands over the answer: the institution's own word, or how far its sources state a model's text."""
        if not self.generated:
            if self.is_approved:
                return texts.approved
            return texts.passage if self.answer is not None and self.answer.cited else texts.guidance
        if not self.checked:
            return texts.generated
        is_weak = self.answer is not None and any(each.status == "weak" for each in self.answer.support)
        return texts.weak if is_weak else texts.checked

    @property
    def is_approved(self) -> bool:
        """Whether the answer is the institution's approved text: quoted rows of an FAQ, no passage of a document."""
        if self.generated or self.answer is None or self.answer.status != "answered":
            return False
        cited = [self.sources[number - 1] for number in self.answer.cited if number <= len(self.sources)]
        return not any(source.metadata.get("document") for source in cited)

    @property
    def may_differ(self) -> bool:
        """Whether asking again can bring another answer: approved text is the same every time."""
        notice = self.answer.notice if self.answer else None
        return self.failed or self.answer is None or self.generated or notice not in (None, "withheld")


@dataclass(slots=True)
class Running:
    """The exchange being answered, and the means to stop it."""

    exchange: Exchange
    bridge: StreamBridge | None = None
    stopped: bool = False

    def stop(self) -> None:
        """End the answer where it is. May be called before its stream is open, and again."""
        self.stopped = True
        if self.bridge:
            self.bridge.stop()


@dataclass(slots=True)
class Conversation:
    """Changed only from the event loop, so that no two handlers change it at once.

    `chat`: under which it is kept in the history; empty where it is not. `before`: what the last new chat or edit took away.
    `forgotten`: the last turn that made room for later ones; pages go on showing those up to it.
    """

    exchanges: list[Exchange] = field(default_factory=list)
    turns: int = 0
    running: Running | None = None
    chat: str = ""
    before: tuple[str, list[Exchange]] | None = None
    forgotten: int = 0

    def begin(self, question: str) -> Running:
        """Add a question; the oldest exchange beyond MAX_EXCHANGES goes. Turn numbers are never used twice."""
        self.turns += 1
        for each in self.exchanges[: -MAX_EXCHANGES + 1]:
            self.forgotten = each.turn
        self.exchanges = [*self.exchanges, Exchange(self.turns, question)][-MAX_EXCHANGES:]
        self.running = Running(self.exchanges[-1])
        return self.running

    def history(self) -> tuple[Turn, ...]:
        """The answered exchanges, oldest first."""
        return tuple(
            Turn(each.question, each.text, each.answer.status, tuple(source.id for source in each.sources))
            for each in self.exchanges
            if each.answer
        )

    def cut(self, turn: int) -> bool:
        """Take away the exchange `turn` and all after it; they can be brought back. False: it is not there."""
        kept = [each for each in self.exchanges if each.turn < turn]
        if len(kept) == len(self.exchanges) or all(each.turn != turn for each in self.exchanges):
            return False
        self.before = (self.chat, self.exchanges)
        self.exchanges = kept
        return True

    def source(self, row: str) -> Source | None:
        """The row as it was shown in this conversation; the last time counts."""
        shown = (source for each in reversed(self.exchanges) for source in each.sources)
        return next((source for source in shown if source.id == row), None)

    def stop(self) -> None:
        """End the answer being written, if there is one; what is there of it stays."""
        if self.running:
            self.running.stop()

    def clear(self) -> None:
        """Start over. What is still being answered is stopped and shown nowhere."""
        self.stop()
        if self.exchanges:
            running = self.running.exchange if self.running else None
            self.before = (self.chat, [each for each in self.exchanges if each is not running])
        self.running = None
        self.exchanges = []
        self.chat = ""

    def take(self, chat: str, exchanges: list[Exchange]) -> None:
        """Go on with a kept chat."""
        self.clear()
        self.chat = chat
        self.turns = exchanges[-1].turn
        self.exchanges = exchanges[-MAX_EXCHANGES:]
        # The page shows the whole chat; only what later questions are read with is limited.
        self.forgotten = max((each.turn for each in exchanges[:-MAX_EXCHANGES]), default=0)

    def undo(self) -> bool:
        """Bring back what the last new chat or edit took away."""
        if self.running or self.before is None:
            return False
        self.chat, self.exchanges = self.before
        self.before = None
        return True
