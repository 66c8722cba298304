"""Translates errors and failure reasons of AWS into messages with advice. Only this module matches AWS's wording."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, PartialCredentialsError

from rag.errors import DeployError

T = TypeVar("T")
_MISSING_CODE = re.compile(r"NoSuch|NotFound|^404$")
_MISSING_WORDS = re.compile(r"Could not find|does not exist|No scal\w+ \w+ found")
"""Messages for a missing resource in services that raise the general ValidationException for it."""
_PROPAGATING = re.compile(r"assumed? (the )?role|cannot be assumed|execution role|trust relationship", re.IGNORECASE)
_DENIED = re.compile(r"AccessDenied|Unauthorized|NotAuthorized|AuthorizationError|not authorized|^403\b")
_ADVICE: tuple[tuple[re.Pattern[str], str], ...] = (
    (_DENIED, "a permission is missing; `python -m deploy.policy operator` prints the required ones"),
    (
        re.compile(r"LimitExceeded|service limit|quota", re.IGNORECASE),
        "the account's quota is too small; request an increase at {quotas}, or choose another instance_type",
    ),
    (
        re.compile(r"InsufficientInstanceCapacity|compute capacity|Unable to provision", re.IGNORECASE),
        "AWS has no free instances of this type; try again later, or choose another instance_type or region",
    ),
    (
        re.compile(r"\bimage\b.*(not exist|not found)|CannotPullContainer|ImageNotFound", re.IGNORECASE),
        "the container image does not exist; pin current ones with `python -m deploy.pin_images`, or set `image`",
    ),
    (
        re.compile(r"CannotStartContainer", re.IGNORECASE),
        "the container did not start, usually because the host's GPU driver does not fit the image; set `ami`",
    ),
    (
        re.compile(r"health check|\bping\b", re.IGNORECASE),
        "the model did not answer in time; read its log, then raise health_check_seconds or choose a larger instance_type",
    ),
)


def advice(reason: str, region: str) -> str | None:
    """Advice for an error message or failure reason of AWS; None if it is not known."""
    return next((hint.format(quotas=quotas_link(region)) for words, hint in _ADVICE if words.search(reason)), None)


def quotas_link(region: str) -> str:
    """URL of the console's page on which an increase of a quota is requested."""
    return f"https://{region}.console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas"


def is_missing(error: ClientError) -> bool:
    """Whether the error means that the resource does not exist."""
    details = error.response["Error"]
    code = str(details.get("Code"))
    general = code == "ValidationException"
    return bool(_MISSING_WORDS.search(str(details.get("Message"))) if general else _MISSING_CODE.search(code))


def none_if_missing(call: Callable[..., T], **arguments: Any) -> T | None:
    """The response of an operation of boto3, or None if the resource does not exist."""
    try:
        return call(**arguments)
    except ClientError as exc:
        if is_missing(exc):
            return None
        raise


def is_propagating(error: ClientError) -> bool:
    """Whether a retry may succeed because a new resource has not yet propagated (eventual consistency)."""
    details = error.response["Error"]
    return details.get("Code") == "ValidationException" and bool(
        is_missing(error) or _PROPAGATING.search(str(details.get("Message")))
    )


def is_busy(error: ClientError) -> bool:
    """Whether the error means that the resource is being changed or deleted at the moment."""
    details = error.response["Error"]
    words = f"{details.get('Code')} {details.get('Message')}"
    return bool(re.search(r"in-progress|ConflictException|OperationAborted|scheduled for deletion", words))


@contextmanager
def translate_errors(what: str, region: str) -> Iterator[None]:
    """Raise DeployError for the errors of boto3. `what`: the resource or step that the message names."""
    try:
        yield
    except ClientError as exc:
        raise DeployError(_line(exc, what, region)) from exc
    except (NoCredentialsError, PartialCredentialsError) as exc:
        raise DeployError("no AWS credentials; run `aws configure`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID") from exc
    except NoRegionError as exc:
        raise DeployError("no AWS region; set `region` in the stack file, or AWS_DEFAULT_REGION") from exc
    except (BotoCoreError, Boto3Error) as exc:
        raise DeployError(f"{what}: {exc}") from exc


def _line(error: ClientError, what: str, region: str) -> str:
    details = error.response["Error"]
    code, message = str(details.get("Code", "")), str(details.get("Message", "")).strip()
    hint = advice(f"{code} {message}", region)
    return f"{what}: {error.operation_name} was refused: {message or code}" + (f" ({hint})" if hint else "")
