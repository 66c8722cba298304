"""Reads and checks request bodies before Gradio sees them: the right number of texts and nothing else.

Gradio prints the values of a malformed call to the log. Calls are therefore checked here and rebuilt from the checked values.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Receive, Scope

MAX_BODY = 128 * 1024
"""Limit of a body's bytes: enough for the longest question that the settings allow, with every character escaped."""
_SESSION = re.compile(r"[\w-]{1,64}", re.ASCII)


class RequestRefused(Exception):
    """The request is refused. `status`: of the response; `text`: field of Texts to show instead of `reason`, if not empty."""

    def __init__(self, status: int, reason: str, *, text: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.text = text


class Event(Protocol):
    """The attributes of Gradio's BlockFunction that are read here."""

    inputs: Any
    api_name: Any


@dataclass(frozen=True, slots=True)
class Call:
    """A checked call of one event. `event`: its number."""

    event: int
    session: str | None
    data: list[str | None]
    trigger: int | None

    def body(self, session: str) -> bytes:
        """The body for Gradio, with `session` in place of the browser's session name."""
        values = {"data": self.data, "session_hash": session, "fn_index": self.event}
        if self.trigger is not None:
            values["trigger_id"] = self.trigger
        return json.dumps(values).encode()


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """The complete body. Raises RequestRefused above MAX_BODY, without reading it if Content-Length says so."""
    length = Headers(scope=scope).get("content-length", "0")
    if not length.isdecimal() or len(length) > 9 or int(length) > MAX_BODY:
        raise RequestRefused(413, f"the body is larger than {MAX_BODY} bytes")
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestRefused(400, "the body is incomplete")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise RequestRefused(413, f"the body is larger than {MAX_BODY} bytes")
    return bytes(body)


def replace_body(scope: Scope, body: bytes) -> Scope:
    """The scope with the headers of a JSON `body`."""
    changed = {**scope, "headers": list(scope["headers"])}
    headers = MutableHeaders(scope=changed)
    headers["content-length"], headers["content-type"] = str(len(body)), "application/json"
    del headers["transfer-encoding"]
    return changed


def replay_body(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns `body` first and then the connection's own messages, such as its end."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, each text of it valid UTF-8. Raises RequestRefused."""
    try:
        value = json.loads(body)
        json.dumps(value, ensure_ascii=False).encode()  # JSON may contain lone surrogates, which are not valid UTF-8
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise RequestRefused(400, "the body is not a JSON object")
    return value


def parse_session(value: Any) -> str:
    """Check a session name: 1 to 64 letters, digits, "_" or "-". Raises RequestRefused."""
    if not isinstance(value, str) or not _SESSION.fullmatch(value):
        raise RequestRefused(422, "the session's name is malformed")
    return value


def parse_call(content: dict[str, Any], events: dict[int, Event], *, event: int | None = None) -> Call:
    """Check a call of `event`, or of the event that the body names. Raises RequestRefused, without values of the body."""
    number = content.get("fn_index") if event is None else event
    # Not isinstance, because True is an int, which Gradio would take for event 1.
    if type(number) is not int or number not in events:
        raise RequestRefused(422, "there is no such event")
    session = content.get("session_hash")
    trigger = content.get("trigger_id")
    return Call(
        event=number,
        session=None if session is None else parse_session(session),
        data=_texts(content.get("data"), events[number]),
        trigger=trigger if type(trigger) is int and abs(trigger) < 2**31 else None,
    )


def _texts(data: Any, event: Event) -> list[str | None]:
    expected = len(event.inputs)
    if not isinstance(data, list) or len(data) != expected:
        got = str(len(data)) if isinstance(data, list) else "no list"
        raise RequestRefused(422, f"expected {expected} values; got {got}", text="wrong_values")
    states = [bool(getattr(component, "stateful", False)) for component in event.inputs]
    for number, (value, state) in enumerate(zip(data, states, strict=True)):
        # The first value (the question) is required; filters and the conversation state may be null.
        optional = number > 0 or not event.inputs or state
        if not (isinstance(value, str) or (value is None and optional)):
            raise RequestRefused(422, f"value {number + 1} is not a text", text="wrong_values")
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            raise RequestRefused(422, f"value {number + 1} is not valid UTF-8", text="wrong_values")
    return [None if state else value for value, state in zip(data, states, strict=True)]
