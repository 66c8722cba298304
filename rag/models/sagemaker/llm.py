"""SageMakerLLM: a language-model container on a SageMaker endpoint, whole or streamed, sync or async."""

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
from rag.models.cancellation import LONGEST, CancelScope
from rag.models.parameters import Parameters, estimate_tokens
from rag.models.sagemaker.client import Endpoint, Runtime, shared_runtime
from rag.models.sagemaker.instrumentation import aobserved, observed
from rag.models.sagemaker.llm_payloads import GENERATION, FormatName, GenerationFormat, Message
from rag.models.sagemaker.stream_decoder import StreamDecoder, read_whole
from rag.models.streaming import LLMStream

R = TypeVar("R", CompletionResponse, ChatResponse)
Respond = Callable[[str, str | None, Any], R]
"""Text so far, the piece just come and what else is known, as LlamaIndex's response."""

_ROLES = {MessageRole.SYSTEM: "system", MessageRole.DEVELOPER: "system", MessageRole.ASSISTANT: "assistant"}
_PARAMETERS = tuple(each.name for each in fields(Parameters))


@dataclass(frozen=True, slots=True)
class _Request:
    body: bytes
    stops: tuple[str, ...]
    scope: CancelScope


class SageMakerLLM(CustomLLM):
    """Answers of the endpoint `endpoint_name`. `chat` applies the container's own prompt format, `complete` sends text as it is.

    Every method takes `scope=CancelScope()`, whose `cancel()` ends it from another thread at any time, `stop=[…]` and any
    of the parameters. Raises kinds of ModelError alone: ModelInputTooLong before anything is sent where prompt and
    answer exceed the window. `raw` has `finish_reason` and `usage`. A closed stream closes its connection.

    `token_counter` counts a text's tokens as the model does; without it they are estimated, rather too many.
    """

    model_config = ConfigDict(extra="forbid")

    endpoint_name: str = Field(description="SageMaker endpoint.")
    format: FormatName = Field(default="openai", description="How the container spells prompts and answers.")
    context_window: int = Field(default=2048, gt=0, description="Tokens of prompt and answer together at most.")
    max_new_tokens: int = Field(default=512, gt=0, description="Tokens of the answer at most.")
    do_sample: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    eos_token_id: int | None = None
    deadline: float = Field(default=60.0, gt=0, description="Seconds a call may take, tries and streaming included.")
    stall: float = Field(default=20.0, gt=0, description="Seconds a stream may be silent.")
    first_token: float | None = Field(
        default=None, gt=0, description="Seconds to a stream's first piece (None: stall)."
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
        self._codec = GENERATION[self.format]
        self._token_counter = token_counter or estimate_tokens

    @classmethod
    def class_name(cls) -> str:
        return "SageMakerLLM"

    @property
    def metadata(self) -> LLMMetadata:
        """The window, and the endpoint's name as that of the model."""
        return LLMMetadata(
            context_window=self.context_window,
            num_output=self.max_new_tokens,
            # So LlamaIndex hands over messages, and the format's own prompt is used.
            is_chat_model=True,
            model_name=self.endpoint_name,
        )

    def token_count(self, text: str) -> int:
        """Tokens of a prompt, special tokens included."""
        return self._token_counter(text)

    def open_stream(self, prompt: str | Sequence[ChatMessage], **options: Any) -> LLMStream:
        """The answer's pieces. A container that cannot stream gives one."""
        request = self._request(prompt, stream=self._codec.streams, **options)
        parts = self._parts(request)
        return LLMStream(parts, StreamDecoder(self._codec, request.stops), request.scope)

    def complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponse:
        """The text goes as it is; the container's prompt format is not applied."""
        return observed(
            llm_completion_callback(), self, prompt, options, lambda: self._ask(prompt, _completion, options)
        )

    def chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponse:
        """The messages go in the container's prompt format."""
        return observed(llm_chat_callback(), self, messages, options, lambda: self._ask(messages, _chat, options))

    def stream_complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponseGen:
        """As `complete`: a response a piece, and a last one without text that has `raw`."""

        def call() -> CompletionResponseGen:
            return _responses(self.open_stream(prompt, **options), _completion)

        return observed(llm_completion_callback(), self, prompt, options, call)

    def stream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponseGen:
        """As `chat`: a response a piece, and a last one without text that has `raw`."""

        def call() -> ChatResponseGen:
            return _responses(self.open_stream(messages, **options), _chat)

        return observed(llm_chat_callback(), self, messages, options, call)

    async def acomplete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponse:
        """As `complete`, in a thread; cancelling the task ends the call."""

        def call() -> Awaitable[CompletionResponse]:
            return self._runtime.call_in_thread(self._ask, prompt, _completion, options)

        return await aobserved(llm_completion_callback(), self, prompt, options, call)

    async def achat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponse:
        """As `chat`, in a thread; cancelling the task ends the call."""

        def call() -> Awaitable[ChatResponse]:
            return self._runtime.call_in_thread(self._ask, messages, _chat, options)

        return await aobserved(llm_chat_callback(), self, messages, options, call)

    async def astream_complete(
        self, prompt: str, formatted: bool = False, **options: Any
    ) -> CompletionResponseAsyncGen:
        """As `stream_complete`; each piece is waited for in a thread."""

        async def call() -> CompletionResponseAsyncGen:
            return self._async_responses(self.open_stream(prompt, **options), _completion)

        return await aobserved(llm_completion_callback(), self, prompt, options, call)

    async def astream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponseAsyncGen:
        """As `stream_chat`; each piece is waited for in a thread."""

        async def call() -> ChatResponseAsyncGen:
            return self._async_responses(self.open_stream(messages, **options), _chat)

        return await aobserved(llm_chat_callback(), self, messages, options, call)

    def _ask(self, prompt: str | Sequence[ChatMessage], respond: Respond[R], options: dict[str, Any]) -> R:
        request = self._request(prompt, stream=False, **options)
        body = self._runtime.invoke(self._endpoint(), request.body, request.scope)
        piece = read_whole(self._codec, body, request.stops)
        return respond(piece.text, None, {"finish_reason": piece.finish_reason, "usage": dict(piece.usage)})

    async def _async_responses(self, stream: LLMStream, respond: Respond[R]) -> AsyncGenerator[R, None]:
        try:
            # Not `call_in_thread`: a cancelled task leaves through `finally`, which ends the read.
            while (piece := await self._runtime.in_thread(next, stream, None)) is not None:
                yield respond(stream.text, piece, None)
            yield respond(stream.text, "", stream.raw)
        finally:
            stream.close()

    def _parts(self, request: _Request) -> Generator[bytes, None, None]:
        endpoint = self._endpoint()
        if self._codec.streams:
            return self._runtime.stream(endpoint, request.body, request.scope)
        # A generator as well: nothing is sent before the first part is asked for.
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
            # Roles no container knows count as the user's.
            messages = [(_ROLES.get(message.role, "user"), message.content or "") for message in prompt]
        if unknown := sorted(overrides.keys() - set(_PARAMETERS)):
            raise InputError(f"unknown option {unknown[0]!r}; expected scope, stop or one of {', '.join(_PARAMETERS)}")
        parameters = Parameters(**{name: getattr(self, name) for name in _PARAMETERS} | overrides)
        more = (stop,) if isinstance(stop, str) else tuple(stop or ())
        stops = (*self._codec.stops(messages), *more)
        text = prompt if isinstance(prompt, str) else messages or ()
        # Before anything is sent: containers differ in what they do with a prompt over their window.
        self._check_window(text, parameters)
        body = self._codec.request(text, parameters, stops=stops, stream=stream)
        # A whole answer comes at its end: silence before it says nothing.
        scope = scope or CancelScope(self.deadline, stall=self.stall if stream else LONGEST)
        return _Request(body, stops, scope)

    def _check_window(self, prompt: str | Sequence[Message], parameters: Parameters) -> None:
        tokens = self.token_count(prompt if isinstance(prompt, str) else self._codec.prompt(prompt))
        room = self.context_window - (parameters.max_new_tokens or 0)
        if tokens > room:
            raise ModelInputTooLong(
                f"the prompt has about {tokens} tokens; {room} fit (context window {self.context_window}, less "
                f"{parameters.max_new_tokens} for the answer); shorten it, or lower MAX_NEW_TOKENS"
            )

    def _endpoint(self) -> Endpoint:
        return Endpoint(self.endpoint_name, self.inference_component, self.target_variant, self.session_id)


def _completion(text: str, delta: str | None, raw: Any) -> CompletionResponse:
    return CompletionResponse(text=text, delta=delta, raw=raw)


def _chat(text: str, delta: str | None, raw: Any) -> ChatResponse:
    return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), delta=delta, raw=raw)


def _responses(stream: LLMStream, respond: Respond[R]) -> Generator[R, None, None]:
    """One response a piece, and a last one without text that has the counts."""
    with closing(stream):
        for piece in stream:
            yield respond(stream.text, piece, None)
        yield respond(stream.text, "", stream.raw)
