"""Errors of the emulated runtime: those of the service, and those of the container."""

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


class ServiceError(RagError):
    """An error response of the runtime. `kind`: the error code that botocore reads, or a status if the service has no code."""

    def __init__(self, kind: str, message: str, **fields: str | int) -> None:
        super().__init__(message)
        self.kind = kind
        self.fields = fields

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUSES[self.kind]

    @property
    def headers(self) -> dict[str, str]:
        """The response headers; botocore reads the error code from `x-amzn-errortype`."""
        named = {} if self.kind.isdecimal() else {"x-amzn-errortype": self.kind}
        return {"content-type": "application/json", **named}

    def body(self) -> bytes:
        """The response body as JSON."""
        return orjson.dumps({"Message": str(self), **self.fields})


class ContainerError(RagError):
    """An error response of the container, which the service returns as ModelError with status 424."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def model_error(endpoint: str, status: int, original: str) -> ServiceError:
    """ModelError with the service's wording. `status`: of the container's response, 0 for a timeout."""
    side = "client" if 400 <= status < 500 else "server"
    logs = f"https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}"
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    return ServiceError(
        "ModelError",
        f'Received {side} error ({status}) from primary with message "{original}". '
        f"See {logs}#logEventViewer:group={group} in account {ACCOUNT} for more information.",
        OriginalStatusCode=status,
        OriginalMessage=original,
        LogStreamArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}",
    )


def timed_out(endpoint: str) -> ServiceError:
    """ModelError for a container that did not answer within the service's time limit."""
    return model_error(
        endpoint,
        0,
        "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
        "each container in Amazon CloudWatch, resolve the issue, and try again.",
    )
