"""One endpoint while it is served: its spec, the requests it has seen, and which fault the next one meets."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from deploy.local.spec import EndpointSpec, Fault


class Served:
    """Counts and limits of an endpoint. Used on the server's event loop only.

    Setting another spec starts the count of requests, and with it the faults, from the beginning.
    """

    def __init__(self, spec: EndpointSpec) -> None:
        self.counts: Counter[str] = Counter()
        self.active = 0
        self.peak = 0
        self.last_headers: dict[str, str] = {}
        self.set(spec)

    def set(self, spec: EndpointSpec) -> None:
        """Serve another spec from the next request on; its faults count requests from 1."""
        self.spec = spec
        self._requests = 0
        self._gate = asyncio.Semaphore(spec.concurrency) if spec.concurrency else None

    def begin(self, headers: Mapping[str, str]) -> Fault | None:
        """Count a request; the fault it meets, if any."""
        self._requests += 1
        self.counts["requests"] += 1
        self.last_headers = {name: value for name, value in headers.items() if name.startswith("x-amzn-sagemaker-")}
        return next((fault for fault in self.spec.faults if self._meets(fault)), None)

    def _meets(self, fault: Fault) -> bool:
        position = self._requests - fault.first
        if position < 0 or (fault.count is not None and position >= fault.count):
            return False
        dice = random.Random(f"{self.spec.seed} {fault.kind} {self._requests}")  # noqa: S311 - repeatable, no secret
        return dice.random() < fault.share

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Wait for one of the endpoint's places, and hold it."""
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
        """What was seen so far, and the SageMaker headers of the last request.

        Counts are `requests`, `streams`, `texts`, `tokens`, `disconnects` (the client went), `faults` and `refusals`.
        """
        return {
            "counts": dict(sorted(self.counts.items())),
            "active": self.active,
            "peak": self.peak,
            "last_headers": self.last_headers,
        }
