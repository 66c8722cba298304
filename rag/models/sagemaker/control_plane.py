"""Describes an endpoint that does not answer, through SageMaker's control plane, if the permissions allow it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from rag.models.vendor_errors import VENDOR_ERRORS

_SECONDS = 5.0
_LISTED = 20


@dataclass(frozen=True, slots=True)
class EndpointDescription:
    """The state of an endpoint. `status` None: there is no endpoint of that name; `others` then has the names of the
    region's endpoints, newest first."""

    status: str | None
    region: str
    reason: str = ""
    others: tuple[str, ...] = ()
    components: tuple[str, ...] = ()


def describe_endpoint(name: str) -> EndpointDescription | None:
    """Describe an endpoint. Returns None if the control plane cannot be called; answering needs no permission for it."""
    # One attempt with short time-outs: the description only improves an error message.
    config = Config(
        connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 1, "mode": "standard"}
    )
    try:
        client: Any = boto3.session.Session().client("sagemaker", config=config)
    except VENDOR_ERRORS:
        return None
    except ValueError:  # botocore's error for an invalid address
        return None
    try:
        return _describe(client, name)
    except VENDOR_ERRORS:
        return None
    finally:
        client.close()


def _describe(client: Any, name: str) -> EndpointDescription:
    region = str(client.meta.region_name)
    try:
        endpoint = client.describe_endpoint(EndpointName=name)
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "ValidationException":
            raise
        # ValidationException: there is no endpoint of that name. The names of others help to find a typing error.
        listed = client.list_endpoints(MaxResults=_LISTED, SortBy="CreationTime", SortOrder="Descending")
        return EndpointDescription(None, region, others=tuple(each["EndpointName"] for each in listed["Endpoints"]))
    return EndpointDescription(
        endpoint["EndpointStatus"], region, endpoint.get("FailureReason", ""), components=_components(client, name)
    )


def _components(client: Any, name: str) -> tuple[str, ...]:
    try:
        listed = client.list_inference_components(EndpointNameEquals=name, MaxResults=_LISTED)
    except VENDOR_ERRORS:
        return ()
    return tuple(each["InferenceComponentName"] for each in listed["InferenceComponents"])
