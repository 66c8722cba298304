"""Guarded: models of other LlamaIndex packages, with the promises that ours make.

Errors of rag.errors alone, a deadline for a call as a whole, new tries before the first piece, a stream that says whether it
is whole, and async twins on threads. What a package raises and tells is its subclass's to know.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, ClassVar, TypeVar

from llama_index.core.base.llms.generic_utils import (
    chat_to_completion_decorator,
    stream_chat_to_completion_decorator,
)
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
)
from llama_index.core.bridge.pydantic import Field
from llama_index.core.llms.llm import LLM

from rag.errors import ModelError, ModelFormatError, ModelInterrupted, ModelTimeout, ModelUnavailable
from rag.models.cancellation import ended_with_task
from rag.models.sockets import Call
from rag.models.tokens import estimate

T = TypeVar("T")
R = TypeVar("R", ChatResponse, CompletionResponse)
Told = tuple[str | None, Mapping[str, int]]
"""Finish reason (None: not told yet) and token counts, of one response."""

ATTEMPTS = 3
PAUSE = 0.25
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, AssertionError)
"""What a package raises where an answer is not what it expects."""


@contextmanager
def translate_errors(mapped: Callable[[Exception], ModelError], vendor: tuple[type[Exception], ...]) -> Iterator[None]:
    """Raises kinds of ModelError in the place of a package's errors, and of its stumbling over an unexpected answer."""
    try:
        yield
    except ModelError:
        raise
    except vendor as exc:
        raise mapped(exc) from exc
    except UNREADABLE as exc:
        raise ModelFormatError(f"the model's answer cannot be read: {type(exc).__name__}: {str(exc)[:200]}") from exc


def with_retries(call: Call, attempt: Callable[[], T]) -> T:
    """The first result; where the model is unavailable, at most ATTEMPTS tries within the call's deadline."""
    for number in itertools.count(1):
        try:
            with call.active():
                return attempt()
        except ModelError as exc:
            _check(call)
            pause = random.uniform(0.0, PAUSE * 2**number)  # noqa: S311 - no secret depends on it
            if not _transient(exc) or number >= ATTEMPTS or pause >= call.remaining():
                raise
        call.sleep(pause)
    raise ModelError("the model gave no answer")  # the last attempt has raised already


class GuardedStream:
    """As `rag.models.streaming.ModelStream`: `text` is all that came so far, `raw` is known after the end."""

    def __init__(self, responses: ChatResponseGen, call: Call) -> None:
        self.text = ""
        self.raw: dict[str, Any] = {"finish_reason": None, "usage": {}}
        self._responses = responses
        self._call = call

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        response = next(self._responses)
        if not response.delta:
            self.raw = dict(response.raw or self.raw)
            return next(self)
        self.text += response.delta
        return response.delta

    def cancel(self) -> None:
        self._call.cancel()

    def close(self) -> None:
        self.cancel()
        with suppress(ValueError):  # "generator already executing": its thread is leaving
            self._responses.close()


