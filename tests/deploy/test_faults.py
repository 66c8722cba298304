"""Every fault of an emulated endpoint, as boto3 sees it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, get_args

import orjson
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EventStreamError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.exceptions import ReadTimeoutError as StalledError

from deploy.local.server import bind
from deploy.local.spec import FaultKind
from tests.deploy.conftest import Run, Service, client, embedder, generator

REFUSED = {
    "throttle": ("ThrottlingException", 400),
    "not_ready": ("ModelNotReadyException", 429),
    "unavailable": ("ServiceUnavailable", 503),
    "internal": ("InternalFailure", 500),
    "dependency": ("InternalDependencyException", 530),
    "model_error": ("ModelError", 424),
}
SPOILED = {"not_json", "one_short", "not_finite"}
BROKEN_OFF = {"reset", "hang", "drop", "stall", "truncate"}
REPORTED = {"container_error", "finish_error", "stream_error", "stream_failure"}
PROMPT = {"inputs": "질문", "parameters": {"max_new_tokens": 50}, "stream": True}
TEXTS = {"inputs": ["가", "나", "다"]}


def failing(kind: str, **more: Any) -> dict[str, Any]:
    return {"faults": [{"kind": kind, **more}]}


def read(service: Service, name: str = "llm") -> tuple[list[bytes], BaseException | None]:
    """The received parts, and the error that ended them."""
    parts: list[bytes] = []
    try:
        for part in service.stream(name, PROMPT):
            parts.append(part)  # noqa: PERF402 - those before an error count
    except (EventStreamError, HTTPError) as exc:
        return parts, exc
    return parts, None


def test_every_fault_is_tested() -> None:
    assert set(get_args(FaultKind)) == {*REFUSED, *SPOILED, *BROKEN_OFF, *REPORTED}


@pytest.mark.parametrize("kind", REFUSED)
def test_refusals_have_the_names_and_statuses_of_the_service(run: Run, kind: str) -> None:
    service = run(embedder(**failing(kind)), generator(**failing(kind)))
    code, status = REFUSED[kind]
    for ask in (lambda: service.invoke("emb", TEXTS), lambda: list(service.stream("llm", PROMPT))):
        with pytest.raises(ClientError) as caught:
            ask()
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    modelled = getattr(service.runtime.exceptions, code, ClientError)
    assert isinstance(caught.value, modelled)
    assert service.emulator.stats("llm")["counts"] == {"faults": 1, "refusals": 1, "requests": 1}


def test_a_model_error_holds_what_the_container_answered(run: Run) -> None:
    service = run(embedder(**failing("model_error", status=507, message="out of memory")))
    with pytest.raises(service.runtime.exceptions.ModelError, match=r"Received server error \(507\)") as caught:
        service.invoke("emb", TEXTS)
    assert caught.value.response["OriginalStatusCode"] == 507
    assert caught.value.response["OriginalMessage"] == "out of memory"


def test_a_connection_cut_before_the_answer(run: Run) -> None:
    service = run(embedder(**failing("reset", count=1)))
    with pytest.raises(ConnectionClosedError):
        service.invoke("emb", TEXTS)
    assert len(service.invoke("emb", TEXTS)) == 3
    assert "disconnects" not in service.emulator.stats("emb")["counts"], "it was not the client who went"


def test_silence_ends_at_the_client_s_own_deadline(run: Run) -> None:
    service = run(embedder(**failing("hang")), read_timeout=0.3)
    with pytest.raises(ReadTimeoutError):
        service.invoke("emb", TEXTS)
    service = run(embedder(**failing("hang", seconds=0.1)))
    with pytest.raises(ConnectionClosedError):
        service.invoke("emb", TEXTS)


def test_an_answer_that_is_no_json(run: Run) -> None:
    service = run(embedder(**failing("not_json")), generator(**failing("not_json")))
    with pytest.raises(orjson.JSONDecodeError):
        service.invoke("emb", TEXTS)
    assert read(service) == ([b"<html><body>It works!</body></html>"], None)


@pytest.mark.parametrize("format", ["hf", "tei", "embeddings", "openai"])
def test_vectors_that_are_wrong(run: Run, format: str) -> None:
    import json
    import math

    service = run(embedder(format=format, **failing("one_short")))
    body = {"input" if format == "openai" else "inputs": ["가", "나", "다"]}
    found = service.invoke("emb", body)
    assert len(found if isinstance(found, list) else found.get("data", found.get("embeddings"))) == 2
    service.emulator.change("emb", **failing("not_finite"))
    raw = service.runtime.invoke_endpoint(EndpointName="emb", Body=orjson.dumps(body))["Body"].read()
    assert any(math.isnan(number) for number in _numbers(json.loads(raw)))


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _numbers(each)
    elif isinstance(value, float):
        yield value


def test_a_dropped_answer_breaks_off_in_the_middle_of_the_body(run: Run) -> None:
    service = run(embedder(**failing("drop")))
    with pytest.raises(ResponseStreamingError):
        service.invoke("emb", TEXTS)


def test_a_dropped_stream(run: Run) -> None:
    service = run(generator(answer="가나 다라 마바 사아 자차", **failing("drop", after=2)))
    parts, error = read(service)
    assert len(parts) == 2
    assert isinstance(error, ProtocolError)
    assert "disconnects" not in service.emulator.stats("llm")["counts"]


def test_a_stalled_stream(run: Run) -> None:
    service = run(generator(answer="가나 다라 마바 사아 자차", **failing("stall", after=2)), read_timeout=5)
    parts, error = read(service)
    assert len(parts) == 2
    assert isinstance(error, StalledError)


def test_a_stream_that_pauses_briefly_continues(run: Run) -> None:
    service = run(generator(answer="가나 다라", **failing("stall", after=1, seconds=0.1)))
    parts, error = read(service)
    assert error is None and orjson.loads(parts[1])["generated_text"] == "가나 다라"


def test_a_truncated_stream_ends_without_an_error_and_without_its_end_marker(run: Run) -> None:
    service = run(generator(answer="가나 다라 마바 사아", **failing("truncate", after=2)))
    parts, error = read(service)
    assert error is None
    assert [orjson.loads(part)["generated_text"] for part in parts] == [None, None]


@pytest.mark.parametrize("format", ["kullm", "tgi", "lmi", "openai"])
@pytest.mark.parametrize("kind", ["container_error", "finish_error"])
def test_the_container_s_own_error_after_200(run: Run, format: str, kind: str) -> None:
    service = run(generator(format=format, streams=True, answer="가나 다라 마바", **failing(kind, after=1)))
    body = {"messages": [{"role": "user", "content": "질문"}]} if format == "openai" else PROMPT
    parts = list(service.stream("llm", {**body, "stream": True}))
    assert len(parts) == 2
    assert b"error" in parts[-1]


@pytest.mark.parametrize(
    ("kind", "code"), [("stream_error", "ModelStreamError"), ("stream_failure", "InternalStreamFailure")]
)
def test_the_service_s_own_error_in_the_stream(run: Run, kind: str, code: str) -> None:
    service = run(generator(answer="가나 다라 마바", **failing(kind, after=1, message="broken")))
    parts, error = read(service)
    assert len(parts) == 1
    assert isinstance(error, EventStreamError)
    assert error.response["Error"] == {"Code": code, "Message": "broken"}


def test_a_stream_longer_than_the_service_allows(run: Run) -> None:
    service = run(generator(answer="가나 " * 20, tokens_per_second=50, stream_seconds=0.1))
    parts, error = read(service)
    assert 0 < len(parts) < 20
    assert isinstance(error, EventStreamError)


def test_faults_meet_the_requests_they_are_for(run: Run) -> None:
    service = run(embedder(faults=[{"kind": "throttle", "first": 2, "count": 2}]))
    seen = []
    for _ in range(5):
        try:
            service.invoke("emb", TEXTS)
            seen.append(True)
        except ClientError:
            seen.append(False)
    assert seen == [True, False, False, True, True]


def test_a_share_of_requests_is_drawn_from_the_seed(run: Run) -> None:
    def drawn(seed: int) -> list[bool]:
        service.emulator.put(embedder(seed=seed, faults=[{"kind": "throttle", "share": 0.5}]))
        return [_throttled(service) for _ in range(10)]

    service = run()
    assert drawn(1) == drawn(1) != drawn(2)
    assert 0 < sum(drawn(1)) < 10


def _throttled(service: Service) -> bool:
    try:
        service.invoke("emb", TEXTS)
    except ClientError:
        return True
    return False


def test_boto3_s_own_retries_get_past_a_fault(run: Run) -> None:
    service = run(embedder(**failing("unavailable", count=1)), retries={"total_max_attempts": 3, "mode": "standard"})
    assert len(service.invoke("emb", TEXTS)) == 3
    assert service.emulator.stats("emb")["counts"]["requests"] == 2


@contextmanager
def waiting(service: Service, name: str, key: str, count: int) -> Iterator[None]:
    """After the block, wait until the emulator's count reaches this number."""
    yield
    while service.emulator.stats(name)["counts"].get(key, 0) < count:
        time.sleep(0.02)


