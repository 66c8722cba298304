"""Translates the errors of AWS endpoints, their transport and their streams to subclasses of ModelError."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import botocore.eventstream
import botocore.exceptions as aws
import botocore.parsers
import urllib3.exceptions

from rag.errors import ModelError, ModelInputTooLong, ModelRefused, ModelTimeout, ModelUnavailable
from rag.models.http_errors import BUSY, TIMED_OUT, TOO_LARGE_STATUS, TOO_LONG, from_status, one_line

_CREDENTIALS = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.TokenRetrievalError,
    aws.SSOError,
    aws.NoAuthTokenError,
    aws.ProfileNotFound,
    aws.MetadataRetrievalError,
)
_TIMEOUTS = (aws.ReadTimeoutError, urllib3.exceptions.ReadTimeoutError, TimeoutError)
_TRANSPORT = (
    aws.HTTPClientError,
    aws.ConnectionError,
    aws.IncompleteReadError,
    botocore.eventstream.ParserError,
    botocore.eventstream.NoInitialResponseError,
    botocore.parsers.ResponseParserError,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)
AWS_ERRORS: tuple[type[Exception], ...] = (aws.BotoCoreError, aws.ClientError, *_TRANSPORT)
"""The exceptions that a call may raise; any other exception is a defect of this program and is not translated."""
_THROTTLED = re.compile(r"Throttl|TooManyRequests|SlowDown|LimitExceeded|ModelNotReady", re.IGNORECASE)
_DENIED = re.compile(
    r"AccessDenied|UnrecognizedClient|ExpiredToken|InvalidClientTokenId|Signature|MissingAuthentication|NotAuthorized"
)
STARTING = "답변 모델이 준비되는 중입니다. 잠시 후 다시 시도해 주세요."


class _Target(NamedTuple):
    name: str
    kind: str
    permission: str

    def __str__(self) -> str:
        return f"the {self.kind} {self.name!r}"


def from_aws(
    error: Exception,
    name: str,
    *,
    kind: str = "endpoint",
    permission: str = "sagemaker:InvokeEndpoint",
    timed_out: str = TIMED_OUT,
) -> ModelError:
    """Return the ModelError for `error`, which a call of the endpoint (or model) `name` raised.

    `timed_out`: the message for a read that timed out.
    """
    endpoint = _Target(name, kind, permission)
    if isinstance(error, aws.ClientError):
        return _from_answer(error, endpoint)
    if isinstance(error, aws.NoRegionError):
        return ModelRefused("no AWS region; set AWS_DEFAULT_REGION=ap-northeast-2, or run `aws configure`")
    if isinstance(error, _CREDENTIALS):
        return _no_credentials(endpoint, error)
    if isinstance(error, _TIMEOUTS):
        return ModelTimeout(f"{endpoint}: {timed_out}")
    if isinstance(error, _TRANSPORT):
        return ModelUnavailable(
            f"{endpoint} cannot be reached ({one_line(error)}); check the network and the AWS region"
        )
    return ModelRefused(f"the request to {endpoint} cannot be sent: {one_line(error)}")


def _from_answer(error: Any, endpoint: _Target) -> ModelError:
    """Translate an error answer by its code, or else by its HTTP status."""
    response = error.response
    code = str(response.get("Error", {}).get("Code", ""))
    # The codes in Bedrock's streams begin in lower case.
    code = code[:1].upper() + code[1:]
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    message = one_line(response.get("Error", {}).get("Message") or response.get("Message") or error)
    # Before the status: it also has status 429, but is not caused by a lack of capacity.
    if code == "ModelNotReadyException":
        return ModelUnavailable(
            f"{endpoint} is not ready yet: {message}; retry when its model is loaded", korean=STARTING
        )
    if _THROTTLED.search(code) or status == 429:
        return ModelUnavailable(
            f"{endpoint} has no capacity left: {message}; retry later, or add instances", korean=BUSY
        )
    # The container returned an error, whose status and message are in other fields.
    if code == "ModelError" or status == 424:
        return _from_container(response, endpoint)
    if _DENIED.search(code) or status in (401, 403):
        return _no_credentials(endpoint, message)
    if status == TOO_LARGE_STATUS:
        return ModelInputTooLong(f"the request is too large for {endpoint}: {message}; lower BATCH_SIZE")
    if code in _BY_CODE or status >= 500:
        return _BY_CODE.get(code, _unavailable)(endpoint, f"{code}: {message}")
    # Bedrock's models raise a ValidationException for it, recognisable only by its message.
    if TOO_LONG.search(message):
        return ModelInputTooLong(f"the input is too long for {endpoint}: {message}")
    return _refused(endpoint, message)


def _from_container(response: Any, endpoint: _Target) -> ModelError:
    return from_status(
        int(response.get("OriginalStatusCode") or 0),
        one_line(response.get("OriginalMessage") or response.get("Error", {}).get("Message") or "no message"),
        f"the model behind {endpoint}",
        fix="check FORMAT",
        log=response.get("LogStreamArn") or f"/aws/sagemaker/Endpoints/{endpoint.name}",
    )


def _no_credentials(endpoint: _Target, detail: object) -> ModelRefused:
    return ModelRefused(
        f"AWS denied the call of {endpoint} ({one_line(detail)}); "
        f"check the credentials and the permission {endpoint.permission}"
    )


def _unavailable(endpoint: _Target, message: str) -> ModelError:
    return ModelUnavailable(f"{endpoint} is failing: {message}")


def _refused(endpoint: _Target, message: str) -> ModelError:
    component = " and the inference component" if endpoint.kind == "endpoint" else ""
    return ModelRefused(f"{endpoint} rejected the request: {message}; check its name, the region{component}")


_BY_CODE: dict[str, Callable[[_Target, str], ModelError]] = {
    "ServiceUnavailable": _unavailable,
    "InternalFailure": _unavailable,
    "InternalDependencyException": _unavailable,
    "InternalStreamFailure": _unavailable,
    "ModelStreamError": _unavailable,
    "ValidationError": _refused,
    # Codes of Bedrock
    "InternalServerException": _unavailable,
    "ModelStreamErrorException": _unavailable,
    "ModelTimeoutException": _unavailable,
    "ServiceUnavailableException": _unavailable,
}
