"""One shared SageMaker runtime client per region: pool, deadlines, retries, errors of our own, and its threads.

Bytes in, bytes out: how a container spells prompts and vectors is no business of this module. The region, the credentials
and AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME come from boto3's own chain.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import botocore.session

from rag.models.aws_client import tracked_client
from rag.models.cancellation import CancelScope, call_with_retries, cancelled_with_task
from rag.models.threads import Threads, renewed_after_fork
from rag.models.vendor_errors import SILENT, TIMED_OUT, VENDOR_ERRORS, from_vendor
from rag.retries import RetryPolicy

T = TypeVar("T")
JSON = "application/json"
ATTEMPTS = 4
FIRST_PAUSE = 0.5
"""Seconds, at most, before the second attempt."""
THREADS = 64
_USER_AGENT = botocore.session.Session().user_agent()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Whom to ask. `session_id` keeps the calls of one conversation on one instance (a stateful session's id)."""

    name: str
    inference_component: str | None = None
    target_variant: str | None = None
    session_id: str | None = None

    def __str__(self) -> str:
        return f"the endpoint {self.name!r}"

    def arguments(self) -> dict[str, str]:
        """Those of boto3's calls."""
        arguments = {
            "EndpointName": self.name,
            "InferenceComponentName": self.inference_component,
            "TargetVariant": self.target_variant,
            "SessionId": self.session_id,
        }
        return {name: value for name, value in arguments.items() if value}


class Runtime:
    """Calls endpoints of one region. Thread-safe. Raises errors of rag.errors alone.

    Throttling, a model that is not ready, 5xx answers and broken connections are tried again, `attempts` times in all
    and within the call's deadline, after random pauses; a stream never after its first part.
    """

    def __init__(self, region: str | None = None, endpoint_url: str | None = None, *, attempts: int = ATTEMPTS) -> None:
        # botocore would put its name together twice a request, and check our arguments' types: a tenth of its work.
        spared = {"user_agent": _USER_AGENT, "parameter_validation": False}
        try:
            self.client = tracked_client("sagemaker-runtime", region, endpoint_url, **spared)
        except VENDOR_ERRORS as exc:
            raise from_vendor(exc, "sagemaker-runtime") from exc
        self._attempts = attempts
        self._threads = Threads(THREADS, "sagemaker")
        renewed_after_fork(self)

    def invoke(self, endpoint: Endpoint, body: bytes, scope: CancelScope) -> bytes:
        """The container's whole answer. Raises ModelError and its kinds, never a vendor's."""

        def attempt() -> bytes:
            with _translated_errors(endpoint):
                response = self.client.invoke_endpoint(**endpoint.arguments(), Body=body, ContentType=JSON, Accept=JSON)
                with closing(response["Body"]) as answer:
                    return bytes(answer.read())

        try:
            return call_with_retries(attempt, scope, self._retries(), str(endpoint))
        finally:
            scope.release()

    def stream(self, endpoint: Endpoint, body: bytes, scope: CancelScope) -> Generator[bytes, None, None]:
        """The answer's parts as they come, cut anywhere. Closing the generator closes the connection.

        An end without an error may still be a broken answer: only the reader knows the format's end mark.
        """

        def attempt() -> tuple[Any, Any, bytes | None]:
            # With its first part, so that whatever fails until then can be tried again.
            with _translated_errors(endpoint, SILENT):
                response = self.client.invoke_endpoint_with_response_stream(
                    **endpoint.arguments(), Body=body, ContentType=JSON
                )
                events = iter(response["Body"])
                try:
                    return response["Body"], events, _next_part(events)
                except BaseException:
                    response["Body"].close()
                    raise

        # One level of iteration for all of it: a token passes each level between the socket and the page.
        try:
            connection, events, part = call_with_retries(attempt, scope, self._retries(), str(endpoint))
            with closing(connection):
                while part is not None:
                    yield part
                    try:
                        with _translated_errors(endpoint, SILENT):
                            part = _next_part(events)
                    finally:
                        scope.check(str(endpoint))  # also in the place of an error: a shut socket raises any
        finally:
            scope.release()

    async def in_thread(self, function: Callable[..., T], *args: Any) -> T:
        """As asyncio.to_thread, on threads of our own: the loop's own pool has CPUs + 4, too few to wait on a network."""
        return await self._run(contextvars.copy_context(), function, *args)

    async def call_in_thread(self, function: Callable[..., T], *args: Any) -> T:
        """As `in_thread`; a task that is cancelled meanwhile ends the call of an endpoint that `function` makes."""
        with cancelled_with_task() as context:
            return await self._run(context, function, *args)

    async def _run(self, context: contextvars.Context, function: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(context.run, function, *args))

    def renew(self) -> None:
        """The pooled connections are the other process's: closing our copies leaves those open."""
        self.client.close()

    def __deepcopy__(self, memo: dict[int, Any]) -> Runtime:
        """A copy of a model calls through the same connections."""
        return self

    def close(self) -> None:
        """Give back threads and connections; for tests and programs that end."""
        self._threads.shutdown()
        self.client.close()

    def _retries(self) -> RetryPolicy:
        # Ours, not botocore's: its own retries know no deadline for the call as a whole, and cannot be cancelled.
        return RetryPolicy(self._attempts, first_pause=FIRST_PAUSE)


def shared_runtime(region: str | None = None, endpoint_url: str | None = None) -> Runtime:
    """The program's runtime for that region, made at first use: making a client takes a tenth of a second or more."""
    with _SHARED_LOCK:
        if (region, endpoint_url) not in _SHARED:
            _SHARED[region, endpoint_url] = Runtime(region, endpoint_url)
        return _SHARED[region, endpoint_url]


_SHARED: dict[tuple[str | None, str | None], Runtime] = {}
_SHARED_LOCK = threading.Lock()


@contextmanager
def _translated_errors(endpoint: Endpoint, timed_out: str = TIMED_OUT) -> Iterator[None]:
    try:
        yield
    except VENDOR_ERRORS as exc:
        raise from_vendor(exc, endpoint.name, timed_out=timed_out) from exc


def _next_part(events: Iterator[Any]) -> bytes | None:
    """The bytes of the next event that has any; None at the end."""
    for event in events:
        if part := event.get("PayloadPart", {}).get("Bytes"):
            return bytes(part)
    return None
