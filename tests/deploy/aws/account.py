"""A fake AWS account: moto for most services, our emulator for SageMaker, and a recorder of every request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from moto.server import ThreadedMotoServer

from deploy.aws.commands import Deployment
from deploy.aws.session import AwsSession
from deploy.local.client import EmulatorClient
from deploy.stack import Stack

REGION = "ap-northeast-2"
READING = ("Describe", "List", "Get", "Head", "Invoke")


class Killed(BaseException):
    """Ends the process. Not an Exception, so that nothing catches it."""


@dataclass
class Call:
    """One request: the service by its botocore name, the operation, and the parameters as given."""

    service: str
    operation: str
    given: dict[str, Any]

    @property
    def changes(self) -> bool:
        return not self.operation.startswith(READING)


@dataclass
class Account:
    """One account: stacks are deployed to it again and again. `calls` are all requests since the last `forget`."""

    session: Any
    emulator: EmulatorClient
    calls: list[Call] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    refusals: dict[str, tuple[str, str]] = field(default_factory=dict)
    quotas: dict[str, float] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)
    kill_at: int | None = None
    changes: int = 0

    def deployment(self, stack: Stack) -> Deployment:
        aws = AwsSession(stack, self.session)
        aws._clients = self.clients  # a client costs more than all it is asked here
        # moto has no server behind its domains
        return Deployment(
            stack, aws, echo=self.said.append, sleep=lambda _: None, create_users=lambda _server, _users: iter(())
        )

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.session.client(service, region_name=REGION)
        return self.clients[service]

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    def forget(self) -> None:
        self.calls.clear()
        self.said.clear()
        self.refusals.clear()
        self.kill_at, self.changes = None, 0

    def watch(self) -> None:
        events = self.session.events
        events.register("before-parameter-build.*.*", self._before)
        events.register("before-call.*.*", self._refuse)
        events.register("after-call.*.*", self._after)

    def _before(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        call = Call(model.service_model.service_name, model.name, dict(params))
        self.calls.append(call)

    def _refuse(self, model: Any, **_: Any) -> Any:
        if model.service_model.service_name == "service-quotas":  # moto does not know SageMaker's
            known = [{"QuotaName": f"{kind} for endpoint usage", "Value": value} for kind, value in self.quotas.items()]
            return AWSResponse("", 200, {}, None), {"Quotas": known, "ResponseMetadata": {"HTTPStatusCode": 200}}
        if model.name not in self.refusals:
            return None
        code, message = self.refusals[model.name]
        parsed = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        return AWSResponse("", 400, {}, None), parsed

    def _after(self, model: Any, http_response: Any, **_: Any) -> None:
        if model.name.startswith(READING) or http_response.status_code >= 300:
            return
        self.changes += 1
        if self.changes == self.kill_at:
            raise Killed

    def killed(self, command: Callable[[], None], after: int) -> bool:
        """Run the command until AWS has done its change number `after`; False: it ended before."""
        self.kill_at, self.changes = after, 0
        try:
            command()
        except Killed:
            return True
        finally:
            self.kill_at = None
        return False


@contextmanager
def moto() -> Iterator[str]:
    """The URL of a moto server, one per test run; each test has its own account."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


def remaining(account: Account) -> dict[str, Any]:
    """All resources that the account still has, by service."""
    ask: dict[str, Callable[[], Any]] = {
        "models": lambda: account.client("sagemaker").list_models()["Models"],
        "configs": lambda: account.client("sagemaker").list_endpoint_configs()["EndpointConfigs"],
        "endpoints": lambda: account.client("sagemaker").list_endpoints()["Endpoints"],
        "roles": lambda: account.client("iam").list_roles()["Roles"],
        "buckets": lambda: account.client("s3").list_buckets()["Buckets"],
        "logs": lambda: account.client("logs").describe_log_groups()["logGroups"],
        "secrets": lambda: account.client("secretsmanager").list_secrets()["SecretList"],
        "domains": lambda: account.client("opensearch").list_domain_names()["DomainNames"],
        "schedules": lambda: account.client("scheduler").list_schedules()["Schedules"],
        "scaling": lambda: account.client("application-autoscaling").describe_scalable_targets(
            ServiceNamespace="sagemaker"
        )["ScalableTargets"],
    }
    return {name: found for name, each in ask.items() if (found := each())}


def session() -> Any:
    return boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
