"""A streamed answer on the wire: its records in time, cut into parts, with whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deploy.local import framing
from deploy.local.caller import Caller
from deploy.local.parts import cut, unended
from deploy.local.records import Stream
from deploy.local.spec import EndpointSpec, Fault
from deploy.local.wire import timed_out


async def until(began: float, after_ms: float, spec: EndpointSpec) -> None:
    """Wait until so long after `began` (of time.monotonic). Raises Refusal where the service would not wait for that."""
    due = began + min(after_ms / 1000, spec.invoke_seconds)
    await asyncio.sleep(max(0.0, due - time.monotonic()))
    if time.monotonic() - began > spec.invoke_seconds:
        raise timed_out(spec.name)


@dataclass
class StreamSender:
    """Sends each token at its own time after `began`. The fault, if it is one of a stream, ends it or holds it up once."""

    caller: Caller
    stream: Stream
    spec: EndpointSpec
    fault: Fault | None
    began: float

    async def send(self, headers: Mapping[str, str]) -> None:
        """Send all of the stream, or what the fault leaves of it. Raises Refusal before the first byte only."""
        await until(self.began, self.spec.latency_ms, self.spec)
        types = {"content-type": framing.CONTENT_TYPE, "x-amzn-sagemaker-content-type": self.stream.content_type}
        await self.caller.start(200, {**headers, **types})
        sent = 0
        for position, group in self._groups():
            if await self._out_of_time(position) or await self._fails(sent):
                return
            await self.caller.write(b"".join(framing.part(part) for part in cut(group, self.spec)))
            sent = position + 1
        await self.caller.end()

    def _groups(self) -> Iterator[tuple[int, bytes]]:
        """Bytes sent at once, and the last of their tokens, counted from 0."""
        records: Sequence[bytes] = (*self.stream.tokens, *self.stream.end)
        if not self.spec.last_newline:
            records = unended(records)
        last = max(0, len(self.stream.tokens) - 1)
        for start in range(0, len(records), self.spec.coalesce):
            group = records[start : start + self.spec.coalesce]
            yield min(start + len(group) - 1, last), b"".join(group)

    async def _out_of_time(self, position: int) -> bool:
        """Wait for that token's time; whether the service gives up on the stream instead."""
        per_token = 1 / self.spec.tokens_per_second if self.spec.tokens_per_second else 0.0
        after = self.spec.latency_ms / 1000 + per_token * position
        if after > self.spec.stream_seconds:
            text = "Your model took too long to stream its whole answer."
            await self.caller.end(framing.failure("ModelStreamError", text, ErrorCode="ModelInvocationTimeExceeded"))
            return True
        if (left := self.began + after - time.monotonic()) > 0:
            await asyncio.sleep(left)
        return False

    async def _fails(self, sent: int) -> bool:
        """Do what the fault says once its time has come; whether the stream is over."""
        fault = self.fault
        if fault is None or sent < min(fault.after, len(self.stream.tokens)):
            return False
        self.fault = None
        match fault.kind:
            case "drop":
                await self.caller.cut()
            case "stall":
                await asyncio.sleep(fault.seconds)
                return False
            case "truncate":
                await self.caller.end()
            case "container_error":
                await self.caller.end(framing.part(self.stream.error))
            case "finish_error":
                await self.caller.end(framing.part(self.stream.finish_error))
            case "stream_error":
                await self.caller.end(framing.failure("ModelStreamError", fault.message, ErrorCode="StreamBroken"))
            case "stream_failure":
                await self.caller.end(framing.failure("InternalStreamFailure", fault.message))
            case _:
                return False
        return True