class AdaptedLLM(LLM):
    """Comes before the package's class among the parents. Every method takes `call=Call()`, as SageMakerLLM's do."""

    window: int = Field(default=2048, gt=0, description="Tokens of prompt and answer together at most.")
    deadline: float = Field(default=60.0, gt=0, description="Seconds a call may take, tries and streaming included.")
    stall: float = Field(default=20.0, gt=0, description="Seconds a stream may be silent.")

    vendor_errors: ClassVar[tuple[type[Exception], ...]] = ()

    def __init__(self, **fields: Any) -> None:
        """Takes the package's own, and those above."""
        super().__init__(**fields)

    @abstractmethod
    def _translate(self, error: Exception) -> ModelError: ...

    @abstractmethod
    def _told(self, response: Any) -> Told: ...

    @property
    def metadata(self) -> LLMMetadata:
        parent: Any = self
        return LLMMetadata(
            context_window=self.window,
            num_output=parent.max_tokens,
            is_chat_model=True,
            model_name=parent.model,
        )

    def token_count(self, text: str) -> int:
        return estimate(text)

    @abstractmethod
    def close(self) -> None:
        """Give back the connections."""

    def open_stream(self, messages: Sequence[ChatMessage], **options: Any) -> GuardedStream:
        """The answer's pieces, which any thread can end. Connects when the first one is asked for."""
        call = options.pop("call", None) or Call(deadline=self.deadline, stall=self.stall)
        return GuardedStream(self.stream_chat(messages, call=call, **options), call)

    def chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponse:
        return self._whole(super().chat, messages, options)  # type: ignore[safe-super]

    def complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponse:
        return chat_to_completion_decorator(self.chat)(prompt, **options)

    def stream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponseGen:
        return self._streamed(super().stream_chat, messages, options)  # type: ignore[safe-super]

    def stream_complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponseGen:
        return stream_chat_to_completion_decorator(self.stream_chat)(prompt, **options)

    async def achat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponse:
        with ended_with_task() as context:
            return await asyncio.to_thread(context.run, partial(self.chat, messages, **options))

    async def acomplete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponse:
        with ended_with_task() as context:
            return await asyncio.to_thread(context.run, partial(self.complete, prompt, **options))

    async def astream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponseAsyncGen:
        return _async(self.stream_chat(messages, **options))

    async def astream_complete(
        self, prompt: str, formatted: bool = False, **options: Any
    ) -> CompletionResponseAsyncGen:
        return _async(self.stream_complete(prompt, **options))

    def _whole(
        self, ask: Callable[..., ChatResponse], messages: Sequence[ChatMessage], options: dict[str, Any]
    ) -> ChatResponse:
        call = options.pop("call", None) or Call(deadline=self.deadline)
        try:
            response = with_retries(call, lambda: self._guarded(lambda: ask(messages, **options)))
        finally:
            call.release()
        reason, usage = self._told(response)
        return response.model_copy(update={"raw": {"finish_reason": reason, "usage": dict(usage)}})

    def _streamed(
        self, ask: Callable[..., ChatResponseGen], messages: Sequence[ChatMessage], options: dict[str, Any]
    ) -> ChatResponseGen:
        call = options.pop("call", None) or Call(deadline=self.deadline, stall=self.stall)
        text, whole = "", False
        try:
            with self._watching(call):
                for response in self._read(call, lambda: ask(messages, **options)):
                    text += response.delta or ""
                    yield response
            whole = True
        except ModelError as exc:
            if not text:
                raise
            raise ModelInterrupted(f"the answer broke off: {exc}", partial=text) from exc
        finally:
            if not whole:
                call.cancel()  # the packages leave the connection of a stream that is closed to the garbage collector
            call.release()

    def _read(self, call: Call, begin: Callable[[], ChatResponseGen]) -> ChatResponseGen:
        """The pieces, and a last response without text that has the finish reason and the counts."""
        reason: str | None = None
        usage: Mapping[str, int] = {}
        response, responses = with_retries(call, lambda: self._guarded(lambda: _begun(begin())))
        last = response
        try:
            while response is not None:
                _check(call)
                told, counts = self._told(response)
                reason, usage, last = told or reason, counts or usage, response
                if response.delta:
                    yield response
                response = self._guarded(lambda: next(responses, None))
        finally:
            responses.close()
        _check(call)
        if last is None:
            raise ModelFormatError(
                "nothing in the model's stream is an answer; check the address, and the model's name"
            )
        if reason is None:
            raise ModelInterrupted("the model's answer ends without its end mark")
        yield last.model_copy(update={"delta": "", "raw": {"finish_reason": reason, "usage": dict(usage)}})

    def _guarded(self, work: Callable[[], T]) -> T:
        with translate_errors(self._translate, self.vendor_errors):
            return work()

    @contextmanager
    def _watching(self, call: Call) -> Iterator[None]:
        """A connection that the call has shut looks like a failure of the network."""
        try:
            yield
        except ModelError:
            _check(call)
            raise


def _transient(error: ModelError) -> bool:
    return isinstance(error, ModelUnavailable) and not isinstance(error, ModelTimeout)


def _begun(responses: ChatResponseGen) -> tuple[ChatResponse | None, ChatResponseGen]:
    """With the first response: whatever fails until then can be tried again."""
    return next(responses, None), responses


def _check(call: Call) -> None:
    if call.ending == "cancelled":
        raise ModelInterrupted("the call of the model was cancelled")
    if call.ending or not call.remaining():
        raise ModelTimeout("the model did not answer within the deadline; raise it, or look at the model's load")


async def _async(responses: Generator[R, None, None]) -> AsyncGenerator[R, None]:
    following: Callable[[], R | None] = partial(next, responses, None)
    try:
        with ended_with_task() as context:
            while (response := await asyncio.to_thread(context.run, following)) is not None:
                yield response
    finally:
        with suppress(ValueError):  # "generator already executing": that thread ends it
            responses.close()
