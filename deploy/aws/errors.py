"""Why AWS refused or failed, as one line that says what to do. The only place that knows the vendor's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, PartialCredentialsError

from rag.errors import DeployError

_MISSING_CODE = re.compile(r"NoSuch|NotFound|^404$")
_MISSING_WORDS = re.compile(r"Could not find|does not exist|No scal\w+ \w+ found")
"""SageMaker has no error type for this, and autoscaling's is sometimes the general one: then the message tells."""
_PROPAGATING = re.compile(r"assumed? (the )?role|cannot be assumed|execution role|trust relationship", re.IGNORECASE)
_DENIED = re.compile(r"AccessDenied|Unauthorized|NotAuthorized|AuthorizationError|not authorized|^403\b")
_ADVICE: tuple[tuple[re.Pattern[str], str], ...] = (
    (_DENIED, "a permission is missing; `python -m deploy.policy operator` prints all that are needed"),
    (
        re.compile(r"LimitExceeded|service limit|quota", re.IGNORECASE),
        "the account's quota does not allow it; ask for more at {quotas}, or choose another instance_type",
    ),
    (
        re.compile(r"InsufficientInstanceCapacity|compute capacity|Unable to provision", re.IGNORECASE),
        "AWS has none of these instances free now; try again later, or another instance_type or region",
    ),
    (
        re.compile(r"\bimage\b.*(not exist|not found)|CannotPullContainer|ImageNotFound", re.IGNORECASE),
        "the container image is missing; `python -m deploy.pin_images` pins the present ones, or set `image`",
    ),
    (
        re.compile(r"CannotStartContainer", re.IGNORECASE),
        "the container did not start, most often because the GPU driver is not the image's; set `ami`",
    ),
    (
        re.compile(r"health check|\bping\b", re.IGNORECASE),
        "the model did not answer in time; read its log, then raise health_check_seconds or take a larger instance_type",
    ),
)


def advice(reason: str, region: str) -> str | None:
    """What to do about a failure that AWS words so; None: unknown."""
    quotas = f"https://{region}.console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas"
    return next((hint.format(quotas=quotas) for words, hint in _ADVICE if words.search(reason)), None)


def is_missing(error: ClientError) -> bool:
    """Whether the thing asked for is not there."""
    details = error.response["Error"]
    code = str(details.get("Code"))
    general = code == "ValidationException"
    return bool(_MISSING_WORDS.search(str(details.get("Message"))) if general else _MISSING_CODE.search(code))


def is_propagating(error: ClientError) -> bool:
    """Whether it may pass within a minute: what was made a moment ago is not known everywhere at once."""
    details = error.response["Error"]
    return details.get("Code") == "ValidationException" and bool(
        is_missing(error) or _PROPAGATING.search(str(details.get("Message")))
    )


def is_busy(error: ClientError) -> bool:
    """Whether the thing is being changed or removed by somebody else at the moment."""
    details = error.response["Error"]
    words = f"{details.get('Code')} {details.get('Message')}"
    return bool(re.search(r"in-progress|ConflictException|OperationAborted|scheduled for deletion", words))


@contextmanager
def translate_errors(what: str, region: str) -> Iterator[None]:
    """Turn the vendor's errors into DeployError."""
    try:
        yield
    except ClientError as exc:
        raise DeployError(_line(exc, what, region)) from exc
    except (NoCredentialsError, PartialCredentialsError) as exc:
        raise DeployError("no AWS credentials: `aws configure`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID") from exc
    except NoRegionError as exc:
        raise DeployError("no AWS region: set `region` in the stack file, or AWS_DEFAULT_REGION") from exc
    except (BotoCoreError, Boto3Error) as exc:
        raise DeployError(f"{what}: {exc}") from exc


def _line(error: ClientError, what: str, region: str) -> str:
    details = error.response["Error"]
    code, message = str(details.get("Code", "")), str(details.get("Message", "")).strip()
    hint = advice(f"{code} {message}", region)
    return f"{what}: {error.operation_name} was refused: {message or code}" + (f" ({hint})" if hint else "")