@pytest.mark.parametrize("after", [0, 3], ids=["before the first token", "in the middle"])
def test_a_client_that_goes_is_seen_and_its_work_stopped(run: Run, after: int) -> None:
    import threading

    service = run(
        generator(answer="가나 " * 1000, latency_ms=0 if after else 60_000, tokens_per_second=100, invoke_seconds=90)
    )
    with (
        waiting(service, "llm", "disconnects", 1),
        client("sagemaker-runtime", service.emulator.url, read_timeout=60 if after else 0.5) as going,
    ):
        if after:
            body = orjson.dumps({**PROMPT, "parameters": {"max_new_tokens": 1000}})
            response = going.invoke_endpoint_with_response_stream(EndpointName="llm", Body=body)
            for _, _part in zip(range(after), response["Body"], strict=False):
                pass
            response["Body"].close()
        else:
            # A busy machine may not have read the request before the client has gone: then nobody was seen to go.
            while not service.emulator.stats("llm")["counts"].get("requests"):
                with pytest.raises(ReadTimeoutError):
                    going.invoke_endpoint_with_response_stream(EndpointName="llm", Body=orjson.dumps(PROMPT))
    while service.emulator.stats("llm")["active"]:
        time.sleep(0.02)
    assert threading.active_count() < 20


def test_no_more_are_worked_on_at_once_than_the_endpoint_can(run: Run) -> None:
    from concurrent.futures import ThreadPoolExecutor

    service = run(
        embedder(latency_ms=50, concurrency=3), embedder(name="free", latency_ms=1000), max_pool_connections=12
    )
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda name: service.invoke(name, TEXTS), ["emb", "free"] * 12))
    assert service.emulator.stats("emb")["peak"] == 3
    assert service.emulator.stats("free")["peak"] > 3


def test_small_parts_are_not_held_back() -> None:
    with bind(0) as listening:
        assert listening.proto == socket.IPPROTO_TCP, "asyncio sets TCP_NODELAY for no other"
