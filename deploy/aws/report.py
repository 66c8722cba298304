"""Output of the commands as lines of text. Pure, except for the current time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from deploy import costs
from deploy.aws.errors import quotas_link
from deploy.aws.quotas import Quota
from deploy.aws.reconcile import Description, Resource, State
from deploy.stack import Stack

ACTIONS = {
    State.ABSENT: "+ create",
    State.DIFFERENT: "~ change",
    State.READY: "= keep",
    State.BUSY: ". wait for",
    State.FAILED: "! recreate",
    State.NOT_OURS: "x TAKEN",
}


def actions(described: Sequence[tuple[Resource, Description]], more: Sequence[Resource]) -> Iterator[str]:
    """What `up` would do with each resource. `more`: resources that it would delete."""
    for resource, description in described:
        why = f" (failed: {description.detail})" if description.state is State.FAILED else ""
        rolled_back = f" (AWS rolled back a change: {description.rolled_back})" if description.rolled_back else ""
        yield f"  {ACTIONS[description.state]:12}{resource}{why}{rolled_back}"
    for resource in more:
        yield f"  {'- delete':12}{resource}"


def models(stack: Stack) -> Iterator[str]:
    """The model of each endpoint and its licence."""
    for group, endpoint in stack.endpoints():
        licence = endpoint.licence or "not stated; read the model's page before using it"
        yield f"  {group:12}{endpoint.model}   licence: {licence}"


def cost_table(lines: Sequence[costs.Cost], stack: Stack) -> Iterator[str]:
    """The cost in USD per hour, per month, and per month with the most instances of autoscaling."""
    yield f"  {'':28}{'':36}{'USD/hour':>10}{'USD/month':>11}{'at most':>10}"
    for line in lines:
        yield f"  {line.item:28}{line.amount:36}{usd(line.hour, 3):>10}{usd(line.month):>11}{usd(line.most):>10}"
    sums = [costs.total(lines, field) for field in ("hour", "month", "most")]
    yield f"  {'total':28}{'':36}{usd(sums[0], 3):>10}{usd(sums[1]):>11}{usd(sums[2]):>10}"
    yield f"  (prices of {costs.table()['as_of']}, not verified, without traffic and logs; yours go into [prices])"
    if stack.budget:
        yield f"  budget: {usd(stack.budget.monthly_usd)} USD a month"


def quota_lines(checked: Sequence[Quota], region: str) -> Iterator[str]:
    """One line per quota, with a link to request an increase if it is too small."""
    for quota in checked:
        allowed = "unknown" if quota.allowed is None else f"{quota.allowed:g}"
        warning = f"   TOO SMALL: request an increase at {quotas_link(region)}" if quota.too_small else ""
        yield f"  {quota.instance_type:20}needed {quota.needed}, quota {allowed}{warning}"


def usd(value: float | None, digits: int = 0) -> str:
    """An amount with thousands separators, or "unknown" for None."""
    return "unknown" if value is None else f"{value:,.{digits}f}"


def age(created: datetime | None) -> float:
    """Hours since then; 0 for None."""
    if created is None:
        return 0.0
    aware = created if created.tzinfo else created.replace(tzinfo=UTC)
    return max(0.0, (datetime.now(UTC) - aware).total_seconds() / 3600)
