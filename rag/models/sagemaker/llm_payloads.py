"""Payload formats of language-model containers: codecs without I/O, chosen by name.

    kullm    {"inputs": prompt, "parameters"} -> [[{"generated_text"}]], [{…}] or {…}; cannot stream
    tgi      the same -> SSE events {"token": {"text"}, "generated_text"}, or [{"generated_text"}]
    lmi      the same -> the same events as JSON lines, or {"generated_text"}
    openai   {"messages"} -> chat chunks as SSE, from LMI as JSON lines, or {"choices": [{"message"}]}

Formats with a plain-text prompt use the prompt template of KULLM. A codec interprets single JSON values; `stream_decoder`
splits bytes into values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

from rag.errors import ModelError, ModelFormatError

FormatName = Literal["kullm", "tgi", "lmi", "openai"]
Message = tuple[str, str]
"""Role (system, user, assistant) and text."""

SECTION = "###"
"""Begins each section of KULLM's prompt, so it is also a stop word: an answer ends where a new section would begin."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Generation parameters; those that are None are not sent."""

    max_new_tokens: int | None = None
    do_sample: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    eos_token_id: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters that are not None, by name."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer, or all of it.

    `last`: only token counts follow. `usage` may have "prompt_tokens", "completion_tokens" and "total_tokens".
    """

    text: str = ""
    last: bool = False
    finish_reason: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)


class GenerationFormat:
    """The base class, for containers with a plain-text prompt. `streams`: whether they can stream answers."""

    name: ClassVar[FormatName]
    streams: ClassVar[bool] = True
    default_stop_words: ClassVar[tuple[str, ...]] = ()

    def prompt(self, messages: Sequence[Message]) -> str:
        """Return the messages as one text, to send it or to count its tokens."""
        return kullm_prompt(messages)

    def stop_words(self, messages: Sequence[Message] | None) -> tuple[str, ...]:
        """Return the stop words for an answer to messages, or to plain text if `messages` is None."""
        return self.default_stop_words if messages is None else (SECTION,)

    def request(
        self,
        prompt: str | Sequence[Message],
        parameters: Parameters,
        *,
        stops: Sequence[str] = (),
        stream: bool = False,
    ) -> bytes:
        """Return the body of a request. A str prompt is sent unchanged."""
        text = prompt if isinstance(prompt, str) else self.prompt(prompt)
        return _dump({"inputs": text, "parameters": self.parameters(parameters, stops), **self.stream_options(stream)})

    def parameters(self, parameters: Parameters, stops: Sequence[str]) -> dict[str, Any]:
        """Return the parameters under the container's names."""
        return {**parameters.to_dict(), "details": True, **({"stop": list(stops)} if stops else {})}

    def stream_options(self, stream: bool) -> dict[str, Any]:
        """Return the fields of a request that turn streaming on."""
        return {"stream": True} if stream else {}

    def parse_event(self, value: Any) -> Piece | None:
        """Parse one JSON value of a stream. Returns None if it is not an event. Raises ModelError for a reported error."""
        raise_reported_error(value)
        if not isinstance(value, dict) or not isinstance(token := value.get("token"), dict):
            return None
        # Special tokens such as the end mark are sent as text as well.
        text = "" if token.get("special") else str(token.get("text") or "")
        details = value.get("details")
        return Piece(text, value.get("generated_text") is not None, _finish_reason(details), _usage(details))

    def parse_answer(self, value: Any) -> Piece:
        """Parse a whole answer. Raises ModelFormatError for another format, ModelError for a reported error."""
        raise_reported_error(value)
        # Handlers may wrap the answer in one or two lists, as pipelines of transformers do for batches.
        while isinstance(value, list) and value:
            value = value[0]
        if not isinstance(value, dict) or not isinstance(text := value.get("generated_text"), str):
            raise wrong_format_error(self.name, value)
        details = value.get("details")
        return Piece(text, True, _finish_reason(details), _usage(details))


class Tgi(GenerationFormat):
    """Text Generation Inference."""

    name = "tgi"

    def parameters(self, parameters: Parameters, stops: Sequence[str]) -> dict[str, Any]:
        """As in the base class. TGI repeats the prompt in the answer unless `return_full_text` is false."""
        return {**super().parameters(parameters, stops), "return_full_text": False}


class Lmi(GenerationFormat):
    """Large Model Inference containers. They pass unknown parameters to vLLM, such as `stop_token_ids`."""

    name = "lmi"

    def parameters(self, parameters: Parameters, stops: Sequence[str]) -> dict[str, Any]:
        """As in the base class, with `eos_token_id` as `stop_token_ids`."""
        return _stop_token_ids(super().parameters(parameters, stops))


class Kullm(GenerationFormat):
    """KULLM's handler of 2023, without stop words, details and streaming."""

    name = "kullm"
    streams = False
    default_stop_words = (SECTION,)

    def parameters(self, parameters: Parameters, stops: Sequence[str]) -> dict[str, Any]:
        """As in the base class, without `details` and stop words, which the handler does not accept."""
        return {**parameters.to_dict(), "return_full_text": False}

    def parse_answer(self, value: Any) -> Piece:
        """As in the base class. Removes the prompt and later sections from the text."""
        piece = super().parse_answer(value)
        return Piece(kullm_answer(piece.text), True, piece.finish_reason, piece.usage)


