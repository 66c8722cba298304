"""One visitor's conversation: its exchanges, the answer being written, and the state that undo restores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.types import (
    MAX_TURNS,
    Answer,
    AnswerCompleted,
    AnswerDelta,
    AnswerEvent,
    SentenceSupport,
    Source,
    SourcesFound,
    Turn,
)
from rag.ui.answer_streams import StreamBridge
from rag.ui.texts import Texts


@dataclass(slots=True)
class Exchange:
    """A question and its answer so far.

    `turn`: the exchange's number in its conversation, from 1. `status_line`: the page's own line under the text: progress,
    a notice or an error. `generated`: a language model wrote the text; `checked`: its sources support the text.
    `weak`: the sentences of the text that have words which their sources lack; `own`: the sources' own in place of a model's.
    `record`: id of its answer record; empty without one. `failed`: the question ended in an error, or was stopped.
    """

    turn: int
    question: str
    text: str = ""
    sources: tuple[Source, ...] = ()
    answer: Answer | None = None
    status_line: str = ""
    generated: bool = False
    checked: bool = False
    failed: bool = False
    record: str = ""
    weak: tuple[str, ...] = ()
    own: tuple[str, ...] = ()

    def apply(self, event: AnswerEvent) -> None:
        """Apply one event of the answer's stream. AnswerCompleted replaces the text and sources of the earlier events."""
        match event:
            case SourcesFound(sources=sources):
                self.sources = sources
            case AnswerDelta(text=text, generated=generated, checked=checked, support=support):
                self.text += text
                self._take_support(support)
                self.generated, self.checked = generated, checked
            case AnswerCompleted(answer=answer):
                self.answer, self.text, self.sources = answer, answer.text, answer.sources
                self.generated = self.checked = answer.generated
                self._take_support(answer.support if answer.generated else ())
                # The unmasked question is not kept: the history and the page show the masked one.
                self.question = answer.question if answer.masked else self.question

    def _take_support(self, support: Sequence[SentenceSupport]) -> None:
        self.weak = tuple(each.text for each in support if each.status == "weak")
        self.own = tuple(each.text for each in support if each.is_replacement)

    def label(self, texts: Texts) -> str:
        """The label above the answer: whether the text is the institution's, or how its sources support a model's text."""
        if not self.generated:
            if self.is_approved:
                return texts.approved
            return texts.passage if self.answer is not None and self.answer.cited else texts.guidance
        if not self.checked:
            return texts.generated
        return texts.partly_checked if self.weak else texts.checked

    @property
    def is_approved(self) -> bool:
        """Whether the answer consists of quoted FAQ rows, without a document's passage."""
        if self.generated or self.answer is None or self.answer.status != "answered":
            return False
        cited = [self.sources[number - 1] for number in self.answer.cited if number <= len(self.sources)]
        return not any(source.metadata.get("document") for source in cited)

    @property
    def may_differ(self) -> bool:
        """Whether asking again can give another answer. Quoted text is the same every time, unless a model failed."""
        notice = self.answer.notice if self.answer else None
        return self.failed or self.answer is None or self.generated or notice not in (None, "withheld")


@dataclass(slots=True)
class RunningAnswer:
    """The exchange being answered. `bridge`: its stream, once it is open."""

    exchange: Exchange
    bridge: StreamBridge | None = None
    stopped: bool = False

    def stop(self) -> None:
        """End the answer; the text so far stays. May be called before the stream is open, and repeatedly."""
        self.stopped = True
        if self.bridge:
            self.bridge.stop()


@dataclass(slots=True)
class Conversation:
    """The state of one conversation. Not thread-safe: it is changed only in the event loop.

    `turns`: the last turn number given out. `chat_id`: id in the chat history; empty if it is not saved. `undo_state`: the
    chat id and the exchanges that the last new chat or edit removed. `last_dropped_turn`: the newest turn beyond
    MAX_TURNS; pages continue to show the turns up to it.
    """

    exchanges: list[Exchange] = field(default_factory=list)
    turns: int = 0
    running: RunningAnswer | None = None
    chat_id: str = ""
    undo_state: tuple[str, list[Exchange]] | None = None
    last_dropped_turn: int = 0

    def begin(self, question: str) -> RunningAnswer:
        """Add a question and drop the oldest exchange beyond MAX_TURNS. Turn numbers are never reused."""
        self.turns += 1
        for each in self.exchanges[: -MAX_TURNS + 1]:
            self.last_dropped_turn = each.turn
        self.exchanges = [*self.exchanges, Exchange(self.turns, question)][-MAX_TURNS:]
        self.running = RunningAnswer(self.exchanges[-1])
        return self.running

    def history(self) -> tuple[Turn, ...]:
        """The answered exchanges, oldest first."""
        return tuple(each.answer.as_turn() for each in self.exchanges if each.answer)

    def remove_from(self, turn: int) -> bool:
        """Remove the exchange `turn` and all later ones; `undo` restores them. Returns False if there is no such turn."""
        kept = [each for each in self.exchanges if each.turn < turn]
        if len(kept) == len(self.exchanges) or all(each.turn != turn for each in self.exchanges):
            return False
        self.undo_state = (self.chat_id, self.exchanges)
        self.exchanges = kept
        return True

    def source(self, row: str) -> Source | None:
        """The row with this id as it was shown last in this conversation; None if it was not shown."""
        shown = (source for each in reversed(self.exchanges) for source in each.sources)
        return next((source for source in shown if source.id == row), None)

    def stop(self) -> None:
        """End the answer being written, if any; the text so far stays."""
        if self.running:
            self.running.stop()

    def clear(self) -> None:
        """Remove all exchanges; `undo` restores the finished ones. An answer being written is stopped and discarded."""
        self.stop()
        if self.exchanges:
            running = self.running.exchange if self.running else None
            self.undo_state = (self.chat_id, [each for each in self.exchanges if each is not running])
        self.running = None
        self.exchanges = []
        self.chat_id = ""

    def load_chat(self, chat_id: str, exchanges: list[Exchange]) -> None:
        """Replace the conversation by a saved chat, whose `exchanges` must not be empty."""
        self.clear()
        self.chat_id = chat_id
        self.turns = exchanges[-1].turn
        self.exchanges = exchanges[-MAX_TURNS:]
        # The page shows the whole chat; only the history of later questions is limited.
        self.last_dropped_turn = max((each.turn for each in exchanges[:-MAX_TURNS]), default=0)

    def undo(self) -> bool:
        """Restore what the last new chat or edit removed. Returns False if there is nothing, or an answer is being written."""
        if self.running or self.undo_state is None:
            return False
        self.chat_id, self.exchanges = self.undo_state
        self.undo_state = None
        return True
