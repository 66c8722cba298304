"""Scripted answers over the emulator's HTTP server: what a client sends is recorded, what it gets is a function's.

It stands for a SageMaker runtime (`/endpoints/NAME/…`), a Bedrock runtime (`/model/ID/converse`, `…-stream`) and an
OpenAI-compatible server (`/v1/…`). The parts of a streamed answer are framed for SageMaker; for the other two they go out as
they are: `events` frames Bedrock's, `sse` spells OpenAI's.

Server, connection and event-stream framing are the emulator's (deploy/local): `EndpointSpec` is for endpoints that behave as
containers do, this for answers that no container gives.
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
    """`parts` of a streamed answer are payloads; of a plain one, joined, the body.

    wait: seconds before the headers; pause: before each part but the first. The waits end early when the client hangs up.
    fault, after the parts: `drop` (the connection), `stall` (silence), `drip` (a byte of a header every .02 s, for
    ever, in the place of an answer) or the name of a stream exception.
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
    """An answer of the service itself; `fields` are the error's own, e.g. OriginalStatusCode."""
    return Reply(status=status, error=kind, fields={"Message": message, **fields})


def events(*named: tuple[str, Any]) -> list[bytes]:
    """A stream of Bedrock: names of events and their JSON."""
    headers = {":message-type": "event", ":content-type": "application/json"}
    return [event_stream.message({":event-type": name, **headers}, json.dumps(value).encode()) for name, value in named]


def sse(*values: Any) -> list[bytes]:
    """A stream of an OpenAI-compatible server, its end mark included."""
    spelled = [json.dumps(value, ensure_ascii=False) for value in values]
    return [f"data: {text}\n\n".encode() for text in [*spelled, "[DONE]"]]


class FakeEndpoint:
    """`url` to call; `requests` and `peak` (at once) to look at; `hung_up` is set when a client leaves a waiting reply.

    `reply` is called in a thread of its own, so it may wait for other requests.
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
        if scope["method"] == "GET":  # its endpoint is the path's last part; not among `requests`
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
        await _drip(connection)
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


async def _drip(connection: ClientConnection) -> None:
    connection.write_raw(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        await asyncio.sleep(0.02)
        connection.write_raw(b"x")


def times_out(start: Callable[[float], tuple[FakeEndpoint, Callable[[], Any]]]) -> FakeEndpoint:
    """The endpoint whose call ended at its deadline while the reply was waited for.

    `start(seconds)` makes an endpoint and a call of it that has so long.


    On a machine under load a short deadline may come before the request has: that says nothing of what it ends, so a longer
    one is tried.
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
    """A task that awaits `work` is cancelled when its request has arrived: the client hangs up, which the reply waits for."""
    task = asyncio.ensure_future(work)
    await asyncio.to_thread(fake.arrived.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(fake.hung_up.wait, 60)
