"""Models of LlamaIndex's packages, over HTTP: they behave as SageMakerLLM does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole

from rag.errors import (
    ModelError,
    ModelFormatError,
    ModelInputTooLong,
    ModelInterrupted,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
)
from rag.factory.models import language_model
from rag.models import adapted_llm
from rag.models.adapted_llm import ATTEMPTS, AdaptedLLM
from rag.models.bedrock import BedrockLLM
from rag.models.cancellation import CancelScope
from rag.models.openai_like import OpenAiLikeLLM
from rag.models.streaming import stream_chat
from rag.settings import LlmSettings
from tests.containers import ANSWER, TOKENS
from tests.fake_endpoint import (
    FakeEndpoint,
    Reply,
    Request,
    cancelled_while_waiting,
    error,
    events,
    sse,
    times_out,
    whole,
)
from tests.integration.conftest import Reach

MESSAGES = [ChatMessage(role=MessageRole.SYSTEM, content="짧게 답하세요."), ChatMessage(content="OTP 한도가 얼마예요?")]
USAGE = {"prompt_tokens": 7, "completion_tokens": 12, "total_tokens": 19}
KINDS = pytest.mark.parametrize("kind", ["openai_like", "bedrock"])
BOTH = pytest.mark.parametrize("stream", [False, True])
Answering = Callable[[Request], Reply]


_made: list[AdaptedLLM] = []


@pytest.fixture(autouse=True)
def _tidy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(adapted_llm, "FIRST_PAUSE", 0.001)
    yield
    while _made:
        _made.pop().close()


def model(reach: Reach, kind: str, reply: Answering, **more: Any) -> tuple[FakeEndpoint, AdaptedLLM]:
    fake, _ = reach(reply)
    if kind == "bedrock":
        _made.append(BedrockLLM("amazon.nova-lite-v1:0", region="ap-northeast-2", endpoint_url=fake.url, **more))
    else:
        _made.append(OpenAiLikeLLM("qwen3", f"{fake.url}/v1", **more))
    return fake, _made[-1]


def chunk(delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "qwen3", "choices": [choice]}


def pieces(kind: str, tokens: Sequence[str] = TOKENS, reason: str | None = None) -> list[bytes]:
    """The parts of a stream that has these pieces, without its end."""
    if kind == "bedrock":
        deltas = [("contentBlockDelta", {"delta": {"text": token}, "contentBlockIndex": 0}) for token in tokens]
        return events(("messageStart", {"role": "assistant"}), *deltas)
    return sse(*(chunk({"content": token}) for token in tokens))[:-1]


def end(kind: str, reason: str | None = None) -> list[bytes]:
    if kind == "bedrock":
        usage = {"inputTokens": 7, "outputTokens": 12, "totalTokens": 19}
        stop = ("messageStop", {"stopReason": reason or "end_turn"})
        return events(("contentBlockStop", {"contentBlockIndex": 0}), stop, ("metadata", {"usage": usage}))
    return sse(chunk({}, reason or "stop"), {**chunk({}), "choices": [], "usage": USAGE})


def answer(kind: str) -> Any:
    if kind == "bedrock":
        usage = {"inputTokens": 7, "outputTokens": 12, "totalTokens": 19}
        message = {"role": "assistant", "content": [{"text": ANSWER}]}
        return {"output": {"message": message}, "stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 1}}
    message = {"role": "assistant", "content": ANSWER}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}


def answering(kind: str) -> Answering:
    return lambda request: Reply([*pieces(kind), *end(kind)]) if request.streaming else whole(answer(kind))


def ask(llm: AdaptedLLM, *, stream: bool, **options: Any) -> str:
    if not stream:
        return str(llm.chat(MESSAGES, **options).message.content)
    return "".join(response.delta or "" for response in llm.stream_chat(MESSAGES, **options))


@KINDS
class TestEveryWayGivesTheSameAnswer:
    def test_sync(self, reach: Reach, kind: str) -> None:
        _, llm = model(reach, kind, answering(kind))
        assert llm.chat(MESSAGES).message.content == llm.complete("한도").text == ANSWER
        assert [response.delta for response in llm.stream_chat(MESSAGES)] == [*TOKENS, ""]
        assert "".join(response.delta or "" for response in llm.stream_complete("한도")) == ANSWER

    def test_async(self, reach: Reach, kind: str) -> None:
        _, llm = model(reach, kind, answering(kind))

        async def all_of_them() -> list[str]:
            chatted, completed = await llm.achat(MESSAGES), await llm.acomplete("한도")
            streamed = [response.delta or "" async for response in await llm.astream_chat(MESSAGES)]
            written = [response.delta or "" async for response in await llm.astream_complete("한도")]
            return [str(chatted.message.content), completed.text, "".join(streamed), "".join(written)]

        assert asyncio.run(all_of_them()) == [ANSWER] * 4

    def test_the_last_response_has_reason_and_tokens(self, reach: Reach, kind: str) -> None:
        _, llm = model(reach, kind, answering(kind))
        *_, last = llm.stream_chat(MESSAGES)
        assert (last.delta, last.message.content) == ("", ANSWER)
        assert last.raw is not None and last.raw["usage"] == USAGE
        assert llm.chat(MESSAGES).raw == last.raw

    def test_a_stream_of_bare_pieces(self, reach: Reach, kind: str) -> None:
        _, llm = model(reach, kind, answering(kind))
        stream = llm.open_stream(MESSAGES)
        assert list(stream) == list(TOKENS)
        assert (stream.text, stream.raw["usage"]) == (ANSWER, USAGE)

    def test_an_answer_cut_at_its_longest_size_says_so(self, reach: Reach, kind: str) -> None:
        reason = "max_tokens" if kind == "bedrock" else "length"
        _, llm = model(reach, kind, lambda request: Reply([*pieces(kind), *end(kind, reason)]))
        *_, last = llm.stream_chat(MESSAGES)
        assert last.raw is not None and last.raw["finish_reason"] == reason

    def test_what_a_stream_reports(self, reach: Reach, kind: str) -> None:
        _, llm = model(reach, kind, answering(kind), window=8192, max_new_tokens=700)
        assert (llm.metadata.context_window, llm.metadata.num_output) == (8192, 700)
        assert llm.metadata.is_chat_model


def test_what_is_sent_to_an_openai_compatible_server(reach: Reach) -> None:
    more = {"parameters": {"top_p": 0.9, "top_k": 20, "do_sample": None}, "api_key": "s3cret", "max_new_tokens": 99}
    fake, llm = model(reach, "openai_like", answering("openai_like"), **more)
    ask(llm, stream=True)
    (request,) = fake.requests
    assert request.body.pop("messages")[1] == {"role": "user", "content": MESSAGES[1].content}
    assert request.body == {"model": "qwen3", "stream": True, "max_tokens": 99, "top_p": 0.9, "top_k": 20}
    assert request.headers["Authorization"] == "Bearer s3cret"


def test_no_key_of_the_environment_is_sent(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a key for another host")
    fake, llm = model(reach, "openai_like", answering("openai_like"))
    ask(llm, stream=False)
    assert fake.requests[0].headers["Authorization"] == "Bearer none"


def test_what_is_sent_to_bedrock(reach: Reach) -> None:
    fake, llm = model(reach, "bedrock", answering("bedrock"), top_p=0.9, max_new_tokens=99)
    ask(llm, stream=True)
    (request,) = fake.requests
    assert request.endpoint == "amazon.nova-lite-v1:0"
    assert request.body["inferenceConfig"] == {"maxTokens": 99, "topP": 0.9}
    assert request.body["system"] == [{"text": "짧게 답하세요."}]


@KINDS
@BOTH
@pytest.mark.parametrize(
    "failure", [error(429, "ThrottlingException", "slow"), error(503, "ServiceUnavailableException")]
)
def test_temporary_failures_are_retried(reach: Reach, kind: str, stream: bool, failure: Reply) -> None:
    fake, llm = model(
        reach, kind, lambda request: failure if len(fake.requests) < ATTEMPTS else answering(kind)(request)
    )
    assert ask(llm, stream=stream) == ANSWER
    assert len(fake.requests) == ATTEMPTS


FAILURES = [
    (error(429, "ThrottlingException", "slow"), ModelUnavailable, "이용자가 많아"),
    (error(400, "ValidationException", "Input is too long for requested model"), ModelInputTooLong, "너무 길어"),
    (error(403, "AccessDeniedException", "no"), ModelRefused, "관리자"),
    (error(404, "ResourceNotFoundException", "no such model"), ModelRefused, "관리자"),
    (error(500, "InternalServerException", "boom"), ModelError, "답변 모델"),
    (Reply(fault="drop"), ModelUnavailable, "사용할 수 없습니다"),
]


@KINDS
@BOTH
@pytest.mark.parametrize(("failure", "expected", "korean"), FAILURES)
def test_every_failure_is_one_of_ours(
    reach: Reach, kind: str, stream: bool, failure: Reply, expected: type[ModelError], korean: str
) -> None:
    fake, llm = model(reach, kind, lambda request: failure)
    with pytest.raises(expected) as caught:
        ask(llm, stream=stream)
    assert korean in caught.value.korean
    assert len(fake.requests) <= ATTEMPTS


@BOTH
def test_a_web_page_is_no_answer(reach: Reach, stream: bool) -> None:
    _, llm = model(reach, "openai_like", lambda request: Reply([b"<html>It works!</html>"]))
    with pytest.raises(ModelFormatError):
        ask(llm, stream=stream)


def test_no_server_at_all(reach: Reach) -> None:
    fake, llm = model(reach, "openai_like", answering("openai_like"))
    fake.close()
    with pytest.raises(ModelUnavailable, match="BASE_URL"):
        ask(llm, stream=True)


@KINDS
@pytest.mark.parametrize("fault", [None, "drop", "stall"])
def test_a_stream_without_its_end_is_interrupted_with_what_came(reach: Reach, kind: str, fault: str | None) -> None:
    fake, llm = model(reach, kind, lambda request: Reply(pieces(kind, TOKENS[:2]), fault=fault), stall=0.5)
    with pytest.raises(ModelInterrupted) as caught:
        ask(llm, stream=True)
    assert caught.value.partial == "".join(TOKENS[:2])
    assert len(fake.requests) == 1


def test_an_error_in_the_stream(reach: Reach) -> None:
    parts = [*pieces("openai_like", TOKENS[:2]), b'data: {"error": {"message": "CUDA out of memory"}}\n\n']
    _, llm = model(reach, "openai_like", lambda request: Reply(parts))
    with pytest.raises(ModelInterrupted, match="CUDA"):
        ask(llm, stream=True)
    _, llm = model(reach, "bedrock", lambda request: Reply(pieces("bedrock", TOKENS[:2]), fault="throttlingException"))
    with pytest.raises(ModelInterrupted, match="capacity"):
        ask(llm, stream=True)


@KINDS
@BOTH
@pytest.mark.parametrize("silence", [Reply(wait=3600), Reply(fault="stall")], ids=["mute", "stall"])
def test_the_deadline_ends_a_call(reach: Reach, kind: str, stream: bool, silence: Reply) -> None:
    def start(seconds: float) -> tuple[FakeEndpoint, Callable[[], Any]]:
        fake, llm = model(reach, kind, lambda request: silence, deadline=seconds, stall=seconds)
        return fake, lambda: ask(llm, stream=stream)

    times_out(start)


@KINDS
def test_an_endless_stream_ends_at_the_deadline(reach: Reach, kind: str) -> None:
    _, llm = model(reach, kind, lambda request: Reply(pieces(kind, ["가"] * 4000), pause=0.05), deadline=3)
    with pytest.raises(ModelInterrupted, match="deadline"):
        ask(llm, stream=True)


@KINDS
def test_closing_a_stream_closes_its_connection(reach: Reach, kind: str) -> None:
    first, *rest = pieces(kind)[1:]
    opening = pieces(kind)[0] + first
    fake, llm = model(reach, kind, lambda request: Reply([opening, *rest], pause=3600))
    stream = llm.stream_chat(MESSAGES)
    while not next(stream).delta:
        pass
    stream.close()
    assert fake.hung_up.wait(60)


@KINDS
@BOTH
def test_a_call_is_cancelled_from_another_thread(reach: Reach, kind: str, stream: bool) -> None:
    fake, llm = model(reach, kind, lambda request: Reply(wait=3600))
    scope = CancelScope(3600)

    def cancel() -> None:
        fake.arrived.wait()
        scope.cancel()

    threading.Thread(target=cancel).start()
    with pytest.raises(ModelInterrupted, match="cancelled"):
        ask(llm, stream=stream, scope=scope)
    assert fake.hung_up.wait(60)


@KINDS
@pytest.mark.parametrize("way", ["acomplete", "achat", "astream_chat"])
def test_a_cancelled_task_ends_its_call(reach: Reach, kind: str, way: str) -> None:
    fake, llm = model(reach, kind, lambda request: Reply(wait=3600), deadline=3600.0)

    async def call() -> None:
        if way == "acomplete":
            await llm.acomplete("한도")
        elif way == "achat":
            await llm.achat(MESSAGES)
        else:
            await anext(aiter(await llm.astream_chat(MESSAGES)))

    asyncio.run(cancelled_while_waiting(fake, call()))


@KINDS
def test_the_chat_ends_a_call_that_waits_for_its_first_word(reach: Reach, kind: str) -> None:
    """As with SageMaker: Stop on the page closes the socket, which the server notices."""
    fake, llm = model(reach, kind, lambda request: Reply(wait=3600), deadline=3600.0)
    stream = stream_chat(llm, MESSAGES, scope := CancelScope(3600.0))

    def cancel() -> None:
        fake.arrived.wait()
        scope.cancel()

    threading.Thread(target=cancel).start()
    with pytest.raises(ModelInterrupted):
        next(iter(stream))
    assert fake.hung_up.wait(60)


@pytest.mark.parametrize("after", [0, 2])
def test_a_silent_model_names_the_setting_of_its_silence(reach: Reach, after: int) -> None:
    silence = Reply(pieces("openai_like", TOKENS[:after]) if after else [], fault="stall")
    _, llm = model(reach, "openai_like", lambda request: silence, deadline=60.0, stall=0.3)
    with pytest.raises(ModelInterrupted if after else ModelTimeout, match="raise STALL"):
        ask(llm, stream=True)


@pytest.mark.parametrize("kind", ["openai_like", "bedrock"])
def test_a_late_first_word_names_the_setting_of_its_deadline(reach: Reach, kind: str) -> None:
    _, llm = model(reach, kind, lambda request: Reply(wait=3600), deadline=3600.0, stall=3600.0, first_token=0.3)
    with pytest.raises(ModelTimeout, match="raise FIRST_TOKEN"):
        next(iter(stream_chat(llm, MESSAGES, CancelScope(3600.0))))


@pytest.mark.parametrize("kind", ["openai_like", "bedrock"])
def test_a_first_word_may_take_longer_than_a_silence_later(reach: Reach, kind: str) -> None:
    late = Reply([*pieces(kind), *end(kind, "stop")], wait=0.9)
    _, llm = model(reach, kind, lambda request: late, deadline=60.0, stall=0.3, first_token=60.0)
    assert "".join(stream_chat(llm, MESSAGES, CancelScope(60.0))) == "".join(TOKENS)


@pytest.mark.parametrize("kind", ["openai_like", "bedrock"])
def test_a_late_first_word_does_not_lengthen_a_silence_after_it(reach: Reach, kind: str) -> None:
    silence = Reply(pieces(kind, TOKENS[:2]), fault="stall")
    _, llm = model(reach, kind, lambda request: silence, deadline=3600.0, stall=0.3, first_token=3600.0)
    with pytest.raises(ModelInterrupted, match="raise STALL") as caught:
        list(stream_chat(llm, MESSAGES, CancelScope(3600.0)))
    assert caught.value.partial == "".join(TOKENS[:2])


@pytest.mark.parametrize("kind", ["openai_like", "bedrock"])
def test_a_models_own_tokenizer_counts_its_prompts(reach: Reach, kind: str) -> None:
    _, counted = model(reach, kind, lambda request: Reply(), token_counter=len)
    _, estimated = model(reach, kind, lambda request: Reply())
    assert (counted.token_count("이체한도"), estimated.token_count("이체한도")) == (4, 6)


def test_the_setting_reaches_every_model_over_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    for backend, more in (
        ("openai_like", {"base_url": "http://127.0.0.1:9/v1", "model": "m"}),
        ("sagemaker", {"endpoint_name": "e"}),
    ):
        made = language_model(LlmSettings(backend=backend, stall=3.5, first_token=2.5, **more))  # type: ignore[arg-type]
        assert (getattr(made, "stall", None), getattr(made, "first_token", None)) == (3.5, 2.5)
