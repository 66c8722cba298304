"""CircuitBreaker: while a model keeps failing, one call in a while probes it, and no other waits for it. Does no I/O itself."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag.errors import ModelPaused, ModelUnavailable

logger = logging.getLogger(__name__)
FAILURES = 2
"""In a row, by which a circuit opens."""
SECONDS = 30.0
"""Between the calls that are let through while it is open."""


class CircuitBreaker:
    """Opens after `failures` calls in a row that ended in ModelUnavailable or ModelTimeout, and closes by a success.

    While it is open, one call in `seconds` is let through. A call that ends in any other way changes nothing: the model
    was there, if of no use, or whoever waited has left. Thread-safe. `name`: the model, in messages; `clock`: seconds.
    """

    def __init__(
        self,
        name: str,
        *,
        failures: int = FAILURES,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._most = failures
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._next_try = 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around one call of the model. Raises ModelPaused in the place of the call, while open."""
        self._admit()
        try:
            yield
        except ModelUnavailable:
            self._count_failure()
            raise
        self._count_success()

    def _admit(self) -> None:
        with self._lock:
            if self._failed < self._most:
                return
            if self._clock() < self._next_try:
                raise ModelPaused(
                    f"{self._name} failed {self._failed} times in a row; circuit open, probing every {self._seconds:.0f} s"
                )
            # This call is the probe. The others wait from now on, also where it never comes back with a result.
            self._next_try = self._clock() + self._seconds

    def _count_failure(self) -> None:
        with self._lock:
            self._failed += 1
            self._next_try = self._clock() + self._seconds
            # Once, when it opens: each failed probe would say it again.
            opened = self._failed == self._most
        if opened:
            logger.warning(
                "%s failed %d times in a row: circuit opened; probing every %.0f s",
                self._name,
                self._most,
                self._seconds,
            )

    def _count_success(self) -> None:
        with self._lock:
            closed = self._failed >= self._most
            self._failed = 0
        if closed:
            logger.info("%s answered: circuit closed", self._name)
