"""Decodes the bytes of a stream, which may be cut anywhere, to text.

Only complete lines are decoded, so that a syllable split between two parts is decoded correctly. Server-sent events and JSON
lines are both accepted. A body that is not a stream is collected to its end and parsed as a whole answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rag.errors import ModelError, ModelFormatError, ModelInterrupted
from rag.models.sagemaker.embedding_payloads import nesting_depth
from rag.models.sagemaker.llm_payloads import LLM_FORMATS, GenerationFormat, Piece, wrong_format_error

IGNORED = (b":", b"event:", b"id:", b"retry:")
DATA = b"data:"
_DONE = b"[DONE]"


class StreamDecoder:
    """The `Decoder` for a container's bytes: the texts that `feed` and `end` return are the answer.

    `stopped`: a stop word was reached, so the rest can be ignored. Raises ModelError for an error reported in the stream,
    ModelFormatError for another format, and ModelInterrupted at the end if the format's end mark is missing.
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
        self._is_whole_answer = False
        self._finished = False

    def feed(self, part: bytes) -> str:
        """Return the text that this part completes, which may be empty."""
        self._bytes += part
        if self._is_whole_answer:
            return ""
        # Complete lines only: the bytes of a syllable may be split between two parts.
        *lines, remainder = self._bytes.split(b"\n")
        texts: list[str] = []
        for number, line in enumerate(lines):
            if not self._decode_line(bytes(line), texts):
                remainder = bytearray(b"\n").join([*lines[number:], remainder])
                break
        self._bytes = bytearray(remainder)
        return self._until_stop_word("".join(texts))

    def end(self) -> str:
        """Return the remaining text."""
        if self.stopped:
            return ""
        texts: list[str] = []
        if self._bytes.strip() and (
            self._is_whole_answer or not self._decode_line(bytes(self._bytes), texts, last=True)
        ):
            texts.append(self._record(self._read_whole()))
        # Only the end mark distinguishes a complete answer from a connection that was closed early.
        if not self._finished or (self._framed and not self._events):
            raise self._truncated()
        return self._until_stop_word("".join(texts)) + ("" if self.stopped else self._stops.flush())

    def _decode_line(self, line: bytes, texts: list[str], *, last: bool = False) -> bool:
        """Decode one line and append its text. Returns False if the body is a whole answer and not a stream."""
        line = line.strip()
        if not line or line.startswith(IGNORED):
            return True
        if line.startswith(DATA):
            self._framed = True
            line = line[len(DATA) :].strip()
        # The end mark of the format "openai"; the other formats mark the last event itself.
        if line == _DONE:
            self._finished = True
            return True
        value = load_json(line)
        piece = None if value is None else self._codec.parse_event(value)
        if piece is not None:
            self._events += 1
            texts.append(self._record(piece))
        elif not self._events and not self._framed:
            self._is_whole_answer = True
            return False
        elif value is None and not last:
            raise ModelFormatError(f"a line of the model's stream is not JSON: {line[:120]!r}; check FORMAT")
        return True

    def _record(self, piece: Piece) -> str:
        self.usage.update(piece.usage)
        self.finish_reason = piece.finish_reason or self.finish_reason
        self._finished = self._finished or piece.last
        return piece.text

    def _until_stop_word(self, text: str) -> str:
        shown = self._stops.feed(text)
        if self._stops.matched and not self.stopped:
            self.stopped = self._finished = True
            self.finish_reason = "stop"
        return shown

    def _read_whole(self) -> Piece:
        value = load_json(bytes(self._bytes))
        if value is not None:
            return self._codec.parse_answer(value)
        # A body that begins like an answer is incomplete; otherwise FORMAT is wrong.
        body = bytes(self._bytes).strip()
        if body.startswith((b"{", b"[")) or DATA.startswith(body):
            raise self._truncated()
        raise wrong_format_error(self._codec.name, self._bytes[:120].decode("utf-8", "replace"))

    def _truncated(self) -> ModelError:
        if self._framed and not self._events and not self._bytes.strip():
            return ModelFormatError(
                f"the model's stream contains nothing in the format {self._codec.name!r}; check FORMAT"
            )
        return ModelInterrupted("the model's answer ended without its end mark")


class StopWords:
    """Cuts a text that arrives in pieces at the first stop word, which may be split between pieces."""

    def __init__(self, words: Sequence[str]) -> None:
        self.matched = False
        self._words = tuple(word for word in words if word)
        self._pending = ""

    def feed(self, text: str) -> str:
        """Add a piece. Returns the text that is certain to come before any stop word and was not returned yet."""
        if self.matched:
            return ""
        text = self._pending + text
        positions = [at for word in self._words if (at := text.find(word)) >= 0]
        if positions:
            self.matched = True
            return text[: min(positions)]
        # The longest end of the text that may be the beginning of a stop word is kept back until the next piece.
        keep = max(
            (
                size
                for word in self._words
                for size in range(1, min(len(word), len(text) + 1))
                if word.startswith(text[-size:])
            ),
            default=0,
        )
        self._pending = text[len(text) - keep :]
        return text[: len(text) - keep]

    def flush(self) -> str:
        """Return the text that was kept back as the possible beginning of a stop word."""
        pending, self._pending = self._pending, ""
        return pending


def decode_answer(codec: GenerationFormat, body: bytes, stops: Sequence[str] = ()) -> Piece:
    """Decode a whole answer, which may have been sent as a stream. Raises the errors of StreamDecoder."""
    decoder = StreamDecoder(codec, stops)
    text = decoder.feed(body)
    text += decoder.end()
    return Piece(text, True, decoder.finish_reason, decoder.usage)


def load_json(line: bytes) -> Any:
    """Return the JSON value, or None if it is not JSON (an answer is never null)."""
    try:
        return json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def detect_format(answer: bytes) -> tuple[str, ...]:
    """Return the names of the LLM or embedding formats that fit this whole answer, the most likely first."""
    framed = answer.lstrip().startswith((DATA, *IGNORED))
    if (value := load_json(answer)) is not None and (names := detect_embedding_format(value)):
        return names
    order: tuple[str, ...] = ("tgi", "openai", "lmi", "kullm") if framed else ("lmi", "openai", "kullm", "tgi")
    # Several formats can decode the same answer; shape and framing tell which container is likely to send it.
    if isinstance(value, list):
        order = ("kullm", "tgi") if value and isinstance(value[0], list) else ("tgi", "kullm")
    return tuple(name for name in order if _can_decode(name, answer))


def _can_decode(name: str, answer: bytes) -> bool:
    try:
        decode_answer(LLM_FORMATS[name], answer)
    except ModelError:
        return False
    return True


def detect_embedding_format(value: Any) -> tuple[str, ...]:
    """Return the name of the embedding format that fits this JSON value, or an empty tuple."""
    if isinstance(value, dict):
        rows = value.get("data")
        if isinstance(rows, list) and rows and isinstance(rows[0], dict) and "embedding" in rows[0]:
            return ("openai",)
        return ("embeddings",) if nesting_depth(value.get("embeddings")) == 2 else ()
    return {2: ("tei",), 3: ("hf",), 4: ("hf",)}.get(nesting_depth(value), ())
