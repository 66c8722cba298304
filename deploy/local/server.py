"""The emulator as an HTTP server with the runtime, the control plane and the admin routes on one port.

`config` is for a separate process, `running` for an emulator in a thread, `ThreadServer` for another application in a thread.
"""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from deploy.local.admin import admin_routes
from deploy.local.client import EmulatorClient
from deploy.local.control import ControlPlane
from deploy.local.errors import REGION
from deploy.local.resources import ControlError
from deploy.local.runtime import Runtime
from deploy.local.spec import EndpointSpec
from rag.errors import ModelUnavailable

HOST = "127.0.0.1"
"""Loopback only, because there is no authentication."""


_AWS_JSON = "application/x-amz-json-1.1"
_REGION = re.compile(r"Credential=[^/]+/\d+/([a-z0-9-]+)/")


def application(plane: ControlPlane) -> ASGIApp:
    """The ASGI application of one control plane."""

    async def control(request: Request) -> JSONResponse:
        operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
        region = _REGION.search(request.headers.get("authorization", ""))
        try:
            content = orjson.loads(await request.body() or b"{}")
            answer = plane.call(operation, content, region[1] if region else REGION)
            return JSONResponse(answer, media_type=_AWS_JSON)
        except ControlError as error:
            return JSONResponse({"__type": error.kind, "message": str(error)}, 400, media_type=_AWS_JSON)

    routes = [
        Route("/endpoints/{name}/invocations", Runtime(plane.serving, stream=False), methods=["POST"]),
        Route("/endpoints/{name}/invocations-response-stream", Runtime(plane.serving, stream=True), methods=["POST"]),
        Route("/", control, methods=["POST"]),
        *admin_routes(plane),
    ]
    return Starlette(routes=routes)


def with_transport(app: ASGIApp) -> ASGIApp:
    """Wrap `app` to put the asyncio transport into `scope["transport"]`, which `ClientConnection` aborts; ASGI has no way to."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn's `send` is a bound method of the object that has the transport.
        transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
        await app(scope if transport is None else {**scope, "transport": transport}, receive, send)

    return outer


def config(app: ASGIApp) -> uvicorn.Config:
    """The configuration of uvicorn, without an access log: the admin routes show counts."""
    return uvicorn.Config(
        app,
        http="h11",
        loop="asyncio",
        lifespan="off",
        log_level="error",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
        backlog=512,
    )


def bind(port: int) -> socket.socket:
    """A listening socket; port 0 binds any free port. Raises OSError if the port is in use."""
    # asyncio disables Nagle's algorithm (a delay of 40 ms) only for sockets created with IPPROTO_TCP.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(512)
    except OSError:
        listening.close()
        raise
    return listening


class ThreadServer(uvicorn.Server):
    """Serves an application in a thread of this process, for tests; closing it aborts open connections.

    uvicorn's own shutdown takes tenths of a second, and tests start and stop hundreds of servers.
    """

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(config(with_transport(app)))
        self._listening = bind(0)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)
        self.url = f"http://{HOST}:{self._listening.getsockname()[1]}"

    def start(self) -> None:
        """Start and wait until requests are answered. Raises ModelUnavailable after 10 seconds."""
        self._thread.start()
        if not self._ready.wait(10.0):
            raise ModelUnavailable("the emulator did not start within 10 seconds")

    def close(self) -> None:
        """Stop the server and free the port. May be called more than once."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(10.0)

    def _run(self) -> None:
        asyncio.run(self.serve(sockets=[self._listening]))

    async def main_loop(self) -> None:
        """Replaces uvicorn's loop, which polls a flag every tenth of a second, by an event."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        self._ready.set()
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the port, abort the connections, and wait for their handlers to end."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if tasks := list(self.server_state.tasks):
            await asyncio.wait(tasks, timeout=1.0)


@contextmanager
def running(specs: Sequence[EndpointSpec] = ()) -> Iterator[EmulatorClient]:
    """Run an emulator in a thread of this process, for tests. Raises ModelUnavailable if it does not start."""
    server = ThreadServer(application(ControlPlane()))
    client = EmulatorClient(server.url)
    try:
        server.start()
        for spec in specs:
            client.put(spec)
        yield client
    finally:
        server.close()
