"""The SageMaker classes in the query engine and the chat, over the emulator: every format, faults, and Stop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.response.schema import AsyncStreamingResponse, Response, StreamingResponse

from deploy.local.client import EmulatorClient
from deploy.local.server import running
from deploy.local.spec import EndpointSpec
from rag.chat import ChatService
from rag.factory.models import Models
from rag.models.sagemaker.client import Runtime
from rag.models.sagemaker.llm import SageMakerLLM
from rag.retrieval.confidence import defaults
from rag.stores.faiss.store import FaissStore
from rag.synthesis import texts
from rag.types import SourcesFound, Turn
from tests.fake_endpoint import Reply, Request, whole
from tests.integration.conftest import Reach
from tests.small_faq import ANSWERS

QUESTION = "공모주 청약을 취소할 수 있나요?"
SAID = f"{ANSWERS['n-002']} [1]"
NAME = "나루증권\n"
"""Put before each institution's statements, because the index holds several institutions."""
PASSAGES = f"{NAME}{SAID}"
FORMATS = ("kullm", "tgi", "lmi", "openai")
GOES_ON = f"{SAID} " + " ".join(f"항목{number}" for number in range(200))


@pytest.fixture(scope="module")
def store(small_root: Path, models: Models) -> Iterator[FaissStore]:
    opened = FaissStore.open(small_root / "small", models.manifest)
    yield opened
    opened.close()


class Served:
    """A chat over the small index that answers through an emulated endpoint."""

    def __init__(self, store: FaissStore, models: Models, emulator: EmulatorClient, runtime: Runtime) -> None:
        self.emulator = emulator
        self._store, self._models, self._runtime = store, models, runtime

    def chat(
        self,
        spelled: str = "lmi",
        *,
        answer_seconds: float = 600.0,
        stall: float = 600.0,
        first_token: float | None = None,
        **spec: object,
    ) -> ChatService:
        self.emulator.put(
            EndpointSpec.model_validate({"name": "llm", "task": "generate", "format": spelled, "seed": 1, **spec})
        )
        llm = SageMakerLLM("llm", format=spelled, runtime=self._runtime, stall=stall, first_token=first_token)
        return ChatService(
            self._store,
            self._models.embed_model,
            calibration=defaults(),
            llm=llm,
            answer_seconds=answer_seconds,
        )

    def disconnects(self) -> int:
        return int(self.emulator.stats("llm")["counts"].get("disconnects", 0))


