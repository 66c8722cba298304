"""SageMakerLLM: a language-model container on a SageMaker endpoint, with whole or streamed answers, sync or async."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.bridge.pydantic import ConfigDict, Field, PrivateAttr
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.custom import CustomLLM

from rag.errors import InputError, ModelInputTooLong
from rag.korean import estimate_tokens
from rag.models.cancellation import MAX_SECONDS, CancelScope
from rag.models.sagemaker.client import Endpoint, Runtime, shared_runtime
from rag.models.sagemaker.instrumentation import ainstrumented, instrumented
from rag.models.sagemaker.llm_payloads import LLM_FORMATS, FormatName, GenerationFormat, Message, Parameters
from rag.models.sagemaker.stream_decoder import StreamDecoder, decode_answer
from rag.models.streaming import LLMStream

R = TypeVar("R", CompletionResponse, ChatResponse)
MakeResponse = Callable[[str, str | None, Any], R]
"""Makes LlamaIndex's response from the text so far, the newest piece and `raw`."""

_ROLES = {MessageRole.SYSTEM: "system", MessageRole.DEVELOPER: "system", MessageRole.ASSISTANT: "assistant"}
_PARAMETERS = tuple(each.name for each in fields(Parameters))


@dataclass(frozen=True, slots=True)
class _Request:
    body: bytes
    stops: tuple[str, ...]
    scope: CancelScope


