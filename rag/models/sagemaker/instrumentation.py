"""LlamaIndex's callbacks and events around a model's methods, made only where someone listens.

It builds several events per call, one per piece of an answer and one with a copy of all vectors, handler or not: with 64
streams at once that delayed the first token by a third, and a thousand vectors by 30 ms (benchmarks/sagemaker_*.py).

Its wrapper of a stream does not close the stream that it wraps: that is done here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing, closing
from contextvars import ContextVar
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from llama_index.core.llms import callbacks
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import DISPATCHER_SPAN_DECORATED_ATTR, Dispatcher
from llama_index_instrumentation.event_handlers import NullEventHandler
from llama_index_instrumentation.span_handlers import NullSpanHandler

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R")
_WRAPPED: ContextVar[Any] = ContextVar("wrapped")
"""The stream that LlamaIndex's wrapper was made around last, in this thread or task."""


def observed(callback: Callable[[F], F]) -> Callable[[F], F]:
    """In place of `callback`, which is `llm_chat_callback()` or `llm_completion_callback()`: that and the method's span, or
    the bare method where it would have nothing to do. Looked up at each call.
    """

    def decorate(method: F) -> F:
        if iscoroutinefunction(method):

            @wraps(method)
            async def noted(model: Any, *args: Any, **kwargs: Any) -> Any:
                result = await method(model, *args, **kwargs)
                _WRAPPED.set(result)
                return result

            @wraps(method)
            async def call(model: Any, *args: Any, **kwargs: Any) -> Any:
                if not listened_to(model, callbacks.__name__, method.__module__):
                    return await method(model, *args, **kwargs)
                found = await told.__get__(model)(*args, **kwargs)
                return _aclosing_both(found, _wrapped()) if isinstance(found, AsyncGenerator) else found

        else:

            @wraps(method)
            def noted(model: Any, *args: Any, **kwargs: Any) -> Any:
                result = method(model, *args, **kwargs)
                _WRAPPED.set(result)
                return result

            @wraps(method)
            def call(model: Any, *args: Any, **kwargs: Any) -> Any:
                if not listened_to(model, callbacks.__name__, method.__module__):
                    return method(model, *args, **kwargs)
                found = told.__get__(model)(*args, **kwargs)
                return _closing_both(found, _wrapped()) if isinstance(found, Generator) else found

        del noted.__wrapped__  # by which LlamaIndex would take it for a method with its callbacks already
        told: Any = get_dispatcher(method.__module__).span(callback(cast(F, noted)))
        setattr(call, DISPATCHER_SPAN_DECORATED_ATTR, True)  # else LlamaIndex's base class adds a span to every call
        return cast(F, call)

    return decorate


def _wrapped() -> Any:
    """Once: nothing else shall keep a stream alive."""
    found = _WRAPPED.get()
    _WRAPPED.set(None)
    return found


def _closing_both(wrapper: Generator[R, None, None], wrapped: Any) -> Generator[R, None, None]:
    with closing(wrapped), closing(wrapper):
        yield from wrapper


async def _aclosing_both(wrapper: AsyncGenerator[R, None], wrapped: Any) -> AsyncGenerator[R, None]:
    async with aclosing(wrapped), aclosing(wrapper):
        async for each in wrapper:
            yield each


def listened_to(model: Any, *modules: str) -> bool:
    """Whether LlamaIndex has anything to do around a call of `model`: it has a callback handler or a rate limiter, or the
    dispatcher of one of these modules, or one above it, has a handler."""
    dispatchers = map(get_dispatcher, modules)
    return bool(model.callback_manager.handlers or model.rate_limiter or any(map(_has_handlers, dispatchers)))


def _has_handlers(dispatcher: Dispatcher) -> bool:
    nothing = (NullEventHandler, NullSpanHandler)
    return any(
        not isinstance(handler, nothing)
        for each in _with_parents(dispatcher)
        for handler in (*each.event_handlers, *each.span_handlers)
    )


def _with_parents(dispatcher: Dispatcher) -> Iterator[Dispatcher]:
    yield dispatcher
    while dispatcher.propagate:
        dispatcher = dispatcher.parent
        yield dispatcher
