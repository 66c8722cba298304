"""Sends a streamed response: its records in time, split into parts, optionally at inconvenient places, with faults."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deploy.local import event_stream
from deploy.local.connection import ClientConnection
from deploy.local.errors import timed_out
from deploy.local.generation_bodies import Stream
from deploy.local.spec import EndpointSpec, Fault


async def wait_until(began: float, after_ms: float, spec: EndpointSpec) -> None:
    """Wait until `after_ms` after `began` (time.monotonic). Raises ServiceError if that exceeds `spec.invoke_seconds`."""
    due = began + min(after_ms / 1000, spec.invoke_seconds)
    await asyncio.sleep(max(0.0, due - time.monotonic()))
    if time.monotonic() - began > spec.invoke_seconds:
        raise timed_out(spec.name)


@dataclass
class StreamSender:
    """Sends each token at its time after `began`, and injects the fault if it is one of streams."""

    connection: ClientConnection
    stream: Stream
    spec: EndpointSpec
    fault: Fault | None
    began: float

    async def send(self, headers: Mapping[str, str]) -> None:
        """Send the stream, up to the fault if there is one. Raises ServiceError only before the first byte."""
        await wait_until(self.began, self.spec.latency_ms, self.spec)
        types = {"content-type": event_stream.CONTENT_TYPE, "x-amzn-sagemaker-content-type": self.stream.content_type}
        await self.connection.start(200, {**headers, **types})
        sent = 0
        for position, group in self._groups():
            if await self._wait_or_time_out(position) or await self._inject_fault(sent):
                return
            await self.connection.write(b"".join(event_stream.part(part) for part in split_parts(group, self.spec)))
            sent = position + 1
        await self.connection.end()

    def _groups(self) -> Iterator[tuple[int, bytes]]:
        """The bytes of each group of `coalesce` records, with the index of its last token."""
        records: Sequence[bytes] = (*self.stream.tokens, *self.stream.end)
        if not self.spec.last_newline:
            records = without_last_newline(records)
        last = max(0, len(self.stream.tokens) - 1)
        for start in range(0, len(records), self.spec.coalesce):
            group = records[start : start + self.spec.coalesce]
            yield min(start + len(group) - 1, last), b"".join(group)

    async def _wait_or_time_out(self, position: int) -> bool:
        """Wait for the time of a token; end the stream and return True if it exceeds `stream_seconds`."""
        per_token = 1 / self.spec.tokens_per_second if self.spec.tokens_per_second else 0.0
        after = self.spec.latency_ms / 1000 + per_token * position
        if after > self.spec.stream_seconds:
            text = "Your model took too long to stream its whole answer."
            await self.connection.end(
                event_stream.failure("ModelStreamError", text, ErrorCode="ModelInvocationTimeExceeded")
            )
            return True
        if (left := self.began + after - time.monotonic()) > 0:
            await asyncio.sleep(left)
        return False

    async def _inject_fault(self, sent: int) -> bool:
        """Inject the fault once `fault.after` tokens are sent; returns True if that ended the stream."""
        fault = self.fault
        if fault is None or sent < min(fault.after, len(self.stream.tokens)):
            return False
        self.fault = None
        match fault.kind:
            case "drop":
                await self.connection.abort()
            case "stall":
                await asyncio.sleep(fault.seconds)
                return False
            case "truncate":
                await self.connection.end()
            case "container_error":
                await self.connection.end(event_stream.part(self.stream.error))
            case "finish_error":
                await self.connection.end(event_stream.part(self.stream.finish_error))
            case "stream_error":
                await self.connection.end(
                    event_stream.failure("ModelStreamError", fault.message, ErrorCode="StreamBroken")
                )
            case "stream_failure":
                await self.connection.end(event_stream.failure("InternalStreamFailure", fault.message))
            case _:
                return False
        return True


def split_parts(data: bytes, spec: EndpointSpec) -> Iterator[bytes]:
    """Split bytes into the parts in which they are sent, by `split_syllables` or `part_bytes` of the spec."""
    if spec.split_syllables:
        yield from _inside_characters(data)
    elif spec.part_bytes:
        yield from (data[start : start + spec.part_bytes] for start in range(0, len(data), spec.part_bytes))
    elif data:
        yield data


def without_last_newline(records: Sequence[bytes]) -> list[bytes]:
    """The records without the newlines at the end of the last ones."""
    remaining = list(records)
    while remaining and not (last := remaining.pop().rstrip(b"\n")):
        pass
    return [*remaining, last] if records and last else remaining


def _inside_characters(data: bytes) -> Iterator[bytes]:
    """Split after the first byte of every multi-byte character."""
    start = 0
    for position, byte in enumerate(data):
        if byte >= 0xC0:
            yield data[start : position + 1]
            start = position + 1
    if start < len(data):
        yield data[start:]
