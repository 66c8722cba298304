"""One visitor's conversation and what happens when something is asked: a stream of frames, each what changes on the page.

Knows no component: page.py turns frames into updates of Gradio's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.errors import InputError, RagError
from rag.types import Answer, AnswerCompleted, AnswerDelta, AnswerEvent, Filters, Source, SourcesFound, Turn
from rag.ui.answer_slots import AnswerSlots
from rag.ui.i18n import ENGLISH, KOREAN, Texts
from rag.ui.loader import Chat, Loader
from rag.ui.rendering import aside, cited, messages, panel_html, remark, shortened
from rag.ui.stream_bridge import StreamBridge

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.1
"""Between looks at a loading service."""
MAX_EXCHANGES = 20
"""Exchanges of a conversation that are remembered: each change of the page costs more the longer the history is."""

Choices = Mapping[str, str | None]
"""What is chosen in each filter of the page, by its name; empty or None: everything."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose turn a question takes: one browser or program, and its address."""

    owner: str = ""
    address: str = ""


ANYBODY = Asker()


@dataclass(slots=True)
class Exchange:
    """A question and its answer so far. `remark` is a line of the page itself: progress, a notice or an error.

    `generated`: a language model wrote the text, which is then labelled; `checked`: its sources state what is shown.
    """

    turn: int
    question: str
    text: str = ""
    sources: tuple[Source, ...] = ()
    answer: Answer | None = None
    remark: str = ""
    generated: bool = False
    checked: bool = False

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
        """What stands over a language model's text: how far its sources state it."""
        if not self.checked:
            return texts.generated
        is_weak = self.answer is not None and any(each.status == "weak" for each in self.answer.support)
        return texts.weak if is_weak else texts.checked

    def markdown(self, texts: Texts) -> str:
        """The text, under a label where a language model wrote it, and the remark."""
        parts = [cited(self.text, turn=self.turn, sources=len(self.sources))] if self.text else []
        if parts and self.generated:
            parts.insert(0, aside(self.label(texts)))
        return "\n\n".join([*parts, aside(self.remark)] if self.remark else parts)


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
    """Changed only from the event loop, so that no two handlers change it at once."""

    exchanges: list[Exchange] = field(default_factory=list)
    turns: int = 0
    running: Running | None = None

    def begin(self, question: str) -> Running:
        """Add a question; the oldest exchange beyond MAX_EXCHANGES goes. Turn numbers are never used twice."""
        self.turns += 1
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

    def forget_last(self) -> str | None:
        """Remove the last exchange and return its question."""
        return self.exchanges.pop().question if self.exchanges else None

    def stop(self) -> None:
        """End the answer being written, if there is one; what is there of it stays."""
        if self.running:
            self.running.stop()

    def clear(self) -> None:
        """Start over. What is still being answered is stopped and shown nowhere."""
        self.stop()
        self.running = None
        self.exchanges = []


@dataclass(frozen=True, slots=True)
class Frame:
    """What changes on the page; None leaves a part as it is. `hint` is the line under the box.

    Where nothing changes there is a frame that says so: an event that ends without any empties all that it may change.
    All frames of one answer set every part. Gradio sends the difference to the frame before, and its client applies that
    to a frame it has not drawn yet: of two frames within one animation frame, what the second leaves out is lost.
    """

    messages: list[dict[str, Any]] | None = None
    panel: str | None = None
    busy: bool | None = None
    empty: bool | None = None
    box: str | None = None
    hint: str | None = None


