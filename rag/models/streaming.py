"""stream_chat(llm, messages, scope): the answer of any LlamaIndex model as a stream that can be cancelled.

The models of this package (SageMakerLLM, AdaptedLLM) end a call by shutting its socket. Any other model is read in a separate
thread, which is abandoned if it does not stop. In both cases the reader continues immediately. A decoder interprets the parts
of an answer, so that this module does not depend on a service.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from llama_index.core.base.llms.types import ChatMessage, ChatResponse

from rag.errors import ModelError, ModelInterrupted, ModelTimeout
from rag.models.cancellation import CancelScope

if TYPE_CHECKING:
    from llama_index.core.llms.llm import LLM

LLM_NAME = "the language model"
TRUNCATED = {
    *("length", "max_tokens", "model_length", "model_context_window_exceeded"),
    *("content_filter", "content_filtered", "guardrail_intervened", "malformed_model_output"),
}
"""The finish reasons of containers and services for an answer that reached the token limit or was cut by a filter."""


class Decoder(Protocol):
    """Converts the parts of one answer to text: bytes of a container, or responses of a LlamaIndex model.

    `feed` returns the text that a part completes, which may be empty, and `end` the remaining text; both raise ModelError.
    `stopped`: a stop word was reached, so the rest is ignored. `finish_reason` and `usage` (tokens) are set after the end.
    """

    @property
    def finish_reason(self) -> str | None: ...
    @property
    def usage(self) -> Mapping[str, int]: ...
    @property
    def stopped(self) -> bool: ...
    def feed(self, part: Any, /) -> str: ...
    def end(self) -> str: ...


class LLMStream:
    """An iterator of non-empty texts. Connects when the first one is read.

    `text`: everything received so far. `first_token`: seconds from the first read until the first piece; `stall`: seconds
    until each further piece (None: only the limits of the scope). Iterating raises only ModelError and its subclasses: a
    failure after the first piece is a ModelInterrupted with the text so far as `partial`.
    """

    def __init__(
        self,
        parts: Generator[Any, None, None],
        decoder: Decoder,
        scope: CancelScope,
    ) -> None:
        self.text = ""
        self.first_token: float | None = None
        self.stall: float | None = None
        self._wait: CancelScope | None = None
        self._parts = parts
        self._decoder = decoder
        self._scope = scope
        self._ended = False

    @property
    def expired(self) -> bool:
        """Whether the deadline of the scope passed."""
        return self._scope.expired

    @property
    def truncated(self) -> bool:
        """After the end: whether the answer was cut by the token limit or by a filter."""
        return self._decoder.finish_reason in TRUNCATED

    @property
    def usage(self) -> Mapping[str, int]:
        """After the end: the token counts that the model reported."""
        return dict(self._decoder.usage)

    @property
    def raw(self) -> dict[str, Any]:
        """After the end: `finish_reason` (stop, length …; None: not reported) and `usage`."""
        return {"finish_reason": self._decoder.finish_reason, "usage": self.usage}

    def __iter__(self) -> LLMStream:
        return self

    def __next__(self) -> str:
        self._start_piece_timeout()
        try:
            while not self._ended:
                if piece := self._read():
                    self.text += piece
                    if self._wait is not None:
                        self._wait.release()
                        self._wait = None
                    return piece
        except BaseException as exc:
            # Closed now, because a reference to the exception would keep the connection open.
            self.close()
            if isinstance(exc, ModelError) and self._wait is not None and self._wait.expired:
                if not self.text:
                    raise ModelTimeout(
                        f"{LLM_NAME} sent nothing within {self.first_token} s; raise FIRST_TOKEN"
                    ) from exc
                stalled = f"{LLM_NAME} sent nothing for {self.stall} s; raise STALL"
                raise ModelInterrupted(f"the answer was interrupted: {stalled}", partial=self.text) from exc
            if isinstance(exc, ModelError) and self.text and getattr(exc, "partial", "") != self.text:
                raise ModelInterrupted(f"the answer was interrupted: {exc}", partial=self.text) from exc
            raise
        raise StopIteration

    def _start_piece_timeout(self) -> None:
        """Start the time limit of the next piece; when it expires, the call is cancelled."""
        seconds = self.stall if self.text else self.first_token
        if seconds is not None and self._wait is None:
            self._wait = CancelScope(seconds)
            self._wait.on_end(self._scope.cancel)

    def cancel(self) -> None:
        """Shut the connection from any thread. A waiting reader gets ModelInterrupted."""
        self._scope.cancel()

    def close(self) -> None:
        """Cancel and close the connection. If another thread is reading, that thread closes it."""
        self._ended = True
        self.cancel()
        with suppress(ValueError):  # "generator already executing"
            self._parts.close()

    def _read(self) -> str:
        # After a stop word the container may continue for long; the rest is not read.
        part = None if self._decoder.stopped else next(self._parts, None)
        if part is not None:
            return self._decoder.feed(part)
        self._ended = True
        self._parts.close()
        return self._decoder.end()


@runtime_checkable
class _OpensStreams(Protocol):
    """The streaming interface of the models in this package."""

    deadline: float
    stall: float

    def open_stream(self, prompt: Sequence[ChatMessage], **options: Any) -> LLMStream: ...


def stream_chat(llm: LLM, messages: Sequence[ChatMessage], scope: CancelScope) -> LLMStream:
    """Stream the model's answer to these messages, within `scope` and the model's own deadline.

    Raises ModelInputTooLong immediately if the model knows that the messages do not fit; the stream raises other errors.
    """
    if isinstance(llm, _OpensStreams):
        first_token: float | None = getattr(llm, "first_token", None)
        # The first piece may take longer than later ones: the connection gets the longer limit, the stream checks the other.
        read_limit = max(llm.stall, first_token or 0.0)
        stream = llm.open_stream(messages, scope=scope.child(llm.deadline, stall=read_limit))
        stream.first_token = first_token
        stream.stall = llm.stall if read_limit > llm.stall else None
        return stream
    child = scope.child()
    return LLMStream(_read_in_thread(llm, messages, child), ResponseDecoder(), child)


class ResponseDecoder:
    """Decodes the ChatResponses of a LlamaIndex model. The finish reason and usage come from `raw` of the last one."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.usage: Mapping[str, int] = {}
        self.stopped = False
        self._text = ""
        self._raw: Any = None

    def feed(self, response: ChatResponse, /) -> str:
        """Return the response's delta, or what its content adds to the text so far if it has no delta."""
        content = response.message.content or ""
        piece = content[len(self._text) :] if response.delta is None else response.delta
        self._text += piece
        self._raw = response.raw
        return piece

    def end(self) -> str:
        """Read the finish reason and usage. Returns no text."""
        raw = self._raw.model_dump() if hasattr(self._raw, "model_dump") else self._raw
        if isinstance(raw, Mapping):
            # In this order: models of this package, chunks of OpenAI, events of Bedrock.
            choices = raw.get("choices") or [{}]
            self.finish_reason = raw.get("finish_reason") or choices[0].get("finish_reason") or raw.get("stopReason")
            counts = raw.get("usage") or {}
            self.usage = {name: count for name, count in counts.items() if isinstance(count, int)}
        return ""


def _read_in_thread(
    llm: LLM, messages: Sequence[ChatMessage], scope: CancelScope
) -> Generator[ChatResponse, None, None]:
    """Yield the responses of a model that cannot be interrupted, so that only the wait for it is."""
    items: queue.SimpleQueue[ChatResponse | ModelError | None] = queue.SimpleQueue()

    def read() -> None:
        try:
            for response in llm.stream_chat(messages):
                # Returning closes the model's generator, which may end its call.
                if scope.cancelled or scope.expired:
                    return
                items.put(response)
            items.put(None)
        except ModelError as exc:
            items.put(exc)
        except Exception as exc:  # noqa: BLE001 - a package may raise anything, and the passages can still answer
            items.put(ModelError(f"{LLM_NAME} failed: {type(exc).__name__}: {exc}"))

    # Sent through the queue, so that the reader waits for the model and for the end of the scope in one place.
    scope.on_end(lambda: items.put(ModelInterrupted(f"the call of {LLM_NAME} was cancelled")))
    threading.Thread(target=contextvars.copy_context().run, args=(read,), name="model", daemon=True).start()
    while (item := items.get()) is not None:
        if isinstance(item, ModelError):
            scope.check(LLM_NAME)
            raise item
        yield item
