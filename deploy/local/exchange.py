"""Handles one request of an endpoint: checks limits, injects faults, and sends the container's response."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from deploy.local import classification, embedding, event_stream, generation, records
from deploy.local.connection import ClientConnection
from deploy.local.errors import VARIANT, ContainerError, ServiceError, model_error
from deploy.local.model_server import ModelServer
from deploy.local.spec import Fault
from deploy.local.streaming import StreamSender, wait_until

_ERROR_FAULTS = {
    "throttle": ("ThrottlingException", "Rate exceeded"),
    "not_ready": ("ModelNotReadyException", "Model is not ready for inference"),
    "unavailable": ("ServiceUnavailable", "The service is temporarily unavailable"),
    "internal": ("InternalFailure", "An internal failure occurred"),
    "dependency": ("InternalDependencyException", "Your request caused an exception with an internal dependency"),
}


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
                match spec.task:
                    case "embed":
                        await self._embed()
                    case "classify":
                        await self._classify()
                    case _:
                        await self._generate()
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

    async def _embed(self) -> None:
        spec, began = self.server.spec, time.monotonic()
        if spec.model == "local":
            vectors, texts = await asyncio.to_thread(embedding.answer, self.body, spec)
        else:
            vectors, texts = embedding.answer(self.body, spec)
        self.server.counts["texts"] += texts
        if self.fault and self.fault.kind in ("one_short", "not_finite"):
            vectors = embedding.corrupt(vectors, self.fault.kind)
        await wait_until(began, spec.latency_ms + spec.per_text_ms * texts, spec)
        await self._whole(vectors)

    async def _classify(self) -> None:
        spec, began = self.server.spec, time.monotonic()
        scores, pairs = classification.answer(self.body, spec)
        self.server.counts["texts"] += pairs
        if self.fault and self.fault.kind == "one_short":
            scores = embedding.corrupt(scores, self.fault.kind)
        await wait_until(began, spec.latency_ms + spec.per_text_ms * pairs, spec)
        await self._whole(scores)

    async def _generate(self) -> None:
        spec, began = self.server.spec, time.monotonic()
        made = generation.generate(self.body, spec)
        self.server.counts["tokens"] += len(made.tokens)
        requested = made.stream or spec.format == "kullm"
        if self.stream and spec.can_stream and requested and not (self.fault and self.fault.kind == "not_json"):
            self.server.counts["streams"] += 1
            sender = StreamSender(self.connection, records.streamed(made, spec), spec, self.fault, began)
            await sender.send(self.headers)
            return
        per_token = 1000 / spec.tokens_per_second if spec.tokens_per_second else 0.0
        await wait_until(began, spec.latency_ms + per_token * len(made.tokens), spec)
        await self._whole(records.whole(made, spec))

    async def _whole(self, body: bytes) -> None:
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
