"""A fake endpoint over the emulator's HTTP server: it records requests, and a function decides each response.

It stands for a SageMaker runtime (`/endpoints/NAME/…`), a Bedrock runtime (`/model/ID/converse`, `…-stream`) and an
OpenAI-compatible server (`/v1/…`). The parts of a streamed answer are framed for SageMaker; for the other two they are sent
unchanged: `events` encodes those of Bedrock, `sse` those of OpenAI.

Server, connection and event stream are those of the emulator (deploy/local). `EndpointSpec` is for endpoints that behave as
containers do, this module for responses that no container gives.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from deploy.local import event_stream
from deploy.local.connection import ClientConnection
from deploy.local.server import ThreadServer
from rag.errors import ModelError, ModelTimeout


@dataclass(frozen=True)
class Request:
    endpoint: str
    streaming: bool
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """A response. `parts`: payloads of a streamed response; concatenated the body of another one.

    `wait`: seconds before the headers. `pause`: seconds before each part but the first. Both end when the client disconnects.
    `fault`: after the parts "drop" aborts the connection and "stall" sends nothing more; "drip" sends a byte of a header
    every 0.02 s instead of a response; any other value is the name of a stream exception.
    """

    parts: Sequence[bytes] = ()
    status: int = 200
    error: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    wait: float = 0.0
    pause: float = 0.0
    fault: str | None = None


def whole(value: Any) -> Reply:
    return Reply([json.dumps(value, ensure_ascii=False).encode()])


def error(status: int, kind: str, message: str = "", **fields: Any) -> Reply:
    """An error response of the service. `kind`: error code; `fields`: further fields, such as OriginalStatusCode."""
    return Reply(status=status, error=kind, fields={"Message": message, **fields})


def events(*named: tuple[str, Any]) -> list[bytes]:
    """The parts of a Bedrock stream. `named`: names of events and their JSON values."""
    headers = {":message-type": "event", ":content-type": "application/json"}
    return [event_stream.message({":event-type": name, **headers}, json.dumps(value).encode()) for name, value in named]


def sse(*values: Any) -> list[bytes]:
    """The parts of a stream of an OpenAI-compatible server, with the final [DONE]."""
    encoded = [json.dumps(value, ensure_ascii=False) for value in values]
    return [f"data: {text}\n\n".encode() for text in [*encoded, "[DONE]"]]


class FakeEndpoint:
    """A fake endpoint at `url`.

    `requests`: those received. `peak`: most concurrent requests. `arrived`: set with the first request. `hung_up`: set when
    a client disconnects before the response is complete. `reply` is called in a thread of its own, so it may wait for other
    requests.
    """

    def __init__(self, reply: Callable[[Request], Reply]) -> None:
        self.reply = reply
        self.requests: list[Request] = []
        self.peak = 0
        self.hung_up = threading.Event()
        self.arrived = threading.Event()
        self._at_once = 0
        self._threads = ThreadPoolExecutor(128)
        self._server = ThreadServer(self._serve)
        self._server.start()
        self.url = self._server.url

    def close(self) -> None:
        self._server.close()
        self._threads.shutdown(wait=False)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = ClientConnection(scope, receive, send)
        data = await connection.body()
        _, api, name, *operation = scope["path"].split("/")
        if scope["method"] == "GET":  # the endpoint is the last part of the path; not recorded in `requests`
            request = Request(scope["path"].rpartition("/")[2], False, None, connection.headers)
        else:
            body = json.loads(data)
            streaming = body.get("stream", False) if api == "v1" else operation[-1].endswith("stream")
            request = Request(name, bool(streaming), body, connection.headers)
            self.requests.append(request)
            self.arrived.set()
        if (
            not await connection.run_until_disconnect(self._reply(connection, request, api))
            and not connection.is_aborted
        ):
            self.hung_up.set()

    async def _reply(self, connection: ClientConnection, request: Request, api: str) -> None:
        self._at_once += 1
        self.peak = max(self.peak, self._at_once)
        try:
            reply = await asyncio.get_running_loop().run_in_executor(self._threads, self.reply, request)
            await _answer(connection, request, reply, api)
        finally:
            self._at_once -= 1  # before the loop can read the client's next request


async def _answer(connection: ClientConnection, request: Request, reply: Reply, api: str) -> None:
    await asyncio.sleep(reply.wait)
    if reply.fault == "drip":
        await _send_headers_slowly(connection)
    headers = {"content-type": "application/json"}
    if reply.error:
        body = json.dumps(reply.fields).encode()
        await connection.answer(reply.status, body, {**headers, "x-amzn-errortype": reply.error})
        return
    if request.streaming:
        await _stream(connection, reply, api)
    if reply.fault == "drop":
        await connection.abort()
    if reply.fault == "stall":
        await asyncio.Event().wait()
    if request.streaming:
        await connection.end(event_stream.failure(reply.fault, "out of memory") if reply.fault else b"")
    else:
        await connection.answer(reply.status, b"".join(reply.parts), headers)


async def _stream(connection: ClientConnection, reply: Reply, api: str) -> None:
    await connection.start(200, {"content-type": "text/event-stream" if api == "v1" else event_stream.CONTENT_TYPE})
    for number, part in enumerate(reply.parts):
        await asyncio.sleep(reply.pause if number else 0)
        await connection.write(event_stream.part(part) if api == "endpoints" else part)


async def _send_headers_slowly(connection: ClientConnection) -> None:
    connection.write_raw(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        await asyncio.sleep(0.02)
        connection.write_raw(b"x")


def times_out(start: Callable[[float], tuple[FakeEndpoint, Callable[[], Any]]]) -> FakeEndpoint:
    """Check that a call ends with ModelTimeout at its deadline and disconnects; returns the endpoint it called.

    `start(seconds)` returns an endpoint and a call with that deadline. On a machine under load a short deadline may pass
    before the request arrives; then a longer one is tried.
    """
    for seconds in (0.3, 3.0, 30.0):
        fake, call = start(seconds)
        with pytest.raises(ModelError) as raised:
            call()
        if fake.arrived.is_set():
            break
    assert isinstance(raised.value, ModelTimeout)
    assert fake.hung_up.wait(60)
    return fake


async def cancelled_while_waiting(fake: FakeEndpoint, work: Awaitable[Any]) -> None:
    """Cancel a task that awaits `work` once its request has arrived, and check that the client disconnects."""
    task = asyncio.ensure_future(work)
    await asyncio.to_thread(fake.arrived.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(fake.hung_up.wait, 60)
