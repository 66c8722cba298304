"""Listening to models that are not ours: time, errors, and what they tell at their end."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ChatResponseGen

from rag.errors import ModelError, ModelInterrupted, ModelTimeout, ModelUnavailable
from rag.models.cancellation import Closable, Patience
from rag.models.streaming import listen
from tests.fakes_llm import Said, ScriptedLLM

MESSAGES = [ChatMessage(content="질문")]


def heard(said: list[Said], seconds: float = 30.0, **fields: Any) -> Any:
    return listen(ScriptedLLM(said, **fields), MESSAGES, Patience(seconds))


def test_pieces_text_and_counts() -> None:
    stream = heard(["가", "나"])
    assert list(stream) == ["가", "나", ""]
    assert (stream.text, stream.truncated, stream.expired) == ("가나", False, False)
    assert stream.usage == {"prompt_tokens": 2, "completion_tokens": 2}
    assert heard(["가"], finish_reason="length").truncated is False, "not before the end"


class Ending(ScriptedLLM):
    """A model whose last response tells its end in a way of its own, and whose pieces are not told apart."""

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
def test_what_other_models_tell(raw: Any, truncated: bool, usage: dict[str, int]) -> None:
    stream = listen(Ending(raw), MESSAGES, Patience(30))
    assert list(stream) == ["가", "나"]
    assert (stream.truncated, stream.usage) == (truncated, usage)


@pytest.mark.parametrize("error", [ModelUnavailable("gone"), ZeroDivisionError("x"), NotImplementedError()])
def test_a_failure_is_a_model_error_and_after_the_first_piece_an_interruption(error: Exception) -> None:
    with pytest.raises(ModelError) as before:
        list(heard([error]))
    assert not isinstance(before.value, ModelInterrupted)
    with pytest.raises(ModelInterrupted) as after:
        list(heard(["가", error]))
    assert after.value.partial == "가"


def test_time_is_up() -> None:
    never = threading.Event()
    stream = heard([never], seconds=0.1)
    with pytest.raises(ModelTimeout):
        next(stream)
    assert stream.expired
    with pytest.raises(ModelInterrupted):
        list(heard(["가", never], seconds=0.3))
    with pytest.raises(ModelTimeout):
        next(listen(ScriptedLLM([never]), MESSAGES, Patience(60), seconds=0.1))
    never.set()


def test_cancelling_before_asking_and_while_waiting() -> None:
    never, patience = threading.Event(), Patience(60)
    threading.Timer(0.1, patience.cancel).start()
    with pytest.raises(ModelInterrupted):
        next(listen(ScriptedLLM([never]), MESSAGES, patience))
    with pytest.raises(ModelInterrupted):
        next(listen(ScriptedLLM([never]), MESSAGES, patience))
    never.set()


def test_a_generator_that_is_running_can_be_closed() -> None:
    patience, began, woken = Patience(60), threading.Event(), threading.Event()
    patience.on_cancel(woken.set)

    def items() -> Any:
        began.set()
        woken.wait(30)
        if patience.cancelled:
            return
        yield "never"

    closable: Closable[str] = Closable(items(), patience)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.extend(closable))
    reader.start()
    began.wait(10)
    closable.close()
    reader.join(10)
    assert not reader.is_alive() and got == []
    with pytest.raises(ZeroDivisionError, match="given"):
        closable.throw(ZeroDivisionError, ZeroDivisionError("given"))


def test_time_left_is_never_negative() -> None:
    patience = Patience(0.0)
    time.sleep(0.01)
    assert patience.remaining() == 0.0
