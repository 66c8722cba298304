"""Resources of the control plane: models, endpoint configurations and endpoints with their states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from deploy.local.errors import ACCOUNT
from deploy.local.model_server import ModelServer
from rag.errors import RagError

Clock = Callable[[], float]


class ControlError(RagError):
    """An error of the control plane. `kind`: the error code that botocore reads."""

    def __init__(self, message: str, kind: str = "ValidationException") -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class Resource:
    """A model, endpoint configuration or endpoint. `request`: of its Create operation; times in seconds since 1970."""

    kind: str
    name: str
    region: str
    request: dict[str, Any]
    created: float
    modified: float
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The ARN in the emulator's account."""
        return arn(self.kind, self.name, self.region)


@dataclass
class Endpoint(Resource):
    """An endpoint. Its state is computed from the clock, so that nothing runs in the background.

    `pending`: the model server that an update switches to, unless `failure` is set, which rolls the update back.
    `ready_at`, `gone_at`: times of the control plane's clock.
    """

    server: ModelServer | None = None
    pending: ModelServer | None = None
    pending_config: str | None = None
    ready_at: float = 0.0
    gone_at: float | None = None
    failure: str | None = None
    updated: bool = False

    @property
    def config(self) -> str:
        """Name of the configuration in service, or of the first one while creating."""
        return str(self.request["EndpointConfigName"])

    def status(self, now: float) -> str:
        """EndpointStatus at the time `now`; applies an update that is due."""
        if self.gone_at is not None:
            return "Deleting"
        if now < self.ready_at:
            return "Updating" if self.updated else "Creating"
        if self.pending is not None and not self.failure:
            self.server = self.pending
            self.request["EndpointConfigName"] = self.pending_config
        self.pending = None
        return "Failed" if self.failure and not self.updated else "InService"


def arn(kind: str, name: str, region: str) -> str:
    """The ARN of a resource. `kind`: "model", "endpoint-config" or "endpoint"."""
    return f"arn:aws:sagemaker:{region}:{ACCOUNT}:{kind}/{name}"


def display_name(kind: str, name: str, region: str) -> str:
    """Kind and ARN of a resource as the service's messages name it."""
    words = {"model": "model", "endpoint": "endpoint", "endpoint-config": "endpoint configuration"}[kind]
    return f'{words} "{arn(kind, name, region)}".'
