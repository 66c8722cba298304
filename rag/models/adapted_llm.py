"""AdaptedLLM: gives models of other LlamaIndex packages the same behaviour as SageMakerLLM.

They raise only errors of rag.errors, have a deadline for the whole call, retry before the first piece, report whether a stream
is complete, and run async methods in threads. A subclass knows which errors its package raises and what it reports.
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
from rag.korean import estimate_tokens
from rag.models.cancellation import CancelScope, call_with_retries, cancelled_with_task
from rag.models.http_errors import STALLED
from rag.models.streaming import LLMStream, ResponseDecoder
from rag.retries import RetryPolicy

T = TypeVar("T")
R = TypeVar("R", ChatResponse, CompletionResponse)
FinishInfo = tuple[str | None, Mapping[str, int]]
"""The finish reason (None: not reported yet) and the token counts of one response."""

ATTEMPTS = 3
FIRST_PAUSE = 0.5
"""The longest pause before the second attempt, in seconds."""
PARSE_ERRORS = (ValueError, TypeError, AttributeError, LookupError, AssertionError)
"""The exceptions of a package that receives an answer in an unexpected form."""


@contextmanager
def translate_errors(
    translate: Callable[[Exception], ModelError], vendor_errors: tuple[type[Exception], ...]
) -> Iterator[None]:
    """Translate the errors of a package, and its PARSE_ERRORS, to subclasses of ModelError."""
    try:
        yield
    except ModelError:
        raise
    except vendor_errors as exc:
        raise translate(exc) from exc
    except PARSE_ERRORS as exc:
        raise ModelFormatError(
            f"cannot read the model's answer: {type(exc).__name__}: {str(exc)[:200]}; check the model's name and address"
        ) from exc


def call_package(attempt: Callable[[], T], scope: CancelScope, name: str) -> T:
    """Run `call_with_retries` with the policy for models of other packages: ATTEMPTS attempts in all."""
    return call_with_retries(attempt, scope, RetryPolicy(ATTEMPTS, first_pause=FIRST_PAUSE), name)


class AdaptedLLM(LLM):
    """A mixin that comes before the package's class in the list of base classes.

    Every method takes `scope=CancelScope()`, as those of SageMakerLLM do, and raises only subclasses of ModelError.
    `raw` of a whole answer, and of the last response of a stream, which has no text, is {"finish_reason", "usage"}.
    """

    window: int = Field(default=2048, gt=0, description="Maximum number of tokens of prompt and answer together.")
    deadline: float = Field(default=60.0, gt=0, description="Seconds for a call, including retries and streaming.")
    stall: float = Field(default=20.0, gt=0, description="Seconds that a stream may be silent.")
    first_token: float | None = Field(
        default=None, gt=0, description="Seconds until the first piece of a stream (None: stall)."
    )
    token_counter: Callable[[str], int] | None = Field(
        default=None,
        exclude=True,
        description="Counts the tokens of a text as the model does. None: estimate, rather too many than too few.",
    )

    vendor_errors: ClassVar[tuple[type[Exception], ...]] = ()

    def __init__(self, **fields: Any) -> None:
        """Takes the fields of the package's class and those above."""
        super().__init__(**fields)

    @abstractmethod
    def _translate(self, error: Exception) -> ModelError:
        """Return the ModelError for one of `vendor_errors`."""

    @abstractmethod
    def _finish_info(self, response: Any) -> FinishInfo:
        """Return the finish reason and the token counts that a response reports."""

    @property
    def metadata(self) -> LLMMetadata:
        """`context_window` is `window`, because the packages guess theirs from the model's name."""
        parent: Any = self
        return LLMMetadata(
            context_window=self.window,
            num_output=parent.max_tokens,
            is_chat_model=True,
            model_name=parent.model,
        )

    def token_count(self, text: str) -> int:
        """Count the tokens of a prompt with `token_counter`, or estimate them if it is None."""
        return (self.token_counter or estimate_tokens)(text)

    @abstractmethod
    def close(self) -> None:
        """Close the connections."""

    def open_stream(self, messages: Sequence[ChatMessage], **options: Any) -> LLMStream:
        """Return the pieces of the answer as a stream that any thread can cancel. Connects when the first piece is read."""
        scope = options.pop("scope", None) or CancelScope(self.deadline, stall=self.stall)
        return LLMStream(self.stream_chat(messages, scope=scope, **options), ResponseDecoder(), scope)

    def chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponse:
        """Return one response with the whole answer."""
        scope = options.pop("scope", None) or CancelScope(self.deadline)
        send = partial(super().chat, messages, **options)  # type: ignore[safe-super]
        try:
            response = call_package(lambda: self._translated(send), scope, self._name)
        finally:
            scope.release()
        reason, usage = self._finish_info(response)
        return response.model_copy(update={"raw": {"finish_reason": reason, "usage": dict(usage)}})

    def complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponse:
        """Send the prompt as the user's only message, because all of these models have a chat API."""
        return chat_to_completion_decorator(self.chat)(prompt, **options)

    def stream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponseGen:
        """Yield one response per piece. Closing the generator closes the connection."""
        scope = options.pop("scope", None)
        return self._responses(partial(super().stream_chat, messages, **options), scope)  # type: ignore[safe-super]

    def stream_complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponseGen:
        """Like `complete`, but yields one response per piece."""
        return stream_chat_to_completion_decorator(self.stream_chat)(prompt, **options)

    async def achat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponse:
        """Run `chat` in a thread. Cancelling the task cancels the call."""
        with cancelled_with_task() as context:
            return await asyncio.to_thread(context.run, partial(self.chat, messages, **options))

    async def acomplete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponse:
        """Run `complete` in a thread. Cancelling the task cancels the call."""
        with cancelled_with_task() as context:
            return await asyncio.to_thread(context.run, partial(self.complete, prompt, **options))

    async def astream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponseAsyncGen:
        """Like `stream_chat`; a thread waits for each response."""
        return _async(self.stream_chat(messages, **options))

    async def astream_complete(
        self, prompt: str, formatted: bool = False, **options: Any
    ) -> CompletionResponseAsyncGen:
        """Like `stream_complete`; a thread waits for each response."""
        return _async(self.stream_complete(prompt, **options))

    def _responses(self, send: Callable[[], ChatResponseGen], scope: CancelScope | None) -> ChatResponseGen:
        """Yield the pieces, and a last response without text that has the finish reason and the token counts."""
        # Created when the first piece is read, so that it belongs to the context of the task that reads it.
        scope = scope or CancelScope(self.deadline, stall=self.stall)
        text, reason, last, complete = "", None, None, False
        usage: Mapping[str, int] = {}
        responses: ChatResponseGen | None = None

        def begin() -> ChatResponse | None:
            # Includes the first response, so that failures before it are retried.
            nonlocal responses
            responses = self._translated(send)
            return self._next(responses)

        try:
            response = call_package(begin, scope, self._name)
            assert responses is not None
            while response is not None:
                new_reason, new_usage = self._finish_info(response)
                reason, usage, last = new_reason or reason, new_usage or usage, response
                if response.delta:
                    text += response.delta
                    yield response
                response = self._next(responses)
                scope.check(self._name)
            yield self._last_response(last, reason, usage)
            complete = True
        except ModelError as exc:
            raise self._interruption(exc, text, scope) from exc
        finally:
            if not complete:
                scope.cancel()  # the packages leave the connection of a closed stream to the garbage collector
            if responses is not None:
                responses.close()
            scope.release()

    @staticmethod
    def _last_response(last: ChatResponse | None, reason: str | None, usage: Mapping[str, int]) -> ChatResponse:
        if last is None:
            raise ModelFormatError("the model's stream contains no answer; check the model's name and address")
        if reason is None:
            raise ModelInterrupted("the model's answer ended without a finish reason")
        return last.model_copy(update={"delta": "", "raw": {"finish_reason": reason, "usage": dict(usage)}})

    def _interruption(self, error: ModelError, text: str, scope: CancelScope) -> ModelError:
        """Return the error to raise: that of the scope if it has ended, and ModelInterrupted if there was some text."""
        try:
            scope.check(self._name)
        except ModelError as exc:
            error = exc
        else:
            # The deadline has not passed, so a single read timed out.
            error = ModelTimeout(f"{self._name}: {STALLED}") if isinstance(error, ModelTimeout) else error
        return ModelInterrupted(f"the answer was interrupted: {error}", partial=text) if text else error

    @property
    def _name(self) -> str:
        return f"the model {self.metadata.model_name!r}"

    def _next(self, responses: ChatResponseGen) -> ChatResponse | None:
        return self._translated(lambda: next(responses, None))

    def _translated(self, call: Callable[[], T]) -> T:
        with translate_errors(self._translate, self.vendor_errors):
            return call()


async def _async(responses: Generator[R, None, None]) -> AsyncGenerator[R, None]:
    next_response: Callable[[], R | None] = partial(next, responses, None)
    try:
        with cancelled_with_task() as context:
            while (response := await asyncio.to_thread(context.run, next_response)) is not None:
                yield response
    finally:
        with suppress(ValueError):  # "generator already executing": the thread that runs it will end it
            responses.close()
