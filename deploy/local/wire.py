"""What the emulated service answers when it does not answer: an error of the service, or of the container behind it."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from rag.errors import RagError

REGION = "ap-northeast-2"
ACCOUNT = "000000000000"
VARIANT = "AllTraffic"

STATUSES: Mapping[str, int] = {
    "ValidationError": 400,
    "ThrottlingException": 400,
    "MissingAuthenticationTokenException": 403,
    "413": 413,
    "ModelError": 424,
    "ModelNotReadyException": 429,
    "InternalFailure": 500,
    "ServiceUnavailable": 503,
    "InternalDependencyException": 530,
}


class Refusal(RagError):
    """An error of the runtime: its `kind` is the name botocore knows it by; a bare number where the service gives none."""

    def __init__(self, kind: str, message: str, **fields: str | int) -> None:
        super().__init__(message)
        self.kind = kind
        self.fields = fields

    @property
    def status(self) -> int:
        return STATUSES[self.kind]

    @property
    def headers(self) -> dict[str, str]:
        """botocore tells an error by `x-amzn-errortype`."""
        named = {} if self.kind.isdecimal() else {"x-amzn-errortype": self.kind}
        return {"content-type": "application/json", **named}

    def body(self) -> bytes:
        """The error's JSON."""
        return orjson.dumps({"Message": str(self), **self.fields})


class ContainerError(RagError):
    """The container answered with an error status; the service wraps it into ModelError 424."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def model_error(endpoint: str, status: int, original: str) -> Refusal:
    """ModelError as the service words it. Status 0: the container did not answer in time."""
    side = "client" if 400 <= status < 500 else "server"
    logs = f"https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}"
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    return Refusal(
        "ModelError",
        f'Received {side} error ({status}) from primary with message "{original}". '
        f"See {logs}#logEventViewer:group={group} in account {ACCOUNT} for more information.",
        OriginalStatusCode=status,
        OriginalMessage=original,
        LogStreamArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}",
    )


def timed_out(endpoint: str) -> Refusal:
    """ModelError for a container that did not answer within the service's limit."""
    return model_error(
        endpoint,
        0,
        "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
        "each container in Amazon CloudWatch, resolve the issue, and try again.",
    )
