"""LlamaIndex's callbacks, events and spans receive our SageMaker classes' calls; without listeners none are created."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import Field
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.rate_limiter import TokenBucketRateLimiter
from llama_index.core.storage.kvstore import SimpleKVStore
from llama_index_instrumentation import root_dispatcher
from llama_index_instrumentation.base import BaseEvent
from llama_index_instrumentation.dispatcher import Dispatcher
from llama_index_instrumentation.event_handlers import BaseEventHandler
from llama_index_instrumentation.span_handlers import SimpleSpanHandler

from rag.models.sagemaker.embedding import SageMakerEmbedding
from rag.models.sagemaker.llm import SageMakerLLM
from tests.containers import ANSWER
from tests.integration.conftest import Reach
from tests.integration.test_sagemaker_embedding import model as embedding_model
from tests.integration.test_sagemaker_llm import MESSAGES, QUESTION, ajoined, answering, joined, model


async def _gathered(stream: Any) -> str:
    return (await ajoined(await stream))[0]


WAYS: dict[str, Callable[[SageMakerLLM], str]] = {
    "complete": lambda llm: llm.complete(QUESTION).text,
    "chat": lambda llm: str(llm.chat(MESSAGES).message.content),
    "stream_complete": lambda llm: joined(llm.stream_complete(QUESTION))[0],
    "stream_chat": lambda llm: joined(llm.stream_chat(MESSAGES))[0],
    "acomplete": lambda llm: asyncio.run(llm.acomplete(QUESTION)).text,
    "achat": lambda llm: str(asyncio.run(llm.achat(MESSAGES)).message.content),
    "astream_complete": lambda llm: asyncio.run(_gathered(llm.astream_complete(QUESTION))),
    "astream_chat": lambda llm: asyncio.run(_gathered(llm.astream_chat(MESSAGES))),
}
EACH_WAY = pytest.mark.parametrize("way", WAYS)


class EventRecorder(BaseEventHandler):
    kinds: list[str] = Field(default_factory=list)

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        self.kinds.append(event.class_name())


@pytest.fixture
def recorder() -> Iterator[EventRecorder]:
    handler = EventRecorder()
    root_dispatcher.add_event_handler(handler)
    yield handler
    root_dispatcher.event_handlers.remove(handler)


@pytest.fixture
def spans() -> Iterator[SimpleSpanHandler]:
    handler = SimpleSpanHandler()
    root_dispatcher.add_span_handler(handler)
    yield handler
    root_dispatcher.span_handlers.remove(handler)


@EACH_WAY
def test_a_callback_handler_receives_each_call(reach: Reach, way: str) -> None:
    _, llm = model(reach, answering("openai"))
    handler = LlamaDebugHandler(print_trace_on_end=False)
    llm.callback_manager = CallbackManager([handler])
    assert WAYS[way](llm) == ANSWER
    assert len(handler.get_event_pairs(CBEventType.LLM)) == 1


@EACH_WAY
def test_an_event_handler_receives_start_pieces_and_end(reach: Reach, recorder: EventRecorder, way: str) -> None:
    _, llm = model(reach, answering("openai"))
    assert WAYS[way](llm) == ANSWER
    kind = "LLMChat" if "chat" in way else "LLMCompletion"
    assert (recorder.kinds[0], recorder.kinds[-1]) == (f"{kind}StartEvent", f"{kind}EndEvent")
    assert set(recorder.kinds[1:-1]) == ({f"{kind}InProgressEvent"} if "stream" in way else set())


@EACH_WAY
def test_a_span_handler_sees_one_span_per_call(reach: Reach, spans: SimpleSpanHandler, way: str) -> None:
    _, llm = model(reach, answering("openai"))
    assert WAYS[way](llm) == ANSWER
    assert [span.id_.partition("-")[0] for span in spans.completed_spans] == [f"SageMakerLLM.{way}"]


@EACH_WAY
def test_a_rate_limiter_is_asked(reach: Reach, way: str) -> None:
    _, llm = model(reach, answering("openai"))
    asked: list[bool] = []

    class Limiter(TokenBucketRateLimiter):
        def acquire(self, num_tokens: int = 0) -> None:
            asked.append(True)

        async def async_acquire(self, num_tokens: int = 0) -> None:
            asked.append(True)

    llm.rate_limiter = Limiter(requests_per_minute=1)
    assert WAYS[way](llm) == ANSWER
    assert asked == [True]


@EACH_WAY
def test_without_a_listener_there_are_no_events(reach: Reach, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """LlamaIndex's base class still creates one span per call."""
    events: list[object] = []
    monkeypatch.setattr(Dispatcher, "event", lambda self, event, **more: events.append(event))
    _, llm = model(reach, answering("openai"))
    assert WAYS[way](llm) == ANSWER
    assert events == []


