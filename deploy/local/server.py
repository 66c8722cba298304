"""The emulator as an HTTP server: the runtime, the control plane and the admin routes on one port.

`config` is for a process of its own, `running` for an emulator in a thread, `ThreadServer` for any other application there.
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
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from deploy.local.admin import admin_routes
from deploy.local.client import EmulatorClient
from deploy.local.control import ControlPlane
from deploy.local.resources import ControlError
from deploy.local.runtime import Runtime
from deploy.local.spec import EndpointSpec
from deploy.local.wire import REGION
from rag.errors import ModelUnavailable

HOST = "127.0.0.1"
"""Only this machine: nothing checks who asks."""
_REGION = re.compile(r"Credential=[^/]+/\d+/([a-z0-9-]+)/")


def application(plane: ControlPlane) -> ASGIApp:
    """The routes over one control plane."""

    async def control(request: Request) -> Response:
        operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
        region = _REGION.search(request.headers.get("authorization", ""))
        try:
            response = plane.call(
                operation, orjson.loads(await request.body() or b"{}"), region[1] if region else REGION
            )
            return _json(response)
        except ControlError as error:
            return _json({"__type": error.kind, "message": str(error)}, 400)

    routes = [
        Route("/endpoints/{name}/invocations", Runtime(plane.serving, stream=False), methods=["POST"]),
        Route("/endpoints/{name}/invocations-response-stream", Runtime(plane.serving, stream=True), methods=["POST"]),
        Route("/", control, methods=["POST"]),
        *admin_routes(plane),
    ]
    return Starlette(routes=routes)


def with_transport(app: ASGIApp) -> ASGIApp:
    """`app` with the connection itself in `scope["transport"]`, which `Caller` cuts: ASGI has no word for that."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn's `send` is a method of the object that holds the connection
        transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
        await app(scope if transport is None else {**scope, "transport": transport}, receive, send)

    return outer


def config(app: ASGIApp) -> uvicorn.Config:
    """Quiet: what matters is counted, and shown by the admin routes."""
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
    """A listening socket. Raises OSError where the port is taken; 0 takes any free one."""
    # asyncio turns Nagle's delay of small parts off (40 ms a time) only where the protocol is named.
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
    """Serves an application from a thread of this process, for tests, and ends at once: what is being answered is cut.

    uvicorn's own end takes tenths of a second, looking for its flag and letting answers finish; tests start and end hundreds
    of servers.
    """

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(config(with_transport(app)))
        self._listening = bind(0)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)
        self.url = f"http://{HOST}:{self._listening.getsockname()[1]}"

    def start(self) -> None:
        """Return once requests are answered. Raises ModelUnavailable where they are not within 10 seconds."""
        self._thread.start()
        if not self._ready.wait(10.0):
            raise ModelUnavailable("the emulator did not start within 10 seconds")

    def close(self) -> None:
        """The port is free again afterwards. May be called twice."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(10.0)

    def _run(self) -> None:
        asyncio.run(self.serve(sockets=[self._listening]))

    async def main_loop(self) -> None:
        """uvicorn's own looks for its flag every tenth of a second."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        self._ready.set()
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the port, cut the connections, and let each answer see that its client has gone."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if tasks := list(self.server_state.tasks):
            await asyncio.wait(tasks, timeout=1.0)


@contextmanager
def running(specs: Sequence[EndpointSpec] = (), *, delete_seconds: float = 0.0) -> Iterator[EmulatorClient]:
    """An emulator in a thread of this process, for tests. Raises ModelUnavailable where it does not start."""
    server = ThreadServer(application(ControlPlane(delete_seconds=delete_seconds)))
    client = EmulatorClient(server.url)
    try:
        server.start()
        for spec in specs:
            client.put(spec)
        yield client
    finally:
        server.close()


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/x-amz-json-1.1")
