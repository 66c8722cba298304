"""Every failure of an endpoint, its transport or its stream, as one of ours. The only place that knows vendors' errors."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from typing import Any

import botocore.eventstream
import botocore.exceptions as aws
import botocore.parsers
import urllib3.exceptions

from rag.errors import (
    ModelError,
    ModelInputTooLong,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
)

VENDOR_ERRORS: tuple[type[Exception], ...] = (
    aws.BotoCoreError,
    aws.ClientError,
    botocore.eventstream.ParserError,
    botocore.eventstream.NoInitialResponseError,
    botocore.parsers.ResponseParserError,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)
"""What a call may raise; anything else is a defect of ours and passes through."""

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
_THROTTLED = re.compile(r"Throttl|TooManyRequests|SlowDown|LimitExceeded|ModelNotReady", re.IGNORECASE)
_DENIED = re.compile(
    r"AccessDenied|UnrecognizedClient|ExpiredToken|InvalidClientTokenId|Signature|MissingAuthentication|NotAuthorized"
)
_TOO_LONG = re.compile(
    r"maximum context length|max_model_len|max_total_tokens|context (window|length)|too (long|large)|payload size"
    r"|maximum allowed (batch|input)|batch size \d+ >|inputs? tokens",
    re.IGNORECASE,
)
_TOO_LARGE_STATUS = 413
_OVERLOADED_STATUS = (429, 502, 503, 504)
_QUOTED_CHARS = 300

BUSY = "지금 이용자가 많아 답변 모델이 바쁩니다. 잠시 후 다시 시도해 주세요."
STARTING = "답변 모델이 준비되는 중입니다. 잠시 후 다시 시도해 주세요."


def from_vendor(error: Exception, endpoint: str) -> ModelError:
    """The error of ours that `error`, raised by a call of `endpoint`, stands for."""
    if isinstance(error, aws.ClientError):
        return _from_answer(error, endpoint)
    if isinstance(error, aws.NoRegionError):
        return ModelRefused("no AWS region is set: `export AWS_DEFAULT_REGION=ap-northeast-2` or `aws configure`")
    if isinstance(error, _CREDENTIALS):
        return _no_credentials(endpoint, error)
    if isinstance(error, _TIMEOUTS):
        return ModelTimeout(
            f"the endpoint {endpoint!r} was silent for too long; raise the stall time or the deadline, or look at its load"
        )
    if isinstance(error, _TRANSPORT):
        return ModelUnavailable(
            f"the endpoint {endpoint!r} cannot be reached ({_short(error)}); check the network and the AWS region"
        )
    return ModelRefused(f"the request to endpoint {endpoint!r} cannot be sent: {_short(error)}")


def _from_answer(error: Any, endpoint: str) -> ModelError:
    """By the answer's code first, then by its status; a model's own failure carries its container's status."""
    response = error.response
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    message = _short(response.get("Error", {}).get("Message") or response.get("Message") or error)
    if code == "ModelNotReadyException":
        return ModelUnavailable(f"the endpoint {endpoint!r} is not ready yet: {message}", korean=STARTING)
    if _THROTTLED.search(code) or status == 429:
        return ModelUnavailable(f"the endpoint {endpoint!r} has no capacity left: {message}", korean=BUSY)
    if code == "ModelError" or status == 424:
        return _from_container(response, endpoint)
    if _DENIED.search(code) or status in (401, 403):
        return _no_credentials(endpoint, message)
    if status == _TOO_LARGE_STATUS:
        return ModelInputTooLong(f"the endpoint {endpoint!r} takes no request this large: {message}")
    if code in _BY_CODE or status >= 500:
        return _BY_CODE.get(code, _unavailable)(endpoint, f"{code}: {message}")
    return _refused(endpoint, message)


def _from_container(response: Any, endpoint: str) -> ModelError:
    status = int(response.get("OriginalStatusCode") or 0)
    message = _short(response.get("OriginalMessage") or response.get("Error", {}).get("Message") or "no message")
    if status == _TOO_LARGE_STATUS or (400 <= status < 500 and _TOO_LONG.search(message)):
        return ModelInputTooLong(f"the model behind {endpoint!r} takes no input this long: {message}")
    if status in _OVERLOADED_STATUS:
        return ModelUnavailable(f"the model behind {endpoint!r} is overloaded ({status}): {message}", korean=BUSY)
    if 400 <= status < 500:
        return ModelRefused(
            f"the model behind {endpoint!r} refuses the request ({status}): {message}; is FORMAT right?"
        )
    logs = response.get("LogStreamArn") or f"/aws/sagemaker/Endpoints/{endpoint}"
    return ModelError(f"the model behind {endpoint!r} failed ({status}): {message}; its log: {logs}")


def _no_credentials(endpoint: str, detail: object) -> ModelRefused:
    return ModelRefused(
        f"AWS does not let this program call the endpoint {endpoint!r} ({_short(detail)}); "
        "check the credentials and the permission sagemaker:InvokeEndpoint"
    )


def _unavailable(endpoint: str, message: str) -> ModelError:
    return ModelUnavailable(f"the endpoint {endpoint!r} is failing: {message}")


def _refused(endpoint: str, message: str) -> ModelError:
    return ModelRefused(
        f"the endpoint {endpoint!r} refuses the request: {message}; check its name, the region and the inference component"
    )


_BY_CODE: dict[str, Callable[[str, str], ModelError]] = {
    "ServiceUnavailable": _unavailable,
    "InternalFailure": _unavailable,
    "InternalDependencyException": _unavailable,
    "InternalStreamFailure": _unavailable,
    "ModelStreamError": _unavailable,
    "ValidationError": _refused,
}


def _short(error: object) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= _QUOTED_CHARS else f"{text[:_QUOTED_CHARS]}…"
