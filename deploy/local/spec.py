"""EndpointSpec: model, format, latency, limits and faults of one emulated endpoint.

It is written in TOML (`stack.toml`), as JSON (admin route, the variable `FSI_EMULATOR` of a model's container) or in code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from deploy.stack import NAME, Stack, Table, format_errors
from rag.errors import SettingsError

MEBIBYTE = 1024 * 1024

FaultKind = Literal[
    "throttle",  # ThrottlingException 400
    "not_ready",  # ModelNotReadyException 429
    "unavailable",  # ServiceUnavailable 503
    "internal",  # InternalFailure 500
    "dependency",  # InternalDependencyException 530
    "model_error",  # ModelError 424 with the container's own `status` and `message`
    "reset",  # the connection is reset before the response
    "hang",  # no response for `seconds`
    "not_json",  # 200 with a web page instead of JSON
    "one_short",  # 200 with one vector fewer than there were texts
    "not_finite",  # 200 with a vector of NaN
    "drop",  # the stream's connection is closed after `after` tokens
    "stall",  # the stream sends nothing for `seconds` after `after` tokens
    "truncate",  # the stream ends normally after `after` tokens, but without its end marker
    "container_error",  # an error of the container inside the stream, after 200
    "finish_error",  # the container's last record reports a failed generation
    "stream_error",  # ModelStreamError as an exception event
    "stream_failure",  # InternalStreamFailure as an exception event
]


class Fault(Table):
    """A fault and the requests it applies to: `count` requests from the `first` on (None: all), of these a random `share`.

    Requests are counted from 1 since the spec was last set, so that a fault can end before a retry.
    """

    kind: FaultKind
    first: int = Field(default=1, ge=1)
    count: int | None = Field(default=None, ge=1)
    share: float = Field(default=1.0, gt=0, le=1)
    after: int = Field(default=3, ge=0, description="Tokens streamed before the fault.")
    seconds: float = Field(default=3600.0, ge=0)
    status: int = Field(default=500, ge=400, le=599, description="Status of the container's response (model_error).")
    message: str = "a fault of the emulated endpoint"


class EndpointSpec(Table):
    """An emulated endpoint. Times are in milliseconds unless the name says seconds; sizes in bytes."""

    name: str = Field(pattern=NAME)
    task: Literal["embed", "generate", "classify"]
    format: Literal["hf", "tei", "embeddings", "openai", "kullm", "tgi", "lmi"]

    model: Literal["local", "hashed"] = Field(
        default="local", description="local: the chatbot's embedder; hashed: pseudo-random vectors without a model."
    )
    dimension: int = Field(default=768, ge=1, le=8192, description="Dimension of the hashed model.")
    pooling: Literal["cls", "mean"] = Field(
        default="mean", description="Pooling of hf's token vectors that gives the sentence's vector."
    )
    max_batch: int | None = Field(default=None, ge=1, description="Texts per request; more are refused with 413.")
    container_bytes: int | None = Field(default=None, ge=1, description="Larger bodies are refused by the container.")

    labels: tuple[str, str, str] = Field(
        default=("entailment", "neutral", "contradiction"),
        description="The names of an NLI model's labels, in this order.",
    )

    answer: str | None = Field(default=None, description="Generated text, independent of the prompt.")
    context_window: int | None = Field(default=None, ge=1, description="Tokens; longer prompts are refused with 422.")
    streams: bool | None = Field(default=None, description="Whether the container can stream (default: all but kullm).")
    inference_components: tuple[str, ...] = ()

    latency_ms: float = Field(default=0.0, ge=0, description="Time to the response, or to its first token.")
    per_text_ms: float = Field(default=0.0, ge=0)
    tokens_per_second: float = Field(default=0.0, ge=0, description="0: no delay between tokens.")
    concurrency: int = Field(default=0, ge=0, description="Limit of concurrent requests; 0: no limit.")
    ready_seconds: float = Field(default=0.0, ge=0, description="Duration of state Creating or Updating.")
    failure: str | None = Field(
        default=None, description="Reason for which creation fails, or an update is rolled back."
    )

    coalesce: int = Field(default=1, ge=1, description="Records of the container per part of the stream.")
    part_bytes: int | None = Field(default=None, ge=1, description="Size of parts, which may end inside a character.")
    split_syllables: bool = Field(default=False, description="Split inside every multi-byte character.")
    last_newline: bool = Field(default=True, description="Whether the stream ends with a newline.")

    payload_bytes: int = Field(default=6 * MEBIBYTE, ge=1, description="The service's limit for a request body.")
    invoke_seconds: float = Field(default=60.0, gt=0, description="The service's limit for a response.")
    stream_seconds: float = Field(default=480.0, gt=0, description="The service's limit for a complete stream.")
    seed: int = 0
    faults: tuple[Fault, ...] = ()

    @model_validator(mode="after")
    def _format_fits_task(self) -> Self:
        fitting = {
            "embed": ("hf", "tei", "embeddings", "openai"),
            "generate": ("kullm", "tgi", "lmi", "openai"),
            "classify": ("hf", "tei"),
        }
        if self.format not in fitting[self.task]:
            raise ValueError(
                f"expected a format of task {self.task!r}: {', '.join(fitting[self.task])}; got {self.format!r}"
            )
        return self

    @property
    def batch_limit(self) -> int | None:
        """Most texts per request, None for no limit; TEI's default is 32."""
        return self.max_batch or (32 if self.format == "tei" else None)

    @property
    def body_limit(self) -> int | None:
        """Largest body in bytes, None for no limit; TEI's default is 2 MB."""
        return self.container_bytes or (2_000_000 if self.format == "tei" else None)

    @property
    def can_stream(self) -> bool:
        """Whether the container can stream tokens."""
        return self.format != "kullm" if self.streams is None else self.streams


def endpoint_spec(values: Mapping[str, Any]) -> EndpointSpec:
    """Validate values of a spec. Raises SettingsError with each invalid value."""
    try:
        return EndpointSpec.model_validate(values)
    except ValidationError as exc:
        raise SettingsError(f"endpoint {values.get('name', '(no name)')!s}: {format_errors(exc)}") from exc


def stack_endpoints(stack: Stack) -> list[EndpointSpec]:
    """Specs of a stack's endpoints, overridden by `[local.embedding]`, `[local.llm]`, `[local.nli]`. Raises SettingsError."""
    specs: list[dict[str, Any]] = []
    if stack.embedding:
        shared = stack.embedding.model_dump(exclude_none=True, include={"format", "pooling"})
        specs.append({"task": "embed", "name": stack.embedding.endpoint_name, **shared, **stack.local.embedding})
    if stack.llm:
        shared = stack.llm.model_dump(exclude_none=True, include={"format", "context_window"})
        specs.append({"task": "generate", "name": stack.llm.endpoint_name, **shared, **stack.local.llm})
    if stack.nli:
        shared = {"name": stack.nli.endpoint_name, "format": stack.nli.format}
        specs.append({"task": "classify", **shared, **stack.local.nli})
    return [endpoint_spec(values) for values in specs]
