"""The client's side of one request: its body, an answer to it, and whether it is still there."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from starlette.requests import Request
from starlette.types import Receive, Scope, Send


class Caller:
    """ASGI's three arguments with names. After the body is read, `receive` says only that the client has gone.

    `scope["transport"]` is the connection; the server puts it there.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.headers: Mapping[str, str] = request.headers
        self.path_params = request.path_params
        self.body = request.body
        """Raises starlette's ClientDisconnect where the client goes in the middle of it."""
        self.cut_off = False
        self._transport: asyncio.Transport = scope["transport"]
        self._receive = receive
        self._send = send

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Status and headers of an answer, sent at once."""
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, data: bytes) -> None:
        """A part of the body, as a chunk of its own where no length was sent."""
        if data:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes = b"") -> None:
        """The last part of the body, and its end."""
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """A whole answer."""
        await self.start(status, {**headers, "content-length": str(len(body))})
        await self.end(body)

    def write_raw(self, data: bytes) -> None:
        """Bytes that are no well-formed answer, past the server's own idea of one."""
        self._transport.write(data)

    async def cut(self) -> None:
        """Break the connection off as a failing network would. Does not return: `while_here` sees it gone."""
        self.cut_off = True
        self._transport.abort()
        await asyncio.Event().wait()

    async def while_here(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do the work unless the connection ends before it is done. False: it did, and the work was stopped."""
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
