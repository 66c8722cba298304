"""How each container spells what it generated: one body, or one record per token and an end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from deploy.local.generation import Generation
from deploy.local.spec import EndpointSpec

CREATED = 1_700_000_000
"""The time in OpenAI's objects; a fixed one, so that a request always has the same answer."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Records of a streamed answer: one per token, then those that end it. Joined they are the container's body."""

    content_type: str
    tokens: tuple[bytes, ...]
    end: tuple[bytes, ...]
    error: bytes
    finish_error: bytes


def whole(made: Generation, spec: EndpointSpec) -> bytes:
    """The body of an answer that is not streamed."""
    text = made.text
    match spec.format:
        case "kullm":
            return orjson.dumps([[{"generated_text": text}]] if made.listed else [{"generated_text": text}])
        case "tgi":
            return orjson.dumps([{"generated_text": text, **({"details": _details(made)} if made.details else {})}])
        case "lmi" if not made.chat:
            return orjson.dumps({"generated_text": text, **({"details": _details(made)} if made.details else {})})
        case _:
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": made.finish}
            return orjson.dumps({**_completion(spec, "chat.completion"), "choices": [choice], "usage": _usage(made)})


def streamed(made: Generation, spec: EndpointSpec) -> Stream:
    """The records of a streamed answer."""
    match spec.format:
        case "kullm":
            return _kullm(made)
        case "tgi":
            return _tgi(made)
        case "lmi" if not made.chat:
            return _lmi(made)
        case "lmi":
            return _openai(made, spec, lambda chunk: orjson.dumps(chunk) + b"\n", "application/jsonlines", done=b"\n")
        case _:
            return _openai(made, spec, _event, "text/event-stream", done=b"data: [DONE]\n\n")


def _kullm(made: Generation) -> Stream:
    """The one body, piece by piece, as containers did that only forwarded what they wrote."""
    opening, closing = (b'[[{"generated_text":"', b'"}]]') if made.listed else (b'[{"generated_text":"', b'"}]')
    tokens = [orjson.dumps(token)[1:-1] for token in made.tokens] or [b""]
    error = orjson.dumps({"code": 500, "error": "generation failed"})
    return Stream("application/json", (opening + tokens[0], *tokens[1:]), (closing,), error, error)


def _tgi(made: Generation) -> Stream:
    tokens = [
        _event({"index": index, "token": _token(text), "generated_text": None, "details": None}, space=False)
        for index, text in enumerate(made.tokens, 1)
    ]
    last = {"index": len(tokens) + 1, "token": {"id": 2, "text": "</s>", "logprob": -0.01, "special": True}}
    end = _event({**last, "generated_text": made.text, "details": _details(made)}, space=False)
    error = _event(
        {"error": "Request failed during generation: CUDA out of memory", "error_type": "generation"}, space=False
    )
    return Stream("text/event-stream", tuple(tokens), (end,), error, error)


def _lmi(made: Generation) -> Stream:
    """The last token's line also carries the whole text; blank lines follow it."""
    lines: list[dict[str, Any]] = [
        {"index": 0, "token": {"id": 1000 + index, "text": text, "logprob": -0.25}, "generated_text": None}
        for index, text in enumerate(made.tokens or ("",))
    ]
    lines[-1] |= {"generated_text": made.text, "details": _details(made)}
    failed = {"token": {"id": -1, "text": "", "log_prob": -1, "special_token": True}, "generated_text": ""}
    failed |= {"details": {"finish_reason": "error", "generated_tokens": None, "inputs": None}}
    return Stream(
        "application/jsonlines",
        tuple(orjson.dumps(line) + b"\n" for line in lines),
        (b"\n", b"\n"),
        orjson.dumps({"error": "generation failed", "code": 424}) + b"\n",
        orjson.dumps(failed) + b"\n",
    )


def _openai(made: Generation, spec: EndpointSpec, spell: Any, content_type: str, *, done: bytes) -> Stream:
    def chunk(delta: Mapping[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        written: bytes = spell({**_completion(spec, "chat.completion.chunk"), "choices": [choice]})
        return written

    texts = made.tokens or ("",)
    first = chunk({"role": "assistant", "content": ""}) + chunk({"content": texts[0]})
    end = [chunk({}, made.finish)]
    if made.usage:
        end.append(spell({**_completion(spec, "chat.completion.chunk"), "choices": [], "usage": _usage(made)}))
    error = spell({"error": {"message": "EngineCore encountered an issue", "type": "InternalServerError", "code": 500}})
    return Stream(
        content_type,
        (first, *(chunk({"content": text}) for text in texts[1:])),
        (*end, done),
        error,
        chunk({}, "error"),
    )


def _event(value: Mapping[str, Any], *, space: bool = True) -> bytes:
    """A server-sent event; TGI writes no space after the colon."""
    return (b"data: " if space else b"data:") + orjson.dumps(value) + b"\n\n"


def _token(text: str) -> dict[str, Any]:
    return {"id": 1000 + len(text), "text": text, "logprob": -0.25, "special": False}


def _details(made: Generation) -> dict[str, Any]:
    finish = "eos_token" if made.finish == "stop" else made.finish
    return {"finish_reason": finish, "generated_tokens": len(made.tokens), "input_length": made.prompt_tokens}


def _completion(spec: EndpointSpec, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-0", "object": kind, "created": CREATED, "model": spec.name}


def _usage(made: Generation) -> dict[str, int]:
    prompt, completion = made.prompt_tokens, len(made.tokens)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
