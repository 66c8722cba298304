"""A shared SageMaker runtime client per region: connection pool, deadlines, retries, error translation and threads.

It sends and returns bytes; the payload formats are in other modules. The region, the credentials and
AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME come from boto3's configuration chain.
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

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from rag.models.aws_client import tracked_client
from rag.models.aws_errors import AWS_ERRORS, from_aws
from rag.models.cancellation import CancelScope, call_with_retries, cancelled_with_task
from rag.models.http_errors import STALLED, TIMED_OUT
from rag.models.threads import ForkSafeExecutor, reset_after_fork
from rag.retries import RetryPolicy

T = TypeVar("T")
JSON = "application/json"
ATTEMPTS = 4
FIRST_PAUSE = 0.5
"""The longest pause before the second attempt, in seconds."""
THREADS = 64
_USER_AGENT = botocore.session.Session().user_agent()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The target of a call. `session_id` is that of a stateful session, whose calls go to the same instance."""

    name: str
    inference_component: str | None = None
    target_variant: str | None = None
    session_id: str | None = None

    def __str__(self) -> str:
        return f"the endpoint {self.name!r}"

    def arguments(self) -> dict[str, str]:
        """Return the arguments for boto3's calls."""
        arguments = {
            "EndpointName": self.name,
            "InferenceComponentName": self.inference_component,
            "TargetVariant": self.target_variant,
            "SessionId": self.session_id,
        }
        return {name: value for name, value in arguments.items() if value}


class Runtime:
    """Calls endpoints of one region. Thread-safe. Raises only errors of rag.errors.

    Throttling, a model that is not ready, 5xx answers and broken connections are retried after random pauses: at most
    ATTEMPTS attempts in all, within the deadline of the call. A stream is not retried after its first part.
    """

    def __init__(self, region: str | None = None, endpoint_url: str | None = None) -> None:
        # Building the user agent twice per request and validating parameters would take a tenth of botocore's time.
        config = {"user_agent": _USER_AGENT, "parameter_validation": False}
        try:
            self.client = tracked_client("sagemaker-runtime", region, endpoint_url, **config)
        except AWS_ERRORS as exc:
            raise from_aws(exc, "sagemaker-runtime") from exc
        self._threads = ForkSafeExecutor(THREADS, "sagemaker")
        reset_after_fork(self)

    def invoke(self, endpoint: Endpoint, body: bytes, scope: CancelScope) -> bytes:
        """Return the container's whole answer. Raises ModelError."""

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
        """Yield the parts of the answer, which may be cut anywhere. Closing the generator closes the connection.

        An answer may be incomplete although the stream ends without an error: only the decoder knows the end mark.
        """

        def attempt() -> tuple[Any, Any, bytes | None]:
            # Includes the first part, so that failures before it are retried.
            with _translated_errors(endpoint, STALLED):
                response = self.client.invoke_endpoint_with_response_stream(
                    **endpoint.arguments(), Body=body, ContentType=JSON
                )
                events = iter(response["Body"])
                try:
                    return response["Body"], events, _next_part(events)
                except BaseException:
                    response["Body"].close()
                    raise

        # A single generator, because each token passes through every level between the socket and the page.
        try:
            connection, events, part = call_with_retries(attempt, scope, self._retries(), str(endpoint))
            with closing(connection):
                while part is not None:
                    yield part
                    try:
                        with _translated_errors(endpoint, STALLED):
                            part = _next_part(events)
                    finally:
                        scope.check(str(endpoint))  # replaces any error that a socket raises after the scope shut it
        finally:
            scope.release()

    async def in_thread(self, function: Callable[..., T], *args: Any) -> T:
        """Like asyncio.to_thread, but with THREADS threads: the default executor has CPUs + 4, too few for network calls."""
        return await self._run(contextvars.copy_context(), function, *args)

    async def call_in_thread(self, function: Callable[..., T], *args: Any) -> T:
        """Like `in_thread`; cancelling the task cancels the endpoint call that `function` makes."""
        with cancelled_with_task() as context:
            return await self._run(context, function, *args)

    async def _run(self, context: contextvars.Context, function: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(context.run, function, *args))

    def reset(self) -> None:
        """Close this process's copies of the pooled connections, which belong to the parent process and stay open there."""
        self.client.close()

    def __deepcopy__(self, memo: dict[int, Any]) -> Runtime:
        """Return the same object: a copy of a model uses the same connections."""
        return self

    def close(self) -> None:
        """Close threads and connections."""
        self._threads.shutdown()
        self.client.close()

    def _retries(self) -> RetryPolicy:
        # botocore's own retries have no deadline for the whole call and cannot be cancelled.
        return RetryPolicy(ATTEMPTS, first_pause=FIRST_PAUSE)


def shared_runtime(region: str | None = None) -> Runtime:
    """Return the program's runtime for a region, created on first use because creating a client takes 0.1 s or more."""
    with _SHARED_LOCK:
        if region not in _SHARED:
            _SHARED[region] = Runtime(region)
        return _SHARED[region]


_SHARED: dict[str | None, Runtime] = {}
_SHARED_LOCK = threading.Lock()


@contextmanager
def _translated_errors(endpoint: Endpoint, timed_out: str = TIMED_OUT) -> Iterator[None]:
    try:
        yield
    except AWS_ERRORS as exc:
        raise from_aws(exc, endpoint.name, timed_out=timed_out) from exc


def _next_part(events: Iterator[Any]) -> bytes | None:
    """Return the bytes of the next event that has some; None at the end."""
    for event in events:
        if part := event.get("PayloadPart", {}).get("Bytes"):
            return bytes(part)
    return None


_SECONDS = 5.0
_LISTED = 20


@dataclass(frozen=True, slots=True)
class EndpointDescription:
    """The state of an endpoint. `status` None: there is no endpoint of that name; `others` then has the names of the
    region's endpoints, newest first."""

    status: str | None
    region: str
    reason: str = ""
    others: tuple[str, ...] = ()
    components: tuple[str, ...] = ()


def describe_endpoint(name: str) -> EndpointDescription | None:
    """Describe an endpoint. Returns None if the control plane cannot be called; answering needs no permission for it."""
    # One attempt with short time-outs: the description only improves an error message.
    config = Config(
        connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 1, "mode": "standard"}
    )
    try:
        client: Any = boto3.session.Session().client("sagemaker", config=config)
    except AWS_ERRORS:
        return None
    except ValueError:  # botocore's error for an invalid address
        return None
    try:
        return _describe(client, name)
    except AWS_ERRORS:
        return None
    finally:
        client.close()


def _describe(client: Any, name: str) -> EndpointDescription:
    region = str(client.meta.region_name)
    try:
        endpoint = client.describe_endpoint(EndpointName=name)
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "ValidationException":
            raise
        # ValidationException: there is no endpoint of that name. The names of others help to find a typing error.
        listed = client.list_endpoints(MaxResults=_LISTED, SortBy="CreationTime", SortOrder="Descending")
        return EndpointDescription(None, region, others=tuple(each["EndpointName"] for each in listed["Endpoints"]))
    return EndpointDescription(
        endpoint["EndpointStatus"], region, endpoint.get("FailureReason", ""), components=_components(client, name)
    )


def _components(client: Any, name: str) -> tuple[str, ...]:
    try:
        listed = client.list_inference_components(EndpointNameEquals=name, MaxResults=_LISTED)
    except AWS_ERRORS:
        return ()
    return tuple(each["InferenceComponentName"] for each in listed["InferenceComponents"])
