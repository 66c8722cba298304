"""One policy for trying a failed call again, for models and stores alike. Knows neither; does no I/O itself."""

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
    """How often a call is made, and how long is waited in between.

    `attempts`: calls in all at most; None: time alone is the limit. The n-th pause is random between 0 and
    `first_pause` * 2**(n-1) seconds, `longest_pause` at most: "full jitter", so that clients do not come back in step
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
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
        """The first result of `attempt`. Raises its own last error: one that is not `retryable`, that of the last
        attempt, or the one after which a pause would take what is `remaining` (seconds, asked after each failure).
        """

        def is_last(state: RetryCallState) -> bool:
            # A pause that ends after the time is up would only delay the error.
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
