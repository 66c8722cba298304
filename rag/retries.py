"""What is done about calls that fail, for models and stores: RetryPolicy repeats them after random exponential pauses, and
CircuitBreaker refuses them while a model keeps failing, except for occasional probes. No I/O.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from rag.errors import ModelPaused, ModelUnavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The number of attempts and the pauses between them.

    `attempts`: the most attempts in all; None: only the remaining time limits them. The n-th pause is random between 0 and
    the smaller of `first_pause` * 2**(n-1) and `longest_pause` seconds ("full jitter", so that clients do not retry at the
    same time; https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """

    attempts: int | None = None
    first_pause: float = 0.5
    longest_pause: float = 4.0

    def call(
        self,
        attempt: Callable[[], T],
        *,
        retryable: Callable[[BaseException], bool],
        remaining: Callable[[], float] = lambda: math.inf,
        sleep: Callable[[float], None] = time.sleep,
    ) -> T:
        """Call `attempt` until it succeeds, and return its result.

        Raises the error of `attempt` if it is not `retryable`, if it was the last attempt, or if the next pause would use
        up the seconds that `remaining` returns.
        """

        def is_last(state: RetryCallState) -> bool:
            # A pause beyond the remaining time would only delay the error.
            used_up = self.attempts is not None and state.attempt_number >= self.attempts
            return used_up or state.upcoming_sleep >= remaining()

        retrying = Retrying(
            retry=retry_if_exception(retryable),
            stop=is_last,
            wait=wait_random_exponential(multiplier=self.first_pause, max=self.longest_pause),
            sleep=sleep,
            reraise=True,
        )
        return retrying(attempt)


logger = logging.getLogger(__name__)
MAX_FAILURES = 2
"""Failures in a row after which a circuit opens."""
PROBE_SECONDS = 30.0
"""Seconds between probes while the circuit is open."""


class CircuitBreaker:
    """Opens after MAX_FAILURES calls in a row that raise ModelUnavailable (or ModelTimeout), and closes after a success.

    While it is open, one call every PROBE_SECONDS is allowed as a probe. A call that raises another error changes nothing,
    because the model answered or the caller cancelled. Thread-safe. `name` is that of the model in messages; `clock` returns
    seconds.
    """

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._next_try = 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Enclose one call of the model. Raises ModelPaused instead of running the block while the circuit is open."""
        self._admit()
        try:
            yield
        except ModelUnavailable:
            self._count_failure()
            raise
        self._count_success()

    def _admit(self) -> None:
        with self._lock:
            if self._failed < MAX_FAILURES:
                return
            if self._clock() < self._next_try:
                raise ModelPaused(
                    f"{self._name} failed {self._failed} times in a row; circuit open, probing every {PROBE_SECONDS:.0f} s"
                )
            # This call is the probe. The time of the next one is set now, in case this one never returns.
            self._next_try = self._clock() + PROBE_SECONDS

    def _count_failure(self) -> None:
        with self._lock:
            self._failed += 1
            self._next_try = self._clock() + PROBE_SECONDS
            # Logged only when the circuit opens, and not again for each failed probe.
            opened = self._failed == MAX_FAILURES
        if opened:
            logger.warning(
                "%s failed %d times in a row: circuit opened; probing every %.0f s",
                self._name,
                MAX_FAILURES,
                PROBE_SECONDS,
            )

    def _count_success(self) -> None:
        with self._lock:
            closed = self._failed >= MAX_FAILURES
            self._failed = 0
        if closed:
            logger.info("%s answered: circuit closed", self._name)
