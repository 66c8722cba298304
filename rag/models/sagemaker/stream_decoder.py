"""A stream's bytes, cut anywhere, to the text they spell; and which format an answer is in.

Bytes are kept until a line is whole, so a syllable split between two parts is never decoded by halves. Server-sent events
and bare JSON lines are read alike. A body that is no stream at all is kept to its end and read as a whole answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rag.errors import ModelError, ModelFormatError, ModelInterrupted
from rag.models.sagemaker.llm_payloads import GenerationFormat, Piece, wrong_format

IGNORED = (b":", b"event:", b"id:", b"retry:")
DATA = b"data:"
_DONE = b"[DONE]"


class StreamDecoder:
    """Feed it the parts, then `end()` it: the texts it returns, joined, are the answer.

    `stopped`: a stop word was met, what follows is of no interest. Raises ModelError for an error reported in the
    stream, ModelFormatError for another format and, at the end, ModelInterrupted without the format's end mark.
    """

    def __init__(self, codec: GenerationFormat, stops: Sequence[str] = ()) -> None:
        self.usage: dict[str, int] = {}
        self.finish_reason: str | None = None
        self.stopped = False
        self._codec = codec
        self._stops = StopWords(stops)
        self._bytes = bytearray()
        self._events = 0
        self._framed = False
        self._whole = False
        self._finished = False

    def feed(self, part: bytes) -> str:
        """The text that this part completes, possibly none."""
        self._bytes += part
        if self._whole:
            return ""
        # Whole lines only: a syllable cut in two would be decoded as two characters that are none.
        *lines, rest = self._bytes.split(b"\n")
        texts: list[str] = []
        for number, line in enumerate(lines):
            if not self._line(bytes(line), texts):
                rest = bytearray(b"\n").join([*lines[number:], rest])
                break
        self._bytes = bytearray(rest)
        return self._shown("".join(texts))

    def end(self) -> str:
        """The text held back until now."""
        if self.stopped:
            return ""
        texts: list[str] = []
        if self._bytes.strip() and (self._whole or not self._line(bytes(self._bytes), texts, last=True)):
            texts.append(self._take(self._read_whole()))
        # A connection closed early ends like a whole answer: only the format's end mark tells them apart.
        if not self._finished or (self._framed and not self._events):
            raise self._broken()
        return self._shown("".join(texts)) + ("" if self.stopped else self._stops.rest())

    def _line(self, line: bytes, texts: list[str], *, last: bool = False) -> bool:
        """Read one line. Returns False where it and the rest are no stream but a whole answer."""
        line = line.strip()
        if not line or line.startswith(IGNORED):
            return True
        if line.startswith(DATA):
            self._framed = True
            line = line[len(DATA) :].strip()
        # OpenAI's end mark; the other formats mark the last event itself.
        if line == _DONE:
            self._finished = True
            return True
        value = load_json(line)
        piece = None if value is None else self._codec.event(value)
        if piece is not None:
            self._events += 1
            texts.append(self._take(piece))
        elif not self._events and not self._framed:
            self._whole = True
            return False
        elif value is None and not last:
            raise ModelFormatError(f"a line of the model's stream is not JSON: {line[:120]!r}")
        return True

    def _take(self, piece: Piece) -> str:
        self.usage.update(piece.usage)
        self.finish_reason = piece.finish_reason or self.finish_reason
        self._finished = self._finished or piece.last
        return piece.text

    def _shown(self, text: str) -> str:
        shown = self._stops.cut(text)
        if self._stops.met and not self.stopped:
            self.stopped = self._finished = True
            self.finish_reason = "stop"
        return shown

    def _read_whole(self) -> Piece:
        value = load_json(bytes(self._bytes))
        if value is not None:
            return self._codec.whole(value)
        # What begins like an answer has broken off; what does not was never one, and FORMAT is wrong.
        body = bytes(self._bytes).strip()
        if body.startswith((b"{", b"[")) or DATA.startswith(body):
            raise self._broken()
        raise wrong_format(self._codec.name, self._bytes[:120].decode("utf-8", "replace"))

    def _broken(self) -> ModelError:
        if self._framed and not self._events and not self._bytes.strip():
            return ModelFormatError(f"nothing in the model's stream is in the format {self._codec.name!r}")
        return ModelInterrupted("the model's answer ends without its end mark")


class StopWords:
    """Cuts a text that comes in pieces at the first stop word, itself cut anywhere."""

    def __init__(self, words: Sequence[str]) -> None:
        self.met = False
        self._words = tuple(word for word in words if word)
        self._held = ""

    def cut(self, text: str) -> str:
        """What of the text so far is certain to come before any stop word, and was not returned yet."""
        if self.met:
            return ""
        text = self._held + text
        positions = [at for word in self._words if (at := text.find(word)) >= 0]
        if positions:
            self.met = True
            return text[: min(positions)]
        # The longest end that may still become a stop word is not shown yet: shown text cannot be taken back.
        keep = max((_overlap(text, word) for word in self._words), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """What was held back as the possible beginning of a stop word."""
        held, self._held = self._held, ""
        return held


def read_whole(codec: GenerationFormat, body: bytes, stops: Sequence[str] = ()) -> Piece:
    """A whole answer, also one sent as a stream. Raises as StreamDecoder does."""
    decoder = StreamDecoder(codec, stops)
    text = decoder.feed(body)
    text += decoder.end()
    return Piece(text, True, decoder.finish_reason, decoder.usage)


def load_json(line: bytes) -> Any:
    """The JSON value, or None where it is none (an answer is never null)."""
    try:
        return json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _overlap(text: str, word: str) -> int:
    """Length of the longest end of the text that begins the word."""
    return next((size for size in range(min(len(word) - 1, len(text)), 0, -1) if word.startswith(text[-size:])), 0)
