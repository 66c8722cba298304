"""A prefix-stripping reverse proxy, such as that of a notebook server."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "content-encoding", "accept-encoding"}


@contextmanager
def prefix_proxy(target: str, prefix: str, port: int, *, keep_host: bool) -> Iterator[str]:
    """Serve `target` below `prefix`; anything outside it is 404. `keep_host`: pass the browser's Host on."""

    async def forward(request: Request) -> Response:
        path = request.url.path.removeprefix(prefix)
        if path == request.url.path:
            return PlainTextResponse("outside the prefix", status_code=404)
        headers = {name: value for name, value in request.headers.items() if name not in HOP}
        if keep_host:
            headers["host"] = request.headers["host"]
        client = httpx.AsyncClient(base_url=target, timeout=None)
        asked = client.build_request(
            request.method, path or "/", params=request.query_params, headers=headers, content=await request.body()
        )
        answer = await client.send(asked, stream=True)

        async def body() -> AsyncIterator[bytes]:
            try:
                async for chunk in answer.aiter_raw():
                    yield chunk
            finally:
                await answer.aclose()
                await client.aclose()

        kept = {name: value for name, value in answer.headers.items() if name not in HOP - {"content-encoding"}}
        return StreamingResponse(body(), answer.status_code, kept)

    app = Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "POST", "HEAD"])])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{port}{prefix}/"
    server.should_exit = True
    thread.join()
