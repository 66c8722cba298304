"""AdaptedLLM: models of other LlamaIndex packages, with the promises that ours make.

Errors of rag.errors alone, a deadline for a call as a whole, new tries before the first piece, a stream that says whether it
is whole, and async methods on threads. What a package raises and reports is its subclass's to know.
"""

from __future__ import annotations

import asyncio
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

from rag.errors import ModelError, ModelFormatError, ModelInterrupted, ModelTimeout
from rag.models.cancellation import CancelScope, call_with_retries, cancelled_with_task
from rag.models.parameters import estimate_tokens
from rag.models.streaming import LLMStream, ResponseDecoder
from rag.models.vendor_errors import SILENT
from rag.retries import RetryPolicy

T = TypeVar("T")
R = TypeVar("R", ChatResponse, CompletionResponse)
Ending = tuple[str | None, Mapping[str, int]]
"""Finish reason (None: not reported yet) and token counts, of one response."""

ATTEMPTS = 3
FIRST_PAUSE = 0.5
"""Seconds, at most, before the second attempt."""
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, AssertionError)
"""What a package raises where an answer is not what it expects."""


@contextmanager
def translate_errors(
    translate: Callable[[Exception], ModelError], vendor_errors: tuple[type[Exception], ...]
) -> Iterator[None]:
    """Raises kinds of ModelError in the place of a package's errors, and of its stumbling over an unexpected answer."""
    try:
        yield
    except ModelError:
        raise
    except vendor_errors as exc:
        raise translate(exc) from exc
    except UNREADABLE as exc:
        raise ModelFormatError(
            f"the model's answer cannot be read: {type(exc).__name__}: {str(exc)[:200]}; check the model's name and address"
        ) from exc


def call_package(attempt: Callable[[], T], scope: CancelScope, name: str) -> T:
    """`call_with_retries` as it is done for models of other packages: ATTEMPTS times in all."""
    return call_with_retries(attempt, scope, RetryPolicy(ATTEMPTS, first_pause=FIRST_PAUSE), name)


