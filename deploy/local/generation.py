"""Reads requests of generating containers and generates the tokens of the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.local import extractive
from deploy.local.errors import ContainerError
from deploy.local.spec import EndpointSpec

DEFAULT_NEW_TOKENS = {"kullm": 50, "tgi": 100, "lmi": 30, "openai": 16_384}
"""Each container's default for the number of new tokens; LMI's 30 truncates most answers."""
RUNS_ON = "\n\n### 명령어:\n다음 질문에 답하세요."
"""Text after an answer of KULLM, which does not stop but continues with the next instruction."""
_TOKEN = re.compile(r"\s*\S{1,2}|\s+")


@dataclass(frozen=True, slots=True)
class Generation:
    """The answer to a request, and the options of the request that affect the response body.

    `finish`: "stop" or "length". `listed`: `inputs` was a list. `chat`: the request had `messages`. `details`, `usage`: the
    response includes them.
    """

    prompt: str
    tokens: tuple[str, ...]
    finish: str
    chat: bool
    stream: bool
    listed: bool
    details: bool
    usage: bool

    @property
    def text(self) -> str:
        """The complete answer."""
        return "".join(self.tokens)

    @property
    def prompt_tokens(self) -> int:
        """Length of the prompt in tokens, by `count_tokens`."""
        return count_tokens(self.prompt)


def count_tokens(text: str) -> int:
    """Number of tokens, for which the emulator takes up to two characters each: no tokenizer is loaded."""
    return len(_TOKEN.findall(text))


def generate(request: Mapping[str, Any], spec: EndpointSpec) -> Generation:
    """Read a request and generate its answer. Raises ContainerError where the container would."""
    chat = "messages" in request
    if chat and spec.format not in ("openai", "lmi"):
        raise ContainerError(422, "missing field `inputs`")
    parameters = request if chat else request.get("parameters", {})
    prompt = _messages(request["messages"]) if chat else _inputs(request, spec)
    _refuse_parameters(parameters, spec)
    allowed = _new_tokens(parameters, spec, chat=chat)
    _refuse_length(prompt, allowed, spec)
    text = spec.answer if spec.answer is not None else extractive.answer(prompt)
    tokens, finish = _generated(text, parameters, allowed, spec)
    if parameters.get("return_full_text") and not chat:
        tokens = [prompt, *tokens]
    return Generation(
        prompt=prompt,
        tokens=tuple(tokens),
        finish=finish,
        chat=chat,
        stream=bool(request.get("stream")),
        listed=isinstance(request.get("inputs"), list),
        details=bool(parameters.get("details")),
        usage=bool((request.get("stream_options") or {}).get("include_usage")),
    )


def _inputs(request: Mapping[str, Any], spec: EndpointSpec) -> str:
    inputs = None if spec.format == "openai" else request.get("inputs")
    if isinstance(inputs, list) and len(inputs) == 1 and spec.format == "kullm":
        inputs = inputs[0]
    if not isinstance(inputs, str) or not inputs:
        raise ContainerError(422, "missing field `messages`" if spec.format == "openai" else "missing field `inputs`")
    return inputs


def _messages(messages: Any) -> str:
    """The conversation as one text, all turns but the last with a label of the speaker."""
    labels = {"system": "", "user": "고객: ", "assistant": "상담: "}
    try:
        lines = [(message["role"], str(message["content"])) for message in messages]
        last = len(lines) - 1
        return "\n".join(
            (labels[role] if position < last else "") + text for position, (role, text) in enumerate(lines)
        )
    except (KeyError, TypeError) as exc:
        raise ContainerError(422, f"messages: each needs a role and a content ({exc})") from exc


def _refuse_parameters(parameters: Mapping[str, Any], spec: EndpointSpec) -> None:
    """TGI and LMI refuse parameters that are null; the workshop's container did not."""
    if spec.format in ("tgi", "lmi") and (wrong := [name for name, value in parameters.items() if value is None]):
        raise ContainerError(422, f"invalid type: null for parameter `{wrong[0]}`")


def _new_tokens(parameters: Mapping[str, Any], spec: EndpointSpec, *, chat: bool) -> int:
    names = ("max_completion_tokens", "max_tokens") if chat else ("max_new_tokens",)
    requested = next((parameters[name] for name in names if parameters.get(name) is not None), None)
    if requested is not None and (not isinstance(requested, int) or requested < 1):
        raise ContainerError(422, f"{names[-1]} must be a whole number from 1")
    return requested or DEFAULT_NEW_TOKENS["openai" if chat else spec.format]


def _refuse_length(prompt: str, allowed: int, spec: EndpointSpec) -> None:
    length = count_tokens(prompt)
    if spec.context_window and length >= spec.context_window:
        raise ContainerError(
            422,
            f"`inputs` tokens must be fewer than {spec.context_window}. Given: {length} `inputs` tokens and {allowed} new",
        )


def _generated(text: str, parameters: Mapping[str, Any], allowed: int, spec: EndpointSpec) -> tuple[list[str], str]:
    """The tokens, and the finish reason: "stop" or "length"."""
    stops = parameters.get("stop") or parameters.get("stop_sequences") or ()
    text = _stopped(text + (RUNS_ON if spec.format == "kullm" else ""), [stops] if isinstance(stops, str) else stops)
    tokens = _TOKEN.findall(text)
    return (tokens, "stop") if len(tokens) <= allowed else (tokens[:allowed], "length")


def _stopped(text: str, stops: Sequence[str]) -> str:
    return text[: min((position for stop in stops if (position := text.find(stop)) >= 0), default=len(text))]
