"""Handles a visitor's actions (ask, choose, edit, retry, clear, undo): each returns or yields frames for the page.

Does not use Gradio's components; page.py passes the frames to Gradio.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass

from rag.errors import InputError, RagError
from rag.korean import text_length
from rag.types import Answer, Filters, Turn
from rag.ui.answer_streams import AnswerSlots, StreamBridge
from rag.ui.conversation import Conversation, Exchange, RunningAnswer
from rag.ui.conversation_recorder import ConversationRecorder, UnsavedChat
from rag.ui.loader import Chat, Loader
from rag.ui.rendering import Relevance, RenderOptions, frame_html, notice_line, truncate
from rag.ui.texts import ENGLISH, KOREAN, Texts

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.1
"""Seconds between checks whether the service has loaded."""
_serials = itertools.count(int(time.time() * 1000))
"""Serial numbers of all frames.

They start at the time in milliseconds: after a restart or a dropped conversation, new frames must have higher numbers than
those that an open page has seen.
"""

Choices = Mapping[str, str | None]
"""The selected value of each filter, by the filter's name ("bank", "category"); empty or None: no limit."""


@dataclass(frozen=True, slots=True)
class Client:
    """The browser or program that asks.

    `owner`, `address`: as in `rag.ui.visitors.Visitor`; answer slots are shared out by them. `person`: key of the saved
    chats, which stays the same over restarts; empty: no chats are saved.
    """

    owner: str = ""
    address: str = ""
    person: str = ""


ANONYMOUS = Client()


@dataclass(frozen=True, slots=True)
class Frame:
    """A change of the page, as returned by `frame_html`.

    `html` empty: no change; yielded where an event has nothing to show, because Gradio would clear the page's inbox after
    an event without output. A frame contains complete turns: of two frames within one animation frame, Gradio's client
    renders only the second.
    """

    html: str = ""
    busy: bool = False