class SageMakerLLM(CustomLLM):
    """A language model at the endpoint `endpoint_name`. `chat` applies the container's prompt format, `complete` does not.

    Every method takes `scope=CancelScope()`, whose `cancel()` ends the call from any thread, `stop=[…]` (stop words) and the
    generation parameters. Raises only subclasses of ModelError: ModelInputTooLong, before anything is sent, if prompt and
    answer exceed the window. `raw` has `finish_reason` and `usage`. Closing a stream closes its connection.

    `token_counter` counts the tokens of a text as the model does; without it they are estimated, rather too many than too
    few.
    """

    model_config = ConfigDict(extra="forbid")

    endpoint_name: str = Field(description="SageMaker endpoint.")
    format: FormatName = Field(default="openai", description="Payload format of the container.")
    context_window: int = Field(
        default=2048, gt=0, description="Maximum number of tokens of prompt and answer together."
    )
    max_new_tokens: int = Field(default=512, gt=0, description="Maximum number of tokens of the answer.")
    do_sample: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    eos_token_id: int | None = None
    deadline: float = Field(default=60.0, gt=0, description="Seconds for a call, including retries and streaming.")
    stall: float = Field(default=20.0, gt=0, description="Seconds that a stream may be silent.")
    first_token: float | None = Field(
        default=None, gt=0, description="Seconds until the first piece of a stream (None: stall)."
    )
    inference_component: str | None = None
    target_variant: str | None = None
    session_id: str | None = None

    _runtime: Runtime = PrivateAttr()
    _codec: GenerationFormat = PrivateAttr()
    _token_counter: Callable[[str], int] = PrivateAttr()

    def __init__(
        self,
        endpoint_name: str,
        *,
        runtime: Runtime | None = None,
        token_counter: Callable[[str], int] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings, endpoint_name=endpoint_name)
        self._runtime = runtime or shared_runtime()
        self._codec = LLM_FORMATS[self.format]
        self._token_counter = token_counter or estimate_tokens

    @classmethod
    def class_name(cls) -> str:
        return "SageMakerLLM"

    @property
    def metadata(self) -> LLMMetadata:
        """The window and the answer's maximum length; `model_name` is the name of the endpoint."""
        return LLMMetadata(
            context_window=self.context_window,
            num_output=self.max_new_tokens,
            # So that LlamaIndex passes messages, and the prompt of the payload format is used.
            is_chat_model=True,
            model_name=self.endpoint_name,
        )

    def token_count(self, text: str) -> int:
        """Count the tokens of a prompt, including special tokens."""
        return self._token_counter(text)

    def open_stream(self, prompt: str | Sequence[ChatMessage], **options: Any) -> LLMStream:
        """Return the pieces of the answer as a stream; a container that cannot stream sends a single piece."""
        request = self._request(prompt, stream=self._codec.streams, **options)
        parts = self._parts(request)
        return LLMStream(parts, StreamDecoder(self._codec, request.stops), request.scope)

    def complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponse:
        """Send the text without applying the container's prompt format."""
        return instrumented(
            llm_completion_callback(),
            self,
            prompt,
            options,
            lambda: self._invoke(prompt, _completion_response, options),
        )

    def chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponse:
        """Send the messages in the container's prompt format."""
        return instrumented(
            llm_chat_callback(), self, messages, options, lambda: self._invoke(messages, _chat_response, options)
        )

    def stream_complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponseGen:
        """Like `complete`, but yields one response per piece, and a last one without text that has `raw`."""

        def call() -> CompletionResponseGen:
            return _responses(self.open_stream(prompt, **options), _completion_response)

        return instrumented(llm_completion_callback(), self, prompt, options, call)

    def stream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponseGen:
        """Like `chat`, but yields one response per piece, and a last one without text that has `raw`."""

        def call() -> ChatResponseGen:
            return _responses(self.open_stream(messages, **options), _chat_response)

        return instrumented(llm_chat_callback(), self, messages, options, call)

    async def acomplete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponse:
        """Run `complete` in a thread. Cancelling the task cancels the call."""

        def call() -> Awaitable[CompletionResponse]:
            return self._runtime.call_in_thread(self._invoke, prompt, _completion_response, options)

        return await ainstrumented(llm_completion_callback(), self, prompt, options, call)

    async def achat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponse:
        """Run `chat` in a thread. Cancelling the task cancels the call."""

        def call() -> Awaitable[ChatResponse]:
            return self._runtime.call_in_thread(self._invoke, messages, _chat_response, options)

        return await ainstrumented(llm_chat_callback(), self, messages, options, call)

    async def astream_complete(
        self, prompt: str, formatted: bool = False, **options: Any
    ) -> CompletionResponseAsyncGen:
        """Like `stream_complete`; a thread waits for each piece."""

        async def call() -> CompletionResponseAsyncGen:
            return self._async_responses(self.open_stream(prompt, **options), _completion_response)

        return await ainstrumented(llm_completion_callback(), self, prompt, options, call)

    async def astream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponseAsyncGen:
        """Like `stream_chat`; a thread waits for each piece."""

        async def call() -> ChatResponseAsyncGen:
            return self._async_responses(self.open_stream(messages, **options), _chat_response)

        return await ainstrumented(llm_chat_callback(), self, messages, options, call)

    def _invoke(
        self, prompt: str | Sequence[ChatMessage], make_response: MakeResponse[R], options: dict[str, Any]
    ) -> R:
        request = self._request(prompt, stream=False, **options)
        body = self._runtime.invoke(self._endpoint(), request.body, request.scope)
        piece = decode_answer(self._codec, body, request.stops)
        return make_response(piece.text, None, {"finish_reason": piece.finish_reason, "usage": dict(piece.usage)})

    async def _async_responses(self, stream: LLMStream, make_response: MakeResponse[R]) -> AsyncGenerator[R, None]:
        try:
            # `call_in_thread` is not needed: `finally` ends the read when the task is cancelled.
            while (piece := await self._runtime.in_thread(next, stream, None)) is not None:
                yield make_response(stream.text, piece, None)
            yield make_response(stream.text, "", stream.raw)
        finally:
            stream.close()

    def _parts(self, request: _Request) -> Generator[bytes, None, None]:
        endpoint = self._endpoint()
        if self._codec.streams:
            return self._runtime.stream(endpoint, request.body, request.scope)
        # A generator here as well, so that nothing is sent before the first part is read.
        return (self._runtime.invoke(endpoint, request.body, request.scope) for _ in range(1))

    def _request(
        self,
        prompt: str | Sequence[ChatMessage],
        *,
        stream: bool,
        scope: CancelScope | None = None,
        stop: str | Sequence[str] | None = None,
        **overrides: Any,
    ) -> _Request:
        messages: list[Message] | None = None
        if not isinstance(prompt, str):
            # Roles that containers do not know become "user".
            messages = [(_ROLES.get(message.role, "user"), message.content or "") for message in prompt]
        if unknown := sorted(overrides.keys() - set(_PARAMETERS)):
            raise InputError(f"unknown option {unknown[0]!r}; expected scope, stop or one of {', '.join(_PARAMETERS)}")
        parameters = Parameters(**{name: getattr(self, name) for name in _PARAMETERS} | overrides)
        extra = (stop,) if isinstance(stop, str) else tuple(stop or ())
        stops = (*self._codec.stop_words(messages), *extra)
        text = prompt if isinstance(prompt, str) else messages or ()
        # Checked before anything is sent, because containers treat a prompt above their window differently.
        self._check_window(text, parameters)
        body = self._codec.request(text, parameters, stops=stops, stream=stream)
        # `stall` does not apply to a whole answer, which arrives only when it is complete.
        scope = scope or CancelScope(self.deadline, stall=self.stall if stream else MAX_SECONDS)
        return _Request(body, stops, scope)

    def _check_window(self, prompt: str | Sequence[Message], parameters: Parameters) -> None:
        tokens = self.token_count(prompt if isinstance(prompt, str) else self._codec.prompt(prompt))
        available = self.context_window - (parameters.max_new_tokens or 0)
        if tokens > available:
            raise ModelInputTooLong(
                f"the prompt has about {tokens} tokens; {available} fit (context window {self.context_window}, less "
                f"{parameters.max_new_tokens} for the answer); shorten it, or lower MAX_NEW_TOKENS"
            )

    def _endpoint(self) -> Endpoint:
        return Endpoint(self.endpoint_name, self.inference_component, self.target_variant, self.session_id)


def _completion_response(text: str, delta: str | None, raw: Any) -> CompletionResponse:
    return CompletionResponse(text=text, delta=delta, raw=raw)


def _chat_response(text: str, delta: str | None, raw: Any) -> ChatResponse:
    return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), delta=delta, raw=raw)


def _responses(stream: LLMStream, make_response: MakeResponse[R]) -> Generator[R, None, None]:
    """Yield one response per piece, and a last one without text that has the finish reason and the token counts."""
    with closing(stream):
        for piece in stream:
            yield make_response(stream.text, piece, None)
        yield make_response(stream.text, "", stream.raw)
