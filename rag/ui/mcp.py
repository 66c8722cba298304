"""The tool `ask` over the Model Context Protocol, at POST /mcp; disabled unless FSI_UI__MCP is set.

Implements the "streamable HTTP" transport without streams and sessions: one JSON-RPC message in a request, one JSON response
(https://modelcontextprotocol.io/specification/2025-06-18/basic/transports). The request guard has checked each request.
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
from rag.ui.request_guard import MCP, VISITOR
from rag.ui.session import Client
from rag.ui.texts import Texts

logger = logging.getLogger(__name__)
VERSIONS = ("2025-06-18", "2025-03-26")
"""Supported versions of the protocol, newest first. The client's version is used if it is supported."""
UNKNOWN_METHOD, WRONG_VALUES = -32601, -32602
Ask = Callable[[str, Mapping[str, str | None], Client], Awaitable[Answer]]
ASK_TOOL: Mapping[str, Any] = {
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


class _RpcError(Exception):
    """Becomes a JSON-RPC error response with this `code` and message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def mcp_route(ask: Ask, texts: Texts) -> Route:
    """The route POST /mcp. `ask`: `Dialogue.ask`, which may raise RagError."""

    async def call_tool(params: Any, client: Client) -> dict[str, Any]:
        if not isinstance(params, dict) or params.get("name") != ASK_TOOL["name"]:
            raise _RpcError(WRONG_VALUES, "unknown tool; the only tool is ask")
        values = params.get("arguments")
        known = ASK_TOOL["inputSchema"]["properties"]
        if (
            not isinstance(values, dict)
            or not isinstance(values.get("question"), str)
            or any(name not in known or not isinstance(value, str | None) for name, value in values.items())
        ):
            raise _RpcError(WRONG_VALUES, "expected question (text), and optionally bank and category (text)")
        try:
            choices = {name: values.get(name) for name in ("bank", "category")}
            answer = await ask(values["question"], choices, client)
        except RagError as exc:
            return {"content": [{"type": "text", "text": texts.error(exc)}], "isError": True}
        content = [{"type": "text", "text": answer.text}]
        return {"content": content, "structuredContent": answer.as_json(), "isError": False}

    async def dispatch(method: str, params: Any, client: Client) -> dict[str, Any]:
        match method:
            case "initialize":
                requested = params.get("protocolVersion") if isinstance(params, dict) else None
                return {
                    "protocolVersion": requested if requested in VERSIONS else VERSIONS[0],
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": DISTRIBUTION, "title": texts.title, "version": _version()},
                }
            case "ping":
                return {}
            case "tools/list":
                return {"tools": [ASK_TOOL]}
            case "tools/call":
                return await call_tool(params, client)
        raise _RpcError(UNKNOWN_METHOD, "unknown method")

    async def handle(request: Request) -> Response:
        message: dict[str, Any] = await request.json()
        method, number = message.get("method"), message.get("id")
        if not isinstance(method, str) or isinstance(number, bool) or not isinstance(number, str | int | None):
            return JSONResponse(
                _error_reply(None, error=_RpcError(-32600, "expected a JSON-RPC request")), status_code=400
            )
        if number is None:  # a notification has no response
            return Response(status_code=202)
        visitor = request.scope[VISITOR]
        try:
            value = await dispatch(method, message.get("params"), Client(visitor.owner, visitor.address))
        except _RpcError as exc:
            return JSONResponse(_error_reply(number, error=exc))
        except Exception:
            logger.exception("a question was not answered")
            return JSONResponse(_error_reply(number, error=_RpcError(-32603, texts.unexpected)))
        return JSONResponse({"jsonrpc": "2.0", "id": number, "result": value})

    return Route(MCP, handle, methods=["POST"])


def _error_reply(number: str | int | None, *, error: _RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": error.code, "message": str(error)}}


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:  # run from its source folder, not installed
        return "source"
