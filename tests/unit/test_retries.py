"""The retry policy: number of attempts, pauses, and the error that is raised in the end."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from rag.retries import RetryPolicy


def failing(*errors: Exception) -> Callable[[], str]:
    """Raises each of them in turn, then answers."""
    left = iter(errors)

    def attempt() -> str:
        if (error := next(left, None)) is not None:
            raise error
        return "answer"

    return attempt


def transient(error: BaseException) -> bool:
    return isinstance(error, ConnectionError)


def test_a_result_ends_it_and_each_failure_is_waited_out() -> None:
    pauses: list[float] = []
    policy = RetryPolicy(first_pause=0.5, longest_pause=1.0)
    attempt = failing(*[ConnectionError()] * 50)
    assert policy.call(attempt, retryable=transient, sleep=pauses.append) == "answer"
    assert len(pauses) == 50
    assert pauses[0] <= 0.5 and max(pauses) <= 1.0 and len(set(pauses)) > 40


def test_the_pause_before_the_second_retry_is_up_to_twice_the_first() -> None:
    seconds: list[float] = []
    for _ in range(200):
        pauses: list[float] = []
        RetryPolicy(first_pause=1.0, longest_pause=60.0).call(
            failing(*[ConnectionError()] * 3), retryable=transient, sleep=pauses.append
        )
        seconds.append(max(pauses))
    assert 2.0 < max(seconds) <= 4.0


def test_the_last_error_comes_out_as_it_is() -> None:
    errors = [ConnectionError(str(number)) for number in range(5)]
    with pytest.raises(ConnectionError, match="2"):
        RetryPolicy(3, first_pause=0.0).call(failing(*errors), retryable=transient)
    with pytest.raises(ZeroDivisionError):
        RetryPolicy(first_pause=0.0).call(failing(ConnectionError(), ZeroDivisionError()), retryable=transient)


def test_no_pause_takes_what_is_left_of_the_time() -> None:
    left = itertools.chain([10.0, 10.0], itertools.repeat(0.0))
    slept: list[float] = []
    with pytest.raises(ConnectionError, match="2"):
        RetryPolicy(first_pause=1.0).call(
            failing(*[ConnectionError(str(number)) for number in range(5)]),
            retryable=transient,
            remaining=lambda: next(left),
            sleep=slept.append,
        )
    assert len(slept) == 2
