"""The SageMaker runtime client: retries, deadlines, cancellation, and the mapping of every vendor error."""

from __future__ import annotations

import inspect
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import botocore.exceptions
import pytest
import urllib3.exceptions

from rag.errors import (
    ModelError,
    ModelInputTooLong,
    ModelInterrupted,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
)
from rag.models.aws_errors import AWS_ERRORS, from_aws
from rag.models.cancellation import CancelScope
from rag.models.sagemaker import client
from rag.models.sagemaker.client import ATTEMPTS, Endpoint, Runtime, shared_runtime
from tests.fake_endpoint import FakeEndpoint, Reply, error, times_out
from tests.integration.conftest import Reach

FAQ = Endpoint("faq-llm")
OK = Reply([b'{"a"', b": 1}"])
NOT_READY = error(429, "ModelNotReadyException", "loading")
THROTTLED = error(400, "ThrottlingException", "Rate exceeded")
UNAVAILABLE = error(503, "ServiceUnavailable", "try later")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.001)


def scripted(replies: Sequence[Reply]) -> Iterator[Reply]:
    """Returns the replies in turn, then the last one forever."""
    yield from replies
    while True:
        yield replies[-1]


def call(runtime: Runtime, *, stream: bool, scope: CancelScope | None = None) -> bytes:
    scope = scope or CancelScope()
    return b"".join(runtime.stream(FAQ, b"{}", scope)) if stream else runtime.invoke(FAQ, b"{}", scope)


def cancel_when_asked(fake: FakeEndpoint, scope: CancelScope) -> None:
    """Cancel from another thread after the request has arrived."""

    def wait() -> None:
        fake.arrived.wait()
        time.sleep(0.05)
        scope.cancel()

    threading.Thread(target=wait).start()


BOTH = pytest.mark.parametrize("stream", [False, True])


@BOTH
def test_what_is_sent(reach: Reach, stream: bool) -> None:
    fake, runtime = reach(lambda request: OK)
    endpoint = Endpoint("faq-llm", inference_component="kullm-a", target_variant="blue", session_id="s-1")
    scope = CancelScope()
    answer = (
        b"".join(runtime.stream(endpoint, b'{"inputs": 1}', scope))
        if stream
        else runtime.invoke(endpoint, b'{"inputs": 1}', scope)
    )
    assert answer == b'{"a": 1}'
    (request,) = fake.requests
    assert (request.endpoint, request.streaming, request.body) == ("faq-llm", stream, {"inputs": 1})
    assert request.headers["X-Amzn-SageMaker-Inference-Component"] == "kullm-a"
    assert request.headers["X-Amzn-SageMaker-Target-Variant"] == "blue"
    assert request.headers["X-Amzn-SageMaker-Session-Id"] == "s-1"


@BOTH
@pytest.mark.parametrize(
    "failure",
    [
        NOT_READY,
        THROTTLED,
        UNAVAILABLE,
        error(500, "InternalFailure"),
        error(530, "InternalDependencyException"),
        error(424, "ModelError", OriginalStatusCode=503, OriginalMessage="queue full"),
        Reply(fault="drop"),
    ],
    ids=lambda reply: reply.error or reply.fault,
)
def test_temporary_failures_are_retried(reach: Reach, stream: bool, failure: Reply) -> None:
    replies = scripted([failure, failure, OK])
    fake, runtime = reach(lambda request: next(replies))
    assert call(runtime, stream=stream) == b'{"a": 1}'
    assert len(fake.requests) == 3


@BOTH
@pytest.mark.parametrize(
    ("failure", "kind", "words", "korean"),
    [
        (NOT_READY, ModelUnavailable, "not ready", "준비되는 중"),
        (THROTTLED, ModelUnavailable, "no capacity left", "이용자가 많아"),
        (UNAVAILABLE, ModelUnavailable, "failing", "사용할 수 없습니다"),
        (Reply(fault="drop"), ModelUnavailable, "check the network", "사용할 수 없습니다"),
    ],
    ids=lambda value: value.error or value.fault if isinstance(value, Reply) else None,
)
def test_lasting_failures_end_the_retries(
    reach: Reach, stream: bool, failure: Reply, kind: type[ModelError], words: str, korean: str
) -> None:
    fake, runtime = reach(lambda request: failure)
    with pytest.raises(kind, match=words) as caught:
        call(runtime, stream=stream)
    assert korean in caught.value.korean
    assert len(fake.requests) == ATTEMPTS


