"""The stack file: endpoints, search domain and their options, validated by pydantic.

Every table is optional. On AWS an endpoint also needs `model`, `container` and `instance_type`; the emulator does not.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from rag.errors import SettingsError

NAME = r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$"
"""Valid names of SageMaker endpoints."""
DEFAULT = Path(__file__).with_name("stack.toml")
SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|CREDENTIAL|API_?KEY|ACCESS_KEY", re.IGNORECASE)
_CHATBOT_FIELDS = {
    "embedding": ("endpoint_name", "format", "pooling", "dimension", "query_prefix", "passage_prefix"),
    "llm": (
        *("endpoint_name", "format", "context_window", "max_new_tokens"),
        *("do_sample", "temperature", "top_p", "top_k", "repetition_penalty", "eos_token_id"),
    ),
    "nli": ("endpoint_name", "format"),
}
"""Fields of an endpoint that the chatbot has settings of the same name for."""


class Table(BaseModel):
    """A table of a TOML file. Unknown names are rejected, so that typing errors are seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Endpoint(Table):
    """One real-time endpoint: a model in a container on instances."""

    endpoint_name: str = Field(pattern=NAME)
    model: str | None = Field(default=None, description="The model's name on the Hugging Face hub.")
    revision: str | None = Field(
        default=None, description="Commit or tag of the model. Unset: the newest at every start."
    )
    licence: str | None = Field(default=None, description="The model's licence, shown by `plan`.")
    container: Literal["tei", "huggingface", "lmi", "vllm", "tgi"] | None = None
    image: str | None = Field(default=None, description="Image URI that replaces the pinned one.")
    ami: str | None = Field(default=None, description="Host AMI, which has the GPU driver. Unset: chosen by the image.")
    instance_type: str | None = Field(default=None, pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")
    instances: int = Field(default=1, ge=1, le=50)
    health_check_seconds: int = Field(
        default=1800, ge=60, le=3600, description="Time to start, with downloading and loading the model."
    )
    environment: dict[str, str] = Field(default={}, description="Environment variables that override the defaults.")
    handler: str | None = Field(default=None, description="Folder of deploy/handlers, uploaded as model.tar.gz.")
    model_folder: Path | None = Field(default=None, description="Local folder of the model, uploaded to S3.")
    model_data: str | None = Field(default=None, pattern=r"^s3://[^/]+/.+", description="The model's location in S3.")

    @field_validator("environment")
    @classmethod
    def _no_secrets(cls, environment: dict[str, str]) -> dict[str, str]:
        if wrong := [name for name in environment if SECRET_NAME.search(name)]:
            raise ValueError(
                f"{wrong[0]} looks like a secret, which everybody who may describe the model could read; "
                "keep the model in S3 (model_folder or model_data) instead"
            )
        return environment

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.handler, self.model_folder, self.model_data)) > 1:
            raise ValueError("set only one of handler, model_folder and model_data")
        return self


class Embedding(Endpoint):
    """The endpoint of the embedding model."""

    format: Literal["hf", "tei", "embeddings", "openai"]
    pooling: Literal["cls", "mean"] | None = Field(default=None, description="For hf and tei only.")
    dimension: int | None = Field(default=None, ge=1, description="Length of a vector.")
    query_prefix: str | None = Field(default=None, description="Text before questions, if the model requires it.")
    passage_prefix: str | None = Field(default=None, description="Text before passages, if the model requires it.")


class Llm(Endpoint):
    """The endpoint of the language model. Unset generation parameters are not sent to the model."""

    format: Literal["kullm", "tgi", "lmi", "openai"]
    context_window: int | None = Field(default=None, ge=256)
    max_new_tokens: int | None = Field(default=None, ge=1)
    do_sample: bool | None = None
    temperature: float | None = Field(default=None, ge=0, le=5)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=-1)
    repetition_penalty: float | None = Field(default=None, gt=0)
    eos_token_id: int | None = Field(default=None, ge=0)