def test_a_handler_added_later_receives_events(reach: Reach) -> None:
    _, llm = model(reach, answering("openai"))
    llm.callback_manager.handlers = []  # its own: an empty one is shared with the global manager, where there is one
    handler = LlamaDebugHandler(print_trace_on_end=False)
    llm.complete(QUESTION)
    llm.callback_manager.add_handler(handler)
    llm.chat([ChatMessage(content=QUESTION)])
    assert len(handler.get_event_pairs(CBEventType.LLM)) == 1


def test_a_closed_stream_closes_its_connection_also_where_a_handler_keeps_its_events(reach: Reach) -> None:
    """LlamaIndex's wrapper does not close what it wraps, and a handler that keeps the exception keeps both alive."""
    fake, llm = model(reach, answering("lmi", pause=3600), "lmi")
    llm.callback_manager = CallbackManager([LlamaDebugHandler(print_trace_on_end=False)])
    stream = llm.stream_chat(MESSAGES)
    next(stream)
    stream.close()
    assert fake.hung_up.wait(60)


def test_a_closed_async_stream_does_too(reach: Reach) -> None:
    fake, llm = model(reach, answering("lmi", pause=3600), "lmi")
    llm.callback_manager = CallbackManager([LlamaDebugHandler(print_trace_on_end=False)])

    async def first_piece() -> None:
        stream: Any = await llm.astream_chat(MESSAGES)
        await anext(stream)
        await stream.aclose()

    asyncio.run(first_piece())
    assert fake.hung_up.wait(60)


TEXTS = ["이체한도", "비밀번호", "이체한도"]
VECTORS_OF: dict[str, Callable[[SageMakerEmbedding], list[list[float]]]] = {
    "sync": lambda model: model.get_text_embedding_batch(TEXTS),
    "async": lambda model: asyncio.run(model.aget_text_embedding_batch(TEXTS)),
}
EACH_TWIN = pytest.mark.parametrize("twin", VECTORS_OF)


@EACH_TWIN
def test_an_event_handler_receives_vectors(reach: Reach, recorder: EventRecorder, twin: str) -> None:
    _, model = embedding_model(reach)
    assert len(VECTORS_OF[twin](model)) == len(TEXTS)
    assert recorder.kinds == ["EmbeddingStartEvent", "EmbeddingEndEvent"]


@EACH_TWIN
def test_a_callback_handler_receives_vectors(reach: Reach, twin: str) -> None:
    _, model = embedding_model(reach)
    handler = LlamaDebugHandler(print_trace_on_end=False)
    model.callback_manager = CallbackManager([handler])
    VECTORS_OF[twin](model)
    assert len(handler.get_event_pairs(CBEventType.EMBEDDING)) == 1


@EACH_TWIN
def test_the_cache_of_vectors_is_used(reach: Reach, twin: str) -> None:
    fake, model = embedding_model(reach, embeddings_cache=SimpleKVStore())
    assert VECTORS_OF[twin](model) == VECTORS_OF[twin](model)
    assert len(fake.requests) == 1


@EACH_TWIN
def test_without_a_listener_no_vectors_are_copied(
    reach: Reach, monkeypatch: pytest.MonkeyPatch, recorder: EventRecorder, twin: str
) -> None:
    _, model = embedding_model(reach)
    loud = VECTORS_OF[twin](model)
    events: list[object] = []
    with monkeypatch.context() as silent:
        silent.setattr(root_dispatcher, "event_handlers", [])
        silent.setattr(Dispatcher, "event", lambda self, event, **more: events.append(event))
        assert VECTORS_OF[twin](model) == loud
    assert events == []
