"""What SageMaker's control plane says of an endpoint that does not answer. Nothing where it may not be asked."""

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
class Described:
    """`status` None: there is none of that name. `others`: the region's endpoints that are there, newest first."""

    status: str | None
    region: str
    reason: str = ""
    others: tuple[str, ...] = ()
    components: tuple[str, ...] = ()


def describe(name: str) -> Described | None:
    """None where the control plane cannot be asked: permissions for it are not needed to answer questions."""
    config = Config(
        connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 1, "mode": "standard"}
    )
    try:
        client: Any = boto3.session.Session().client("sagemaker", config=config)
    except VENDOR_ERRORS:
        return None
    except ValueError:  # from botocore, for an address that is none
        return None
    try:
        return _describe(client, name)
    except VENDOR_ERRORS:
        return None
    finally:
        client.close()


def _describe(client: Any, name: str) -> Described:
    region = str(client.meta.region_name)
    try:
        endpoint = client.describe_endpoint(EndpointName=name)
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "ValidationException":
            raise
        # So it is called where there is no endpoint of that name; a typing error shows beside the names that there are.
        listed = client.list_endpoints(MaxResults=_LISTED, SortBy="CreationTime", SortOrder="Descending")
        return Described(None, region, others=tuple(each["EndpointName"] for each in listed["Endpoints"]))
    return Described(
        endpoint["EndpointStatus"], region, endpoint.get("FailureReason", ""), components=_components(client, name)
    )


def _components(client: Any, name: str) -> tuple[str, ...]:
    try:
        listed = client.list_inference_components(EndpointNameEquals=name, MaxResults=_LISTED)
    except VENDOR_ERRORS:
        return ()
    return tuple(each["InferenceComponentName"] for each in listed["InferenceComponents"])
