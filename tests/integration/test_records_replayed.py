"""Each answer can be reproduced from its record: question, filters, clicked row, conversation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from rag.chat import ChatService
from rag.factory.models import Models
from rag.records.answer_log import AnswerLog, content_hash
from rag.records.history import ChatHistory
from rag.retrieval.confidence import defaults
from rag.stores.faiss.store import FaissStore
from rag.types import Filters, Turn
from rag.ui.conversation import Conversation
from rag.ui.conversation_recorder import ConversationRecorder
from rag.ui.loader import Loader
from rag.ui.session import Client, Dialogue, Frame
from rag.ui.texts import KOREAN
from tests.personal_numbers import personal
from tests.small_faq import LIMIT

NONE: dict[str, str | None] = {"bank": "", "category": ""}


def test_every_answer_is_reproduced_from_its_record(small_store: FaissStore, models: Models, tmp_path: Path) -> None:
    service = ChatService(small_store, models.embed_model, calibration=defaults(), versions={"index": "small"})
    log = AnswerLog(tmp_path / "records.sqlite")
    loader = Loader(lambda progress: service)
    loader.start()
    talk = Dialogue(loader, KOREAN, max_question_chars=1000, recorder=ConversationRecorder(log))

    async def read(frames: AsyncIterator[Frame]) -> None:
        async for _ in frames:
            pass

    async def converse() -> None:
        for first in (
            LIMIT,
            "공모주 청약을 취소할 수 있나요?",
            "제 번호 900101-1234567 인데 통장을 다시 만들고 싶어요",
        ):
            conversation = Conversation()
            for question in (first, "그럼 언제까지요?", "오늘 점심 뭐 먹지"):
                await read(talk.respond(conversation, question, NONE))
            shown = [source.id for each in conversation.exchanges for source in each.sources]
            await read(talk.choose(conversation, shown[0], NONE))
        await talk.ask(LIMIT, {"bank": "가온은행"})

    asyncio.run(converse())
    records = {each["id"]: each for each in log.all()}
    assert len(records) == 13
    assert "900101" not in (tmp_path / "records.sqlite").read_text(encoding="utf-8", errors="replace")
    for record in records.values():
        before = [turn_of(records[name]) for name in record["follows"]]
        events = list(service.stream(record["question"], before, Filters(record["filters"]), row=record["row"]))
        answer: Any = getattr(events[-1], "answer", None)
        assert (answer.text, answer.status, answer.reason) == (record["text"], record["status"], record["reason"])
        assert [(each.id, content_hash(each)) for each in answer.sources] == [
            (each["id"], each["hash"]) for each in record["sources"]
        ]
    log.close()


def test_no_file_holds_a_personal_number(small_store: FaissStore, models: Models, tmp_path: Path) -> None:
    """Whatever the visitor writes: questions, edits, and the names she gives her chats."""
    service = ChatService(small_store, models.embed_model, calibration=defaults(), versions={"index": "small"})
    log, history = AnswerLog(tmp_path / "records.sqlite"), ChatHistory(tmp_path / "history.sqlite")
    loader = Loader(lambda progress: service)
    loader.start()
    talk = Dialogue(loader, KOREAN, max_question_chars=1000, recorder=ConversationRecorder(log, history))
    visitor = Client("owner", "address", "person")
    said = list(personal(24))

    async def converse() -> None:
        for _, _, message in said:
            conversation = Conversation()
            async for _ in talk.respond(conversation, message, NONE, visitor):
                pass
            async for _ in talk.respond(conversation, f"다시 물을게요. {message}", NONE, visitor, replaces_turn=1):
                pass
            history.rename("person", conversation.chat_id, message)

    asyncio.run(converse())
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert "[주민등록번호]".encode() in written
    assert [number for _, number, _ in said if number.encode() in written] == []
    log.close()
    history.close()


def turn_of(record: dict[str, Any]) -> Turn:
    return Turn(record["question"], record["text"], record["status"], tuple(each["id"] for each in record["sources"]))
