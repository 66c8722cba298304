"""LlamaIndex's callbacks and events around a model's methods, made only where someone listens.

Its decorators build several events per call and one per piece of an answer, handler or not: with 64 streams at once that
delayed the first token by a third (benchmarks/sagemaker_streaming.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from llama_index.core.llms import callbacks
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import DISPATCHER_SPAN_DECORATED_ATTR, Dispatcher
from llama_index_instrumentation.event_handlers import NullEventHandler
from llama_index_instrumentation.span_handlers import NullSpanHandler

F = TypeVar("F", bound=Callable[..., Any])


def observed(callback: Callable[[F], F]) -> Callable[[F], F]:
    """In place of `callback`, which is `llm_chat_callback()` or `llm_completion_callback()`: that and the method's span, or
    the bare method where the model has no callback handler and no rate limiter, and no dispatcher above it a handler.
    Looked up at each call.
    """

    def decorate(method: F) -> F:
        dispatchers = get_dispatcher(callbacks.__name__), get_dispatcher(method.__module__)
        told = dispatchers[1].span(callback(method))

        def chosen(model: Any) -> Callable[..., Any]:
            heard = model.callback_manager.handlers or model.rate_limiter or any(map(_has_handlers, dispatchers))
            return cast(Any, told if heard else method).__get__(model)  # type: ignore[no-any-return]

        if iscoroutinefunction(method):

            @wraps(method)
            async def call(model: Any, *args: Any, **kwargs: Any) -> Any:
                return await chosen(model)(*args, **kwargs)

        else:

            @wraps(method)
            def call(model: Any, *args: Any, **kwargs: Any) -> Any:
                return chosen(model)(*args, **kwargs)

        setattr(call, DISPATCHER_SPAN_DECORATED_ATTR, True)  # else LlamaIndex's base class adds a span to every call
        return cast(F, call)

    return decorate


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
