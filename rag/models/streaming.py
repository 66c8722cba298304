"""Listening to any LlamaIndex model, with the means to stop.

A model of ours ends a call by its socket. Any other is read in a thread of its own, which is left alone where it does not
stop: whoever waits for the answer goes on at once either way.
"""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from llama_index.core.base.llms.types import ChatMessage

from rag.errors import ModelError, ModelInterrupted, ModelTimeout
from rag.models.cancellation import Patience

if TYPE_CHECKING:
    from llama_index.core.llms.llm import LLM

    from rag.models.sagemaker.stream_decoder import StreamDecoder
    from rag.models.sockets import Call

_CUT = {
    *("length", "max_tokens", "model_length", "model_context_window_exceeded"),
    *("content_filter", "content_filtered", "guardrail_intervened", "malformed_model_output"),
}
"""What containers and services call an answer that ended because it reached its longest size, or because a filter cut it."""


class Heard(Protocol):
    """A model's answer in pieces. `text`: all so far; `expired`: its time was up; after the end, what is known of it:
    `truncated` at its longest size or by a filter, and `usage` in tokens."""

    @property
    def text(self) -> str: ...
    @property
    def expired(self) -> bool: ...
    @property
    def truncated(self) -> bool: ...
    @property
    def usage(self) -> Mapping[str, int]: ...
    def __iter__(self) -> Heard: ...
    def __next__(self) -> str: ...
    def close(self) -> None: ...


@runtime_checkable
class _OpensStreams(Protocol):
    """A model of ours."""

    deadline: float
    stall: float

    def open_stream(self, prompt: Sequence[ChatMessage], **options: Any) -> ModelStream: ...


def listen(llm: LLM, messages: Sequence[ChatMessage], patience: Patience, *, seconds: float | None = None) -> Heard:
    """The model's answer to these messages, within `patience` and, where given, within `seconds`.

    Connects when the first piece is asked for. Iterating raises ModelError and its kinds alone: ModelInterrupted, with
    what came so far, for a failure after the first piece; ModelTimeout for one that came too late before it.
    """
    allowed = min(patience.remaining(), seconds or patience.remaining())
    heard: Heard = _Ours(llm, messages, allowed) if isinstance(llm, _OpensStreams) else _Other(llm, messages, allowed)
    patience.on_cancel(heard.close)
    return heard


class _Ours:
    def __init__(self, llm: _OpensStreams, messages: Sequence[ChatMessage], seconds: float) -> None:
        from rag.models.sockets import Call  # botocore takes a third of a second to import

        self._call = Call(deadline=min(seconds, llm.deadline), stall=llm.stall)
        self._stream = llm.open_stream(messages, call=self._call)

    @property
    def text(self) -> str:
        return self._stream.text

    @property
    def expired(self) -> bool:
        return self._call.ending == "expired"

    @property
    def truncated(self) -> bool:
        return self._stream.raw["finish_reason"] in _CUT

    @property
    def usage(self) -> Mapping[str, int]:
        return dict(self._stream.raw["usage"])

    def __iter__(self) -> _Ours:
        return self

    def __next__(self) -> str:
        return next(self._stream)

    def close(self) -> None:
        self._stream.close()


class _Other:
    """Any other model, read in a thread of its own: nothing of it can be interrupted, so waiting for it is."""

    def __init__(self, llm: LLM, messages: Sequence[ChatMessage], seconds: float) -> None:
        self.text = ""
        self.expired = False
        self.truncated = False
        self.usage: Mapping[str, int] = {}
        self._llm = llm
        self._messages = messages
        self._ends = time.monotonic() + seconds
        self._items: queue.SimpleQueue[str | ModelError | None] = queue.SimpleQueue()
        self._closed = False
        self._pieces = self._hear()

    def __iter__(self) -> _Other:
        return self

    def __next__(self) -> str:
        return next(self._pieces)

    def close(self) -> None:
        self._closed = True
        self._items.put(ModelInterrupted("the call of the model was cancelled"))

    def _hear(self) -> Generator[str, None, None]:
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._read,), name="model", daemon=True).start()
        while (item := self._next()) is not None:
            if isinstance(item, ModelError):
                if not self.text or isinstance(item, ModelInterrupted):
                    raise item
                raise ModelInterrupted(f"the answer broke off: {item}", partial=self.text) from item
            self.text += item
            yield item

    def _next(self) -> str | ModelError | None:
        try:
            return self._items.get(timeout=max(0.0, self._ends - time.monotonic()))
        except queue.Empty:
            self._closed = self.expired = True
            return ModelTimeout("the model did not answer within the deadline; raise it, or look at the model's load")

    def _read(self) -> None:
        try:
            said, response = "", None
            for response in self._llm.stream_chat(self._messages):
                if self._closed:
                    return
                content = response.message.content or ""
                piece = content[len(said) :] if response.delta is None else response.delta
                said += piece
                self._items.put(piece)
            self.truncated, self.usage = _told(getattr(response, "raw", None))
            self._items.put(None)
        except ModelError as exc:
            self._items.put(exc)
        except Exception as exc:  # noqa: BLE001 - whatever a package of others raises, the passages can still answer
            self._items.put(ModelError(f"the model failed: {type(exc).__name__}: {exc}"))


def _told(raw: Any) -> tuple[bool, dict[str, int]]:
    """Whether the answer was cut, and its tokens, as far as the last response of a model tells."""
    raw = raw.model_dump() if hasattr(raw, "model_dump") else raw
    if not isinstance(raw, Mapping):
        return False, {}
    choices = raw.get("choices") or [{}]
    reason = raw.get("finish_reason") or choices[0].get("finish_reason") or raw.get("stopReason")
    counts = raw.get("usage") or {}
    return reason in _CUT, {name: count for name, count in counts.items() if isinstance(count, int)}


class ModelStream:
    """An iterator of texts. `text`: all that came so far. Connects when the first one is asked for.

    `cancel()`, from any thread, frees a waiting reader and shuts the connection; the reader gets ModelInterrupted. Any
    failure after the first piece is a ModelInterrupted with `partial`; before it, it is the ModelError itself.
    """

    def __init__(self, parts: Generator[bytes, None, None], decoder: StreamDecoder, call: Call) -> None:
        self.text = ""
        self._parts = parts
        self._decoder = decoder
        self._call = call
        self._pieces = self._read()

    @property
    def raw(self) -> dict[str, Any]:
        """`finish_reason` (stop, length …; None: not told) and `usage` in tokens, known after the end."""
        return {"finish_reason": self._decoder.finish_reason, "usage": self._decoder.usage}

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._pieces)

    def cancel(self) -> None:
        self._call.cancel()

    def close(self) -> None:
        """Cancel, and give the connection back; where another thread is reading, that thread does so as it leaves."""
        self.cancel()
        with suppress(ValueError):  # "generator already executing"
            self._pieces.close()

    def _read(self) -> Generator[str, None, None]:
        try:
            for piece in self._decoded():
                self.text += piece
                yield piece
        except ModelError as exc:
            if not self.text and not isinstance(exc, ModelInterrupted):
                raise
            raise ModelInterrupted(f"the answer broke off: {exc}", partial=self.text) from exc

    def _decoded(self) -> Iterator[str]:
        with closing(self._parts):
            for part in self._parts:
                if text := self._decoder.feed(part):
                    yield text
                if self._decoder.stopped:
                    return
        if text := self._decoder.end():
            yield text
