"""SageMakerEmbedding over HTTP: correct vectors in order, in few requests of limited size."""

from __future__ import annotations

import asyncio
import copy
import json
import math
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from rag.errors import (
    ModelError,
    ModelFormatError,
    ModelInputTooLong,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
)
from rag.ingestion.embedding import manifest_of
from rag.models.sagemaker import client
from rag.models.sagemaker.embedding import SageMakerEmbedding
from rag.models.sagemaker.embedding_payloads import EMBEDDING_FORMATS
from tests.containers import embedding_answer, vectors
from tests.fake_endpoint import FakeEndpoint, Reply, Request, cancelled_while_waiting, error, times_out, whole
from tests.integration.conftest import Reach
from tests.integration.overlap import Gate

FORMATS = pytest.mark.parametrize("name", EMBEDDING_FORMATS)
TEXTS = [f"{i}번째 질문입니다" for i in range(100)]


def texts_of(request: Request) -> list[str]:
    return list(request.body.get("inputs") or request.body["input"])


def embedding(name: str, pooling: str = "cls") -> Callable[[Request], Reply]:
    return lambda request: whole(embedding_answer(name, texts_of(request), pooling))


def model(
    reach: Reach, reply: Callable[[Request], Reply] | None = None, name: str = "tei", **more: Any
) -> tuple[FakeEndpoint, SageMakerEmbedding]:
    fake, runtime = reach(reply or embedding(name))
    return fake, SageMakerEmbedding("faq-embedding", format=name, runtime=runtime, **more)


def unit(texts: list[str]) -> Any:
    rows = np.asarray(vectors(texts))
    return pytest.approx(rows / np.linalg.norm(rows, axis=1, keepdims=True))


@FORMATS
class TestEveryWayGivesTheSameVectors:
    def test_query(self, reach: Reach, name: str) -> None:
        _, embed = model(reach, name=name)
        assert np.asarray([embed.get_query_embedding("한도")]) == unit(["한도"])
        assert np.asarray([asyncio.run(embed.aget_query_embedding("한도"))]) == unit(["한도"])

    def test_text(self, reach: Reach, name: str) -> None:
        _, embed = model(reach, name=name)
        assert np.asarray([embed.get_text_embedding("한도")]) == unit(["한도"])
        assert np.asarray([asyncio.run(embed.aget_text_embedding("한도"))]) == unit(["한도"])

    @pytest.mark.parametrize("workers", [None, 1, 4])
    def test_batch(self, reach: Reach, name: str, workers: int | None) -> None:
        _, embed = model(reach, name=name, batch_size=7, num_workers=workers)
        assert np.asarray(embed.get_text_embedding_batch(TEXTS)) == unit(TEXTS)
        assert np.asarray(asyncio.run(embed.aget_text_embedding_batch(TEXTS))) == unit(TEXTS)

    def test_prefixes(self, reach: Reach, name: str) -> None:
        fake, embed = model(reach, name=name, query_prefix="query: ", passage_prefix="passage: ")
        embed.get_query_embedding("한도")
        embed.get_text_embedding_batch(["한도", "OTP"])
        assert [texts_of(request) for request in fake.requests] == [["query: 한도"], ["passage: 한도", "passage: OTP"]]


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_pooling(reach: Reach, pooling: str) -> None:
    _, embed = model(reach, embedding("hf", pooling), "hf", pooling=pooling)
    assert np.asarray(embed.get_text_embedding_batch(TEXTS[:5])) == unit(TEXTS[:5])


def test_no_texts_no_request(reach: Reach) -> None:
    fake, embed = model(reach)
    assert embed.get_text_embedding_batch([]) == []
    assert fake.requests == []


def test_batches_keep_to_the_count_and_overlap(reach: Reach) -> None:
    """Each request waits until four are in progress; with fewer in parallel the test would hang."""
    together = threading.Barrier(4)

    def reply(request: Request) -> Reply:
        together.wait(60)
        return embedding("tei")(request)

    fake, embed = model(reach, reply, batch_size=25, concurrency=4)
    assert np.asarray(embed.get_text_embedding_batch(TEXTS)) == unit(TEXTS)
    assert [len(texts_of(request)) for request in fake.requests] == [25] * 4
    assert fake.peak == 4


