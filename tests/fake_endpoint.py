"""A small SageMaker runtime over real HTTP: what boto3 sends is recorded, what it gets is scripted.

It is also a Bedrock runtime (`/model/ID/converse`, `…-stream`) and an OpenAI-compatible server (`/v1/…`), whose streamed
parts go out as they are: `events` frames Bedrock's, `sse` spells OpenAI's.

The reply to a request is a Reply, made by the function given: whole, or in parts as an event stream, with pauses and faults.
"""

from __future__ import annotations

import asyncio
import json
import select
import socket
import struct
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest


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


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message of application/vnd.amazon.eventstream."""
    block = b"".join(
        struct.pack("!B", len(name)) + name.encode() + b"\x07" + struct.pack("!H", len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 16 + len(block) + len(payload), len(block))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + block + payload
    return message + struct.pack("!I", zlib.crc32(message))


def events(*given: tuple[str, Any]) -> list[bytes]:
    """A stream of Bedrock: names of events and their JSON."""
    return [
        frame(
            {":event-type": name, ":message-type": "event", ":content-type": "application/json"},
            json.dumps(value).encode(),
        )
        for name, value in given
    ]


def sse(*values: Any) -> list[bytes]:
    """A stream of an OpenAI-compatible server, its end mark included."""
    spelled = [json.dumps(value, ensure_ascii=False) for value in values]
    return [f"data: {text}\n\n".encode() for text in [*spelled, "[DONE]"]]


class FakeEndpoint:
    """`url` to call; `requests` and `peak` (at once) to look at; `hung_up` is set when a client leaves a waiting reply."""

    def __init__(self, reply: Callable[[Request], Reply]) -> None:
        self.reply = reply
        self.requests: list[Request] = []
        self.peak = 0
        self.hung_up = threading.Event()
        self.arrived = threading.Event()
        self.closing = threading.Event()
        self._at_once = 0
        self._lock = threading.Lock()
        fake = self

        class Handler(_Handler):
            endpoint = fake

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @contextmanager
    def counted(self, request: Request) -> Iterator[None]:
        with self._lock:
            self.requests.append(request)
            self._at_once += 1
            self.peak = max(self.peak, self._at_once)
        self.arrived.set()
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    endpoint: FakeEndpoint
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        _, kind, name, *operation = unquote(self.path).split("/")
        streaming = body.get("stream", False) if kind == "v1" else operation[-1].endswith("stream")
        self._frames = kind == "endpoints"
        request = Request(name, bool(streaming), body, dict(self.headers))
        with self.endpoint.counted(request):
            reply = self.endpoint.reply(request)
            try:
                self._answer(request, reply)
            except ConnectionError:
                self.endpoint.hung_up.set()

    def do_GET(self) -> None:
        """What `reply` makes of a request without a body; the last part of the path is its endpoint."""
        reply = self.endpoint.reply(Request(self.path.rpartition("/")[2], False, None, dict(self.headers)))
        self._answer(Request("", False, None, {}), reply)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def _answer(self, request: Request, reply: Reply) -> None:
        if not self._wait(reply.wait):
            return
        if reply.fault == "drip":
            self._drip()
        elif reply.error:
            self._send(json.dumps(reply.fields).encode(), reply.status, {"x-amzn-ErrorType": reply.error})
        elif request.streaming:
            self._stream(reply)
        elif reply.fault == "drop":
            self._leave()
        elif reply.fault != "stall" or self._wait(3600):
            self._send(b"".join(reply.parts), reply.status, {})

    def _send(self, body: bytes, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _stream(self, reply: Reply) -> None:
        self.send_response(200)
        content_type = "text/event-stream" if self.path.startswith("/v1") else "application/vnd.amazon.eventstream"
        self.send_header("Content-Type", content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        for number, part in enumerate(reply.parts):
            if number and not self._wait(reply.pause):
                return
            payload = {":event-type": "PayloadPart", ":message-type": "event"}
            self._chunk(frame(payload, part) if self._frames else part)
        if reply.fault == "stall" and not self._wait(3600):
            return
        if reply.fault == "drop":
            self._leave()
            return
        if reply.fault:
            headers = {":exception-type": reply.fault, ":message-type": "exception"}
            self._chunk(frame(headers, json.dumps({"Message": "out of memory"}).encode()))
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def _drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self.wfile.flush()
        while self._wait(0.02):
            self.wfile.write(b"x")
            self.wfile.flush()

    def _leave(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _wait(self, seconds: float) -> bool:
        """Returns whether the client is still there; leaves at once where it is not, or where the server closes."""
        while seconds > 0:
            step = min(seconds, 0.02)
            readable, _, _ = select.select([self.connection], [], [], step)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                self.endpoint.hung_up.set()
                self.close_connection = True
                return False
            if self.endpoint.closing.is_set():
                self.close_connection = True
                return False
            seconds -= step
        return True


async def cancelled_while_waiting(fake: FakeEndpoint, work: Awaitable[Any]) -> None:
    """A task that awaits `work` is cancelled when its request has arrived: the client hangs up, which the reply waits for."""
    task = asyncio.ensure_future(work)
    await asyncio.to_thread(fake.arrived.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(fake.hung_up.wait, 10)
