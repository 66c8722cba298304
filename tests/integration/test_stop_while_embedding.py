"""Stop during the embedding of a question: the endpoint's connection is closed, and nothing follows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from llama_index.core.base.embeddings.base import BaseEmbedding

from rag.chat import ChatService
from rag.models.openai_like import OpenAiLikeEmbedding
from rag.models.sagemaker.client import Runtime
from rag.models.sagemaker.embedding import SageMakerEmbedding
from rag.retrieval.confidence import defaults
from rag.stores.faiss.store import FaissStore
from rag.types import AnswerEvent, Turn
from tests.fake_endpoint import FakeEndpoint, Reply
from tests.integration.conftest import Reach

"""Within which Stop closes the endpoint's connection."""
HOUR = 3600.0
FOLLOW_UP = "그럼 취소는요?"
HISTORY = [Turn("공모주 청약했어요", "네")]

Make = Callable[[FakeEndpoint, Runtime], BaseEmbedding]


def sagemaker(_: FakeEndpoint, runtime: Runtime) -> BaseEmbedding:
    return SageMakerEmbedding("emb", runtime=runtime, deadline=HOUR, query_deadline=HOUR)


def openai_like(fake: FakeEndpoint, _: Runtime) -> BaseEmbedding:
    return OpenAiLikeEmbedding("emb", f"{fake.url}/v1", deadline=HOUR, query_deadline=HOUR)


@pytest.mark.parametrize("make", [sagemaker, openai_like])
def test_stop_hangs_up(make: Make, reach: Reach, small_store: FaissStore, caplog: pytest.LogCaptureFixture) -> None:
    fake, runtime = reach(lambda request: Reply(wait=HOUR))
    embed = make(fake, runtime)
    chat = ChatService(small_store, embed, calibration=defaults())
    for _ in range(2):
        _close_while_embedding(fake, chat)
    assert len(fake.requests) == 2, "the other reading of the follow-up is not asked about any more"
    assert caplog.records == []
    if isinstance(embed, OpenAiLikeEmbedding):
        embed.close()


def _close_while_embedding(fake: FakeEndpoint, chat: ChatService) -> None:
    """Close an answer while its question is being embedded: the endpoint must notice the disconnect."""
    fake.arrived.clear()
    fake.hung_up.clear()
    events = chat.stream(FOLLOW_UP, HISTORY)
    got: list[AnswerEvent] = []
    reader = threading.Thread(target=lambda: got.extend(events))
    reader.start()
    assert fake.arrived.wait(60)
    time.sleep(0.1)  # until it waits for the answer
    events.close()
    assert fake.hung_up.wait(60), "the connection stays open"
    reader.join(60)
    assert not reader.is_alive() and got == []
