"""Threads of models: executors that a forked process can use, and async methods that run the sync ones in a thread.

Fork copies executors, locks and sockets, but only the thread that forks. Without a reset, an executor would wait forever for
threads that do not exist, and two processes would share a connection.
"""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class ForkAware(Protocol):
    """An object with threads or connections of its process."""

    def reset(self) -> None:
        """Called in the child process after a fork."""


_OWNERS: weakref.WeakSet[ForkAware] = weakref.WeakSet()


def reset_after_fork(owner: ForkAware) -> None:
    """Call `owner.reset()` in each process that is forked while `owner` exists."""
    _OWNERS.add(owner)


def _reset_owners() -> None:
    for owner in list(_OWNERS):
        owner.reset()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_reset_owners)


class ForkSafeExecutor(Executor):
    """A ThreadPoolExecutor of at most `size` threads that can be used after a fork.

    `name` is the prefix of the threads' names. A deep copy, as of a model that has one, returns the same object.
    """

    def __init__(self, size: int, name: str) -> None:
        self._create = partial(ThreadPoolExecutor, size, thread_name_prefix=name)
        self._pool = self._create()
        reset_after_fork(self)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See `Executor.submit`."""
        return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See `Executor.shutdown`."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def reset(self) -> None:
        """Replace the executor: the old one would wait for threads that do not exist in this process."""
        self._pool = self._create()

    def __deepcopy__(self, memo: dict[int, Any]) -> ForkSafeExecutor:
        return self


class _Embedding(Protocol):
    def _get_query_embedding(self, query: str) -> list[float]: ...
    def _get_text_embedding(self, text: str) -> list[float]: ...
    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]: ...


class AsyncFromSync:
    """A mixin that comes before LlamaIndex's embedding class in the list of base classes, to override its async methods."""

    async def _aget_query_embedding(self: _Embedding, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embedding(self: _Embedding, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self: _Embedding, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)
