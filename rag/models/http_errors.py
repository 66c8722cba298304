"""Translates a status that a model's server returns over HTTP to a subclass of ModelError."""

from __future__ import annotations

import re

from rag.errors import ModelError, ModelInputTooLong, ModelRefused, ModelUnavailable

TOO_LONG = re.compile(
    r"maximum context length|max_model_len|max_total_tokens|context (window|length)|too (long|large)|payload size"
    r"|maximum allowed (batch|input)|batch size \d+ >|inputs? tokens",
    re.IGNORECASE,
)
TOO_LARGE_STATUS = 413
OVERLOADED_STATUS = (429, 502, 503, 504)
_QUOTED_CHARS = 300

TIMED_OUT = "timed out waiting for data; raise DEADLINE, or check the model's load"
"""The message for a read that timed out."""
STALLED = "sent nothing for too long; raise STALL, or check the model's load"
"""The message for a read of a stream, which is limited by FSI_LLM__STALL."""
BUSY = "지금 이용자가 많아 답변 모델이 바쁩니다. 잠시 후 다시 시도해 주세요."


def from_status(status: int, message: str, name: str, *, fix: str, log: str) -> ModelError:
    """Return the ModelError for an HTTP status and message of a model's server.

    `name`: the model; `fix`: advice for a rejected request; `log`: where the server's failures are logged.
    """
    if status == TOO_LARGE_STATUS or (400 <= status < 500 and TOO_LONG.search(message)):
        return ModelInputTooLong(f"the input is too long for {name}: {message}")
    if status in OVERLOADED_STATUS:
        return ModelUnavailable(f"{name} is overloaded ({status}): {message}", korean=BUSY)
    if 300 <= status < 500:
        return ModelRefused(f"{name} rejected the request ({status}): {message}; {fix}")
    return ModelError(f"{name} failed ({status}): {message}; check its log: {log}")


def one_line(error: object) -> str:
    """Return a vendor's message as one line of at most _QUOTED_CHARS characters."""
    text = " ".join(str(error).split())
    return text if len(text) <= _QUOTED_CHARS else f"{text[:_QUOTED_CHARS]}…"
