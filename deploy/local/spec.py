"""EndpointSpec: what one emulated endpoint serves, how fast, within which limits, and which faults it shows.

Written in TOML (`stack.toml`), as JSON (the admin route, the `FSI_EMULATOR` variable of a model's container) or in code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from deploy.stack import NAME, Stack, format_errors
from rag.errors import SettingsError

MEBIBYTE = 1024 * 1024

FaultKind = Literal[
    "throttle",  # ThrottlingException 400
    "not_ready",  # ModelNotReadyException 429
    "unavailable",  # ServiceUnavailable 503
    "internal",  # InternalFailure 500
    "dependency",  # InternalDependencyException 530
    "model_error",  # ModelError 424 with the container's own `status` and `message`
    "reset",  # the connection is cut before any answer
    "hang",  # no answer at all for `seconds`
    "not_json",  # 200 with a web page in the place of JSON
    "one_short",  # 200 with one vector fewer than there were texts
    "not_finite",  # 200 with a vector of NaN
    "drop",  # the stream's connection is cut after `after` tokens
    "stall",  # the stream says nothing for `seconds` after `after` tokens
    "truncate",  # the stream ends properly after `after` tokens, without its end marker
    "container_error",  # the container's own error inside the stream, after 200
    "finish_error",  # the container's last record says that generation failed
    "stream_error",  # ModelStreamError as an exception event
    "stream_failure",  # InternalStreamFailure as an exception event
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fault(_Strict):
    """One fault and the requests that meet it: from the `first`, `count` of them (none given: all), a `share` of those.

    Requests are counted from 1 since the endpoint was last set, so that a fault can be over after a retry.
    """

    kind: FaultKind
    first: int = Field(default=1, ge=1)
    count: int | None = Field(default=None, ge=1)
    share: float = Field(default=1.0, gt=0, le=1)
    after: int = Field(default=3, ge=0, description="Tokens streamed before it.")
    seconds: float = Field(default=3600.0, ge=0)
    status: int = Field(default=500, ge=400, le=599, description="What the container answered (model_error).")
    message: str = "a fault of the emulated endpoint"


class EndpointSpec(_Strict):
    """One endpoint. Times in milliseconds unless the name says seconds; sizes in bytes."""

    name: str = Field(pattern=NAME)
    task: Literal["embed", "generate"]
    format: Literal["hf", "tei", "embeddings", "openai", "kullm", "tgi", "lmi"]

    model: Literal["local", "hashed"] = Field(default="local", description="hashed: vectors that cost nothing.")
    dimension: int = Field(default=768, ge=1, le=8192, description="Of the hashed model.")
    pooling: Literal["cls", "mean"] = Field(
        default="mean", description="Which of hf's token vectors is the sentence's."
    )
    max_batch: int | None = Field(default=None, ge=1, description="Texts in one request; more are refused with 413.")
    container_bytes: int | None = Field(default=None, ge=1, description="Larger bodies are refused by the container.")

    answer: str | None = Field(default=None, description="The text generated, whatever the prompt.")
    context_window: int | None = Field(default=None, ge=1, description="Tokens; longer prompts are refused with 422.")
    streams: bool | None = Field(default=None, description="Whether the container can stream (default: all but kullm).")
    inference_components: tuple[str, ...] = ()

    latency_ms: float = Field(default=0.0, ge=0, description="Before the answer, or before its first token.")
    per_text_ms: float = Field(default=0.0, ge=0)
    tokens_per_second: float = Field(default=0.0, ge=0, description="0: as fast as they can be sent.")
    concurrency: int = Field(default=0, ge=0, description="Requests worked on at once; 0: no limit.")
    ready_seconds: float = Field(default=0.0, ge=0, description="Creating lasts so long.")
    failure: str | None = Field(
        default=None, description="Creating it fails, an update is rolled back, for this reason."
    )

    coalesce: int = Field(default=1, ge=1, description="Events of the container in one part of the stream.")
    part_bytes: int | None = Field(default=None, ge=1, description="Parts are cut to so many bytes, wherever that is.")
    split_syllables: bool = Field(default=False, description="Every character of several bytes is cut in two.")
    last_newline: bool = Field(default=True, description="Whether the stream's last line is ended.")

    payload_bytes: int = Field(default=6 * MEBIBYTE, ge=1, description="The service's own limit for a body.")
    invoke_seconds: float = Field(default=60.0, gt=0, description="The service's limit for an answer.")
    stream_seconds: float = Field(default=480.0, gt=0, description="The service's limit for a whole stream.")
    seed: int = 0
    faults: tuple[Fault, ...] = ()

    @model_validator(mode="after")
    def _format_fits_task(self) -> Self:
        fitting = {"embed": ("hf", "tei", "embeddings", "openai"), "generate": ("kullm", "tgi", "lmi", "openai")}
        if self.format not in fitting[self.task]:
            raise ValueError(
                f"format {self.format!r} is not one of {', '.join(fitting[self.task])} of task {self.task!r}"
            )
        return self

    @property
    def batch_limit(self) -> int | None:
        """TEI refuses more than 32 texts unless set otherwise."""
        return self.max_batch or (32 if self.format == "tei" else None)

    @property
    def body_limit(self) -> int | None:
        """TEI refuses bodies of more than 2 MB unless set otherwise."""
        return self.container_bytes or (2_000_000 if self.format == "tei" else None)

    @property
    def can_stream(self) -> bool:
        """Whether the streaming operation is answered token by token."""
        return self.format != "kullm" if self.streams is None else self.streams


def endpoint_spec(values: Mapping[str, Any]) -> EndpointSpec:
    """Check values from outside. Raises SettingsError naming each wrong one."""
    try:
        return EndpointSpec.model_validate(values)
    except ValidationError as exc:
        raise SettingsError(f"endpoint {values.get('name', '(no name)')!s}: {format_errors(exc)}") from exc


def stack_endpoints(stack: Stack) -> list[EndpointSpec]:
    """What the emulator serves for a stack file: its endpoints, with `[local.embedding]` and `[local.llm]` laid over.

    Raises SettingsError.
    """
    specs: list[dict[str, Any]] = []
    if stack.embedding:
        shared = stack.embedding.model_dump(exclude_none=True, include={"format", "pooling"})
        specs.append({"task": "embed", "name": stack.embedding.endpoint_name, **shared, **stack.local.embedding})
    if stack.llm:
        shared = stack.llm.model_dump(exclude_none=True, include={"format", "context_window"})
        specs.append({"task": "generate", "name": stack.llm.endpoint_name, **shared, **stack.local.llm})
    return [endpoint_spec(values) for values in specs]
