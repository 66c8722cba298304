"""Estimates the cost of a stack from the price table deploy/costs.toml and the stack file's [prices]. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from deploy.sizing import size
from deploy.stack import Stack

TABLE = Path(__file__).with_name("costs.toml")
MONTH_HOURS = 730.0


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of the cost table, in USD; None for an unknown price. `most`: a month with the most instances of autoscaling."""

    item: str
    amount: str
    hour: float | None
    month: float | None
    most: float | None


Price = Callable[[str, str], float | None]
"""USD for a unit, "hour" or "month", of an item of the table; None if unknown."""


@lru_cache(maxsize=1)
def table() -> dict[str, Any]:
    """The contents of deploy/costs.toml."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def costs(stack: Stack, region: str) -> list[Cost]:
    """The resources that are billed by the hour or the month; requests and traffic are not included."""

    def price(unit: str, item: str) -> float | None:
        if item in stack.prices:
            return stack.prices[item]
        known = table()[unit].get(item)
        return None if known is None else round(known * table()["factor"].get(region, 1.0), 4)

    return [*_endpoints(stack, price), *_domain(stack, price)]


def total(lines: Sequence[Cost], field: str) -> float | None:
    """The sum of a field over all lines, or None if one of them is unknown."""
    values = [getattr(line, field) for line in lines]
    return None if None in values else sum(values)


def _endpoints(stack: Stack, price: Price) -> Iterator[Cost]:
    hours = stack.schedule.hours_a_month if stack.schedule else MONTH_HOURS
    for _, endpoint in stack.endpoints():
        kind = str(endpoint.instance_type)
        one = price("hour", kind)
        now = _times(one, endpoint.instances)
        amount = f"{endpoint.instances} x {kind}, {hours:.0f} h a month"
        yield Cost(
            f"endpoint {endpoint.endpoint_name}",
            amount,
            now,
            _times(now, hours),
            _times(one, stack.most_instances(endpoint) * hours),
        )


def _domain(stack: Stack, price: Price) -> Iterator[Cost]:
    if not stack.opensearch:
        return
    nodes, sized = stack.opensearch.nodes, size(stack.opensearch)
    hour = _times(price("hour", sized.instance_type), nodes)
    month = _times(hour, MONTH_HOURS)
    yield Cost(f"domain {stack.opensearch.domain_name}", f"{nodes} x {sized.instance_type}", hour, month, month)
    disks = _times(price("month", "gp3 GB"), nodes * sized.storage_gb)
    yield Cost("its disks", f"{nodes} x {sized.storage_gb} GB gp3", None if disks is None else 0.0, disks, disks)
    if stack.opensearch.access != "role":
        secret = price("month", "secret")
        passwords = None if secret is None else 3 * secret
        yield Cost("its passwords", "3 secrets", None if secret is None else 0.0, passwords, passwords)


def _times(price: float | None, amount: float) -> float | None:
    return None if price is None else price * amount
