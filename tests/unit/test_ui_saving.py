"""When chats are saved: after their text is shown and after other visitors' answers, in order, and before they are read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rag.records.answer_log import AnswerLog
from rag.records.history import ChatHistory
from rag.ui import conversation_recorder
from rag.ui.answer_streams import AnswerSlots
from rag.ui.conversation import Conversation
from rag.ui.conversation_recorder import ConversationRecorder
from rag.ui.loader import Loader
from rag.ui.server import Server
from rag.ui.session import Client, Dialogue, Frame
from rag.ui.texts import KOREAN
from tests.fakes import FakeChat

NONE: dict[str, str | None] = {"bank": "", "category": None}
VISITOR = Client("owner", "203.0.113.1", "kim")


class Page:
    """A dialogue with files, and the events of its visitors."""

    def __init__(self, folder: Path) -> None:
        self.chat, self.slots = FakeChat(), AnswerSlots(1)
        self.chat.writes = False
        self.log, self.history = AnswerLog(folder / "records.sqlite"), ChatHistory(folder / "history.sqlite")
        self.recorder = ConversationRecorder(self.log, self.history, until_uncrowded=self.slots.wait_until_uncrowded)
        loader = Loader(lambda progress: self.chat)
        loader.start()
        self.dialogue = Dialogue(loader, KOREAN, max_question_chars=100, slots=self.slots, recorder=self.recorder)

    def ask(self, conversation: Conversation, question: str) -> AsyncGenerator[Frame, None]:
        return self.dialogue.respond(conversation, question, NONE, VISITOR)

    async def show(self, conversation: Conversation, question: str) -> tuple[Frame, asyncio.Task[None]]:
        """Ask until the last frame; returns it and the rest of the event, which has begun."""
        event = self.ask(conversation, question)
        async for frame in event:
            if not frame.busy:
                break
        rest = asyncio.ensure_future(finish(event))
        await asyncio.sleep(0)
        return frame, rest

    @contextmanager
    def crowded(self) -> Iterator[None]:
        """For the block, more questions are unanswered than there are slots."""
        with self.slots.unanswered(), self.slots.unanswered():
            yield

    def saved(self, chat: str) -> list[str]:
        return [body["question"] for _, body in self.history.turns("kim", chat)]


async def finish(event: AsyncGenerator[Frame, None]) -> None:
    assert [frame async for frame in event] == []


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setattr(conversation_recorder, "MAX_DELAY_SECONDS", 3600.0)
    page = Page(tmp_path)
    yield page
    page.log.close()
    page.history.close()


def test_an_answer_is_recorded_before_it_is_shown_and_its_chat_saved_afterwards(page: Page) -> None:
    async def converse() -> None:
        conversation = Conversation()
        event = page.ask(conversation, "질문")
        async for frame in event:
            if not frame.busy:
                break
        (record,) = page.log.all()
        assert f"data-record=&quot;{record['id']}" in frame.html or record["id"] in frame.html
        assert conversation.running is None, "the next question may come"
        assert f'data-chat="{conversation.chat_id}"' in frame.html and page.saved(conversation.chat_id) == []
        await finish(event)
        assert page.saved(conversation.chat_id) == ["질문"]

    asyncio.run(converse())


def test_a_chat_is_saved_after_the_answers_of_others(page: Page) -> None:
    async def converse() -> None:
        mine, others = Conversation(), Conversation()
        other, third = page.ask(others, "다른 질문"), page.ask(Conversation(), "또 다른 질문")
        await anext(other)
        await anext(third)
        _, rest = await page.show(mine, "질문")
        await asyncio.sleep(0.1)
        assert page.saved(mine.chat_id) == [] and page.recorder.unsaved == 1
        async for frame in other:
            if not frame.busy:
                break
        assert page.saved(mine.chat_id) == []
        await asyncio.gather(finish(other), rest)
        assert (page.saved(mine.chat_id), page.saved(others.chat_id)) == (["질문"], ["다른 질문"])
        assert page.recorder.unsaved == 0
        await third.aclose()

    asyncio.run(converse())


def test_answers_that_never_end_delay_no_chat_forever(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_recorder, "MAX_DELAY_SECONDS", 0.01)

    async def converse() -> None:
        with page.crowded():
            events = [await page.show(Conversation(), f"질문 {number}") for number in range(20)]
            await asyncio.gather(*(rest for _, rest in events))
        assert len(page.history.chats("kim")) == 20

    asyncio.run(converse())


def test_answers_of_one_chat_are_saved_in_their_order(page: Page) -> None:
    async def converse() -> None:
        conversation = Conversation()
        with page.crowded():
            events = [await page.show(conversation, question) for question in ("하나", "둘", "셋")]
            assert page.recorder.unsaved == 3
        await asyncio.gather(*(rest for _, rest in events))
        assert page.saved(conversation.chat_id) == ["하나", "둘", "셋"]
        assert len(page.history.chats("kim")) == 1

    asyncio.run(converse())


def test_a_new_chat_does_not_lose_the_answer_that_was_shown(page: Page) -> None:
    async def converse() -> None:
        conversation = Conversation()
        with page.crowded():
            _, first = await page.show(conversation, "질문")
            chat = conversation.chat_id
            page.dialogue.clear(conversation)
            _, second = await page.show(conversation, "새 질문")
        await asyncio.gather(first, second)
        assert (page.saved(chat), page.saved(conversation.chat_id)) == (["질문"], ["새 질문"])

    asyncio.run(converse())


def test_a_visitor_who_leaves_when_the_text_is_there_finds_it_again(page: Page) -> None:
    async def converse() -> None:
        conversation = Conversation()
        event = page.ask(conversation, "질문")
        async for frame in event:
            if not frame.busy:
                break
        await event.aclose()
        assert page.saved(conversation.chat_id) == ["질문"]

    asyncio.run(converse())


@pytest.mark.parametrize("action", ["reload", "delete"])
def test_saved_chats_are_read_and_deleted_after_what_is_still_to_be_saved(page: Page, action: str) -> None:
    async def converse() -> None:
        conversation = Conversation()
        with page.crowded():
            _, rest = await page.show(conversation, "질문")
            later = asyncio.ensure_future(
                page.recorder.load_chat("kim", conversation.chat_id)
                if action == "reload"
                else page.recorder.wait_for_saves()
            )
            await asyncio.sleep(0.05)
            assert not later.done()
        await rest
        read = await later
        if action == "reload":
            assert read and [each.question for each in read] == ["질문"]
        page.history.delete("kim")
        assert page.history.chats("kim") == []

    asyncio.run(converse())


def test_the_server_ends_after_the_last_chat_is_saved(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    unsaved, unused = [2, 1, 0], cast(Any, None)
    context: Any = SimpleNamespace(slots=page.slots, recorder=SimpleNamespace(), draining=False)
    monkeypatch.setattr(
        "rag.ui.server.time.sleep", lambda _seconds: setattr(context.recorder, "unsaved", unsaved.pop(0))
    )
    context.recorder.unsaved = 3
    Server(unused, "", 0, unused, unused, context).drain(3600)
    assert unsaved == []
