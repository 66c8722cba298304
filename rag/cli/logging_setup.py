"""Logging to standard error as text or JSON Lines. Question texts are never logged.

A message may contain input of a visitor. Therefore line breaks in messages are escaped, lengths are limited, and lines of a
traceback have a prefix: a visitor cannot forge a log line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Literal

MAX_MESSAGE = 2000
MAX_EXCEPTION = 8000
"""Most characters kept of a message, and of a traceback, of which the end is kept because it names the error."""
MAX_ARGUMENT = 500
"""Most characters kept of each argument of a message."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def escape(text: str) -> str:
    """Escape control characters, all kinds of line breaks and lone surrogates as in a Python literal."""
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


def shorten(text: str, limit: int, *, keep_end: bool = False) -> str:
    """Cut a text to `limit` characters and add how many were left out; `keep_end`: cut at the beginning."""
    if len(text) <= limit:
        return text
    left_out = f" ... {len(text) - limit} characters ... "
    return left_out + text[-limit:] if keep_end else text[:limit] + left_out.rstrip()


class _Bounded(logging.Formatter):
    def bounded_message(self, record: logging.LogRecord) -> str:
        """The formatted message: each argument cut to MAX_ARGUMENT, the message to MAX_MESSAGE."""
        arguments = record.args
        if isinstance(arguments, tuple):
            arguments = tuple(_cut(each) for each in arguments)
        try:
            message = str(record.msg) % arguments if arguments else str(record.msg)
        except (TypeError, ValueError, KeyError):  # a wrong format string in a library must not lose the message
            message = str(record.msg)
        return shorten(message, MAX_MESSAGE)

    def bounded_exception(self, record: logging.LogRecord) -> str:
        """The traceback, cut to its last MAX_EXCEPTION characters; empty without an exception."""
        if not record.exc_info:
            return ""
        return shorten(self.formatException(record.exc_info), MAX_EXCEPTION, keep_end=True)


def _cut(value: object) -> object:
    if isinstance(value, str | bytes) and len(value) > MAX_ARGUMENT:
        return shorten(str(value), MAX_ARGUMENT)
    if isinstance(value, BaseException | list | tuple | dict | set):
        return shorten(str(value), MAX_ARGUMENT)
    return value


class TextFormatter(_Bounded):
    """Time, level, logger and message in one line, followed by the traceback, each line with the prefix `    | `."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {escape(self.bounded_message(record))}"
        trace = [f"    | {escape(part)}" for part in self.bounded_exception(record).splitlines()]
        return "\n".join([line, *trace])


class JsonFormatter(_Bounded):
    """One JSON object with `time`, `level`, `logger`, `message` and, for an exception, `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; JSON escapes line breaks."""
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self.bounded_message(record),
        }
        if trace := self.bounded_exception(record):
            line["exception"] = trace
        # A lone surrogate cannot be encoded as UTF-8, but may be escaped in JSON.
        return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(line, ensure_ascii=False))


def configure_logging(level: str = "INFO", style: Literal["text", "json"] = "text") -> None:
    """Install one handler on standard error. `level` is for the loggers `rag` and `deploy`; all others log from WARNING."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    # `force`: an imported library may have installed a handler, and each line would appear twice.
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("rag", "deploy"):
        logging.getLogger(name).setLevel(level)
