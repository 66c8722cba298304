"""One request that has found its endpoint: limits, faults, the container's work, and the answer."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from deploy.local import embedding, framing, generation, records
from deploy.local.caller import Caller
from deploy.local.served import Served
from deploy.local.spec import Fault
from deploy.local.streaming import StreamSender, until
from deploy.local.wire import VARIANT, ContainerError, Refusal, model_error

_ERROR_FAULTS = {
    "throttle": ("ThrottlingException", "Rate exceeded"),
    "not_ready": ("ModelNotReadyException", "Model is not ready for inference"),
    "unavailable": ("ServiceUnavailable", "The service is temporarily unavailable"),
    "internal": ("InternalFailure", "An internal failure occurred"),
    "dependency": ("InternalDependencyException", "Your request caused an exception with an internal dependency"),
}


@dataclass
class Exchange:
    """Raises Refusal until the answer has begun."""

    caller: Caller
    served: Served
    body: bytes
    fault: Fault | None
    headers: dict[str, str]
    stream: bool

    async def respond(self) -> None:
        """Answer, or raise Refusal. One of the endpoint's places is held for as long as it takes."""
        spec = self.served.spec
        if len(self.body) > spec.payload_bytes:
            raise Refusal("413", f"HTTP content length exceeded {spec.payload_bytes} bytes.")
        if self.fault:
            self.served.counts["faults"] += 1
            await self._fail_early(self.fault)
        self.headers["x-amzn-invoked-production-variant"] = VARIANT
        async with self.served.working():
            try:
                if spec.body_limit and len(self.body) > spec.body_limit:
                    raise ContainerError(413, "Failed to buffer the request body: length limit exceeded")
                await (self._embed() if spec.task == "embed" else self._generate())
            except ContainerError as error:
                raise model_error(spec.name, error.status, str(error)) from error

    async def _fail_early(self, fault: Fault) -> None:
        """Faults that come before the container is asked."""
        if fault.kind in _ERROR_FAULTS:
            raise Refusal(*_ERROR_FAULTS[fault.kind])
        if fault.kind == "model_error":
            raise model_error(self.served.spec.name, fault.status, fault.message)
        if fault.kind == "hang":
            await asyncio.sleep(fault.seconds)
        if fault.kind in ("reset", "hang"):
            await self.caller.cut()

    async def _embed(self) -> None:
        spec, began = self.served.spec, time.monotonic()
        if spec.model == "local":
            vectors, texts = await asyncio.to_thread(embedding.answer, self.body, spec)
        else:
            vectors, texts = embedding.answer(self.body, spec)
        self.served.counts["texts"] += texts
        if self.fault and self.fault.kind in ("one_short", "not_finite"):
            vectors = embedding.corrupt(vectors, self.fault.kind)
        await until(began, spec.latency_ms + spec.per_text_ms * texts, spec)
        await self._whole(vectors)

    async def _generate(self) -> None:
        spec, began = self.served.spec, time.monotonic()
        made = generation.generate(self.body, spec)
        self.served.counts["tokens"] += len(made.tokens)
        requested = made.stream or spec.format == "kullm"
        if self.stream and spec.can_stream and requested and not (self.fault and self.fault.kind == "not_json"):
            self.served.counts["streams"] += 1
            sender = StreamSender(self.caller, records.streamed(made, spec), spec, self.fault, began)
            await sender.send(self.headers)
            return
        per_token = 1000 / spec.tokens_per_second if spec.tokens_per_second else 0.0
        await until(began, spec.latency_ms + per_token * len(made.tokens), spec)
        await self._whole(records.whole(made, spec))

    async def _whole(self, body: bytes) -> None:
        """The container's one body; of the streaming operation as one part."""
        if self.fault and self.fault.kind == "not_json":
            body = b"<html><body>It works!</body></html>"
        content_type = "application/json"
        if self.stream:
            self.headers["x-amzn-sagemaker-content-type"] = content_type
            body, content_type = framing.part(body), framing.CONTENT_TYPE
        headers = {**self.headers, "content-type": content_type, "content-length": str(len(body))}
        await self.caller.start(200, headers)
        if self.fault and self.fault.kind in ("drop", "stall"):
            await self.caller.write(body[: len(body) // 2])
            body = body[len(body) // 2 :]
            await (self.caller.cut() if self.fault.kind == "drop" else asyncio.sleep(self.fault.seconds))
        await self.caller.end(body)
