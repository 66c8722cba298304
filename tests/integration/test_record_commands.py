"""`record`, `feedback` and `gaps` with the page's records: a click becomes an evaluation line and a phrasing."""

from __future__ import annotations

import argparse
import asyncio
import csv
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rag.chat import ChatService
from rag.cli import commands
from rag.cli.main import _parser
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import open_index
from rag.records.answer_log import AnswerLog
from rag.settings import Settings, StoreSettings
from rag.types import Answer
from rag.ui.conversation import Conversation
from rag.ui.conversation_recorder import ConversationRecorder
from rag.ui.loader import Loader
from rag.ui.session import Dialogue, Frame
from rag.ui.texts import KOREAN
from tests.integration.conftest import Run
from tests.small_faq import write_faq

NOWHERE: dict[str, str | None] = {"bank": None, "category": None}
QUESTION = "헌 통장 바꾸기"


def opened(models: Models) -> ChatService:
    settings = Settings(store=StoreSettings(index="small"))
    return build_service(settings, models, open_index(settings, models))


def ask_and_click(chat: ChatService, question: str, row: str) -> str:
    """Ask as the page does and click the suggested row; returns the id of the question's record."""
    records = AnswerLog(Path(".fsi/records.sqlite"))
    loader = Loader(lambda _progress: chat)
    loader.start()
    dialogue, conversation = (
        Dialogue(loader, KOREAN, max_question_chars=1000, recorder=ConversationRecorder(records)),
        Conversation(),
    )

    async def read(frames: AsyncIterator[Frame]) -> None:
        async for _ in frames:
            pass

    async def visit() -> str:
        await read(dialogue.respond(conversation, question, NOWHERE))
        first = conversation.exchanges[0]
        assert first.answer and first.answer.status == "suggested"
        await read(dialogue.choose(conversation, row, NOWHERE))
        return first.record

    name = asyncio.run(visit())
    records.close()
    return name


def test_every_command_of_the_usage_is_there() -> None:
    (choices,) = (action.choices for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    assert [name for name in choices if not callable(getattr(commands, name, None))] == []


@pytest.mark.usefixtures("small")
def test_what_customers_did_becomes_a_phrasing_that_is_ingested(run: Run, models: Models, tmp_path: Path) -> None:
    name = ask_and_click(opened(models), QUESTION, "g-008")
    shown = run("record", "show", name).json()
    assert (shown["question"], [each["kind"] for each in shown["feedback"]]) == (QUESTION, ["chosen"])
    exported = run("feedback", "export", "--index", "small", "--out", "clicked.jsonl")
    assert exported.code == 0 and '"relevant": ["g-008"]' in Path("clicked.jsonl").read_text(encoding="utf-8")
    gaps = run("gaps", "--index", "small", "--out", "gaps.csv")
    assert gaps.code == 0, gaps.err
    assert f"1  {QUESTION}  [chosen 1]  -> g-008" in gaps.out
    with Path("gaps.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["id"], row["question"]) for row in csv.DictReader(file)] == [("g-008", QUESTION)]
    faq = str(write_faq(tmp_path / "faq.csv"))
    assert run("ingest", faq, "gaps.csv", "--index", "small").code == 0
    assert opened(models).ask(QUESTION).status == "answered"


@pytest.mark.usefixtures("small")
def test_answers_of_another_index_are_left_out(run: Run, models: Models) -> None:
    ask_and_click(opened(models), QUESTION, "g-008")
    other = run("feedback", "export", "--index", "other")
    assert (other.code, other.out) == (0, "")
    assert "left out: 2 of 2 answers, from other indexes than 'other'" in other.err and "nothing to export" in other.err
    assert '"g-008"' in run("feedback", "export", "--index", "other", "--all-indexes").out
    own = run("feedback", "export", "--index", "small")
    assert '"g-008"' in own.out and own.err == ""
    log = AnswerLog(Path(".fsi/records.sqlite"))
    log.add(
        Answer("해외여행 자동차 렌트", "", "declined", reason="not_covered"),
        channel="page",
        versions={"index": "other"},
    )
    log.close()
    gaps = run("gaps", "--index", "small")
    assert QUESTION in gaps.out and "렌트" not in gaps.out and "left out: 1 of 3 answers" in gaps.err
    assert "렌트" in run("gaps", "--index", "small", "--all-indexes").out


def test_without_records_the_refusal_says_where_they_come_from(run: Run) -> None:
    for arguments in (("record", "show", "ABC"), ("feedback", "export"), ("gaps",)):
        assert "no answers recorded yet" in run(*arguments).refused()
