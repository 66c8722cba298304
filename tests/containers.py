"""Response bodies of containers, written from their documentation, independently of the codecs that they test."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

TOKENS = (
    "한도는 ",
    "1일 ",
    "5천만원",
    " [1",
    "]이며 ",
    "<b>",
    '"OTP"',
    "와 '앱'",
    "\n- 등",
    "록 👍🏽",
    " a<b & \\n ",
    "끝.",
)
"""An answer with emoji, brackets, quotes, a marker and a backslash, split as containers split it."""
ANSWER = "".join(TOKENS)
USAGE = {"prompt_tokens": 7, "completion_tokens": len(TOKENS), "total_tokens": 7 + len(TOKENS)}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _events(tokens: Sequence[str]) -> list[dict[str, Any]]:
    details = {"finish_reason": "eos_token", "generated_tokens": len(tokens), "input_length": 7}
    events: list[dict[str, Any]] = [
        {"index": 0, "token": {"id": 5, "text": text, "logprob": -0.1}, "generated_text": None, "details": None}
        for text in tokens[:-1]
    ]
    last = {"id": 6, "text": tokens[-1], "logprob": -0.1}
    return [*events, {"index": 0, "token": last, "generated_text": "".join(tokens), "details": details}]


def _chunks(tokens: Sequence[str]) -> list[dict[str, Any]]:
    def chunk(delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
        return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    counts = {"prompt_tokens": 7, "completion_tokens": len(tokens), "total_tokens": 7 + len(tokens)}
    said = [chunk({"content": text}) for text in tokens]
    return [chunk({"role": "assistant", "content": ""}), *said, chunk({}, "stop"), {"choices": [], "usage": counts}]


def tgi_stream(tokens: Sequence[str] = TOKENS) -> list[bytes]:
    return [b"data:" + _json(event) + b"\n\n" for event in _events(tokens)]


def lmi_stream(tokens: Sequence[str] = TOKENS) -> list[bytes]:
    return [*(_json(event) + b"\n" for event in _events(tokens)), b"\n\n"]


def openai_stream(tokens: Sequence[str] = TOKENS) -> list[bytes]:
    return [*(b"data: " + _json(chunk) + b"\r\n\r\n" for chunk in _chunks(tokens)), b"data: [DONE]\r\n\r\n"]


def openai_lines_stream(tokens: Sequence[str] = TOKENS) -> list[bytes]:
    return [*(_json(chunk) + b"\n" for chunk in _chunks(tokens)), b"\n"]


def tgi_whole(tokens: Sequence[str] = TOKENS) -> bytes:
    return _json([{"generated_text": "".join(tokens), "details": _events(tokens)[-1]["details"]}])


def lmi_whole(tokens: Sequence[str] = TOKENS) -> bytes:
    return _json({"generated_text": "".join(tokens), "details": _events(tokens)[-1]["details"]})


def kullm_whole(tokens: Sequence[str] = TOKENS) -> bytes:
    return _json([[{"generated_text": "".join(tokens)}]])


def openai_whole(tokens: Sequence[str] = TOKENS) -> bytes:
    message = {"role": "assistant", "content": "".join(tokens)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = _chunks(tokens)[-1]["usage"]
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}, indent=2).encode()


Stream = Callable[..., list[bytes]]
STREAMS: Mapping[str, tuple[str, Stream]] = {
    "tgi": ("tgi", tgi_stream),
    "lmi": ("lmi", lmi_stream),
    "openai": ("openai", openai_stream),
    "openai from LMI": ("openai", openai_lines_stream),
    "kullm": ("kullm", lambda tokens=TOKENS: [kullm_whole(tokens)]),
    "tgi that cannot stream": ("tgi", lambda tokens=TOKENS: [tgi_whole(tokens)]),
    "lmi that cannot stream": ("lmi", lambda tokens=TOKENS: [lmi_whole(tokens)]),
    "openai that cannot stream": ("openai", lambda tokens=TOKENS: [openai_whole(tokens)]),
}
"""For each case, the format that reads it and a function for the parts of its streamed response."""

WHOLES: Mapping[str, Callable[..., bytes]] = {
    "tgi": tgi_whole,
    "lmi": lmi_whole,
    "kullm": kullm_whole,
    "openai": openai_whole,
}


def vectors(texts: Sequence[str], dimension: int = 4) -> list[list[float]]:
    """One vector per text, not of unit length and different for different texts."""
    return [
        [float(len(text) + 1), *(float(ord(text[i % len(text)]) % 97) for i in range(dimension - 1))] for text in texts
    ]


def embedding_answer(name: str, texts: Sequence[str], pooling: str = "cls") -> Any:
    """The JSON value of a container's response in that format; the token vectors of hf pool to `vectors(texts)`."""
    rows = vectors(texts)
    match name:
        case "hf":
            spread = 0.0 if pooling == "cls" else 1.0
            matrices = [[_tokens(row, spread)] for row in rows]
            return matrices[0] if len(texts) == 1 else matrices
        case "embeddings":
            return {"embeddings": rows}
        case "openai":
            data = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)]
            return {"object": "list", "data": data[::-1]}
        case _:
            return rows


def _tokens(row: list[float], spread: float) -> list[list[float]]:
    """Three token vectors: `row` is the first of them if `spread` is 0, else their mean."""
    if not spread:
        return [row, [9.0] * len(row), [-3.0] * len(row)]
    return [[value - spread for value in row], row, [value + spread for value in row]]
