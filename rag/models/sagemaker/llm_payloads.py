"""How language-model containers spell prompts and answers: pure codecs, chosen by name.

    kullm    {"inputs": prompt, "parameters"} -> [[{"generated_text"}]], [{…}] or {…}; never in pieces
    tgi      the same -> SSE events {"token": {"text"}, "generated_text"}, or [{"generated_text"}]
    lmi      the same -> the same events as JSON lines, or {"generated_text"}
    openai   {"messages"} -> chat chunks as SSE, from LMI as bare JSON lines, or {"choices": [{"message"}]}

Those that take bare text get the prompt that KULLM was trained on. A codec says what one JSON value means; cutting bytes
into values is the business of `stream_decoder`, vectors that of `embedding_payloads`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from rag.errors import ModelError, ModelFormatError
from rag.models.parameters import Parameters

FormatName = Literal["kullm", "tgi", "lmi", "openai"]
Message = tuple[str, str]
"""Role (system, user, assistant) and text."""

SECTION = "###"
"""Begins each part of KULLM's prompt, so an answer ends where the next one would begin."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some or all of an answer. `last`: nothing follows but counts. `usage` has prompt_, completion_ and total_tokens."""

    text: str = ""
    last: bool = False
    finish_reason: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)


class GenerationFormat:
    """Containers that take bare text. `streams`: whether they can answer in pieces at all."""

    name: ClassVar[FormatName]
    streams: ClassVar[bool] = True
    own_stops: ClassVar[tuple[str, ...]] = ()

    def prompt(self, messages: Sequence[Message]) -> str:
        """Messages as the text that is sent; for counting as well."""
        return kullm_prompt(messages)

    def stops(self, messages: Sequence[Message] | None) -> tuple[str, ...]:
        """Words at which an answer to these messages (None: to bare text) ends."""
        return self.own_stops if messages is None else (SECTION,)

    def request(
        self,
        prompt: str | Sequence[Message],
        parameters: Parameters,
        *,
        stops: Sequence[str] = (),
        stream: bool = False,
    ) -> bytes:
        """The body to send. A str prompt goes as it is."""
        text = prompt if isinstance(prompt, str) else self.prompt(prompt)
        return _dump({"inputs": text, "parameters": self.parameters(parameters, stops), **self.streaming(stream)})

    def parameters(self, parameters: Parameters, stops: Sequence[str]) -> dict[str, Any]:
        """The container's names for them."""
        return {**parameters.to_dict(), "details": True, **({"stop": list(stops)} if stops else {})}

    def streaming(self, stream: bool) -> dict[str, Any]:
        """What asks for an answer in pieces."""
        return {"stream": True} if stream else {}

    def event(self, value: Any) -> Piece | None:
        """The meaning of one JSON value of a stream; None: it is no part of one. Raises ModelError for a reported error."""
        refuse_error(value)
        if not isinstance(value, dict) or not isinstance(token := value.get("token"), dict):
            return None
        # Special tokens, the end mark among them, come as text like any other.
        text = "" if token.get("special") else str(token.get("text") or "")
        details = value.get("details")
        return Piece(text, value.get("generated_text") is not None, _finish_reason(details), _usage(details))

    def whole(self, value: Any) -> Piece:
        """The meaning of a whole answer. Raises ModelFormatError where it is in another format."""
        refuse_error(value)
        # Handlers wrap the answer in one list or in two, as transformers' pipelines do for batches.
        while isinstance(value, list) and value:
            value = value[0]
        if not isinstance(value, dict) or not isinstance(text := value.get("generated_text"), str):
            raise wrong_format(self.name, value)
        details = value.get("details")
        return Piece(text, True, _finish_reason(details), _usage(details))


class Tgi(GenerationFormat):
    """Text Generation Inference."""

    name = "tgi"

    def parameters(self, parameters: Parameters, stops: Sequence[str]) -> dict[str, Any]:
        return {**super().parameters(parameters, stops), "return_full_text": False}


class Lmi(GenerationFormat):
    """Its vLLM takes unknown parameters as vLLM's own, hence `stop_token_ids`."""

    name = "lmi"

    def parameters(self, parameters: Parameters, stops: Sequence[str]) -> dict[str, Any]:
        return _stop_token_ids(super().parameters(parameters, stops))


class Kullm(GenerationFormat):
    """The 2023 handler: knows no stop words and no details, and answers in one piece."""

    name = "kullm"
    streams = False
    own_stops = (SECTION,)

    def parameters(self, parameters: Parameters, stops: Sequence[str]) -> dict[str, Any]:
        return {**parameters.to_dict(), "return_full_text": False}

    def whole(self, value: Any) -> Piece:
        piece = super().whole(value)
        return Piece(kullm_answer(piece.text), True, piece.finish_reason, piece.usage)


