"""Breaker: a model that keeps failing is left alone for a while, so that not everybody waits for it. Does no I/O itself."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag.errors import ModelPaused, ModelUnavailable

logger = logging.getLogger(__name__)
FAILURES = 2
SECONDS = 30.0


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
                raise ModelPaused(f"{self._name} failed {self._failed} times in a row, and is not asked for a while")
            self._rest()  # for all others; also where this one never comes back to tell

    def _count_failure(self) -> None:
        with self._lock:
            self._failed += 1
            self._rest()
            opened = self._failed == self._most
        if opened:
            logger.warning(
                "%s failed %d times in a row: it is not asked for %.0f s, then once every %.0f s",
                *(self._name, self._most, self._seconds, self._seconds),
            )

    def _count_success(self) -> None:
        with self._lock:
            closed = self._failed >= self._most
            self._failed = 0
        if closed:
            logger.info("%s answers again", self._name)

    def _rest(self) -> None:
        self._next_try = self._clock() + self._seconds