class Nli(Endpoint):
    """The endpoint of a natural language inference model, which checks the language model's sentences after the rules."""

    format: Literal["hf", "tei"] = "hf"


class OpenSearch(Table):
    """An OpenSearch domain, sized by `vectors` unless `instance_type` and `storage_gb` are set."""

    domain_name: str = Field(pattern=r"^[a-z][a-z0-9-]{2,27}$")
    vectors: int = Field(default=100_000, ge=1, description="Number of passages to size the domain for.")
    dimension: int = Field(default=768, ge=1, description="Length of a vector.")
    version: str = Field(default="2.19", pattern=r"^\d{1,2}\.\d{1,2}$")
    nodes: int = Field(default=1, ge=1, le=10, description="1: no replica; multiples of 2 or 3: in 2 or 3 zones.")
    instance_type: str | None = Field(default=None, pattern=r"^[a-z0-9]+\.[a-z0-9]+\.search$")
    storage_gb: int | None = Field(default=None, ge=10, le=3000, description="Storage of each node.")
    access: Literal["ip", "vpc", "role"] = Field(
        default="ip", description="ip: from `addresses`; vpc: from [network]; role: by `role_arn` with signed requests."
    )
    addresses: tuple[str, ...] = Field(default=(), description="IPv4 addresses or ranges, for access = ip.")
    role_arn: str | None = Field(default=None, pattern=r"^arn:aws[a-z-]*:iam::\d{12}:(role|user)/.+")
    user: str = Field(
        default="faq",
        min_length=1,
        max_length=64,
        description="Master user, which creates USER-page and USER-ingest; passwords are generated.",
    )
    engine: Literal["lucene", "faiss"] = "lucene"

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.access == "ip" and not self.addresses:
            raise ValueError('access = "ip" needs addresses, such as ["203.0.113.7/32"]')
        if any(address.endswith("/0") for address in self.addresses):
            raise ValueError("addresses: /0 would open the domain to everybody")
        if self.access == "role" and not self.role_arn:
            raise ValueError('access = "role" needs role_arn')
        if self.nodes % self.zones:
            raise ValueError("nodes: expected 1, or a multiple of 2 or 3")
        return self

    @property
    def zones(self) -> int:
        """Availability zones that the nodes are spread over."""
        return 1 if self.nodes == 1 else 3 if self.nodes % 3 == 0 else 2


