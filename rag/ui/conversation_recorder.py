"""Saves conversations: a record of each answer, its metrics, and the visitor's chat history.

Errors of the files are logged and not raised, so that visitors still get their answers.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from rag.records.answer_log import AnswerLog
from rag.records.history import ChatHistory, new_chat_id
from rag.types import Answer, Filters, Source
from rag.ui.conversation import Conversation, Exchange
from rag.ui.metrics import Metrics
from rag.ui.rendering import truncate

logger = logging.getLogger(__name__)
MAX_TITLE_CHARS = 60
"""Length of a chat's title, which is its first question until the visitor renames it."""
MAX_CHAT_BYTES_PER_ADDRESS = 50 * 2**20
"""Bytes of answers saved per address and day, so that one visitor cannot fill the chat history's file."""

MAX_DELAY_SECONDS = 5.0
"""How long a chat waits to be saved while other visitors wait for their answers."""


@dataclass(frozen=True, slots=True)
class UnsavedChat:
    """A conversation as it is to be saved. `turns`: number and `exchange_to_json` of each answered exchange."""

    person: str
    id: str
    turns: tuple[tuple[int, dict[str, Any]], ...]
    title: str


async def _at_once(_seconds: float) -> None:
    pass


class ConversationRecorder:
    """Writes to the files in threads. `records`, `history`, `metrics`: None to leave out.

    `until_uncrowded(seconds)`: waits, at most so long, until few questions wait for their answers; chats are saved afterwards.
    `unsaved`: number of chats that are to be saved.
    """

    def __init__(
        self,
        records: AnswerLog | None = None,
        history: ChatHistory | None = None,
        metrics: Metrics | None = None,
        until_uncrowded: Callable[[float], Awaitable[None]] = _at_once,
    ) -> None:
        self.metrics = metrics
        self.unsaved = 0
        self._until_uncrowded = until_uncrowded
        self._saving = asyncio.Lock()  # whoever comes first gets it first
        self._records = records
        self._history = history
        # Bytes saved by address on `_day`.
        self._day = date.min
        self._bytes: Counter[str] = Counter()

    def count_failure(self) -> None:
        """Count a question that ended in an error."""
        if self.metrics:
            self.metrics.count_failure()

    @property
    def keeps_records(self) -> bool:
        """Whether each answer gets a record, to which feedback can be given."""
        return self._records is not None

    async def record_answer(
        self,
        answer: Answer,
        channel: str,
        equals: Mapping[str, str],
        versions: Mapping[str, str],
        conversation: Conversation | None = None,
        row: str | None = None,
    ) -> str:
        """Count the answer and write its record. Returns the record's id, or "" if none was written.

        `channel`: "page" or "api". `equals`: the filters of the question. `versions`: of the index and the models.
        `row`: id of the suggested row that the visitor chose.
        """
        if self.metrics:
            self.metrics.count_answer(answer, channel)
        if self._records is None:
            return ""
        previous_records = [each.record for each in conversation.exchanges if each.record] if conversation else []
        filters = Filters(equals) if equals else None
        try:
            # Recorded with the earlier question, which was answered with suggestions.
            if row and conversation:
                await asyncio.to_thread(self._record_choice, self._records, conversation, row)
            return await asyncio.to_thread(
                self._records.add,
                answer,
                channel=channel,
                versions=versions,
                filters=filters,
                follows=previous_records,
                row=row,
            )
        except SQLAlchemyError as exc:
            # Without a traceback: on a full disk this is logged for each answer.
            logger.error(
                "an answer record could not be written: %s; check FSI_RECORD__FILE", getattr(exc, "orig", None) or exc
            )
            return ""

    @staticmethod
    def _record_choice(records: AnswerLog, conversation: Conversation, row: str) -> None:
        """Note the chosen row in the record of the latest answer that showed it."""
        for each in reversed(conversation.exchanges):
            if each.record and any(source.id == row for source in each.sources):
                records.add_feedback(each.record, "chosen", row=row)
                return

    def chat_of(self, conversation: Conversation, person: str) -> UnsavedChat | None:
        """The conversation as it is to be saved, with its answered exchanges; None if it is not saved.

        Sets the conversation's chat id, so that the page can have it before the chat is written.
        """
        if self._history is None or not person:
            return None
        turns = tuple((each.turn, exchange_to_json(each)) for each in conversation.exchanges if each.answer)
        if not turns:
            return None
        conversation.chat_id = conversation.chat_id or new_chat_id()
        return UnsavedChat(person, conversation.chat_id, turns, truncate(turns[0][1]["question"], MAX_TITLE_CHARS))

    async def save_chat(self, chat: UnsavedChat, address: str = "") -> None:
        """Save a chat in its person's history, after those that were to be saved before it.

        Waits for `until_uncrowded`, up to MAX_DELAY_SECONDS. Does nothing once `address` has reached
        MAX_CHAT_BYTES_PER_ADDRESS today.
        """
        assert self._history, "without a history there is no chat to save"
        if (today := date.today()) != self._day:
            self._day, self._bytes = today, Counter()
        if self._bytes[address] > MAX_CHAT_BYTES_PER_ADDRESS:
            return
        self._bytes[address] += len(json.dumps(chat.turns[-1][1], ensure_ascii=False).encode())
        end = time.monotonic() + MAX_DELAY_SECONDS
        self.unsaved += 1
        try:
            async with self._saving:
                await self._until_uncrowded(end - time.monotonic())
                await asyncio.to_thread(self._history.save, chat.person, chat.id, chat.turns, title=chat.title)
        except SQLAlchemyError as exc:
            logger.error("a chat could not be saved: %s; check FSI_HISTORY__FILE", getattr(exc, "orig", None) or exc)
        finally:
            self.unsaved -= 1

    async def wait_for_saves(self) -> None:
        """Wait until the chats of all answers that have been shown are saved: before saved chats are read or deleted."""
        async with self._saving:
            pass

    async def load_chat(self, person: str, chat: str) -> Sequence[Exchange]:
        """The exchanges of a saved chat, oldest first; empty if there is no such chat."""
        if self._history is None or not person:
            return ()
        await self.wait_for_saves()
        return [
            exchange_from_json(number, body)
            for number, body in await asyncio.to_thread(self._history.turns, person, chat)
        ]


def exchange_to_json(each: Exchange) -> dict[str, Any]:
    """An answered exchange as a JSON object, the form in which chats are saved."""
    answer = each.answer
    assert answer, "only answered exchanges are saved"
    return {
        "question": each.question, "text": each.text, "remark": each.status_line, "record": each.record,
        "generated": each.generated, "checked": each.checked, "status": answer.status, "reason": answer.reason,
        "notice": answer.notice, "cited": list(answer.cited), "weak": list(each.weak), "own": list(each.own),
        "sources": [{**asdict(source), "metadata": dict(source.metadata)} for source in each.sources],
    }  # fmt: skip


def exchange_from_json(turn: int, body: Mapping[str, Any]) -> Exchange:
    """The exchange that `exchange_to_json` returned as `body`."""
    sources = tuple(Source(**source) for source in body["sources"])
    answer = Answer(
        body["question"], body["text"], body["status"], reason=body["reason"], notice=body["notice"], sources=sources,
        cited=tuple(body["cited"]), generated=body["generated"],
    )  # fmt: skip
    return Exchange(
        turn, body["question"], body["text"], sources, answer, body["remark"], body["generated"], body["checked"],
        record=body["record"], weak=tuple(body.get("weak", ())), own=tuple(body.get("own", ())),
    )  # fmt: skip
