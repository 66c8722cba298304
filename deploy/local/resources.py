"""The control plane's records: models, endpoint configurations and endpoints, with the states an endpoint goes through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from deploy.local.served import Served
from deploy.local.wire import ACCOUNT
from rag.errors import RagError

Clock = Callable[[], float]


class ControlError(RagError):
    """What the control plane refuses; `kind` is the name botocore knows it by."""

    def __init__(self, message: str, kind: str = "ValidationException") -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class Resource:
    """One model, endpoint configuration or endpoint: what was sent to create it, under its ARN."""

    kind: str
    name: str
    region: str
    request: dict[str, Any]
    created: float
    modified: float
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The same form as AWS's, in the emulator's account."""
        return arn(self.kind, self.name, self.region)


@dataclass
class Endpoint(Resource):
    """State is worked out from the clock, so nothing runs in the background.

    `pending` is what an update switches to, unless there is a `failure`: then all stays as it was. `ready_at` and
    `gone_at` are times of the control plane's clock.
    """

    served: Served | None = None
    pending: Served | None = None
    pending_config: str | None = None
    ready_at: float = 0.0
    gone_at: float | None = None
    failure: str | None = None
    updated: bool = False

    @property
    def config(self) -> str:
        """The configuration in service, or the first one while creating."""
        return str(self.request["EndpointConfigName"])

    def status(self, now: float) -> str:
        """SageMaker's word for the state at `now`; an update that is due takes effect here."""
        if self.gone_at is not None:
            return "Deleting"
        if now < self.ready_at:
            return "Updating" if self.updated else "Creating"
        if self.pending is not None and not self.failure:
            self.served = self.pending
            self.request["EndpointConfigName"] = self.pending_config
        self.pending = None
        return "Failed" if self.failure and not self.updated else "InService"


def arn(kind: str, name: str, region: str) -> str:
    return f"arn:aws:sagemaker:{region}:{ACCOUNT}:{kind}/{name}"


def described(kind: str, name: str, region: str) -> str:
    words = {"model": "model", "endpoint": "endpoint", "endpoint-config": "endpoint configuration"}[kind]
    return f'{words} "{arn(kind, name, region)}".'
