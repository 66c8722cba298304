"""The LlamaIndex query engine gives other programs what ChatService answers: sync, async and streaming."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from llama_index.core.base.response.schema import AsyncStreamingResponse, Response, StreamingResponse
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import NodeWithScore, QueryBundle

from rag.chat import ChatService
from rag.factory.chat import service
from rag.factory.models import Models
from rag.settings import ChatSettings, Settings
from rag.stores.faiss.store import FaissStore
from rag.synthesis import texts as prompts
from rag.types import Filters
from tests.small_faq import FEE, LIMIT, NARU, PAPERS

UNCLEAR = "통장 다시 만들고 싶어요"
ELSEWHERE = "자동차보험에 가입하고 싶어요"
Asked = tuple[str, list[str]]


def sync(chat: ChatService, question: str) -> Asked:
    response = chat.query_engine().query(question)
    assert isinstance(response, Response)
    return str(response), ids(response.source_nodes)


def streaming(chat: ChatService, question: str) -> Asked:
    response = chat.query_engine(streaming=True).query(question)
    assert isinstance(response, StreamingResponse)
    return "".join(response.response_gen), ids(response.source_nodes)


def asynchronous(chat: ChatService, question: str) -> Asked:
    response = asyncio.run(chat.query_engine().aquery(question))
    assert isinstance(response, Response)
    return str(response), ids(response.source_nodes)


def async_streaming(chat: ChatService, question: str) -> Asked:
    async def run() -> Asked:
        response = await chat.query_engine(streaming=True).aquery(question)
        assert isinstance(response, AsyncStreamingResponse)
        return "".join([piece async for piece in response.async_response_gen()]), ids(response.source_nodes)

    return asyncio.run(run())


WAYS = [sync, streaming, asynchronous, async_streaming]


def ids(nodes: list[NodeWithScore]) -> list[str]:
    return [hit.node.node_id for hit in nodes]


@pytest.fixture(scope="module")
def chat(small_root: Path, models: Models) -> Iterator[ChatService]:
    store = FaissStore.open(small_root / "small", models.manifest)
    yield service(Settings(chat=ChatSettings(contact="1588-9999")), models, store)
    store.close()


@pytest.mark.parametrize("ask", WAYS)
@pytest.mark.parametrize("question", [LIMIT, FEE, PAPERS, UNCLEAR])
def test_the_same_text_and_rows_as_the_chat(
    chat: ChatService, ask: Callable[[ChatService, str], Asked], question: str
) -> None:
    answer = chat.ask(question)
    assert answer.status in ("answered", "suggested")
    assert ask(chat, question) == (answer.text, [source.id for source in answer.sources])


@pytest.mark.parametrize("ask", WAYS)
def test_what_is_not_covered_is_declined(chat: ChatService, ask: Callable[[ChatService, str], Asked]) -> None:
    assert ask(chat, ELSEWHERE) == (prompts.declined("not_covered", contact="1588-9999"), [])


def test_filters_belong_to_the_engine(chat: ChatService) -> None:
    response = chat.query_engine(Filters({"bank": NARU})).query(LIMIT)
    assert {hit.node.metadata["bank"] for hit in response.source_nodes} == {NARU}


def test_the_callers_query_stays_as_it_is(chat: ChatService) -> None:
    bundle = QueryBundle(LIMIT)
    engine = chat.query_engine()
    assert isinstance(engine, RetrieverQueryEngine)
    engine.query(bundle)
    engine.retrieve(bundle)
    assert (bundle.query_str, bundle.embedding, bundle.custom_embedding_strs) == (LIMIT, None, None)


def test_a_stream_can_be_left_early(chat: ChatService) -> None:
    response = chat.query_engine(streaming=True).query(PAPERS)
    assert isinstance(response, StreamingResponse)
    pieces = response.response_gen
    assert next(pieces)
    pieces.close()
    assert list(pieces) == []
