"""ModelStream: the pieces of one answer, which any thread can end."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from typing import Any

from rag.errors import ModelError, ModelInterrupted
from rag.models.calls import Call
from rag.models.decoding import StreamDecoder


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