class OpenAi(GenerationFormat):
    """Containers with a chat template. A plain text is sent as the user's only message."""

    name = "openai"

    def prompt(self, messages: Sequence[Message]) -> str:
        """Return an approximation of the messages as text, only to count tokens: the container applies its template."""
        return "\n".join(f"{role}: {text}" for role, text in messages)

    def stop_words(self, messages: Sequence[Message] | None) -> tuple[str, ...]:
        """Return no stop words, because a chat template ends answers by a token."""
        return ()

    def request(
        self,
        prompt: str | Sequence[Message],
        parameters: Parameters,
        *,
        stops: Sequence[str] = (),
        stream: bool = False,
    ) -> bytes:
        """Return the body of a request, with a str prompt as the user's only message."""
        turns = [("user", prompt)] if isinstance(prompt, str) else prompt
        messages = [{"role": role, "content": text} for role, text in turns]
        return _dump({"messages": messages, **self.parameters(parameters, stops), **self.stream_options(stream)})

    def parameters(self, parameters: Parameters, stops: Sequence[str]) -> dict[str, Any]:
        """Return the parameters under the names of OpenAI's API, and `stop_token_ids` for vLLM."""
        options = _stop_token_ids(parameters.to_dict())
        if "max_new_tokens" in options:
            options["max_tokens"] = options.pop("max_new_tokens")
        # The API has no do_sample; a temperature of 0 turns sampling off.
        if options.pop("do_sample", None) is False:
            options["temperature"] = 0.0
        return {**options, **({"stop": list(stops)} if stops else {})}

    def stream_options(self, stream: bool) -> dict[str, Any]:
        """Return the fields that turn streaming on, including token counts at the end."""
        return {"stream": True, "stream_options": {"include_usage": True}} if stream else {}

    def parse_event(self, value: Any) -> Piece | None:
        """Parse a chat chunk, or return None for another value. Raises ModelError for a reported error."""
        raise_reported_error(value)
        if not isinstance(value, dict) or not isinstance(choices := value.get("choices"), list):
            return None
        usage = _usage(value.get("usage"))
        # The last chunk has the token counts and no choices.
        if not choices:
            return Piece(usage=usage) if usage else None
        if not isinstance(choices[0], dict) or not isinstance(delta := choices[0].get("delta"), dict):
            return None
        reason = _finish_reason(choices[0])
        return Piece(str(delta.get("content") or ""), reason is not None, reason, usage)

    def parse_answer(self, value: Any) -> Piece:
        """Parse a chat completion. Raises ModelFormatError for another value, ModelError for a reported error."""
        raise_reported_error(value)
        try:
            choice = value["choices"][0]
            text = choice["message"]["content"] or ""
        except (KeyError, IndexError, TypeError) as exc:
            raise wrong_format_error(self.name, value) from exc
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
    """Return the prompt template of KULLM's training data, filled with messages.

    System messages are the instruction and the conversation is its input. Without system messages, a single message is the
    instruction.
    """
    system = "\n".join(text for role, text in messages if role == "system")
    turns = [(role, text) for role, text in messages if role != "system"]
    if not turns or (not system and len(turns) == 1):
        return _fill(_WITHOUT_INPUT, instruction=system or turns[0][1] if messages else "")
    instruction = system or "다음 대화에 이어질 상담원의 말을 쓰세요."
    if len(turns) == 1:
        return _fill(_WITH_INPUT, instruction=instruction, input=turns[0][1])
    lines = [f"{_SPEAKERS.get(role, role)}: {text}" for role, text in turns]
    return _fill(_WITH_INPUT, instruction=instruction, input="\n".join(lines))


def kullm_answer(text: str) -> str:
    """Return the answer without the prompt, which some containers repeat, up to the next section."""
    if text.startswith(_WITH_INPUT[:20]):
        text = text.partition(f"{SECTION} 응답:")[2]
    return text.partition(SECTION)[0].strip()


def _fill(template: str, **parts: str) -> str:
    """Fill a template. Section marks within the texts are removed, so that a text cannot begin a section."""
    return template.format(**{name: _MARKS.sub("#", text).strip() for name, text in parts.items()})


_FAILED = {"error", "abort"}
"""Finish reasons of a failed answer: "error" of TGI and LMI, "abort" of vLLM for an aborted request."""

LLM_FORMATS: Mapping[str, GenerationFormat] = {each.name: each for each in (Kullm(), Tgi(), Lmi(), OpenAi())}


def raise_reported_error(value: Any) -> None:
    """Raise ModelError if the body of an answer with status 200 reports an error."""
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
        raise ModelError(f"the model's container reported an error: {str(message)[:300]}; check its log")


def wrong_format_error(name: str, value: Any) -> ModelFormatError:
    """Return the error for an answer that is not in the format `name`, with the first 120 characters of the answer."""
    quoted = json.dumps(value, ensure_ascii=False, default=str)
    return ModelFormatError(
        f"expected an answer in the format {name!r}; got {quoted[:120]}; set FORMAT to the container's format"
    )


def _finish_reason(place: Any) -> str | None:
    """Return the finish reason as text, or None. Containers may send null, and sometimes not even a dictionary."""
    reason = place.get("finish_reason") if isinstance(place, dict) else None
    return None if reason is None else str(reason)


def _usage(counts: Any) -> dict[str, int]:
    """Return the reported token counts under common names."""
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
    # Lone surrogates, which JSON cannot represent, become question marks.
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