class Dialogue:
    """The answers of one page to all its visitors."""

    def __init__(
        self, loader: Loader, texts: Texts, *, max_question_chars: int, slots: AnswerSlots | None = None
    ) -> None:
        self._loader = loader
        self._texts = texts
        self._limit = max_question_chars
        self._slots = slots or AnswerSlots(2)

    async def respond(
        self, conversation: Conversation, question: str, choices: Choices, asker: Asker = ANYBODY
    ) -> AsyncGenerator[Frame, None]:
        """Answer `question`. Nothing changes while another is being answered, or for an empty one."""
        question = question.strip()
        if conversation.running or not question:
            yield Frame()
            return
        if len(question) > self._limit:
            yield Frame(hint=self._texts.error(self._too_long(question)))
            return
        # Before the question joins them: it is asked with the history, not as a part of it.
        history = conversation.history()
        running = conversation.begin(question)
        try:
            running.exchange.remark = self._texts.searching
            yield self._answering(conversation, busy=True)
            async for _ in self._answer(running, history, choices, asker):
                if conversation.running is running:  # else the page was cleared, and maybe asked again
                    yield self._answering(conversation, busy=True)
        finally:
            running.stop()
            if not (cleared := conversation.running is not running):
                conversation.running = None
        # Gradio shows an event's last frame once more when the event ends, which here may be after the page was cleared
        yield self._current(conversation) if cleared else self._answering(conversation, busy=False)

    async def retry(
        self, conversation: Conversation, choices: Choices, asker: Asker = ANYBODY
    ) -> AsyncGenerator[Frame, None]:
        """Answer the last question again, in the place of its answer."""
        if conversation.running:
            yield Frame()
        elif question := conversation.forget_last():
            async for frame in self.respond(conversation, question, choices, asker):
                yield frame
        else:  # a page that was open before the server was restarted
            yield self._current(conversation)

    def clear(self, conversation: Conversation) -> Frame:
        """An empty page; an answer still being written is stopped."""
        conversation.clear()
        return self._current(conversation)

    async def ask(self, question: str, choices: Choices, asker: Asker = ANYBODY) -> Answer:
        """One whole answer, for programs; waits for the loading and its turn. Raises RagError."""
        question = question.strip()
        if not question:
            raise InputError(ENGLISH.empty, korean=KOREAN.empty)
        if len(question) > self._limit:
            raise self._too_long(question)
        while self._loader.status == "loading":
            await asyncio.sleep(POLL_SECONDS)
        service = self._loader.service()
        async with self._slots.turn(asker.owner, asker.address) as turn:
            await turn.ready.wait()
            return await asyncio.to_thread(lambda: service.ask(question, filters=self._filters(service, choices)))

    async def _answer(
        self, running: Running, history: tuple[Turn, ...], choices: Choices, asker: Asker
    ) -> AsyncGenerator[None, None]:
        """Fill the exchange; yields at each change."""
        exchange, texts = running.exchange, self._texts
        try:
            async for _ in self._wait_for_service(running):
                yield
            async with self._slots.turn(asker.owner, asker.address) as turn:
                async for _ in turn.wait():
                    if running.stopped:
                        break
                    exchange.remark = texts.turn
                    yield
                if not running.stopped:
                    async for batch in self._open_bridge(running, history, choices).batches():
                        for event in batch:
                            exchange.apply(event)
                        exchange.remark = (
                            "" if exchange.text else texts.writing if exchange.sources else texts.searching
                        )
                        yield
            exchange.remark = remark(exchange.answer, texts)
        except RagError as exc:
            logger.warning("a question was not answered: %s", exc)
            exchange.remark = texts.error(exc)
        except Exception:
            # Whatever it was, the visitor gets a line and may ask again: a raised error would leave the page busy.
            logger.exception("a question was not answered")
            exchange.remark = texts.unexpected

    async def _wait_for_service(self, running: Running) -> AsyncGenerator[None, None]:
        """Show in the exchange how the loading goes; yields at each step."""
        shown = ""
        while self._loader.status == "loading" and not running.stopped:
            step = self._texts.step(*self._loader.step)
            if step != shown:
                shown = step
                running.exchange.remark = f"{self._texts.waiting} {step}"
                yield
            await asyncio.sleep(POLL_SECONDS)

    def _open_bridge(self, running: Running, history: tuple[Turn, ...], choices: Choices) -> StreamBridge:
        """The answer's stream. Filters are read in the bridge's thread: asking a store for its values may block."""
        service, question = self._loader.service(), running.exchange.question
        bridge = StreamBridge(lambda: service.stream(question, history, self._filters(service, choices)))
        running.bridge = bridge
        return bridge

    @staticmethod
    def _filters(service: Chat, choices: Choices) -> Filters | None:
        """Raises InputError for a value that is not on offer: programs may send any."""
        equals = {name: value for name, value in choices.items() if value}
        if not equals:
            return None
        facets = service.facets()
        for name, value in equals.items():
            if value not in (offered := facets.get(name, ())):
                words = {"value": shortened(value), "choices": ", ".join(offered)}
                korean = KOREAN.unknown_choice.format(**words)
                raise InputError(ENGLISH.unknown_choice.format(**words), korean=korean)
        return Filters(equals=equals)

    def _too_long(self, question: str) -> InputError:
        values = {"length": f"{len(question):,}", "limit": f"{self._limit:,}"}
        return InputError(ENGLISH.too_long.format(**values), korean=KOREAN.too_long.format(**values))

    def _answering(self, conversation: Conversation, *, busy: bool) -> Frame:
        return self._frame(conversation, busy=busy, empty=False, box="")

    def _current(self, conversation: Conversation) -> Frame:
        """The conversation as it is now, whoever changed it; what is being typed stays."""
        return self._frame(conversation, busy=conversation.running is not None, empty=not conversation.exchanges)

    def _frame(self, conversation: Conversation, *, busy: bool, empty: bool, box: str | None = None) -> Frame:
        exchanges = conversation.exchanges
        panel = panel_html([(each.turn, each.question, each.sources) for each in exchanges], self._texts)
        return Frame(messages(exchanges, self._texts), panel, busy, empty, box, hint="")
