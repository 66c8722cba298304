"""What a body may hold before Gradio sees it: the right number of texts, nothing else.

Gradio prints the values of a call that it cannot make sense of. So a call is checked here, and made from what is known.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Protocol

MAX_BODY = 128 * 1024
"""Bytes of a request's body: the longest question that can be set, escaped, and some room."""
_SESSION = re.compile(r"[\w-]{1,64}", re.ASCII)


class Refused(Exception):
    """`status` is the response's; `text` names one of the page's texts for the visitor, where there is one."""

    def __init__(self, status: int, reason: str, *, text: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.text = text


class Event(Protocol):
    """What is needed of Gradio's BlockFunction."""

    inputs: Any
    collects_event_data: bool
    api_name: Any


@dataclass(frozen=True, slots=True)
class Call:
    """A checked call of one event."""

    event: int
    session: str | None
    data: list[str | None]
    chosen: dict[str, Any] | None
    trigger: int | None

    def body(self, session: str) -> bytes:
        """As Gradio takes it, for another name of the session."""
        values = {"data": self.data, "session_hash": session, "fn_index": self.event}
        if self.chosen is not None:
            values["event_data"] = self.chosen
        if self.trigger is not None:
            values["trigger_id"] = self.trigger
        return json.dumps(values).encode()


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, each text of it valid UTF-8. Raises Refused."""
    try:
        value = json.loads(body)
        json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is JSON, and no text
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refused(400, "the body is not a JSON object")
    return value


def parse_session(value: Any) -> str:
    """The name of a session. Raises Refused."""
    if not isinstance(value, str) or not _SESSION.fullmatch(value):
        raise Refused(422, "the session's name is malformed")
    return value


def parse_call(content: dict[str, Any], events: dict[int, Event], *, event: int | None = None) -> Call:
    """A call of `event`, or of the one that the body names. Raises Refused, without any value of the body in it."""
    number = content.get("fn_index") if event is None else event
    # Not isinstance: True is an int to Python, and 1 to Gradio.
    if type(number) is not int or number not in events:
        raise Refused(422, "there is no such event")
    session = content.get("session_hash")
    trigger = content.get("trigger_id")
    return Call(
        event=number,
        session=None if session is None else parse_session(session),
        data=_texts(content.get("data"), events[number]),
        chosen=_chosen(content.get("event_data")) if events[number].collects_event_data else None,
        trigger=trigger if type(trigger) is int and abs(trigger) < 2**31 else None,
    )


def _texts(data: Any, event: Event) -> list[str | None]:
    expected = len(event.inputs)
    if not isinstance(data, list) or len(data) != expected:
        got = str(len(data)) if isinstance(data, list) else "no list"
        raise Refused(422, f"expected {expected} values; got {got}", text="wrong_values")
    states = [bool(getattr(component, "stateful", False)) for component in event.inputs]
    for number, (value, state) in enumerate(zip(data, states, strict=True)):
        # The question itself is a text; what it can be limited to, and the conversation, may be left out.
        optional = number > 0 or not event.inputs or state
        if not (isinstance(value, str) or (value is None and optional)):
            raise Refused(422, f"value {number + 1} is not a text", text="wrong_values")
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            raise Refused(422, f"value {number + 1} is not valid UTF-8", text="wrong_values")
    return [None if state else value for value, state in zip(data, states, strict=True)]


def _chosen(value: Any) -> dict[str, Any]:
    """The option that was clicked, as the chat component sends it."""
    text = value.get("value") if isinstance(value, dict) else None
    index = value.get("index") if isinstance(value, dict) else None
    plain = (
        index is None or type(index) is int or (isinstance(index, list) and all(type(each) is int for each in index))
    )
    if not isinstance(text, str) or not plain or any("\ud800" <= character <= "\udfff" for character in text):
        raise Refused(422, "the choice is malformed", text="wrong_values")
    return {"index": index, "value": text}
