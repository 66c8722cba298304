"""Response bodies of generating containers: one complete body, or one record per token and final records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from deploy.local.generation import Generation
from deploy.local.spec import EndpointSpec

CREATED = 1_700_000_000
"""The value of `created` in OpenAI's objects, fixed so that responses are deterministic."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Records of a streamed answer, which concatenated are the container's body.

    `tokens`: one per token; `end`: final records; `error`, `finish_error`: records of the two ways to report a failure.
    """

    content_type: str
    tokens: tuple[bytes, ...]
    end: tuple[bytes, ...]
    error: bytes
    finish_error: bytes


def whole(generation: Generation, spec: EndpointSpec) -> bytes:
    """The body of a response that is not streamed."""
    text = generation.text
    match spec.format:
        case "kullm":
            return orjson.dumps([[{"generated_text": text}]] if generation.listed else [{"generated_text": text}])
        case "tgi":
            return orjson.dumps(
                [{"generated_text": text, **({"details": _details(generation)} if generation.details else {})}]
            )
        case "lmi" if not generation.chat:
            return orjson.dumps(
                {"generated_text": text, **({"details": _details(generation)} if generation.details else {})}
            )
        case _:
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": generation.finish}
            return orjson.dumps(
                {**_completion(spec, "chat.completion"), "choices": [choice], "usage": _usage(generation)}
            )


def streamed(generation: Generation, spec: EndpointSpec) -> Stream:
    """The records of a streamed response."""
    match spec.format:
        case "kullm":
            return _kullm(generation)
        case "tgi":
            return _tgi(generation)
        case "lmi" if not generation.chat:
            return _lmi(generation)
        case "lmi":
            return _openai(
                generation, spec, lambda chunk: orjson.dumps(chunk) + b"\n", "application/jsonlines", done=b"\n"
            )
        case _:
            return _openai(generation, spec, _event, "text/event-stream", done=b"data: [DONE]\n\n")


def _kullm(generation: Generation) -> Stream:
    """The complete JSON body cut into pieces, as streamed by containers without a stream format of their own."""
    opening, closing = (b'[[{"generated_text":"', b'"}]]') if generation.listed else (b'[{"generated_text":"', b'"}]')
    tokens = [orjson.dumps(token)[1:-1] for token in generation.tokens] or [b""]
    error = orjson.dumps({"code": 500, "error": "generation failed"})
    return Stream("application/json", (opening + tokens[0], *tokens[1:]), (closing,), error, error)


def _tgi(generation: Generation) -> Stream:
    tokens = [
        _event({"index": index, "token": _token(text), "generated_text": None, "details": None}, space=False)
        for index, text in enumerate(generation.tokens, 1)
    ]
    last = {"index": len(tokens) + 1, "token": {"id": 2, "text": "</s>", "logprob": -0.01, "special": True}}
    end = _event({**last, "generated_text": generation.text, "details": _details(generation)}, space=False)
    error = _event(
        {"error": "Request failed during generation: CUDA out of memory", "error_type": "generation"}, space=False
    )
    return Stream("text/event-stream", tuple(tokens), (end,), error, error)


def _lmi(generation: Generation) -> Stream:
    """JSON Lines; the last token's line also has the complete text, and blank lines follow."""
    lines: list[dict[str, Any]] = [
        {"index": 0, "token": {"id": 1000 + index, "text": text, "logprob": -0.25}, "generated_text": None}
        for index, text in enumerate(generation.tokens or ("",))
    ]
    lines[-1] |= {"generated_text": generation.text, "details": _details(generation)}
    failed = {"token": {"id": -1, "text": "", "log_prob": -1, "special_token": True}, "generated_text": ""}
    failed |= {"details": {"finish_reason": "error", "generated_tokens": None, "inputs": None}}
    return Stream(
        "application/jsonlines",
        tuple(orjson.dumps(line) + b"\n" for line in lines),
        (b"\n", b"\n"),
        orjson.dumps({"error": "generation failed", "code": 424}) + b"\n",
        orjson.dumps(failed) + b"\n",
    )


def _openai(generation: Generation, spec: EndpointSpec, encode: Any, content_type: str, *, done: bytes) -> Stream:
    def chunk(delta: Mapping[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        written: bytes = encode({**_completion(spec, "chat.completion.chunk"), "choices": [choice]})
        return written

    texts = generation.tokens or ("",)
    first = chunk({"role": "assistant", "content": ""}) + chunk({"content": texts[0]})
    end = [chunk({}, generation.finish)]
    if generation.usage:
        end.append(encode({**_completion(spec, "chat.completion.chunk"), "choices": [], "usage": _usage(generation)}))
    error = encode(
        {"error": {"message": "EngineCore encountered an issue", "type": "InternalServerError", "code": 500}}
    )
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


def _details(generation: Generation) -> dict[str, Any]:
    finish = "eos_token" if generation.finish == "stop" else generation.finish
    return {
        "finish_reason": finish,
        "generated_tokens": len(generation.tokens),
        "input_length": generation.prompt_tokens,
    }


def _completion(spec: EndpointSpec, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-0", "object": kind, "created": CREATED, "model": spec.name}


def _usage(generation: Generation) -> dict[str, int]:
    prompt, completion = generation.prompt_tokens, len(generation.tokens)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
