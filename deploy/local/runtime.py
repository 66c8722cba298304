"""The SageMaker runtime over HTTP: a request of InvokeEndpoint or InvokeEndpointWithResponseStream, and its response.

It checks the service's limits, injects the endpoint's faults, and sends what the container answers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from deploy.local import encoders, event_stream, generation, generation_bodies
from deploy.local.connection import ClientConnection
from deploy.local.errors import ACCOUNT, VARIANT, ContainerError, ServiceError, model_error
from deploy.local.model_server import ModelServer
from deploy.local.spec import EndpointSpec, Fault
from deploy.local.streaming import StreamSender, wait_until

PREFIX = "x-amzn-sagemaker-"
_ERROR_FAULTS = {
    "throttle": ("ThrottlingException", "Rate exceeded"),
    "not_ready": ("ModelNotReadyException", "Model is not ready for inference"),
    "unavailable": ("ServiceUnavailable", "The service is temporarily unavailable"),
    "internal": ("InternalFailure", "An internal failure occurred"),
    "dependency": ("InternalDependencyException", "Your request caused an exception with an internal dependency"),
}


class Runtime:
    """An ASGI application for one of the two operations. `serving`: returns the model server of an endpoint, or None."""

    def __init__(self, serving: Callable[[str], ModelServer | None], *, stream: bool) -> None:
        self._serving = serving
        self._stream = stream
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = ClientConnection(scope, receive, send)
        self._requests += 1
        headers = {"x-amzn-requestid": str(UUID(int=self._requests))}
        server: ModelServer | None = None
        try:
            body = await connection.body()
            server = self._find(connection)
            fault = server.begin(connection.headers)
            exchange = Exchange(
                connection, server, body, fault, headers | _new_session(connection.headers), stream=self._stream
            )
            if not await connection.run_until_disconnect(exchange.respond()) and not connection.is_aborted:
                server.counts["disconnects"] += 1
        except ServiceError as refusal:
            if server:
                server.counts["refusals"] += 1
            await connection.answer(refusal.status, refusal.body(), headers | refusal.headers)
        except ClientDisconnect:
            return

    def _find(self, connection: ClientConnection) -> ModelServer:
        name = connection.path_params["name"]
        if not connection.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256"):
            raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")
        server = self._serving(name)
        if server is None:
            raise ServiceError("ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
        if (variant := connection.headers.get(PREFIX + "target-variant", VARIANT)) != VARIANT:
            raise ServiceError("ValidationError", f"Variant {variant} not found for Endpoint {name}.")
        _check_component(connection.headers.get(PREFIX + "inference-component"), server.spec)
        return server


def _check_component(component: str | None, spec: EndpointSpec) -> None:
    """Raise ServiceError unless the request names an inference component exactly if the endpoint has any."""
    if spec.inference_components and component is None:
        raise ServiceError("ValidationError", f"Inference Component Name header is required for endpoint {spec.name}.")
    if component is not None and component not in spec.inference_components:
        raise ServiceError("ValidationError", f"Inference Component {component} not found for endpoint {spec.name}.")


def _new_session(headers: Mapping[str, str]) -> dict[str, str]:
    """The header with a new session's ID if the request asks for one."""
    requested = headers.get(PREFIX + "session-id") == "NEW_SESSION"
    return {PREFIX + "new-session-id": "session-1; Expires=2099-01-01T00:00:00Z"} if requested else {}


@dataclass
class Exchange:
    """One request and its response. `stream`: whether the streaming operation was called."""

    connection: ClientConnection
    server: ModelServer
    body: bytes
    fault: Fault | None
    headers: dict[str, str]
    stream: bool

    async def respond(self) -> None:
        """Send the response within the endpoint's concurrency limit. Raises ServiceError before the first byte is sent."""
        spec = self.server.spec
        if len(self.body) > spec.payload_bytes:
            raise ServiceError("413", f"HTTP content length exceeded {spec.payload_bytes} bytes.")
        if self.fault:
            self.server.counts["faults"] += 1
            await self._fail_early(self.fault)
        self.headers["x-amzn-invoked-production-variant"] = VARIANT
        async with self.server.working():
            try:
                if spec.body_limit and len(self.body) > spec.body_limit:
                    raise ContainerError(413, "Failed to buffer the request body: length limit exceeded")
                request = _json_object(self.body)
                await (self._generate(request) if spec.task == "generate" else self._encode(request))
            except ContainerError as error:
                raise model_error(spec.name, error.status, str(error)) from error

    async def _fail_early(self, fault: Fault) -> None:
        """Inject the faults that occur before the container receives the request."""
        if fault.kind in _ERROR_FAULTS:
            raise ServiceError(*_ERROR_FAULTS[fault.kind])
        if fault.kind == "model_error":
            raise model_error(self.server.spec.name, fault.status, fault.message)
        if fault.kind == "hang":
            await asyncio.sleep(fault.seconds)
        if fault.kind in ("reset", "hang"):
            await self.connection.abort()

    async def _encode(self, request: Mapping[str, Any]) -> None:
        spec, began = self.server.spec, time.monotonic()
        if spec.model == "local":  # it computes for a while, during which other requests are answered
            body, count = await asyncio.to_thread(encoders.answer, request, spec)
        else:
            body, count = encoders.answer(request, spec)
        self.server.counts["texts"] += count
        falsified = ("one_short", "not_finite") if spec.task == "embed" else ("one_short",)
        if self.fault and self.fault.kind in falsified:
            body = encoders.corrupt(body, self.fault.kind)
        await wait_until(began, spec.latency_ms + spec.per_text_ms * count, spec)
        await self._send_whole(body)

    async def _generate(self, request: Mapping[str, Any]) -> None:
        spec, began = self.server.spec, time.monotonic()
        generated = generation.generate(request, spec)
        self.server.counts["tokens"] += len(generated.tokens)
        requested = generated.stream or spec.format == "kullm"
        if self.stream and spec.can_stream and requested and not (self.fault and self.fault.kind == "not_json"):
            self.server.counts["streams"] += 1
            records = generation_bodies.streamed(generated, spec)
            await StreamSender(self.connection, records, spec, self.fault, began).send(self.headers)
            return
        per_token = 1000 / spec.tokens_per_second if spec.tokens_per_second else 0.0
        await wait_until(began, spec.latency_ms + per_token * len(generated.tokens), spec)
        await self._send_whole(generation_bodies.whole(generated, spec))

    async def _send_whole(self, body: bytes) -> None:
        """Send a complete body, as a single part if the streaming operation was called."""
        if self.fault and self.fault.kind == "not_json":
            body = b"<html><body>It works!</body></html>"
        content_type = "application/json"
        if self.stream:
            self.headers["x-amzn-sagemaker-content-type"] = content_type
            body, content_type = event_stream.part(body), event_stream.CONTENT_TYPE
        headers = {**self.headers, "content-type": content_type, "content-length": str(len(body))}
        await self.connection.start(200, headers)
        if self.fault and self.fault.kind in ("drop", "stall"):
            await self.connection.write(body[: len(body) // 2])
            body = body[len(body) // 2 :]
            await (self.connection.abort() if self.fault.kind == "drop" else asyncio.sleep(self.fault.seconds))
        await self.connection.end(body)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise ContainerError(400, f"Failed to parse the request body as JSON: {exc}") from exc
    if not isinstance(payload, dict) or not isinstance(payload.get("parameters", {}), dict):
        raise ContainerError(422, "the request body and its parameters must be JSON objects")
    return payload