@BOTH
@pytest.mark.parametrize(
    ("failure", "kind", "words"),
    [
        (error(400, "ValidationError", "Endpoint faq-llm not found"), ModelRefused, "check its name"),
        (error(403, "AccessDeniedException", "not authorized"), ModelRefused, "sagemaker:InvokeEndpoint"),
        (error(403, "ExpiredTokenException", "expired"), ModelRefused, "credentials"),
        (error(413, "RequestEntityTooLarge", "too big"), ModelInputTooLong, "large"),
        (
            error(424, "ModelError", OriginalStatusCode=413, OriginalMessage="batch size 64 > 32"),
            ModelInputTooLong,
            "64",
        ),
        (
            error(424, "ModelError", OriginalStatusCode=400, OriginalMessage="maximum context length is 2048"),
            ModelInputTooLong,
            "2048",
        ),
        (
            error(424, "ModelError", OriginalStatusCode=422, OriginalMessage="missing field inputs"),
            ModelRefused,
            "FORMAT",
        ),
        (
            error(424, "ModelError", OriginalStatusCode=500, OriginalMessage="CUDA", LogStreamArn="arn:log"),
            ModelError,
            "arn:log",
        ),
    ],
)
def test_permanent_failures_are_not_retried(
    reach: Reach, stream: bool, failure: Reply, kind: type[ModelError], words: str
) -> None:
    fake, runtime = reach(lambda request: failure)
    with pytest.raises(kind, match=words) as caught:
        call(runtime, stream=stream)
    assert type(caught.value) is kind
    assert len(fake.requests) == 1


def test_a_stream_is_not_retried_after_its_first_part(reach: Reach) -> None:
    fake, runtime = reach(lambda request: Reply([b"one", b"two"], fault="drop"))
    stream = runtime.stream(FAQ, b"{}", CancelScope())
    assert [next(stream), next(stream)] == [b"one", b"two"]
    with pytest.raises(ModelUnavailable):
        next(stream)
    assert len(fake.requests) == 1


@pytest.mark.parametrize("fault", ["ModelStreamError", "InternalStreamFailure"])
def test_an_exception_in_the_stream(reach: Reach, fault: str) -> None:
    replies = scripted([Reply(fault=fault), Reply([b"one"], fault=fault)])
    fake, runtime = reach(lambda request: next(replies))
    stream = runtime.stream(FAQ, b"{}", CancelScope())
    assert next(stream) == b"one"
    with pytest.raises(ModelUnavailable, match="out of memory"):
        next(stream)
    assert len(fake.requests) == 2


@BOTH
@pytest.mark.parametrize(
    "silence", [Reply(wait=3600), Reply(fault="drip"), Reply(fault="stall")], ids=["mute", "drip", "stall"]
)
def test_the_deadline_ends_a_call_wherever_it_waits(reach: Reach, stream: bool, silence: Reply) -> None:
    """Also if the server sends a byte from time to time, which no read timeout ends."""

    def start(seconds: float) -> tuple[FakeEndpoint, Callable[[], object]]:
        fake, runtime = reach(lambda request: silence)
        return fake, lambda: call(runtime, stream=stream, scope=CancelScope(seconds))

    assert len(times_out(start).requests) == 1


def test_a_silent_stream_ends_before_its_deadline(reach: Reach) -> None:

    scopes: list[CancelScope] = []

    def start(seconds: float) -> tuple[FakeEndpoint, Callable[[], object]]:
        fake, runtime = reach(lambda request: Reply([b"one"], fault="stall"))
        scopes.append(CancelScope(3600, stall=seconds))
        return fake, lambda: call(runtime, stream=True, scope=scopes[-1])

    times_out(start)
    assert not any(scope.cancelled or scope.expired for scope in scopes)


def test_retries_end_with_the_deadline(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: 3600.0)
    fake, runtime = reach(lambda request: THROTTLED)
    with pytest.raises(ModelUnavailable, match="no capacity left"):
        call(runtime, stream=False, scope=CancelScope(60))
    assert len(fake.requests) == 1


@BOTH
@pytest.mark.parametrize("silence", [Reply(wait=3600), Reply([b"one"], fault="stall")], ids=["before", "within"])
def test_cancel_closes_the_connection_at_once(reach: Reach, stream: bool, silence: Reply) -> None:
    fake, runtime = reach(lambda request: silence)
    scope = CancelScope(3600)
    cancel_when_asked(fake, scope)
    with pytest.raises(ModelInterrupted, match="cancelled"):
        call(runtime, stream=stream, scope=scope)
    assert fake.hung_up.wait(60)


