"""The account's quotas of endpoint instances. New accounts have a quota of 0 for most GPU types."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws.session import AwsSession
from deploy.stack import Stack

ENDPOINT_USAGE = "{} for endpoint usage"


@dataclass(frozen=True, slots=True)
class Quota:
    """The quota of one instance type. `allowed`: None if unknown; the usage by other endpoints is not subtracted."""

    instance_type: str
    needed: int
    allowed: float | None

    @property
    def too_small(self) -> bool:
        """Whether the quota is below what is needed; False if it is unknown."""
        return self.allowed is not None and self.allowed < self.needed


def quotas(aws: AwsSession, stack: Stack) -> list[Quota]:
    """The quota of each instance type in the stack; `needed` counts the most instances of autoscaling."""
    needed: Counter[str] = Counter()
    for _, endpoint in stack.endpoints():
        needed[str(endpoint.instance_type)] += stack.most_instances(endpoint)
    if not needed:
        return []
    allowed = _allowed(aws)
    return [Quota(kind, count, allowed.get(ENDPOINT_USAGE.format(kind))) for kind, count in needed.items()]


def _allowed(aws: AwsSession) -> dict[str, float]:
    """Quotas by name; the account's own quota takes precedence over the default one."""
    by_name: dict[str, float] = {}
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        try:
            pages: Any = aws.client("service-quotas").get_paginator(operation).paginate(ServiceCode="sagemaker")
            by_name |= {each["QuotaName"]: each["Value"] for page in pages for each in page["Quotas"]}
        except (ClientError, BotoCoreError):
            continue  # the check is optional: SageMaker enforces the quotas itself
    return by_name
