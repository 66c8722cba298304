"""Personal numbers do not leave the chat: models, endpoints, logs, history, answers and error messages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from rag.chat import ChatService
from rag.errors import ModelError
from rag.factory.models import Models
from rag.models.sagemaker.embedding import SageMakerEmbedding
from rag.models.sagemaker.llm import SageMakerLLM
from rag.retrieval.confidence import defaults
from rag.stores.faiss.store import FaissStore
from rag.synthesis import texts
from rag.types import Turn
from tests.fake_endpoint import Reply, Request, error
from tests.fakes_llm import Said, ScriptedLLM
from tests.integration.conftest import Reach

NUMBERS = ("900101-1234567", "4539 1488 0343 6467", "110-123-456789", "010-1234-5678", "hong.gd@mail.example")
QUESTION = "공모주 청약을 취소할 수 있나요? 제 정보는 {} 입니다"
HISTORY = (Turn("공모주 청약했어요 {}", "네"),)


@pytest.fixture
def build(small_store: FaissStore, models: Models) -> Callable[..., ChatService]:
    def make(llm: Any = None, **options: Any) -> ChatService:
        return ChatService(
            small_store, options.pop("embed", models.embed_model), calibration=defaults(), llm=llm, **options
        )

    return make


def _leaks(text: str) -> list[str]:
    return [number for number in NUMBERS if number in text]


def test_models_logs_and_answers_see_masked_text_alone(
    build: Callable[..., ChatService], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[Said] = ["마감일 16시까지 취소하실 수 있습니다. [1]"]
    llm = ScriptedLLM(lambda prompt: ["공모주 청약 취소"] if prompt.startswith(texts.CONDENSING) else said)
    chat = build(llm)
    for number in NUMBERS:
        answer = chat.ask(QUESTION.format(number))
        assert answer.question.startswith("공모주 청약을 취소할 수 있나요? 제 정보는 [")
        assert len(answer.masked) == 1 and _leaks(str(answer)) == []
        history = [Turn(turn.question.format(number), turn.answer) for turn in HISTORY]
        chat.ask("그럼 취소는요?", history)
        assert _leaks(str(chat.query_engine(history=history).query(f"그럼 취소는요? {number}"))) == []
        chat.judge(QUESTION.format(number), history)
    assert len(llm.prompts) >= 3 * len(NUMBERS), "follow-ups were condensed too"
    assert _leaks("\n".join(llm.prompts)) == []
    assert _leaks(caplog.text) == []


@pytest.mark.parametrize("number", [NUMBERS[0], *NUMBERS[3:]])
@pytest.mark.parametrize(
    "said", ["{question} 제 정보는 {number} 입니다", "{number} {question}", "본인 {number}인데 {question}"]
)
def test_a_number_beside_a_question_changes_no_answer(
    build: Callable[..., ChatService], number: str, said: str
) -> None:
    chat = build()
    for question in ("공모주 청약 취소 되나요", "통장 다시 만들고 싶어요", "자동차보험에 가입하고 싶어요"):
        plain, told = chat.ask(question), chat.ask(said.format(question=question, number=number))
        assert (told.status, told.reason, told.text) == (plain.status, plain.reason, plain.text)
        assert told.masked and not plain.masked


def test_endpoints_receive_masked_text_and_their_echo_holds_none(
    build: Callable[..., ChatService], reach: Reach, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake, runtime = reach(_echo)
    llm = SageMakerLLM("llm", format="openai", runtime=runtime)
    embed = SageMakerEmbedding("embedding", format="tei", runtime=runtime)
    for number in NUMBERS:
        build(llm).ask(QUESTION.format(number))
        with pytest.raises(ModelError) as raised:
            build(embed=embed).hits(QUESTION.format(number))
        assert _leaks(f"{raised.value} {raised.value.korean}") == []
    assert len(fake.requests) >= 2 * len(NUMBERS)
    assert _leaks("\n".join(str(request.body) for request in fake.requests)) == []
    assert "cannot read" in caplog.text, "the echo is in the log"
    assert _leaks(caplog.text) == []


def test_the_institutions_own_number_reaches_the_search(build: Callable[..., ChatService]) -> None:
    question = "OTP를 분실하였을 경우 02-123-4567로 신고하면 되나요?"
    assert build(published={"021234567"}).ask(question).question == question
    assert build().ask(question).masked == ("전화번호",)


def _echo(request: Request) -> Reply:
    return error(400, "ValidationError", f"cannot read {request.body}")