def test_cancel_ends_the_wait_between_tries(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    scope = CancelScope(3600)
    monkeypatch.setattr(random, "uniform", lambda low, high: 3000.0)
    fake, runtime = reach(lambda request: THROTTLED)
    cancel_when_asked(fake, scope)
    with pytest.raises(ModelInterrupted):
        call(runtime, stream=False, scope=scope)


def test_a_cancelled_call_sends_nothing(reach: Reach) -> None:
    fake, runtime = reach(lambda request: OK)
    scope = CancelScope()
    scope.cancel()
    with pytest.raises(ModelInterrupted):
        call(runtime, stream=False, scope=scope)
    assert fake.requests == []


def test_a_late_cancel_leaves_the_pooled_connection_to_the_next_call(reach: Reach) -> None:
    fake, runtime = reach(lambda request: Reply([b"1"], wait=0.1 if len(fake.requests) > 1 else 0))
    first = CancelScope()
    call(runtime, stream=False, scope=first)
    fake.arrived.clear()
    cancel_when_asked(fake, first)
    assert call(runtime, stream=False) == b"1"
    assert len(fake.requests) == 2


def test_closing_a_stream_closes_its_connection(reach: Reach) -> None:
    fake, runtime = reach(lambda request: Reply([b"one", b"two"], pause=3600))
    stream = runtime.stream(FAQ, b"{}", CancelScope())
    assert next(stream) == b"one"
    stream.close()
    assert fake.hung_up.wait(60)


def test_no_server(reach: Reach) -> None:
    fake, runtime = reach(lambda request: OK)
    fake.close()
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        call(runtime, stream=False)


def test_one_runtime_for_all(reach: Reach) -> None:
    assert shared_runtime("ap-northeast-2") is shared_runtime("ap-northeast-2")
    assert shared_runtime("ap-northeast-2") is not shared_runtime("us-east-1")


def test_the_endpoint_url_comes_from_the_environment(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    fake, _ = reach(lambda request: OK)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", fake.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    runtime = Runtime()
    assert call(runtime, stream=False) == b'{"a": 1}'
    runtime.close()


def test_no_region(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(ModelRefused, match="AWS_DEFAULT_REGION"):
        Runtime()


@pytest.mark.parametrize("address", ["localhost:8790", "http://", "http://[::1"])
def test_an_invalid_address(address: str) -> None:
    with pytest.raises(ModelRefused, match="AWS_ENDPOINT_URL"):
        Runtime("ap-northeast-2", address)


def test_no_credentials(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    fake, _ = reach(lambda request: OK)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    runtime = Runtime("ap-northeast-2", fake.url)
    with pytest.raises(ModelRefused, match="credentials"):
        call(runtime, stream=False)
    runtime.close()


def _instance(kind: type[Exception]) -> Exception:
    """An instance of the class, whatever arguments its constructor needs."""
    made = type(kind.__name__, (kind,), {"__init__": lambda self: None, "__str__": lambda self: "broken"})()
    assert isinstance(made, kind)
    return made


def test_every_modelled_error_of_the_service_is_mapped(reach: Reach) -> None:
    _, runtime = reach(lambda request: OK)
    modelled = runtime.client.meta.service_model.error_shapes
    assert {shape.name for shape in modelled} >= {"ModelError", "ModelNotReadyException", "ValidationError"}
    for shape in modelled:
        code = shape.metadata.get("error", {}).get("code", shape.name)
        status = shape.metadata.get("error", {}).get("httpStatusCode", 0)
        kind = runtime.client.exceptions.from_code(code)
        raised = kind(
            {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Invoke"
        )
        mapped = from_aws(raised, "faq-llm")
        assert "m" in str(mapped)
        assert (type(mapped) is ModelError) == (code == "ModelError"), code


def test_every_transport_error_is_mapped() -> None:
    """botocore's, and those of urllib3 that a broken stream raises past it."""
    transport = (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError, urllib3.exceptions.HTTPError)
    for library in (botocore.exceptions, urllib3.exceptions):
        kinds = [kind for _, kind in inspect.getmembers(library, inspect.isclass) if issubclass(kind, transport)]
        assert len(kinds) > 8
        for kind in kinds:
            exc = _instance(kind)
            assert isinstance(exc, AWS_ERRORS), kind
            assert type(from_aws(exc, "faq-llm")) in (ModelUnavailable, ModelTimeout), kind


def test_every_other_error_of_botocore_is_one_of_ours() -> None:
    for kind in vars(botocore.exceptions).values():
        if isinstance(kind, type) and issubclass(kind, botocore.exceptions.BotoCoreError):
            assert isinstance(from_aws(_instance(kind), "faq-llm"), ModelError), kind
