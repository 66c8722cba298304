"""What happens when a visitor asks, chooses, edits or starts over: a stream of frames, each what changes on the page.

Knows no component: page.py hands frames to Gradio.
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
from rag.ui.answer_slots import AnswerSlots
from rag.ui.conversation import Conversation, Exchange, Running
from rag.ui.i18n import ENGLISH, KOREAN, Texts
from rag.ui.keeping import Keeper
from rag.ui.loader import Chat, Loader
from rag.ui.rendering import Look, frame_html, remark, shortened
from rag.ui.source_cards import Relevance
from rag.ui.stream_bridge import StreamBridge

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.1
"""Between looks at a loading service."""
_serials = itertools.count(int(time.time() * 1000))
"""One row of numbers for all frames: a conversation that was dropped from memory begins above what its page has seen."""

Choices = Mapping[str, str | None]
"""What is chosen in each filter of the page, by its name; empty or None: everything."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose turn a question takes: one browser or program, and its address."""

    owner: str = ""
    address: str = ""
    person: str = ""
    """Under which chats are kept, over restarts; empty: none are."""


ANYBODY = Asker()


@dataclass(frozen=True, slots=True)
class Frame:
    """What changes on the page, as `frame_html` makes it. Empty: nothing; an event that ends without any frame would empty
    the page's inbox.

    Each holds all of the turn it is about. Gradio sends the difference to the frame before, and of two frames within one
    animation frame its client draws the second alone.
    """

    html: str = ""
    busy: bool = False


