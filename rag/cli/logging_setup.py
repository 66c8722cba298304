"""Logging to standard error, as text or as one JSON object a line. Question texts are never logged.

What is logged may hold what a visitor has sent. So nothing in it ends a line or is longer than MAX_MESSAGE, and the lines of
a traceback are marked as such: whoever reads the log knows which lines the program wrote.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Literal

MAX_MESSAGE = 2000
MAX_EXCEPTION = 8000
"""Characters kept of a record's message and of its traceback, whose end says what it was."""
MAX_ARGUMENT = 500
"""Characters kept of each text that a message is filled with."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def escape(text: str) -> str:
    """One line: control characters, line ends of any kind and lone surrogates as in a Python literal."""
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


def shorten(text: str, limit: int, *, keep_end: bool = False) -> str:
    """At most `limit` characters, and how many were left out."""
    if len(text) <= limit:
        return text
    left_out = f" ... {len(text) - limit} characters ... "
    return left_out + text[-limit:] if keep_end else text[:limit] + left_out.rstrip()


class _Bounded(logging.Formatter):
    def bounded_message(self, record: logging.LogRecord) -> str:
        """The message with its arguments cut, then the whole."""
        arguments = record.args
        if isinstance(arguments, tuple):
            arguments = tuple(_cut(each) for each in arguments)
        try:
            message = str(record.msg) % arguments if arguments else str(record.msg)
        except (TypeError, ValueError, KeyError):  # a library's mistake is no reason to lose its line
            message = str(record.msg)
        return shorten(message, MAX_MESSAGE)

    def bounded_exception(self, record: logging.LogRecord) -> str:
        """The traceback, the end of a long one; empty without."""
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
    """Time, level, logger and message in one line; the lines of a traceback after it, each begun with `    | `."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {escape(self.bounded_message(record))}"
        trace = [f"    | {escape(part)}" for part in self.bounded_exception(record).splitlines()]
        return "\n".join([line, *trace])


class JsonFormatter(_Bounded):
    """time, level, logger, message and, for an exception, its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; line breaks inside a message are escaped by JSON."""
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self.bounded_message(record),
        }
        if trace := self.bounded_exception(record):
            line["exception"] = trace
        # A lone surrogate cannot be written: escaped, as JSON may.
        return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(line, ensure_ascii=False))


def configure_logging(level: str = "INFO", style: Literal["text", "json"] = "text") -> None:
    """One handler for the program's own loggers; other libraries log from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    # `force`: a library imported before may have made a handler, and each line would be there twice.
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("rag", "deploy"):
        logging.getLogger(name).setLevel(level)
