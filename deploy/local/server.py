"""The emulator as an HTTP server: the runtime, the control plane and the admin routes on one port."""

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
    inner = Starlette(routes=routes)

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn's `send` is a method of the object that holds the connection; ASGI itself cannot cut one.
        transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
        await inner(scope if transport is None else {**scope, "abort": transport.abort}, receive, send)

    return outer


def server(plane: ControlPlane) -> uvicorn.Server:
    """A server for `run(sockets=[...])`. Quiet: what matters is counted, and shown by the admin routes."""
    config = uvicorn.Config(
        application(plane),
        http="h11",
        loop="asyncio",
        lifespan="off",
        log_level="error",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
        backlog=512,
    )
    return uvicorn.Server(config)


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


@contextmanager
def running(specs: Sequence[EndpointSpec] = (), *, delete_seconds: float = 0.0) -> Iterator[EmulatorClient]:
    """An emulator in a thread of this process, for tests. Raises ModelUnavailable where it does not start."""
    plane = ControlPlane(delete_seconds=delete_seconds)
    listening = bind(0)
    serving = server(plane)
    thread = threading.Thread(target=lambda: asyncio.run(serving.serve(sockets=[listening])), daemon=True)
    thread.start()
    client = EmulatorClient(f"http://{HOST}:{listening.getsockname()[1]}")
    try:
        if not client.wait(10.0):
            raise ModelUnavailable("the emulator did not start within 10 seconds")
        for spec in specs:
            client.put(spec)
        yield client
    finally:
        serving.should_exit = True
        thread.join(10.0)
        listening.close()


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/x-amz-json-1.1")
