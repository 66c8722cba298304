"""Trying a model's call again within its scope. The policy itself is `rag.retries`, which the stores use too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rag.errors import ModelError, ModelTimeout, ModelUnavailable
from rag.models.cancellation import CancelScope
from rag.retries import RetryPolicy

T = TypeVar("T")


def call_with_retries(attempt: Callable[[], T], scope: CancelScope, policy: RetryPolicy, name: str) -> T:
    """The first result of `attempt`, which raises kinds of ModelError; its connections belong to `scope`.

    Tried again while the model is unavailable, as `policy` says and within the scope's deadline. Raises the last error,
    ModelTimeout at the deadline and ModelInterrupted where the scope is cancelled. `name`: the model's, in messages.
    """

    def checked() -> T:
        scope.check(name)
        try:
            with scope.active():
                result = attempt()
        except ModelError:
            scope.check(name)
            raise
        scope.check(name)
        return result

    return policy.call(checked, retryable=is_transient, remaining=scope.remaining, sleep=scope.sleep)


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed a moment later. A timeout is not: the call's time is used up."""
    return isinstance(error, ModelUnavailable) and not isinstance(error, ModelTimeout)
