"""What the commands print: tables of text. Pure but for the clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from deploy import costs
from deploy.aws.quotas import Quota
from deploy.aws.reconcile import Description, Resource, State
from deploy.stack import Stack

MARKS = {
    State.ABSENT: "+ make",
    State.DIFFERENT: "~ change",
    State.READY: "= keep",
    State.BUSY: ". wait for",
    State.FAILED: "! recreate",
    State.NOT_OURS: "x TAKEN",
}


def actions(described: Sequence[tuple[Resource, Description]], more: Sequence[Resource]) -> Iterator[str]:
    """What `up` would do to each resource, and what it would remove."""
    for resource, description in described:
        why = f" (failed: {description.detail})" if description.state is State.FAILED else ""
        rolled_back = f" (AWS rolled back a change: {description.rolled_back})" if description.rolled_back else ""
        yield f"  {MARKS[description.state]:12}{resource}{why}{rolled_back}"
    for resource in more:
        yield f"  {'- remove':12}{resource}"


def models(stack: Stack) -> Iterator[str]:
    """A line for each endpoint's model and its licence."""
    for group, endpoint in stack.endpoints():
        licence = endpoint.licence or "not stated: look at the model's page before you use it"
        yield f"  {group:12}{endpoint.model}   licence: {licence}"


def cost_table(lines: Sequence[costs.Cost], stack: Stack) -> Iterator[str]:
    """USD by the hour and the month, and at the most that autoscaling allows."""
    yield f"  {'':28}{'':36}{'USD/hour':>10}{'USD/month':>11}{'at most':>10}"
    for line in lines:
        yield f"  {line.item:28}{line.amount:36}{usd(line.hour, 3):>10}{usd(line.month):>11}{usd(line.most):>10}"
    sums = [costs.total(lines, field) for field in ("hour", "month", "most")]
    yield f"  {'total':28}{'':36}{usd(sums[0], 3):>10}{usd(sums[1]):>11}{usd(sums[2]):>10}"
    yield f"  (prices of {costs.table()['as_of']}, not verified, without traffic and logs; yours go into [prices])"
    if stack.budget:
        yield f"  budget: {usd(stack.budget.monthly_usd)} USD a month"


def quota_lines(checked: Sequence[Quota], region: str) -> Iterator[str]:
    """A line for each quota, with where to ask for more if it is too small."""
    for quota in checked:
        allowed = "unknown" if quota.allowed is None else f"{quota.allowed:g}"
        ask = f"https://{region}.console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas"
        warning = f"   TOO SMALL: ask for more at {ask}" if quota.too_small else ""
        yield f"  {quota.instance_type:20}needed {quota.needed}, quota {allowed}{warning}"


def usd(value: float | None, digits: int = 0) -> str:
    """With thousands separated, or `unknown`."""
    return "unknown" if value is None else f"{value:,.{digits}f}"


def age(since: datetime | None) -> float:
    """Hours."""
    if since is None:
        return 0.0
    aware = since if since.tzinfo else since.replace(tzinfo=UTC)
    return max(0.0, (datetime.now(UTC) - aware).total_seconds() / 3600)
