"""ModelServer: the runtime state of one endpoint: its spec, counts of requests, and the next fault."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from deploy.local.spec import EndpointSpec, Fault


class ModelServer:
    """Counts and limits of an endpoint. To be used on the server's event loop only."""

    def __init__(self, spec: EndpointSpec) -> None:
        self.counts: Counter[str] = Counter()
        self.active = 0
        self.peak = 0
        self.last_headers: dict[str, str] = {}
        self.set(spec)

    def set(self, spec: EndpointSpec) -> None:
        """Replace the spec from the next request on; its faults count requests from 1."""
        self.spec = spec
        self._requests = 0
        self._gate = asyncio.Semaphore(spec.concurrency) if spec.concurrency else None

    def begin(self, headers: Mapping[str, str]) -> Fault | None:
        """Count a request, and return the fault to inject, or None."""
        self._requests += 1
        self.counts["requests"] += 1
        self.last_headers = {name: value for name, value in headers.items() if name.startswith("x-amzn-sagemaker-")}
        return next((fault for fault in self.spec.faults if self._is_due(fault)), None)

    def _is_due(self, fault: Fault) -> bool:
        position = self._requests - fault.first
        if position < 0 or (fault.count is not None and position >= fault.count):
            return False
        dice = random.Random(f"{self.spec.seed} {fault.kind} {self._requests}")  # noqa: S311 - repeatable, no secret
        return dice.random() < fault.share

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Hold one of the `concurrency` slots of the endpoint, waiting for a free one."""
        gate = self._gate
        if gate:
            await gate.acquire()
        self.active += 1
        self.peak = max(self.peak, self.active)
        try:
            yield
        finally:
            self.active -= 1
            if gate:
                gate.release()

    def stats(self) -> dict[str, Any]:
        """Counts so far, active and peak number of concurrent requests, and the SageMaker headers of the last request.

        Counts are `requests`, `streams`, `texts`, `tokens`, `disconnects`, `faults` and `refusals` (error responses).
        """
        return {
            "counts": dict(sorted(self.counts.items())),
            "active": self.active,
            "peak": self.peak,
            "last_headers": self.last_headers,
        }
