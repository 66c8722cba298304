"""The tool `ask` for programs that speak the Model Context Protocol: POST /mcp, off unless FSI_UI__MCP.

Its "streamable HTTP" without streams and sessions: one JSON-RPC message a request, one JSON answer
(https://modelcontextprotocol.io/specification/2025-06-18/basic/transports). Each request has passed the page's guard.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rag.errors import DISTRIBUTION, RagError
from rag.types import Answer
from rag.ui.i18n import Texts
from rag.ui.request_guard import MCP, VISITOR
from rag.ui.session import Client

logger = logging.getLogger(__name__)
VERSIONS = ("2025-06-18", "2025-03-26")
"""Of the protocol, newest first; the client's is taken where it is one of them."""
UNKNOWN_METHOD, WRONG_VALUES = -32601, -32602
Ask = Callable[[str, Mapping[str, str | None], Client], Awaitable[Answer]]
ASK: Mapping[str, Any] = {
    "name": "ask",
    "title": "금융 FAQ에 묻기",
    "description": (
        "Answer a customer's question from the institution's registered FAQ, word for word and with its sources. `status` is "
        "answered, suggested (`sources` are the nearest questions) or declined. The FAQ is Korean: ask in Korean."
    ),
    "inputSchema": {
        "type": "object",
        "properties": {
            "question": {"type": "string", "description": "The question, as the customer put it"},
            "bank": {"type": "string", "description": "Only this institution's rows"},
            "category": {"type": "string", "description": "Only rows of this category"},
        },
        "required": ["question"],
    },
    "annotations": {"readOnlyHint": True, "openWorldHint": False},
}


class _Wrong(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def mcp_route(ask: Ask, texts: Texts) -> Route:
    """`ask`: the page's own way to one whole answer; it raises RagError."""

    async def called(said: Any, client: Client) -> dict[str, Any]:
        if not isinstance(said, dict) or said.get("name") != ASK["name"]:
            raise _Wrong(WRONG_VALUES, "unknown tool; there is one: ask")
        values = said.get("arguments")
        known = ASK["inputSchema"]["properties"]
        if (
            not isinstance(values, dict)
            or not isinstance(values.get("question"), str)
            or any(name not in known or not isinstance(value, str | None) for name, value in values.items())
        ):
            raise _Wrong(WRONG_VALUES, "expected question (text), and maybe bank and category (text)")
        try:
            choices = {name: values.get(name) for name in ("bank", "category")}
            answer = await ask(values["question"], choices, client)
        except RagError as exc:
            return {"content": [{"type": "text", "text": texts.error(exc)}], "isError": True}
        content = [{"type": "text", "text": answer.text}]
        return {"content": content, "structuredContent": answer.as_json(), "isError": False}

    async def result(method: str, said: Any, client: Client) -> dict[str, Any]:
        match method:
            case "initialize":
                asked = said.get("protocolVersion") if isinstance(said, dict) else None
                return {
                    "protocolVersion": asked if asked in VERSIONS else VERSIONS[0],
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": DISTRIBUTION, "title": texts.title, "version": _version()},
                }
            case "ping":
                return {}
            case "tools/list":
                return {"tools": [ASK]}
            case "tools/call":
                return await called(said, client)
        raise _Wrong(UNKNOWN_METHOD, "unknown method")

    async def answered(request: Request) -> Response:
        message: dict[str, Any] = await request.json()
        method, number = message.get("method"), message.get("id")
        if not isinstance(method, str) or isinstance(number, bool) or not isinstance(number, str | int | None):
            return JSONResponse(_reply(None, error=_Wrong(-32600, "no JSON-RPC request")), status_code=400)
        if number is None:  # a notification, which nobody answers
            return Response(status_code=202)
        visitor = request.scope[VISITOR]
        try:
            value = await result(method, message.get("params"), Client(visitor.owner, visitor.address))
        except _Wrong as exc:
            return JSONResponse(_reply(number, error=exc))
        except Exception:
            logger.exception("a question was not answered")
            return JSONResponse(_reply(number, error=_Wrong(-32603, texts.unexpected)))
        return JSONResponse({"jsonrpc": "2.0", "id": number, "result": value})

    return Route(MCP, answered, methods=["POST"])


def _reply(number: str | int | None, *, error: _Wrong) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": error.code, "message": str(error)}}


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:  # run from its folder
        return "source"
