"""Embedding endpoints through boto3: all formats have the same vectors; limits are those of the containers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from tests.deploy.conftest import Run, embedder

TEXTS = ["OTP를 분실했어요", "이체한도를 늘리고 싶어요", "OTP를 분실했어요"]


def vectors(format: str, found: Any) -> np.ndarray[Any, Any]:
    match format:
        case "hf":
            return np.array([np.array(text[0]).mean(axis=0) for text in found])
        case "tei":
            return np.array(found)
        case "embeddings":
            return np.array(found["embeddings"])
        case _:
            return np.array([row["embedding"] for row in sorted(found["data"], key=lambda row: row["index"])])


def test_every_format_holds_the_same_vectors(run: Run) -> None:
    service = run(*(embedder(name=name, format=name) for name in ("hf", "tei", "embeddings", "openai")))
    found = {}
    for name in ("hf", "tei", "embeddings", "openai"):
        body = {"input": TEXTS, "model": "m"} if name == "openai" else {"inputs": TEXTS}
        rows = vectors(name, service.invoke(name, body))
        found[name] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        assert rows.shape == (3, 768)
        assert service.emulator.stats(name)["counts"] == {"requests": 1, "texts": 3}
    for rows in found.values():
        np.testing.assert_allclose(rows, found["tei"], atol=1e-5)
    assert np.array_equal(found["tei"][0], found["tei"][2]) and not np.array_equal(found["tei"][0], found["tei"][1])


def test_tokens_of_one_text_and_of_several_nest_as_in_the_container(run: Run) -> None:
    service = run(embedder(format="hf"))
    assert np.array(service.invoke("emb", {"inputs": TEXTS[0]})).ndim == 3
    several = service.invoke("emb", {"inputs": TEXTS[:2]})
    assert [np.array(text).shape[0] for text in several] == [1, 1]
    assert all(np.array(text).ndim == 3 for text in several)


@pytest.mark.parametrize(("right", "wrong"), [("cls", "mean"), ("mean", "cls")])
def test_only_the_right_pooling_gives_the_sentence(run: Run, right: str, wrong: str) -> None:
    service = run(embedder(format="hf", pooling=right), embedder(name="tei"))
    tokens = np.array(service.invoke("emb", {"inputs": TEXTS[0]}))[0]
    sentence = np.array(service.invoke("tei", {"inputs": TEXTS[0]}))[0]
    pooled = {"cls": tokens[0], "mean": tokens.mean(axis=0)}
    cosine = {name: float(row @ sentence / np.linalg.norm(row)) for name, row in pooled.items()}
    assert cosine[right] > 0.999
    assert cosine[wrong] < 0.8


def test_the_local_embedder_answers_and_takes_its_prefixes(run: Run) -> None:
    from rag.models.local_embedding import LocalEmbedding

    model, service = LocalEmbedding(), run(embedder(model="local"))
    query, passage, bare = service.invoke("emb", {"inputs": ["query: 한도", "passage: 한도", "한도"]})
    np.testing.assert_allclose(query, model.get_query_embedding("한도"), atol=1e-6)
    np.testing.assert_allclose(passage, model.get_text_embedding("한도"), atol=1e-6)
    assert bare == passage and query != passage


@pytest.mark.parametrize(
    ("fields", "body", "status", "words"),
    [
        ({}, {"inputs": ["가"] * 33}, 413, "batch size 33 > maximum allowed batch size 32"),
        ({"format": "embeddings", "max_batch": 2}, {"inputs": ["가"] * 3}, 413, "batch size 3"),
        ({}, {"inputs": "가" * 700_000}, 413, "length limit exceeded"),
        ({}, b"not json", 400, "Failed to parse"),
        ({}, {"inputs": []}, 422, "at least one string"),
        ({}, {"inputs": [None]}, 422, "at least one string"),
        ({"format": "openai"}, {"inputs": ["가"]}, 422, "at least one string"),
    ],
)
def test_what_the_container_refuses_is_a_model_error(
    run: Run, fields: dict[str, Any], body: Any, status: int, words: str
) -> None:
    service = run(embedder(**fields))
    with pytest.raises(service.runtime.exceptions.ModelError, match=words) as caught:
        service.invoke("emb", body)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == status
    assert words in response["OriginalMessage"]
    assert "/aws/sagemaker/Endpoints/emb" in response["LogStreamArn"]


def test_the_service_refuses_bodies_over_its_own_limit(run: Run) -> None:
    service = run(embedder(format="embeddings"))
    with pytest.raises(ClientError, match="HTTP content length exceeded 6291456 bytes") as caught:
        service.invoke("emb", {"inputs": "a" * 6_291_456})
    assert caught.value.response["Error"]["Code"] == "413"


def test_an_answer_that_takes_longer_than_the_service_waits_is_a_model_error(run: Run) -> None:
    service = run(embedder(latency_ms=60_000, invoke_seconds=0.1))
    with pytest.raises(service.runtime.exceptions.ModelError, match="timed out while waiting") as caught:
        service.invoke("emb", {"inputs": "가"})
    assert caught.value.response["OriginalStatusCode"] == 0


def test_time_is_that_of_the_spec(run: Run) -> None:
    """An hour per text exceeds the service's limit, a hundredth of a second does not."""
    service = run(embedder(latency_ms=0, per_text_ms=3_600_000, invoke_seconds=0.1))
    with pytest.raises(service.runtime.exceptions.ModelError, match="timed out while waiting"):
        service.invoke("emb", {"inputs": ["가"]})
    service.emulator.change("emb", per_text_ms=10, invoke_seconds=60)
    assert len(service.invoke("emb", {"inputs": ["가"] * 10})) == 10
