"""Streams of other LlamaIndex models: time, errors, and the finish reason."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ChatResponseGen

from rag.errors import ModelError, ModelInterrupted, ModelTimeout, ModelUnavailable
from rag.models.cancellation import CancellableStream, CancelScope
from rag.models.streaming import stream_chat
from tests.fakes_llm import Said, ScriptedLLM

MESSAGES = [ChatMessage(content="질문")]


def streamed(said: list[Said], seconds: float = 30.0, **fields: Any) -> Any:
    return stream_chat(ScriptedLLM(said, **fields), MESSAGES, CancelScope(seconds))


def test_pieces_text_and_counts() -> None:
    stream = streamed(["가", "나"])
    assert list(stream) == ["가", "나"]
    assert (stream.text, stream.truncated, stream.expired) == ("가나", False, False)
    assert stream.usage == {"prompt_tokens": 2, "completion_tokens": 2}
    assert streamed(["가"], finish_reason="length").truncated is False, "not before the end"


class Ending(ScriptedLLM):
    """A model with its own way to report the end of a stream, whose responses have no deltas."""

    def __init__(self, raw: Any) -> None:
        super().__init__([])
        self._raw = raw

    _raw: Any = None

    def stream_chat(self, messages: Any, **options: Any) -> ChatResponseGen:
        yield ChatResponse(message=ChatMessage(content="가"))
        yield ChatResponse(message=ChatMessage(content="가나"), raw=self._raw)


CHUNK = {"choices": [{"finish_reason": "length", "delta": {}}], "usage": {"total_tokens": 9, "details": None}}


@pytest.mark.parametrize(
    ("raw", "truncated", "usage"),
    [
        (None, False, {}),
        ("text", False, {}),
        ({"finish_reason": "stop"}, False, {}),
        (CHUNK, True, {"total_tokens": 9}),
        (SimpleNamespace(model_dump=lambda: CHUNK), True, {"total_tokens": 9}),
        ({"choices": [], "usage": {"total_tokens": 9}}, False, {"total_tokens": 9}),
        ({"stopReason": "max_tokens", "usage": {"inputTokens": 3}}, True, {"inputTokens": 3}),
    ],
)
def test_what_other_models_report(raw: Any, truncated: bool, usage: dict[str, int]) -> None:
    stream = stream_chat(Ending(raw), MESSAGES, CancelScope(30))
    assert list(stream) == ["가", "나"]
    assert (stream.truncated, stream.usage) == (truncated, usage)


@pytest.mark.parametrize("error", [ModelUnavailable("gone"), ZeroDivisionError("x"), NotImplementedError()])
def test_a_failure_is_a_model_error_or_after_the_first_piece_an_interruption(error: Exception) -> None:
    with pytest.raises(ModelError) as before:
        list(streamed([error]))
    assert not isinstance(before.value, ModelInterrupted)
    with pytest.raises(ModelInterrupted) as after:
        list(streamed(["가", error]))
    assert after.value.partial == "가"


def test_the_deadline_has_passed() -> None:
    never = threading.Event()
    stream = streamed([never], seconds=0.1)
    with pytest.raises(ModelTimeout):
        next(stream)
    assert stream.expired
    for seconds in (0.3, 3.0, 30.0):  # a busy machine may need longer for the first piece
        with pytest.raises(ModelError) as late:
            list(streamed(["가", never], seconds=seconds))
        if isinstance(late.value, ModelInterrupted):
            break
    assert isinstance(late.value, ModelInterrupted)
    with pytest.raises(ModelTimeout):
        next(stream_chat(ScriptedLLM([never]), MESSAGES, CancelScope(60).child(0.1)))
    never.set()


def test_cancelling_before_asking_and_while_waiting() -> None:
    never, scope = threading.Event(), CancelScope(60)
    threading.Timer(0.1, scope.cancel).start()
    with pytest.raises(ModelInterrupted):
        next(stream_chat(ScriptedLLM([never]), MESSAGES, scope))
    with pytest.raises(ModelInterrupted):
        next(stream_chat(ScriptedLLM([never]), MESSAGES, scope))
    never.set()


def test_a_generator_that_is_running_can_be_closed() -> None:
    scope, began, woken = CancelScope(60), threading.Event(), threading.Event()
    scope.on_end(woken.set)

    def items() -> Any:
        began.set()
        woken.wait(30)
        if scope.cancelled:
            return
        yield "never"

    stream: CancellableStream[str] = CancellableStream(items(), scope)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.extend(stream))
    reader.start()
    began.wait(60)
    stream.close()
    reader.join(60)
    assert not reader.is_alive() and got == []
    with pytest.raises(ZeroDivisionError, match="given"):
        stream.throw(ZeroDivisionError, ZeroDivisionError("given"))


def test_time_left_is_never_negative() -> None:
    scope = CancelScope(0.0)
    time.sleep(0.01)
    assert scope.remaining() == 0.0