class Dialogue:
    """The answers of one page to all its visitors."""

    def __init__(
        self,
        loader: Loader,
        texts: Texts,
        *,
        max_question_chars: int,
        slots: AnswerSlots | None = None,
        relevance: Relevance = "off",
        keeper: Keeper | None = None,
    ) -> None:
        self._loader = loader
        self._texts = texts
        self._limit = max_question_chars
        self._slots = slots or AnswerSlots(2)
        self._relevance: Relevance = relevance
        self._keeper = keeper or Keeper()

    async def respond(
        self,
        conversation: Conversation,
        question: str,
        choices: Choices,
        asker: Asker = ANYBODY,
        *,
        row: str | None = None,
        instead_of: int | None = None,
    ) -> AsyncGenerator[Frame, None]:
        """Answer `question`. Nothing changes while another is being answered.

        `row`: the suggested row that was chosen, which is then the answer. `instead_of`: the turn it takes the place of, and of
        all after it.
        """
        question = question.strip()
        if conversation.running:
            yield Frame()
            return
        if not question or text_length(question) > self._limit:
            hint = self._texts.error(self._too_long(question)) if question else self._texts.empty
            yield self._frame(conversation, (), hint=hint)
            return
        undo = instead_of is not None and conversation.cut(instead_of)
        # Before the question joins them: it is asked with the history, not as a part of it.
        history = conversation.history()
        running = conversation.begin(question)
        exchange = running.exchange
        try:
            exchange.remark = self._texts.searching
            yield self._frame(conversation, [exchange], undo=undo, said=self._texts.editing if undo else "")
            async for _ in self._answer(conversation, history, choices, asker, row):
                if conversation.running is running:  # else the page was cleared, and maybe asked again
                    yield self._frame(conversation, [exchange])
        finally:
            running.stop()
            if not (cleared := conversation.running is not running):
                conversation.running = None
                await self._keeper.keep(conversation, asker.person, asker.address)
        # Gradio shows an event's last frame once more when the event ends, which here may be after the page was cleared
        yield Frame() if cleared else self._frame(conversation, [exchange])

    async def open(self, conversation: Conversation, chat: str, asker: Asker) -> Frame:
        """A kept chat in the place of the conversation; as it is where there is no such chat."""
        exchanges = list(await self._keeper.turns(asker.person, chat))
        if not exchanges or conversation.running:
            return self.current(conversation)
        conversation.take(chat, exchanges)
        return self._frame(conversation, exchanges, reset=True)

    async def choose(
        self, conversation: Conversation, row: str, choices: Choices, asker: Asker = ANYBODY
    ) -> AsyncGenerator[Frame, None]:
        """Answer with the suggested row `row`, which this conversation has shown."""
        source = conversation.source(row)
        if source is None:
            yield self.current(conversation)
            return
        bank = str(source.metadata.get("bank") or "")
        question = f"{bank} {source.question}" if bank else source.question
        async for frame in self.respond(conversation, question[: self._limit], choices, asker, row=row):
            yield frame

    async def retry(
        self, conversation: Conversation, choices: Choices, asker: Asker = ANYBODY
    ) -> AsyncGenerator[Frame, None]:
        """Answer the last question again, in the place of its answer."""
        if conversation.running or not conversation.exchanges:
            yield Frame() if conversation.running else self.current(conversation)
            return
        question = conversation.exchanges.pop().question
        async for frame in self.respond(conversation, question, choices, asker):
            yield frame

    def clear(self, conversation: Conversation) -> Frame:
        """An empty page; an answer still being written is stopped."""
        conversation.clear()
        had_any = conversation.before is not None
        return self.current(conversation, said=self._texts.cleared if had_any else "", undo=had_any)

    def undo(self, conversation: Conversation) -> Frame:
        """What the last new chat or edit took away is there again."""
        return self.current(conversation, said=self._texts.restored if conversation.undo() else "")

    def current(self, conversation: Conversation, *, said: str = "", undo: bool = False) -> Frame:
        """The whole conversation as it is now, whoever changed it."""
        return self._frame(conversation, conversation.exchanges, reset=True, said=said, undo=undo)

    async def ask(self, question: str, choices: Choices, asker: Asker = ANYBODY) -> Answer:
        """One whole answer, for programs; waits for the loading and its turn. Raises RagError."""
        question = question.strip()
        if not question:
            raise InputError(ENGLISH.empty, korean=KOREAN.empty)
        if text_length(question) > self._limit:
            raise self._too_long(question)
        while self._loader.status == "loading":
            await asyncio.sleep(POLL_SECONDS)
        service = self._loader.service()
        async with self._slots.turn(asker.owner, asker.address) as turn:
            await turn.ready.wait()
            answer = await asyncio.to_thread(lambda: service.ask(question, filters=self._filters(service, choices)))
        equals = {name: value for name, value in choices.items() if value}
        await self._keeper.record(answer, "api", equals, service.versions)
        return answer

    async def _answer(
        self, conversation: Conversation, history: tuple[Turn, ...], choices: Choices, asker: Asker, row: str | None
    ) -> AsyncGenerator[None, None]:
        """Fill the exchange; yields at each change."""
        running, texts = conversation.running, self._texts
        assert running, "begun by the caller"
        exchange = running.exchange
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
                    writes = self._loader.service().writes
                    async for batch in self._open_bridge(running, history, choices, row).batches():
                        for event in batch:
                            exchange.apply(event)
                        exchange.remark = (
                            "" if exchange.text else texts.writing if exchange.sources else texts.searching
                        )
                        # Approved text is there at once: it is shown whole, with its label.
                        if writes or not batch:
                            yield
            if exchange.answer:
                equals = {name: value for name, value in choices.items() if value}
                versions = self._loader.service().versions
                exchange.record = await self._keeper.record(
                    exchange.answer, "page", equals, versions, conversation, row
                )
            exchange.remark = remark(exchange.answer, texts)
            exchange.failed = exchange.answer is None
        except RagError as exc:
            logger.warning("a question was not answered: %s", exc)
            self._keeper.failed()
            exchange.failed = True
            exchange.remark = texts.error(exc)
        except Exception:
            # Whatever it was, the visitor gets a line and may ask again: a raised error would leave the page busy.
            logger.exception("a question was not answered")
            self._keeper.failed()
            exchange.failed = True
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

    def _open_bridge(
        self, running: Running, history: tuple[Turn, ...], choices: Choices, row: str | None
    ) -> StreamBridge:
        """The answer's stream. Filters are read in the bridge's thread: asking a store for its values may block."""
        service, question = self._loader.service(), running.exchange.question
        bridge = StreamBridge(lambda: service.stream(question, history, self._filters(service, choices), row=row))
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
        values = {"length": f"{text_length(question):,}", "limit": f"{self._limit:,}"}
        return InputError(ENGLISH.too_long.format(**values), korean=KOREAN.too_long.format(**values))

    def _frame(
        self,
        conversation: Conversation,
        changed: Iterable[Exchange],
        *,
        reset: bool = False,
        hint: str = "",
        said: str = "",
        undo: bool = False,
    ) -> Frame:
        busy = conversation.running is not None
        contact = self._loader.service().contact if self._loader.status == "ready" else ""
        look = Look(self._texts, self._relevance, contact, records=self._keeper.records_answers)
        numbers = [each.turn for each in conversation.exchanges]
        html = frame_html(
            changed, numbers, look, serial=next(_serials), busy=busy, reset=reset, hint=hint, said=said, undo=undo,
            chat=conversation.chat, forgotten=conversation.forgotten,
        )  # fmt: skip
        return Frame(html, busy)