class Dialogue:
    """Answers the questions of all visitors of one page.

    `max_question_chars`: longer questions are rejected; counted in NFKC. `slots`: default: two answers at once.
    `relevance`: how scores are shown. `recorder`: default: nothing is saved.
    """

    def __init__(
        self,
        loader: Loader,
        texts: Texts,
        *,
        max_question_chars: int,
        slots: AnswerSlots | None = None,
        relevance: Relevance = "off",
        recorder: ConversationRecorder | None = None,
    ) -> None:
        self._loader = loader
        self._texts = texts
        self._limit = max_question_chars
        self._slots = slots or AnswerSlots(2)
        self._relevance: Relevance = relevance
        self._recorder = recorder or ConversationRecorder()

    async def respond(
        self,
        conversation: Conversation,
        question: str,
        choices: Choices,
        client: Client = ANONYMOUS,
        *,
        row: str | None = None,
        replaces_turn: int | None = None,
    ) -> AsyncGenerator[Frame, None]:
        """Answer `question`. Ignored while the conversation has another answer in progress.

        `row`: id of the suggested row that the visitor chose; that row is the answer. `replaces_turn`: this turn and all
        later ones are removed first.
        """
        question = question.strip()
        if conversation.running:
            yield Frame()
            return
        if refusal := self._refusal(question):
            yield self._frame(conversation, (), hint=self._texts.error(refusal))
            return
        undo = replaces_turn is not None and conversation.remove_from(replaces_turn)
        # Taken before the question is added, because the question is not part of its history.
        history = conversation.history()
        running = conversation.begin(question)
        exchange = running.exchange
        chat: UnsavedChat | None = None
        try:
            with self._slots.unanswered():
                exchange.status_line = self._texts.searching
                yield self._frame(conversation, [exchange], undo=undo, toast=self._texts.editing if undo else "")
                async for _ in self._answer(conversation, history, choices, client, row):
                    if conversation.running is running:  # otherwise the page was cleared
                        yield self._frame(conversation, [exchange])
                if conversation.running is running:
                    conversation.running = None
                    chat = self._recorder.chat_of(conversation, client.person)
                    # Before the chat is saved, so that nobody waits for that: the next question may come at once.
                    yield self._frame(conversation, [exchange])
                else:
                    # Gradio shows an event's last frame again when the event ends; after a clear that must not be the old turn.
                    yield Frame()
        finally:
            running.stop()
            if conversation.running is running:  # the visitor has left
                conversation.running = None
                chat = self._recorder.chat_of(conversation, client.person)
            if chat:
                await self._recorder.save_chat(chat, client.address)

    async def open(self, conversation: Conversation, chat: str, client: Client) -> Frame:
        """Replace the conversation by a saved chat; no change if there is no such chat or an answer is in progress."""
        exchanges = list(await self._recorder.load_chat(client.person, chat))
        if not exchanges or conversation.running:
            return self.full_frame(conversation)
        conversation.load_chat(chat, exchanges)
        return self._frame(conversation, exchanges, reset=True)

    async def choose(
        self, conversation: Conversation, row: str, choices: Choices, client: Client = ANONYMOUS
    ) -> AsyncGenerator[Frame, None]:
        """Answer with the suggested row that has the id `row`; no answer if this conversation has not shown it."""
        source = conversation.source(row)
        if source is None:
            yield self.full_frame(conversation)
            return
        bank = str(source.metadata.get("bank") or "")
        question = f"{bank} {source.question}" if bank else source.question
        async for frame in self.respond(conversation, question[: self._limit], choices, client, row=row):
            yield frame

    async def retry(
        self, conversation: Conversation, choices: Choices, client: Client = ANONYMOUS
    ) -> AsyncGenerator[Frame, None]:
        """Replace the last answer by a new one to the same question."""
        if conversation.running or not conversation.exchanges:
            yield Frame() if conversation.running else self.full_frame(conversation)
            return
        question = conversation.exchanges.pop().question
        async for frame in self.respond(conversation, question, choices, client):
            yield frame

    def clear(self, conversation: Conversation) -> Frame:
        """Remove all turns; an answer being written is stopped."""
        conversation.clear()
        had_any = conversation.undo_state is not None
        return self.full_frame(conversation, toast=self._texts.cleared if had_any else "", undo=had_any)

    def drop(self, conversation: Conversation) -> Frame:
        """Remove all turns for good: the saved chat was deleted."""
        conversation.clear()
        conversation.undo_state = None
        return self.full_frame(conversation)

    def undo(self, conversation: Conversation) -> Frame:
        """Restore what the last new chat or edit removed."""
        return self.full_frame(conversation, toast=self._texts.restored if conversation.undo() else "")

    def full_frame(self, conversation: Conversation, *, toast: str = "", undo: bool = False) -> Frame:
        """A frame with the complete conversation."""
        return self._frame(conversation, conversation.exchanges, reset=True, toast=toast, undo=undo)

    async def ask(self, question: str, choices: Choices, client: Client = ANONYMOUS) -> Answer:
        """Answer one question of a program. Waits until the service has loaded and a slot is free. Raises RagError."""
        question = question.strip()
        if refusal := self._refusal(question):
            raise refusal
        while self._loader.status == "loading":
            await asyncio.sleep(POLL_SECONDS)
        service = self._loader.service()
        async with self._slots.request(client.owner, client.address) as slot:
            await slot.ready.wait()
            answer = await asyncio.to_thread(lambda: service.ask(question, filters=self._filters(service, choices)))
        await self._recorder.record_answer(answer, "api", _equals(choices), service.versions)
        return answer

    async def _answer(
        self, conversation: Conversation, history: tuple[Turn, ...], choices: Choices, client: Client, row: str | None
    ) -> AsyncGenerator[None, None]:
        """Fill the running exchange; yields after each change. Errors become the exchange's status line."""
        running, texts = conversation.running, self._texts
        assert running, "the caller has begun the exchange"
        exchange = running.exchange
        try:
            async for _ in self._wait_for_service(running):
                yield
            async with self._slots.request(client.owner, client.address) as slot:
                async for _ in slot.wait():
                    if running.stopped:
                        break
                    exchange.status_line = texts.turn
                    yield
                if not running.stopped:
                    writes = self._loader.service().writes
                    async for batch in self._open_bridge(running, history, choices, row).batches():
                        for event in batch:
                            exchange.apply(event)
                        exchange.status_line = (
                            "" if exchange.text else texts.writing if exchange.sources else texts.searching
                        )
                        # Without a model the text is complete within milliseconds: it is shown once, with its label.
                        if writes or not batch:
                            yield
            if exchange.answer:
                exchange.record = await self._recorder.record_answer(
                    exchange.answer, "page", _equals(choices), self._loader.service().versions, conversation, row
                )
            exchange.status_line = notice_line(exchange.answer, texts)
            exchange.failed = exchange.answer is None
        except RagError as exc:
            logger.warning("a question was not answered: %s", exc)
            self._recorder.count_failure()
            exchange.failed = True
            exchange.status_line = texts.error(exc)
        except Exception:
            # Caught here because an error raised in Gradio's event would leave the page busy.
            logger.exception("a question was not answered")
            self._recorder.count_failure()
            exchange.failed = True
            exchange.status_line = texts.unexpected

    async def _wait_for_service(self, running: RunningAnswer) -> AsyncGenerator[None, None]:
        """Wait until the service has loaded; yields after each change of the progress in the exchange's status line."""
        shown_step = ""
        while self._loader.status == "loading" and not running.stopped:
            step = self._texts.step(*self._loader.step)
            if step != shown_step:
                shown_step = step
                running.exchange.status_line = f"{self._texts.waiting} {step}"
                yield
            await asyncio.sleep(POLL_SECONDS)

    def _open_bridge(
        self, running: RunningAnswer, history: tuple[Turn, ...], choices: Choices, row: str | None
    ) -> StreamBridge:
        """Open the answer's stream. `_filters` runs in the bridge's thread, because reading a store's values may block."""
        service, question = self._loader.service(), running.exchange.question
        bridge = StreamBridge(lambda: service.stream(question, history, self._filters(service, choices), row=row))
        running.bridge = bridge
        return bridge

    @staticmethod
    def _filters(service: Chat, choices: Choices) -> Filters | None:
        """The filters of the selected values. Raises InputError for a value that the service does not have."""
        if not (equals := _equals(choices)):
            return None
        facets = service.facets()
        for name, value in equals.items():
            if value not in (available := facets.get(name, ())):
                values = {"value": truncate(value), "choices": ", ".join(available)}
                korean = KOREAN.unknown_choice.format(**values)
                raise InputError(ENGLISH.unknown_choice.format(**values), korean=korean)
        return Filters(equals=equals)

    def _refusal(self, question: str) -> InputError | None:
        """Why a question is not answered; None for one that is."""
        if not question:
            return InputError(ENGLISH.empty, korean=KOREAN.empty)
        if (length := text_length(question)) <= self._limit:
            return None
        values = {"length": f"{length:,}", "limit": f"{self._limit:,}"}
        return InputError(ENGLISH.too_long.format(**values), korean=KOREAN.too_long.format(**values))

    def _frame(
        self,
        conversation: Conversation,
        changed: Iterable[Exchange],
        *,
        reset: bool = False,
        hint: str = "",
        toast: str = "",
        undo: bool = False,
    ) -> Frame:
        busy = conversation.running is not None
        contact = self._loader.service().contact if self._loader.status == "ready" else ""
        options = RenderOptions(self._texts, self._relevance, contact, records=self._recorder.keeps_records)
        numbers = [each.turn for each in conversation.exchanges]
        html = frame_html(
            changed, numbers, options, serial=next(_serials), busy=busy, reset=reset, hint=hint, toast=toast, undo=undo,
            chat=conversation.chat_id, last_dropped_turn=conversation.last_dropped_turn,
        )  # fmt: skip
        return Frame(html, busy)


def _equals(choices: Choices) -> dict[str, str]:
    """The values that are selected."""
    return {name: value for name, value in choices.items() if value}
