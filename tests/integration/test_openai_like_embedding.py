"""OpenAiLikeEmbedding over HTTP: correct vectors in order, validated, and all failures mapped to our errors."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from rag.errors import ModelError, ModelFormatError, ModelRefused, ModelUnavailable
from rag.ingestion.embedding import manifest_of
from rag.models import adapted_llm
from rag.models.adapted_llm import ATTEMPTS
from rag.models.openai_like import OpenAiLikeEmbedding
from tests.containers import embedding_answer, vectors
from tests.fake_endpoint import FakeEndpoint, Reply, Request, error, times_out, whole
from tests.integration.conftest import Reach

TEXTS = [f"{number}번째 질문입니다" for number in range(40)]
_made: list[OpenAiLikeEmbedding] = []


@pytest.fixture(autouse=True)
def _tidy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(adapted_llm, "FIRST_PAUSE", 0.001)
    yield
    while _made:
        _made.pop().close()


def in_order(request: Request) -> Reply:
    answer = embedding_answer("openai", request.body["input"])
    return whole({**answer, "data": answer["data"][::-1], "model": "bge-m3", "usage": {}})


def model(
    reach: Reach, reply: Callable[[Request], Reply] = in_order, **more: Any
) -> tuple[FakeEndpoint, OpenAiLikeEmbedding]:
    fake, _ = reach(reply)
    _made.append(OpenAiLikeEmbedding("bge-m3", f"{fake.url}/v1", **more))
    return fake, _made[-1]


def unit(texts: list[str]) -> Any:
    rows = np.asarray(vectors(texts))
    return pytest.approx(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def test_every_way_gives_the_same_vectors(reach: Reach) -> None:
    _, embed = model(reach, batch_size=7)
    assert np.asarray(embed.get_text_embedding_batch(TEXTS)) == unit(TEXTS)
    assert np.asarray(asyncio.run(embed.aget_text_embedding_batch(TEXTS))) == unit(TEXTS)
    assert np.asarray([embed.get_text_embedding("한도"), embed.get_query_embedding("한도")]) == unit(["한도", "한도"])
    assert np.asarray([asyncio.run(embed.aget_query_embedding("한도"))]) == unit(["한도"])


def test_what_is_sent(reach: Reach) -> None:
    """Limited batches, each text once, the model's prefixes, and the configured key, never the environment's."""
    fake, embed = model(reach, batch_size=3, query_prefix="query: ", passage_prefix="passage: ", api_key="s3cret")
    embed.get_text_embedding_batch(["가", "나", "가", "다", "라"])
    embed.get_query_embedding("한도")
    sent = sorted(request.body["input"] for request in fake.requests)
    assert sent == [["passage: 가", "passage: 나", "passage: 다"], ["passage: 라"], ["query: 한도"]]
    body, headers = fake.requests[0].body, fake.requests[0].headers
    assert (body["model"], body["encoding_format"], headers["Authorization"]) == ("bge-m3", "float", "Bearer s3cret")


def test_requests_overlap_and_no_more_than_asked_for(reach: Reach) -> None:
    def slowly(request: Request) -> Reply:
        time.sleep(0.05)
        return in_order(request)

    fake, embed = model(reach, slowly, batch_size=2, concurrency=4)
    embed.get_text_embedding_batch(TEXTS)
    assert 1 < fake.peak <= 4


def test_it_makes_a_manifest(reach: Reach) -> None:
    _, embed = model(reach)
    manifest = manifest_of(embed)
    assert manifest.dimension == 4
    assert manifest == manifest_of(embed)


def test_throttling_is_tried_again(reach: Reach) -> None:
    busy = error(429, "rate_limited")
    fake, embed = model(reach, lambda request: busy if len(fake.requests) < ATTEMPTS else in_order(request))
    assert len(embed.get_query_embedding("한도")) == 4
    assert len(fake.requests) == ATTEMPTS


@pytest.mark.parametrize(
    ("reply", "expected", "words"),
    [
        (error(429, "rate_limited"), ModelUnavailable, "overloaded"),
        (error(401, "unauthorized"), ModelRefused, "API_KEY"),
        (error(404, "not_found"), ModelRefused, "MODEL"),
        (error(500, "boom"), ModelError, "log"),
        (Reply([b"<html>It works!</html>"]), ModelFormatError, "cannot read"),
        (whole({"data": []}), ModelFormatError, "cannot read"),
        (whole({"data": [{"index": 0, "embedding": [0.0, 0.0]}]}), ModelError, "zeros"),
        (Reply(fault="drop"), ModelUnavailable, "BASE_URL"),
    ],
)
def test_every_failure_is_one_of_ours(reach: Reach, reply: Reply, expected: type[ModelError], words: str) -> None:
    _, embed = model(reach, lambda request: reply)
    with pytest.raises(expected, match=words):
        embed.get_query_embedding("한도")


@pytest.mark.parametrize("status", [413, 422])
def test_a_batch_that_the_server_refuses_is_sent_in_halves(
    reach: Reach, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    def small(request: Request) -> Reply:
        count = len(request.body["input"])
        return (
            in_order(request)
            if count <= 8
            else error(status, "Validation", f"batch size {count} > maximum allowed batch size 8")
        )

    _, embed = model(reach, small, batch_size=32)
    assert np.asarray(embed.get_text_embedding_batch(TEXTS)) == unit(TEXTS)
    assert "set FSI_EMBEDDING__BATCH_SIZE below 32" in caplog.text
    assert not any(text in caplog.text for text in TEXTS)
    _, strict = model(reach, lambda request: error(status, "Validation", "batch size 1 > maximum allowed batch size 0"))
    with pytest.raises(ModelRefused):
        strict.get_text_embedding_batch(TEXTS)


def test_another_dimension_is_refused(reach: Reach) -> None:
    _, embed = model(reach, dimension=768)
    with pytest.raises(ModelError, match="768"):
        embed.get_text_embedding_batch(["가"])


def test_a_question_has_a_deadline_of_its_own(reach: Reach) -> None:
    def start(seconds: float) -> tuple[FakeEndpoint, Callable[[], Any]]:
        fake, embed = model(reach, lambda request: Reply(wait=3600), deadline=3600.0, query_deadline=seconds)
        return fake, lambda: embed.get_query_embedding("한도")

    times_out(start)


def test_vectors_are_of_unit_length(reach: Reach) -> None:
    _, embed = model(reach)
    assert math.hypot(*embed.get_query_embedding("한도")) == pytest.approx(1.0)
