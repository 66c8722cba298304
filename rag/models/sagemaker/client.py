"""One shared SageMaker runtime client per region: pool, deadlines, retries, errors of our own, and its threads.

Bytes in, bytes out: how a container spells prompts and vectors is no business of this module. The region, the credentials
and AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME come from boto3's own chain.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import random
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import botocore.session

from rag.errors import ModelError, ModelInterrupted, ModelTimeout, ModelUnavailable
from rag.models.aws_client import tracked_client
from rag.models.cancellation import ended_with_task
from rag.models.sockets import Call
from rag.models.threads import Threads, renewed_after_fork
from rag.models.vendor_errors import VENDOR_ERRORS, from_vendor

T = TypeVar("T")
JSON = "application/json"
ATTEMPTS = 4
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 4.0
THREADS = 64
_USER_AGENT = botocore.session.Session().user_agent()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Whom to ask. `session_id` keeps the calls of one conversation on one instance (a stateful session's id)."""

    name: str
    inference_component: str | None = None
    target_variant: str | None = None
    session_id: str | None = None

    def arguments(self) -> dict[str, str]:
        given = {
            "EndpointName": self.name,
            "InferenceComponentName": self.inference_component,
            "TargetVariant": self.target_variant,
            "SessionId": self.session_id,
        }
        return {name: value for name, value in given.items() if value}


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

    def invoke(self, endpoint: Endpoint, body: bytes, call: Call) -> bytes:
        """The container's whole answer. Raises ModelError and its kinds, never a vendor's."""

        def attempt() -> bytes:
            response = self.client.invoke_endpoint(**endpoint.arguments(), Body=body, ContentType=JSON, Accept=JSON)
            with closing(response["Body"]) as answer:
                return bytes(answer.read())

        try:
            return self._with_retries(attempt, endpoint, call)
        finally:
            call.release()

    def stream(self, endpoint: Endpoint, body: bytes, call: Call) -> Generator[bytes, None, None]:
        """The answer's parts as they come, cut anywhere. Closing the generator closes the connection.

        An end without an error may still be a broken answer: only the reader knows the format's end mark.
        """

        def attempt() -> tuple[Generator[bytes, None, None], bytes]:
            # With its first part, so that whatever fails until then can be tried again.
            response = self.client.invoke_endpoint_with_response_stream(
                **endpoint.arguments(), Body=body, ContentType=JSON
            )
            parts = _payloads(response["Body"])
            return parts, next(parts, b"")

        try:
            parts, first = self._with_retries(attempt, endpoint, call)
            with closing(parts):
                yield first
                yield from self._rest(parts, endpoint, call)
        finally:
            call.release()

    async def in_thread(self, function: Callable[..., T], *args: Any) -> T:
        """As asyncio.to_thread, on threads of our own: the loop's own pool has CPUs + 4, too few to wait on a network."""
        return await self._run(contextvars.copy_context(), function, *args)

    async def call_in_thread(self, function: Callable[..., T], *args: Any) -> T:
        """As `in_thread`; a task that is cancelled meanwhile ends the call of an endpoint that `function` makes."""
        with ended_with_task() as context:
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

    def _with_retries(self, attempt: Callable[[], T], endpoint: Endpoint, call: Call) -> T:
        for number in itertools.count(1):
            _check(call, endpoint)
            try:
                with call.active():
                    result = attempt()
                _check(call, endpoint)
                return result
            except VENDOR_ERRORS as exc:
                _check(call, endpoint)
                error = from_vendor(exc, endpoint.name)
                pause = _pause(number)
                if not _transient(error) or number >= self._attempts or pause >= call.remaining():
                    raise error from exc
            call.sleep(pause)
        raise ModelError(f"the endpoint {endpoint.name!r} gave no answer")  # the last attempt has raised already

    def _rest(self, parts: Iterator[bytes], endpoint: Endpoint, call: Call) -> Iterator[bytes]:
        while True:
            try:
                part = next(parts, None)
            except VENDOR_ERRORS as exc:
                _check(call, endpoint)
                raise from_vendor(exc, endpoint.name) from exc
            _check(call, endpoint)
            if part is None:
                return
            yield part


def shared_runtime(region: str | None = None, endpoint_url: str | None = None) -> Runtime:
    """The program's runtime for that region, made at first use: making a client takes a tenth of a second or more."""
    with _SHARED_LOCK:
        if (region, endpoint_url) not in _SHARED:
            _SHARED[region, endpoint_url] = Runtime(region, endpoint_url)
        return _SHARED[region, endpoint_url]


_SHARED: dict[tuple[str | None, str | None], Runtime] = {}
_SHARED_LOCK = threading.Lock()


def _payloads(events: Any) -> Generator[bytes, None, None]:
    with closing(events):
        for event in events:
            if part := event.get("PayloadPart", {}).get("Bytes"):
                yield part


def _check(call: Call, endpoint: Endpoint) -> None:
    """A socket shut by us looks like an error or like an end, whichever the reader meets first."""
    if call.ending == "expired":
        raise ModelTimeout(
            f"the endpoint {endpoint.name!r} did not answer within the deadline; raise it, or look at its load"
        )
    if call.ending == "cancelled":
        raise ModelInterrupted(f"the call of endpoint {endpoint.name!r} was cancelled")


def _transient(error: ModelError) -> bool:
    return isinstance(error, ModelUnavailable) and not isinstance(error, ModelTimeout)


def _pause(failures: int) -> float:
    """Seconds before the next try: anything up to a ceiling that doubles, so that clients do not come back in step."""
    return random.uniform(0.0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**failures))  # noqa: S311 - no secret depends on it
