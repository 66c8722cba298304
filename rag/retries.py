"""RetryPolicy: retries failed calls with random exponential pauses, for models and stores. Does no I/O itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

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