def test_no_more_at_once_than_asked_for(reach: Reach) -> None:
    fake, embed = model(
        reach,
        lambda request: Reply([json.dumps(vectors(texts_of(request))).encode()], wait=0.02),
        batch_size=5,
        concurrency=3,
    )
    embed.get_text_embedding_batch(TEXTS)
    assert fake.peak <= 3
    assert len(fake.requests) == 20


@pytest.mark.parametrize(("name", "most"), [("tei", 2_000_000), ("embeddings", 5_000_000)])
def test_batches_keep_to_the_bytes(reach: Reach, name: str, most: int) -> None:
    fake, embed = model(reach, name=name)
    texts = [f"{i}" + "가" * 100_000 for i in range(30)]
    embed.get_text_embedding_batch(texts)
    sizes = [int(request.headers["Content-Length"]) for request in fake.requests]
    assert max(sizes) <= most
    assert len(sizes) == math.ceil(30 / (most // 300_010))


def test_token_vectors_bound_a_batch_by_its_answer(reach: Reach) -> None:
    """768 numbers a token: 5 MB are some 300 tokens."""
    fake, embed = model(reach, name="hf")
    embed.get_text_embedding_batch([f"{i}" + "가" * 98 for i in range(9)])
    assert [len(texts_of(request)) for request in fake.requests] == [3, 3, 3]


def test_a_repeated_text_is_sent_once(reach: Reach) -> None:
    fake, embed = model(reach)
    texts = ["한도", "OTP", "한도", "수수료", "OTP"]
    assert np.asarray(embed.get_text_embedding_batch(texts)) == unit(texts)
    assert [texts_of(request) for request in fake.requests] == [["한도", "OTP", "수수료"]]


@pytest.mark.parametrize(
    "refusal",
    [
        error(
            424, "ModelError", OriginalStatusCode=413, OriginalMessage="batch size 20 > maximum allowed batch size 4"
        ),
        error(
            424, "ModelError", OriginalStatusCode=422, OriginalMessage="batch size 20 > maximum allowed batch size 4"
        ),
        error(413, "RequestEntityTooLarge", "payload too large"),
    ],
    ids=["413 in 424", "422 in 424", "413"],
)
def test_a_batch_that_is_too_large_is_halved(reach: Reach, refusal: Reply) -> None:
    fake, embed = model(reach, lambda request: refusal if len(texts_of(request)) > 4 else embedding("tei")(request))
    assert np.asarray(embed.get_text_embedding_batch(TEXTS[:20])) == unit(TEXTS[:20])
    assert sorted(len(texts_of(request)) for request in fake.requests) == [
        2,
        2,
        2,
        2,
        3,
        3,
        3,
        3,
        5,
        5,
        5,
        5,
        10,
        10,
        20,
    ]


def test_a_single_text_that_is_too_large_is_refused(reach: Reach) -> None:
    refusal = error(424, "ModelError", OriginalStatusCode=413, OriginalMessage="too large")
    fake, embed = model(reach, lambda request: refusal)
    with pytest.raises(ModelInputTooLong):
        embed.get_text_embedding_batch(TEXTS[:2])
    assert len(fake.requests) == 2


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ([[1.0, 2.0]], ModelError, "1 vectors for 2 texts"),
        ([[1.0, 2.0]] * 3, ModelError, "3 vectors for 2 texts"),
        ([[1.0, 2.0], [1.0]], ModelFormatError, "'tei'"),
        ([[1.0, 2.0, 3.0]] * 2, ModelError, "3 numbers, expected 2"),
        ([[1.0, 2.0], [0.0, 0.0]], ModelError, "zeros"),
        ([[1.0, 2.0], [1e400, 0.0]], ModelError, "not finite"),
        ([[1.0, 2.0], [float("nan"), 0.0]], ModelError, "not finite"),
        ([[1.0, 2.0], [None, 0.0]], ModelError, "not finite"),
        ({"error": "CUDA out of memory"}, ModelError, "CUDA"),
        ({"embeddings": [[1.0, 2.0]] * 2}, ModelFormatError, "FORMAT"),
    ],
)
def test_a_wrong_answer_is_an_error(reach: Reach, answer: Any, kind: type[ModelError], words: str) -> None:
    _, embed = model(reach, lambda request: whole(answer), dimension=2)
    with pytest.raises(kind, match=words):
        embed.get_text_embedding_batch(["하나", "둘"])


def test_the_dimension_may_not_change(reach: Reach) -> None:
    answers = iter([[[1.0, 2.0]], [[1.0, 2.0, 3.0]]])
    _, embed = model(reach, lambda request: whole(next(answers)))
    embed.get_query_embedding("하나")
    with pytest.raises(ModelError, match="another model was deployed"):
        embed.get_query_embedding("둘")