class AdaptedLLM(LLM):
    """Comes before the package's class among the parents. Every method takes `scope=CancelScope()`, as SageMakerLLM's do.

    Raises kinds of ModelError alone. `raw` of a whole answer, and of the last response of a stream, which has no text, is
    {"finish_reason", "usage"}.
    """

    window: int = Field(default=2048, gt=0, description="Tokens of prompt and answer together at most.")
    deadline: float = Field(default=60.0, gt=0, description="Seconds a call may take, tries and streaming included.")
    stall: float = Field(default=20.0, gt=0, description="Seconds a stream may be silent.")
    first_token: float | None = Field(
        default=None, gt=0, description="Seconds to a stream's first piece (None: stall)."
    )
    token_counter: Callable[[str], int] | None = Field(
        default=None,
        exclude=True,
        description="Counts a text's tokens as the model does. None: estimated, rather too many.",
    )

    vendor_errors: ClassVar[tuple[type[Exception], ...]] = ()

    def __init__(self, **fields: Any) -> None:
        """Takes the package's own, and those above."""
        super().__init__(**fields)

    @abstractmethod
    def _translate(self, error: Exception) -> ModelError:
        """The error of ours for one of `vendor_errors`."""

    @abstractmethod
    def _ending(self, response: Any) -> Ending:
        """What one response says of the answer's end."""

    @property
    def metadata(self) -> LLMMetadata:
        """`context_window` is `window`: the packages guess theirs by the model's name."""
        parent: Any = self
        return LLMMetadata(
            context_window=self.window,
            num_output=parent.max_tokens,
            is_chat_model=True,
            model_name=parent.model,
        )

    def token_count(self, text: str) -> int:
        """Tokens of a prompt: the model's own count where `token_counter` was given, else estimated."""
        return (self.token_counter or estimate_tokens)(text)

    @abstractmethod
    def close(self) -> None:
        """Give back the connections."""

    def open_stream(self, messages: Sequence[ChatMessage], **options: Any) -> LLMStream:
        """The answer's pieces, which any thread can end. Connects when the first one is asked for."""
        scope = options.pop("scope", None) or CancelScope(self.deadline, stall=self.stall)
        return LLMStream(self.stream_chat(messages, scope=scope, **options), ResponseDecoder(), scope)

    def chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponse:
        """One response with the whole answer."""
        scope = options.pop("scope", None) or CancelScope(self.deadline)
        ask = partial(super().chat, messages, **options)  # type: ignore[safe-super]
        try:
            response = call_package(lambda: self._translated(ask), scope, self._name)
        finally:
            scope.release()
        reason, usage = self._ending(response)
        return response.model_copy(update={"raw": {"finish_reason": reason, "usage": dict(usage)}})

    def complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponse:
        """The prompt as the user's only message: all of these models are asked by their chat API."""
        return chat_to_completion_decorator(self.chat)(prompt, **options)

    def stream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponseGen:
        """A response a piece. Closing the generator closes the connection."""
        scope = options.pop("scope", None)
        return self._responses(partial(super().stream_chat, messages, **options), scope)  # type: ignore[safe-super]

    def stream_complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponseGen:
        """As `complete`, a response a piece."""
        return stream_chat_to_completion_decorator(self.stream_chat)(prompt, **options)

    async def achat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponse:
        """As `chat`, in a thread; cancelling the task ends the call."""
        with cancelled_with_task() as context:
            return await asyncio.to_thread(context.run, partial(self.chat, messages, **options))

    async def acomplete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponse:
        """As `complete`, in a thread; cancelling the task ends the call."""
        with cancelled_with_task() as context:
            return await asyncio.to_thread(context.run, partial(self.complete, prompt, **options))

    async def astream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponseAsyncGen:
        """As `stream_chat`; each response is waited for in a thread."""
        return _async(self.stream_chat(messages, **options))

    async def astream_complete(
        self, prompt: str, formatted: bool = False, **options: Any
    ) -> CompletionResponseAsyncGen:
        """As `stream_complete`; each response is waited for in a thread."""
        return _async(self.stream_complete(prompt, **options))

    def _responses(self, ask: Callable[[], ChatResponseGen], scope: CancelScope | None) -> ChatResponseGen:
        """The pieces, and a last response without text that has the finish reason and the counts."""
        # Made here, when the first piece is asked for: in the context of the task that asks.
        scope = scope or CancelScope(self.deadline, stall=self.stall)
        text, reason, last, whole = "", None, None, False
        usage: Mapping[str, int] = {}
        responses: ChatResponseGen | None = None

        def begin() -> ChatResponse | None:
            # With the first response: whatever fails until then can be tried again.
            nonlocal responses
            responses = self._translated(ask)
            return self._next(responses)

        try:
            response = call_package(begin, scope, self._name)
            assert responses is not None
            while response is not None:
                new_reason, new_usage = self._ending(response)
                reason, usage, last = new_reason or reason, new_usage or usage, response
                if response.delta:
                    text += response.delta
                    yield response
                response = self._next(responses)
                scope.check(self._name)
            yield self._last_response(last, reason, usage)
            whole = True
        except ModelError as exc:
            raise self._interruption(exc, text, scope) from exc
        finally:
            if not whole:
                scope.cancel()  # the packages leave the connection of a stream that is closed to the garbage collector
            if responses is not None:
                responses.close()
            scope.release()

    @staticmethod
    def _last_response(last: ChatResponse | None, reason: str | None, usage: Mapping[str, int]) -> ChatResponse:
        if last is None:
            raise ModelFormatError("nothing in the model's stream is an answer; check the model's name and address")
        if reason is None:
            raise ModelInterrupted("the model's answer ends without its end mark")
        return last.model_copy(update={"delta": "", "raw": {"finish_reason": reason, "usage": dict(usage)}})

    def _interruption(self, error: ModelError, text: str, scope: CancelScope) -> ModelError:
        """What a failure amounts to: of a connection that the scope has shut, after `text`, or as it is."""
        try:
            scope.check(self._name)
        except ModelError as exc:
            error = exc
        else:
            # The deadline has not come, so it is one read that waited too long.
            error = ModelTimeout(f"{self._name}: {SILENT}") if isinstance(error, ModelTimeout) else error
        return ModelInterrupted(f"the answer broke off: {error}", partial=text) if text else error

    @property
    def _name(self) -> str:
        return f"the model {self.metadata.model_name!r}"

    def _next(self, responses: ChatResponseGen) -> ChatResponse | None:
        return self._translated(lambda: next(responses, None))

    def _translated(self, work: Callable[[], T]) -> T:
        with translate_errors(self._translate, self.vendor_errors):
            return work()


async def _async(responses: Generator[R, None, None]) -> AsyncGenerator[R, None]:
    following: Callable[[], R | None] = partial(next, responses, None)
    try:
        with cancelled_with_task() as context:
            while (response := await asyncio.to_thread(context.run, following)) is not None:
                yield response
    finally:
        with suppress(ValueError):  # "generator already executing": that thread ends it
            responses.close()
