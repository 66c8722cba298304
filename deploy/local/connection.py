"""The connection of one request: reads its body, writes the response, and detects a disconnect."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from starlette.requests import Request
from starlette.types import Receive, Scope, Send


class ClientConnection:
    """A wrapper of ASGI's scope, receive and send. After the body is read, `receive` reports only the disconnect.

    `scope["transport"]` must hold the asyncio transport (`server.with_transport`).
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.headers: Mapping[str, str] = request.headers
        self.path_params = request.path_params
        self.body = request.body
        """Coroutine function for the request body; raises starlette's ClientDisconnect if the client disconnects."""
        self.is_aborted = False
        self._transport: asyncio.Transport = scope["transport"]
        self._receive = receive
        self._send = send

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Send status and headers."""
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, data: bytes) -> None:
        """Send a part of the body, as a chunk of its own if no content length was sent."""
        if data:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes = b"") -> None:
        """Send the last part of the body and end it."""
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a complete response."""
        await self.start(status, {**headers, "content-length": str(len(body))})
        await self.end(body)

    def write_raw(self, data: bytes) -> None:
        """Write bytes to the transport, bypassing the server, for malformed responses."""
        self._transport.write(data)

    async def abort(self) -> None:
        """Abort the connection as a failing network would. Never returns: `run_until_disconnect` cancels it."""
        self.is_aborted = True
        self._transport.abort()
        await asyncio.Event().wait()

    async def run_until_disconnect(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run `work`; if the client disconnects first, cancel it and return False."""
        working, leaving = asyncio.create_task(work), asyncio.create_task(self._gone())
        try:
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
                return True
            return False
        finally:
            for task in (working, leaving):
                task.cancel()
            await asyncio.gather(working, leaving, return_exceptions=True)

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