def test_a_failing_batch_ends_the_whole(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.001)
    fake, embed = model(reach, lambda request: error(503, "ServiceUnavailable"), batch_size=1, concurrency=2)
    with pytest.raises(ModelUnavailable):
        embed.get_text_embedding_batch(TEXTS)
    assert len(fake.requests) < 40


def test_a_stalled_server_costs_no_more_than_the_deadline(reach: Reach) -> None:
    def start(seconds: float) -> tuple[FakeEndpoint, Callable[[], Any]]:
        fake, embed = model(reach, lambda request: Reply(wait=3600), deadline=seconds, batch_size=1)
        return fake, lambda: embed.get_text_embedding_batch(TEXTS[:3])

    times_out(start)


@pytest.mark.parametrize("count", [1, 32, 100])
def test_a_cancelled_task_ends_its_requests(reach: Reach, count: int) -> None:
    fake, embed = model(reach, lambda request: Reply(wait=3600), batch_size=32, concurrency=2, deadline=3600)
    asyncio.run(cancelled_while_waiting(fake, embed.aget_text_embedding_batch(TEXTS[:count])))
    embed._threads.shutdown()  # would wait for a request that goes on
    assert len(fake.requests) <= 2


def test_a_failing_batch_ends_the_requests_under_way(reach: Reach) -> None:
    gate = threading.Event()

    def reply(request: Request) -> Reply:
        if gate.is_set():
            return error(400, "ValidationError", "no")
        gate.set()
        return Reply(wait=3600)

    fake, embed = model(reach, reply, batch_size=1, concurrency=2, deadline=3600)
    with pytest.raises(ModelRefused):
        embed.get_text_embedding_batch(TEXTS[:2])
    assert fake.hung_up.wait(60)


def test_a_forked_process_has_threads_and_connections_of_its_own(reach: Reach) -> None:
    _, embed = model(reach, batch_size=1, concurrency=2, deadline=5)

    def embedded() -> list[list[float]]:
        return [*embed.get_text_embedding_batch(TEXTS[:4]), asyncio.run(embed.aget_query_embedding("한도"))]

    expected = embedded()
    child = os.fork()
    if not child:
        right = False
        try:
            right = embedded() == expected
        finally:
            os._exit(not right)
    killer = threading.Timer(30, os.kill, (child, signal.SIGKILL))
    killer.start()
    for _ in range(20):
        assert embedded() == expected
    assert os.waitpid(child, 0)[1] == 0
    killer.cancel()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda embed: embed.model_copy(deep=True)])
def test_a_copy_works_as_well(reach: Reach, copied: Callable[[SageMakerEmbedding], SageMakerEmbedding]) -> None:
    _, embed = model(reach, batch_size=1)
    assert copied(embed).get_text_embedding_batch(TEXTS[:4]) == embed.get_text_embedding_batch(TEXTS[:4])


def test_64_concurrent_calls_overlap_and_do_not_block_the_loop(reach: Reach) -> None:
    gate = Gate(64)

    def reply(request: Request) -> Reply:
        gate.hold()
        return embedding("tei")(request)

    _, embed = model(reach, reply)
    found = asyncio.run(gate.gather([partial(embed.aget_query_embedding, text) for text in TEXTS[:64]]))
    assert np.asarray(found) == unit(TEXTS[:64])


def test_window_for_the_ingestion(reach: Reach) -> None:
    _, embed = model(reach, passage_prefix="passage: ", max_tokens=300)
    assert embed.max_tokens == 300
    assert embed.token_count("한도는 얼마") > embed.token_count("한도")
    _, embed = model(reach, token_counter=len)
    assert embed.token_count("한도") == 2


def test_fingerprint_of_the_index(reach: Reach) -> None:
    """The same model behind another endpoint has the same fingerprint; other prefixes have another."""
    models = [model(reach), model(reach, name="hf"), model(reach, query_prefix="q: ")]
    one, same, other = (manifest_of(embed).fingerprint for _, embed in models)
    assert one == same != other


def test_a_question_has_a_deadline_of_its_own(reach: Reach) -> None:
    _, embed = model(reach, lambda request: Reply(wait=3600), deadline=3600.0, query_deadline=0.2)
    with pytest.raises(ModelTimeout):
        embed.get_query_embedding("한도")