class Autoscaling(Table):
    """Scaling by the number of concurrent requests per instance."""

    min_instances: int = Field(default=1, ge=1)
    max_instances: int = Field(default=2, ge=1)
    concurrent_requests: float = Field(default=5.0, gt=0, description="Target per instance, streams included.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_instances < self.min_instances:
            raise ValueError("max_instances is below min_instances")
        return self


class Schedule(Table):
    """When the endpoints exist. At other times they are deleted, and their configurations are kept. Times are HH:MM."""

    on: str = Field(default="08:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    off: str = Field(default="20:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    days: str = Field(default="MON-FRI", pattern=r"^(MON-FRI|MON-SAT|MON-SUN)$")
    timezone: str = "Asia/Seoul"

    @model_validator(mode="after")
    def _in_one_day(self) -> Self:
        if self.on >= self.off:
            raise ValueError("on must be before off on the same day")
        return self

    @property
    def hours_a_month(self) -> float:
        """Hours that the endpoints run in a month of 730 hours."""
        minutes = [int(at[:2]) * 60 + int(at[3:]) for at in (self.on, self.off)]
        days = {"MON-FRI": 5, "MON-SAT": 6, "MON-SUN": 7}[self.days]
        return (minutes[1] - minutes[0]) / 60 * days * 730 / 168


class Budget(Table):
    """Limit of the stack's cost."""

    monthly_usd: float = Field(gt=0, description="`up` refuses a higher cost, unless --yes-over-budget is given.")


class Network(Table):
    """The VPC of the containers. Unset: SageMaker's own network."""

    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    isolation: bool = Field(default=False, description="No network access for the containers; the model comes from S3.")

    @model_validator(mode="after")
    def _both(self) -> Self:
        if bool(self.subnets) != bool(self.security_groups):
            raise ValueError("set both subnets and security_groups, or neither")
        return self


class Local(Table):
    """Options of the emulator: its port, and additional fields of each endpoint's `EndpointSpec`."""

    port: int = Field(default=8790, ge=0, le=65535, description="If it is in use, the next free one; 0: any.")
    embedding: dict[str, Any] = {}
    llm: dict[str, Any] = {}
    nli: dict[str, Any] = {}


class Stack(Table):
    """The contents of a stack file. Tables that are left out are not deployed and have no settings in `env`."""

    name: str = Field(
        default="faq", pattern=r"^[a-z][a-z0-9-]{0,18}[a-z0-9]$", description="Used in names and tags of resources."
    )
    region: str | None = Field(
        default=None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="Unset: the region that boto3 finds."
    )
    tags: dict[str, str] = {}
    execution_role: str | None = Field(default=None, pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+")
    kms_key: str | None = Field(default=None, description="Encrypts endpoints' disks, the bucket and the domain.")
    embedding: Embedding | None = None
    llm: Llm | None = None
    nli: Nli | None = None
    opensearch: OpenSearch | None = None
    autoscaling: Autoscaling | None = None
    schedule: Schedule | None = None
    budget: Budget | None = None
    network: Network = Network()
    prices: dict[str, float] = Field(default={}, description="USD by name; overrides deploy/costs.toml.")
    local: Local = Local()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [endpoint.endpoint_name for _, endpoint in self.endpoints()]
        if len(set(names)) < len(names):
            raise ValueError("embedding, llm and nli must not share an endpoint_name")
        if self.opensearch and self.opensearch.access == "vpc" and not self.network.subnets:
            raise ValueError('opensearch.access = "vpc" needs network.subnets and network.security_groups')
        if self.opensearch and self.opensearch.access == "vpc" and len(self.network.subnets) < self.opensearch.zones:
            raise ValueError(f"opensearch.nodes needs network.subnets in {self.opensearch.zones} zones")
        for group, endpoint in self.endpoints():
            if self.network.isolation and not (endpoint.model_folder or endpoint.model_data):
                raise ValueError(f"network.isolation needs {group}.model_folder or {group}.model_data")
        if any(name.lower().startswith(("aws:", "fsi-")) for name in self.tags):
            raise ValueError("tags: names that begin with aws: or fsi- are reserved")
        return self

    def endpoints(self) -> list[tuple[str, Endpoint]]:
        """Each configured endpoint with its table's name."""
        tables = (("embedding", self.embedding), ("llm", self.llm), ("nli", self.nli))
        return [(name, each) for name, each in tables if each]

    def most_instances(self, endpoint: Endpoint) -> int:
        """The most instances that an endpoint may have, by autoscaling."""
        return max(endpoint.instances, self.autoscaling.max_instances if self.autoscaling else 0)


def load(path: Path = DEFAULT) -> Stack:
    """Read and validate a stack file. Raises SettingsError with the file and each invalid value."""
    try:
        return Stack.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as exc:
        raise SettingsError(f"the stack file {path} cannot be read: {exc.strerror}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SettingsError(f"{path} is not TOML: {exc}") from exc
    except ValidationError as exc:
        raise SettingsError(f"{path}: {format_errors(exc)}") from exc


def format_errors(error: ValidationError) -> str:
    """Each invalid value and the reason, on one line."""
    return "; ".join(
        f"{'.'.join(str(part) for part in detail['loc']) or 'all together'}: {detail['msg']}"
        for detail in error.errors()
    )


def settings(stack: Stack) -> Iterator[tuple[str, str]]:
    """Names and values of the chatbot's settings for this stack's endpoints."""
    for group, endpoint in stack.endpoints():
        yield f"FSI_{group.upper()}__BACKEND", "sagemaker"
        for name in _CHATBOT_FIELDS[group]:
            if (value := getattr(endpoint, name)) is not None:
                yield f"FSI_{group.upper()}__{name.upper()}", str(value)