@pytest.fixture
def served(store: FaissStore, models: Models, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with running([]) as emulator:
        runtime = Runtime("ap-northeast-2", emulator.url)
        yield Served(store, models, emulator, runtime)
        runtime.close()


@pytest.mark.parametrize("spelled", FORMATS)
def test_every_format_answers_with_citations(served: Served, spelled: str) -> None:
    answer = served.chat(spelled).ask(QUESTION)
    assert (answer.text, answer.cited, answer.notice, answer.generated) == (PASSAGES, (1,), None, True)
    if spelled != "kullm":
        assert answer.usage["completion_tokens"] > 0


def test_kullm_gets_its_own_prompt_and_chat_models_get_messages(
    store: FaissStore, models: Models, reach: Reach
) -> None:
    said = {"kullm": {"generated_text": SAID}, "openai": {"choices": [{"message": {"content": SAID}}]}}
    sent = {}
    for spelled in said:
        fake, runtime = reach(partial(_say, said[spelled]))
        llm = SageMakerLLM("llm", format=spelled, runtime=runtime)
        chat = ChatService(store, models.embed_model, calibration=defaults(), llm=llm)
        assert (chat.ask(QUESTION).text, chat.ask(QUESTION).generated) == (PASSAGES, True)
        sent[spelled] = fake.requests[0].body
    source = f"[1] 금융회사: 나루증권\n제목: {QUESTION}\n{ANSWERS['n-002']}"
    content = f"{source}\n\n질문: {QUESTION}"
    assert sent["kullm"]["inputs"] == (
        "아래는 작업을 설명하는 명령어와 추가 컨텍스트를 제공하는 입력이 짝을 이루는 예제입니다. "
        "요청을 적절히 완료하는 응답을 작성하세요."
        f"\n\n### 명령어:\n{texts.ANSWERING}\n\n### 입력:\n{content}\n\n### 응답:\n"
    )
    assert sent["openai"]["messages"] == [
        {"role": "system", "content": texts.ANSWERING},
        {"role": "user", "content": content},
    ]


@pytest.mark.parametrize("spelled", FORMATS)
def test_sync_async_and_streams_of_the_query_engine_agree(served: Served, spelled: str) -> None:
    chat = served.chat(spelled)
    whole = chat.query_engine().query(QUESTION)
    stream = chat.query_engine(streaming=True).query(QUESTION)
    assert isinstance(whole, Response) and isinstance(stream, StreamingResponse)
    assert whole.metadata and whole.metadata["notice"] is None
    assert [str(whole), "".join(stream.response_gen)] == [PASSAGES] * 2

    async def ask() -> list[str]:
        answered = await chat.query_engine().aquery(QUESTION)
        streamed = await chat.query_engine(streaming=True).aquery(QUESTION)
        assert isinstance(streamed, AsyncStreamingResponse)
        return [str(answered), "".join([piece async for piece in streamed.async_response_gen()])]

    assert asyncio.run(ask()) == [PASSAGES] * 2
    assert whole.source_nodes[0].node.node_id == "n-002"


@pytest.mark.parametrize("spelled", FORMATS)
def test_a_follow_up_is_condensed(served: Served, spelled: str) -> None:
    answer = served.chat(spelled).ask("그럼 취소는요?", [Turn("공모주 청약했어요", "네")])
    assert answer.sources[0].id == "n-002"
    assert served.emulator.stats("llm")["counts"]["requests"] == 2


@pytest.mark.parametrize(
    ("fault", "notice"),
    [
        ({"kind": "model_error"}, "model_unavailable"),
        ({"kind": "not_json"}, "model_unavailable"),
        ({"kind": "drop", "after": 0}, "model_unavailable"),
        ({"kind": "hang"}, "too_slow"),
        ({"kind": "drop", "after": 30}, "interrupted"),
        ({"kind": "truncate", "after": 30}, "interrupted"),
        ({"kind": "stall", "after": 30}, "interrupted"),
        ({"kind": "container_error", "after": 30}, "interrupted"),
        ({"kind": "finish_error", "after": 30}, "interrupted"),
        ({"kind": "stream_error", "after": 30}, "interrupted"),
    ],
)
def test_a_fault_ends_in_the_passages(served: Served, fault: dict[str, object], notice: str) -> None:
    said = "마감일 16시까지 취소하실 수 있습니다. [1] " + "더 궁금한 점이 있으면 물어봐 주세요. " * 4
    short: dict[str, Any] = {"hang": {"answer_seconds": 2.0}, "stall": {"stall": 5.0}}.get(str(fault["kind"]), {})
    answer = served.chat(answer=said, faults=[fault], **short).ask(QUESTION)
    assert (answer.text, answer.notice, answer.generated) == (PASSAGES, notice, False)


MODEL_ANSWER = "마감일 16시까지 취소하실 수 있습니다. [1]"


@pytest.mark.parametrize(
    ("spec", "notice"),
    [
        ({"answer": ""}, "model_unavailable"),
        ({"answer": "[1]"}, "uncited"),
        ({"answer": MODEL_ANSWER.removesuffix(" [1]")}, "uncited"),
        ({"answer": MODEL_ANSWER.replace("16", "17")}, "withheld"),
        ({"answer": texts.ANSWERING}, "withheld"),
        ({"answer": "취소하실 수 있고 " * 2000}, "interrupted"),
        ({"answer": f"{MODEL_ANSWER} " * 500}, "interrupted"),
        ({"answer": f"{MODEL_ANSWER} {'천천히 ' * 60}", "tokens_per_second": 4, "answer_seconds": 3}, "too_slow"),
        ({"faults": [{"kind": "hang"}], "first_token": 0.5}, "too_slow"),
        ({"faults": [{"kind": "hang"}], "stall": 0.5}, "too_slow"),
        ({"faults": [{"kind": "hang"}], "answer_seconds": 2}, "too_slow"),
    ],
)
def test_each_way_to_fail_ends_in_its_own_notice(served: Served, spec: dict[str, object], notice: str) -> None:
    answer = served.chat(**spec).ask(QUESTION)  # type: ignore[arg-type]
    assert (answer.text, answer.notice, answer.generated) == (PASSAGES, notice, False)


def test_an_interrupted_stream_of_the_engine_falls_back_to_the_passages(served: Served) -> None:
    said = "취소하실 수 있습니다. [1] " + "더 궁금한 점이 있으면 물어봐 주세요. " * 4
    chat = served.chat(answer=said, faults=[{"kind": "drop", "after": 30}])
    response = chat.query_engine(streaming=True).query(QUESTION)
    assert isinstance(response, StreamingResponse)
    text = "".join(response.response_gen)
    assert text.startswith(f"{NAME}취소하실 수 있습니다. [1]") and text.endswith(f"\n\n{texts.BROKE_OFF}\n\n{PASSAGES}")


def test_an_answer_cut_by_max_new_tokens_is_no_answer(served: Served) -> None:
    chat = served.chat(answer="취소하실 수 있습니다. [1] " + "가나다라 " * 2000)
    answer = chat.ask(QUESTION)
    assert (answer.text, answer.notice) == (PASSAGES, "interrupted")


@pytest.mark.parametrize("spelled", ["lmi", "kullm"])
@pytest.mark.parametrize("way", ["chat", "engine"])
def test_closing_disconnects_before_the_first_token(served: Served, spelled: str, way: str) -> None:
    chat = served.chat(spelled, latency_ms=3_600_000)
    for _ in range(2):
        _close_while_waiting(served, chat, way)


def test_closing_disconnects_between_tokens(served: Served) -> None:
    chat = served.chat(answer=GOES_ON, tokens_per_second=20)
    events = chat.stream(QUESTION)
    assert isinstance(next(events), SourcesFound)
    next(events)
    before = served.disconnects()
    events.close()
    _until_disconnected(served, before)
    assert list(events) == []


def test_leaving_an_async_stream_disconnects(served: Served) -> None:
    chat = served.chat(answer=GOES_ON, tokens_per_second=20)

    async def leave() -> str:
        response = await chat.query_engine(streaming=True).aquery(QUESTION)
        assert isinstance(response, AsyncStreamingResponse)
        pieces = response.async_response_gen()
        first = await anext(pieces)
        waiting = asyncio.ensure_future(anext(pieces))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return str(first)

    assert asyncio.run(leave()).startswith(PASSAGES)
    _until_disconnected(served, 0)


def _say(answer: object, _request: Request) -> Reply:
    return whole(answer)


def _close_while_waiting(served: Served, chat: ChatService, way: str) -> None:
    """Close an answer that waits for its first token: the endpoint must notice the disconnect."""
    stream: Generator[object, None, None] = chat.stream(QUESTION) if way == "chat" else _engine_stream(chat)
    requests, before = _requests(served), served.disconnects()
    reader = threading.Thread(target=lambda: list(stream))
    reader.start()
    while _requests(served) == requests:
        time.sleep(0.01)
    time.sleep(0.1)
    stream.close()
    _until_disconnected(served, before)
    reader.join(60)
    assert not reader.is_alive()


def _engine_stream(chat: ChatService) -> Generator[str, None, None]:
    response = chat.query_engine(streaming=True).query(QUESTION)
    assert isinstance(response, StreamingResponse)
    return response.response_gen


def _requests(served: Served) -> int:
    return int(served.emulator.stats("llm")["counts"].get("requests", 0))


def _until_disconnected(served: Served, before: int) -> None:
    """If the connection stays open, the suite's time limit ends the test."""
    while served.disconnects() == before:
        time.sleep(0.01)
