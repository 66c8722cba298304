"""stream_chat(llm, messages, scope): any LlamaIndex model's answer in pieces, with the means to stop.

A model of ours ends a call by its socket. Any other is read in a thread of its own, which is left alone where it does not
stop: whoever waits for the answer goes on at once either way. Knows no service: what a part of an answer means is for a
decoder to say.
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

MODEL = "the language model"
TRUNCATED = {
    *("length", "max_tokens", "model_length", "model_context_window_exceeded"),
    *("content_filter", "content_filtered", "guardrail_intervened", "malformed_model_output"),
}
"""What containers and services call an answer that ended because it reached its longest size, or because a filter cut it."""


class Decoder(Protocol):
    """What the parts of one answer mean: bytes of a container's, responses of a LlamaIndex model's.

    `feed` returns the text that a part completes, possibly none, and `end` what is left; both raise ModelError. `stopped`:
    what follows is of no interest. `finish_reason` and `usage` (tokens) are known after the end.
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
    """An iterator of texts, none of them empty. Connects when the first one is asked for.

    `text`: all that came so far. `first_token`: seconds that its first piece may take from the first read on, `stall`: each
    piece after it; None: no limit beside the scope's. Iterating raises ModelError and its kinds alone: any failure after the
    first piece is a ModelInterrupted with the text so far as `partial`; before it, it is the ModelError itself.
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
        """Whether its time was up."""
        return self._scope.expired

    @property
    def truncated(self) -> bool:
        """After the end: whether the answer was cut, at its longest size or by a filter."""
        return self._decoder.finish_reason in TRUNCATED

    @property
    def usage(self) -> Mapping[str, int]:
        """After the end: tokens, as far as the model reports them."""
        return dict(self._decoder.usage)

    @property
    def raw(self) -> dict[str, Any]:
        """After the end: `finish_reason` (stop, length …; None: not reported) and `usage`."""
        return {"finish_reason": self._decoder.finish_reason, "usage": self.usage}

    def __iter__(self) -> LLMStream:
        return self

    def __next__(self) -> str:
        self._limit_wait()
        try:
            while not self._ended:
                if piece := self._read():
                    self.text += piece
                    if self._wait is not None:
                        self._wait.release()
                        self._wait = None
                    return piece
        except BaseException as exc:
            # At once: whoever keeps the exception would keep the connection open.
            self.close()
            if isinstance(exc, ModelError) and self._wait is not None and self._wait.expired:
                if not self.text:
                    raise ModelTimeout(f"no word of {MODEL} within {self.first_token} s; raise FIRST_TOKEN") from exc
                silent = f"no word of {MODEL} for {self.stall} s; raise STALL"
                raise ModelInterrupted(f"the answer broke off: {silent}", partial=self.text) from exc
            if isinstance(exc, ModelError) and self.text and getattr(exc, "partial", "") != self.text:
                raise ModelInterrupted(f"the answer broke off: {exc}", partial=self.text) from exc
            raise
        raise StopIteration

    def _limit_wait(self) -> None:
        """Begin the time of the next piece: its end cancels the call, whatever the model is."""
        seconds = self.stall if self.text else self.first_token
        if seconds is not None and self._wait is None:
            self._wait = CancelScope(seconds)
            self._wait.on_end(self._scope.cancel)

    def cancel(self) -> None:
        """Free a waiting reader, who gets ModelInterrupted, and shut the connection; from any thread."""
        self._scope.cancel()

    def close(self) -> None:
        """Cancel, and give the connection back; where another thread is reading, that thread does so as it leaves."""
        self._ended = True
        self.cancel()
        with suppress(ValueError):  # "generator already executing"
            self._parts.close()

    def _read(self) -> str:
        # After a stop word the container may go on for long: nothing of that is waited for.
        part = None if self._decoder.stopped else next(self._parts, None)
        if part is not None:
            return self._decoder.feed(part)
        self._ended = True
        self._parts.close()
        return self._decoder.end()


@runtime_checkable
class _OpensStreams(Protocol):
    """A model of ours."""

    deadline: float
    stall: float

    def open_stream(self, prompt: Sequence[ChatMessage], **options: Any) -> LLMStream: ...


def stream_chat(llm: LLM, messages: Sequence[ChatMessage], scope: CancelScope) -> LLMStream:
    """The model's answer to these messages, within `scope` and the model's own deadline. Cancelling the scope ends it.

    Raises ModelInputTooLong at once where the model knows that they do not fit, all else while it is read (LLMStream).
    """
    if isinstance(llm, _OpensStreams):
        first: float | None = getattr(llm, "first_token", None)
        # A first word may take longer than silence later: the connection waits for it, and the stream itself limits the rest.
        silence = max(llm.stall, first or 0.0)
        stream = llm.open_stream(messages, scope=scope.child(llm.deadline, stall=silence))
        stream.first_token = first
        stream.stall = llm.stall if silence > llm.stall else None
        return stream
    child = scope.child()
    return LLMStream(_read_in_thread(llm, messages, child), ResponseDecoder(), child)


class ResponseDecoder:
    """The texts of a LlamaIndex model's ChatResponses; of its end, what the last one's `raw` says in its service's words."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.usage: Mapping[str, int] = {}
        self.stopped = False
        self._text = ""
        self._raw: Any = None

    def feed(self, response: ChatResponse, /) -> str:
        """The response's delta; of a model that gives none, what its content adds."""
        content = response.message.content or ""
        piece = content[len(self._text) :] if response.delta is None else response.delta
        self._text += piece
        self._raw = response.raw
        return piece

    def end(self) -> str:
        """No text is held back."""
        raw = self._raw.model_dump() if hasattr(self._raw, "model_dump") else self._raw
        if isinstance(raw, Mapping):
            # In this order: our models', OpenAI's chunks, Bedrock's events.
            choices = raw.get("choices") or [{}]
            self.finish_reason = raw.get("finish_reason") or choices[0].get("finish_reason") or raw.get("stopReason")
            counts = raw.get("usage") or {}
            self.usage = {name: count for name, count in counts.items() if isinstance(count, int)}
        return ""


def _read_in_thread(
    llm: LLM, messages: Sequence[ChatMessage], scope: CancelScope
) -> Generator[ChatResponse, None, None]:
    """The responses of a model that cannot be interrupted: waiting for it can."""
    items: queue.SimpleQueue[ChatResponse | ModelError | None] = queue.SimpleQueue()

    def read() -> None:
        try:
            for response in llm.stream_chat(messages):
                # Leaving the loop closes the model's generator, which may end its call.
                if scope.cancelled or scope.expired:
                    return
                items.put(response)
            items.put(None)
        except ModelError as exc:
            items.put(exc)
        except Exception as exc:  # noqa: BLE001 - whatever a package of others raises, the passages can still answer
            items.put(ModelError(f"{MODEL} failed: {type(exc).__name__}: {exc}"))

    # Through the queue, so that the reader waits in one place for the model and for the scope's end.
    scope.on_end(lambda: items.put(ModelInterrupted(f"the call of {MODEL} was cancelled")))
    threading.Thread(target=contextvars.copy_context().run, args=(read,), name="model", daemon=True).start()
    while (item := items.get()) is not None:
        if isinstance(item, ModelError):
            scope.check(MODEL)
            raise item
        yield item