class OpenAi(GenerationFormat):
    """Containers with a chat template. Bare text goes as the user's only message."""

    name = "openai"

    def prompt(self, messages: Sequence[Message]) -> str:
        return "\n".join(f"{role}: {text}" for role, text in messages)

    def stops(self, messages: Sequence[Message] | None) -> tuple[str, ...]:
        return ()

    def request(
        self,
        prompt: str | Sequence[Message],
        parameters: Parameters,
        *,
        stops: Sequence[str] = (),
        stream: bool = False,
    ) -> bytes:
        messages = [("user", prompt)] if isinstance(prompt, str) else prompt
        spelled = [{"role": role, "content": text} for role, text in messages]
        return _dump({"messages": spelled, **self.parameters(parameters, stops), **self.streaming(stream)})

    def parameters(self, parameters: Parameters, stops: Sequence[str]) -> dict[str, Any]:
        options = _stop_token_ids(parameters.to_dict())
        if "max_new_tokens" in options:
            options["max_tokens"] = options.pop("max_new_tokens")
        # The API has no do_sample: never to sample is a temperature of 0.
        if options.pop("do_sample", None) is False:
            options["temperature"] = 0.0
        return {**options, **({"stop": list(stops)} if stops else {})}

    def streaming(self, stream: bool) -> dict[str, Any]:
        return {"stream": True, "stream_options": {"include_usage": True}} if stream else {}

    def event(self, value: Any) -> Piece | None:
        refuse_error(value)
        if not isinstance(value, dict) or not isinstance(choices := value.get("choices"), list):
            return None
        usage = _usage(value.get("usage"))
        # The last chunk has the counts, and no choices.
        if not choices:
            return Piece(usage=usage) if usage else None
        if not isinstance(choices[0], dict) or not isinstance(delta := choices[0].get("delta"), dict):
            return None
        reason = _finish_reason(choices[0])
        return Piece(str(delta.get("content") or ""), reason is not None, reason, usage)

    def whole(self, value: Any) -> Piece:
        refuse_error(value)
        try:
            choice = value["choices"][0]
            text = choice["message"]["content"] or ""
        except (KeyError, IndexError, TypeError) as exc:
            raise wrong_format(self.name, value) from exc
        return Piece(str(text), True, _finish_reason(choice), _usage(value.get("usage")))


_WITH_INPUT = (
    "아래는 작업을 설명하는 명령어와 추가 컨텍스트를 제공하는 입력이 짝을 이루는 예제입니다. "
    "요청을 적절히 완료하는 응답을 작성하세요.\n\n"
    "### 명령어:\n{instruction}\n\n### 입력:\n{input}\n\n### 응답:\n"
)
_WITHOUT_INPUT = (
    "아래는 작업을 설명하는 명령어입니다. 요청을 적절히 완료하는 응답을 작성하세요.\n\n"
    "### 명령어:\n{instruction}\n\n### 응답:\n"
)
_SPEAKERS = {"user": "고객", "assistant": "상담원"}
_MARKS = re.compile(rf"{SECTION}+")


def kullm_prompt(messages: Sequence[Message]) -> str:
    """The prompt that KULLM was trained on, for every container that takes bare text: the system's text is the instruction,
    the conversation its input. Without a system text, a lone message is the instruction."""
    system = "\n".join(text for role, text in messages if role == "system")
    talk = [(role, text) for role, text in messages if role != "system"]
    if not talk or (not system and len(talk) == 1):
        return _fill(_WITHOUT_INPUT, instruction=system or talk[0][1] if messages else "")
    instruction = system or "다음 대화에 이어질 상담원의 말을 쓰세요."
    if len(talk) == 1:
        return _fill(_WITH_INPUT, instruction=instruction, input=talk[0][1])
    lines = [f"{_SPEAKERS.get(role, role)}: {text}" for role, text in talk]
    return _fill(_WITH_INPUT, instruction=instruction, input="\n".join(lines))


def kullm_answer(text: str) -> str:
    """The model's own words: without the prompt, if the container repeats it, up to the next section."""
    if text.startswith(_WITH_INPUT[:20]):
        text = text.partition(f"{SECTION} 응답:")[2]
    return text.partition(SECTION)[0].strip()


def _fill(template: str, **parts: str) -> str:
    """Texts are values, never templates, and cannot open a section of their own."""
    return template.format(**{name: _MARKS.sub("#", text).strip() for name, text in parts.items()})


_FAILED = {"error", "abort"}
"""Finish reasons that mean a broken answer: TGI's and LMI's, and vLLM's for a request it gave up."""

GENERATION: Mapping[str, GenerationFormat] = {each.name: each for each in (Kullm(), Tgi(), Lmi(), OpenAi())}


def refuse_error(value: Any) -> None:
    """Raises ModelError where a container reports an error in the body of an answer that began with status 200."""
    if not isinstance(value, dict):
        return
    error = value.get("error")
    choices = value.get("choices")
    places = [value.get("details"), *(choices if isinstance(choices, list) else ())]
    reasons = {str(place.get("finish_reason")) for place in places if isinstance(place, dict)}
    if value.get("object") == "error" or _FAILED & reasons:
        error = error or value.get("message") or "generation failed"
    if error:
        message = error.get("message", error) if isinstance(error, dict) else error
        raise ModelError(f"the model's container reports an error: {str(message)[:300]}")


def wrong_format(name: str, value: Any) -> ModelFormatError:
    """The error for an answer that is not in the format `name`; quotes 120 characters of it."""
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return ModelFormatError(
        f"the model's answer is not in the format {name!r}: {shown[:120]}; set FORMAT to what fits it"
    )


def _finish_reason(place: Any) -> str | None:
    """What stands there, where anything does: containers send null, and once in a while something else altogether."""
    reason = place.get("finish_reason") if isinstance(place, dict) else None
    return None if reason is None else str(reason)


def _usage(counts: Any) -> dict[str, int]:
    """Token counts under one set of names, those that are reported."""
    if not isinstance(counts, dict):
        return {}
    prompt = counts.get("prompt_tokens", counts.get("input_length"))
    completion = counts.get("completion_tokens", counts.get("generated_tokens"))
    named = {"prompt_tokens": prompt, "completion_tokens": completion}
    usage = {name: int(count) for name, count in named.items() if isinstance(count, int)}
    return {**usage, "total_tokens": sum(usage.values())} if len(usage) == len(named) else usage


def _stop_token_ids(options: dict[str, Any]) -> dict[str, Any]:
    if "eos_token_id" in options:
        options["stop_token_ids"] = [options.pop("eos_token_id")]
    return options


def _dump(value: Any) -> bytes:
    # Lone surrogates, which no JSON can hold, become question marks.
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
