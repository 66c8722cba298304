"""What a forked process has to make again: fork copies pools, locks and sockets, but of the threads only the one that forks.

Left as they are, a pool would wait for ever for threads that it had, and two processes would read from one connection.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Renewed(Protocol):
    """What has threads or connections of its own process."""

    def renew(self) -> None:
        """Called in the new process, before anything else."""


_OWNERS: weakref.WeakSet[Renewed] = weakref.WeakSet()


def renewed_after_fork(owner: Renewed) -> None:
    """Have `owner.renew()` called in each process forked from now on, as long as the owner lives."""
    _OWNERS.add(owner)


def _renew() -> None:
    for owner in list(_OWNERS):
        owner.renew()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_renew)


class Threads(Executor):
    """A pool of `size` threads at most, called `name`, that outlives a fork. A copy of it is itself: models are copied."""

    def __init__(self, size: int, name: str) -> None:
        self._made = partial(ThreadPoolExecutor, size, thread_name_prefix=name)
        self._pool = self._made()
        renewed_after_fork(self)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def renew(self) -> None:
        """A new pool: the old one would wait for ever for threads that this process has not."""
        self._pool = self._made()

    def __deepcopy__(self, memo: dict[int, Any]) -> Threads:
        return self
