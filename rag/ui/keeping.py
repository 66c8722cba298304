"""What is kept of a conversation: a record of each answer, its count, and the visitor's own chat.

A file that fails costs no answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from rag.records.answer_log import AnswerLog
from rag.records.history import ChatHistory
from rag.types import Answer, Filters, Source
from rag.ui.conversation import Conversation, Exchange
from rag.ui.metrics import Metrics
from rag.ui.rendering import shortened

logger = logging.getLogger(__name__)
TITLE = 60
"""Characters of a chat's title, which is its first question until it is renamed."""
KEPT_PER_ADDRESS = 50 * 2**20
"""Bytes of answers that one address gets into the chats' file in a day: whoever asks without end fills it for nobody else."""


class Keeper:
    """Writes in threads. None for either file: nothing is kept of that kind."""

    def __init__(
        self, records: AnswerLog | None = None, history: ChatHistory | None = None, metrics: Metrics | None = None
    ) -> None:
        self.metrics = metrics
        self._records = records
        self._history = history
        self._day = date.min
        self._bytes: Counter[str] = Counter()

    def failed(self) -> None:
        """Count a question that ended in an error."""
        if self.metrics:
            self.metrics.failed()

    @property
    def records_answers(self) -> bool:
        """Whether answers have a record, which feedback can be given to."""
        return self._records is not None

    async def record(
        self,
        answer: Answer,
        channel: str,
        equals: Mapping[str, str],
        versions: Mapping[str, str],
        conversation: Conversation | None = None,
        row: str | None = None,
    ) -> str:
        """Write the answer's record and give its id; empty where none is kept. `equals`: the filters; `row`: as clicked."""
        if self.metrics:
            self.metrics.answered(answer, channel)
        if self._records is None:
            return ""
        before = [each.record for each in conversation.exchanges if each.record] if conversation else []
        filters = Filters(equals) if equals else None
        try:
            # Before the answer's own record: the click is about the question that was answered by suggestions.
            if row and conversation:
                await asyncio.to_thread(self._label, self._records, conversation, row)
            return await asyncio.to_thread(
                self._records.add, answer, channel=channel, versions=versions, filters=filters, follows=before, row=row
            )
        except SQLAlchemyError as exc:
            # Whoever must have records watches the log. One line: where the disk is full, there is one for each answer.
            logger.error(
                "an answer record could not be written: %s; check FSI_RECORD__FILE", getattr(exc, "orig", None) or exc
            )
            return ""

    @staticmethod
    def _label(records: AnswerLog, conversation: Conversation, row: str) -> None:
        """A click on a suggestion says which row the question before it meant."""
        for each in reversed(conversation.exchanges):
            if each.record and any(source.id == row for source in each.sources):
                records.say(each.record, "chosen", row=row)
                return

    async def keep(self, conversation: Conversation, person: str, address: str = "") -> None:
        """Write the conversation into the person's history, as far as it is answered; from one address so much a day."""
        if self._history is None or not person:
            return
        turns = [(each.turn, to_body(each)) for each in conversation.exchanges if each.answer]
        if not turns:
            return
        if (today := date.today()) != self._day:
            self._day, self._bytes = today, Counter()
        if self._bytes[address] > KEPT_PER_ADDRESS:
            return
        self._bytes[address] += len(json.dumps(turns[-1][1], ensure_ascii=False).encode())
        title = shortened(turns[0][1]["question"], TITLE)
        try:
            conversation.chat = await asyncio.to_thread(
                self._history.save, person, conversation.chat, turns, title=title
            )
        except SQLAlchemyError as exc:
            logger.error("a chat could not be kept: %s; check FSI_HISTORY__FILE", getattr(exc, "orig", None) or exc)

    async def turns(self, person: str, chat: str) -> Sequence[Exchange]:
        """The exchanges of a kept chat; none where there is no such chat."""
        if self._history is None or not person:
            return ()
        return [
            to_exchange(number, body) for number, body in await asyncio.to_thread(self._history.turns, person, chat)
        ]


def to_body(each: Exchange) -> dict[str, Any]:
    """An answered exchange as JSON."""
    answer = each.answer
    assert answer, "only what was answered is kept"
    return {
        "question": each.question, "text": each.text, "remark": each.remark, "record": each.record,
        "generated": each.generated, "checked": each.checked, "status": answer.status, "reason": answer.reason,
        "notice": answer.notice, "cited": list(answer.cited),
        "sources": [{**asdict(source), "metadata": dict(source.metadata)} for source in each.sources],
    }  # fmt: skip


def to_exchange(turn: int, body: Mapping[str, Any]) -> Exchange:
    """The exchange again."""
    sources = tuple(Source(**source) for source in body["sources"])
    answer = Answer(
        body["question"], body["text"], body["status"], reason=body["reason"], notice=body["notice"], sources=sources,
        cited=tuple(body["cited"]), generated=body["generated"],
    )  # fmt: skip
    return Exchange(
        turn, body["question"], body["text"], sources, answer, body["remark"], body["generated"], body["checked"],
        record=body["record"],
    )  # fmt: skip
