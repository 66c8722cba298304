"""The tool `ask` of the Model Context Protocol, called as its clients do: one message per request."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rag.types import Filters
from rag.ui.auth import PasswordHash, hash_password
from tests.browser.conftest import Serve
from tests.fakes import FakeChat, answer_to

HEADERS = {"Accept": "application/json, text/event-stream"}


class Client:
    """Speaks JSON-RPC to a page."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/mcp"

    def post(self, **message: Any) -> httpx.Response:
        return httpx.post(self.url, json={"jsonrpc": "2.0", **message}, headers=HEADERS, timeout=240)

    def call(self, method: str, **values: Any) -> dict[str, Any]:
        reply: dict[str, Any] = self.post(id=1, method=method, params=values).json()
        assert (reply["jsonrpc"], reply["id"]) == ("2.0", 1)
        return reply

    def ask(self, **arguments: Any) -> dict[str, Any]:
        return self.call("tools/call", name="ask", arguments=arguments)


def test_a_client_finds_the_tool_and_asks(serve: Serve, chat: FakeChat) -> None:
    server, _ = serve(chat, mcp=True)
    client = Client(server.url)
    began = client.call("initialize", protocolVersion="2025-03-26", capabilities={}, clientInfo={"name": "test"})
    assert began["result"]["protocolVersion"] == "2025-03-26" and "tools" in began["result"]["capabilities"]
    assert client.call("initialize", protocolVersion="1999-01-01")["result"]["protocolVersion"] == "2025-06-18"
    assert client.post(method="notifications/initialized").status_code == 202
    assert client.call("ping")["result"] == {}
    (tool,) = client.call("tools/list")["result"]["tools"]
    assert (tool["name"], tool["inputSchema"]["required"]) == ("ask", ["question"])
    found = client.ask(question="OTP 분실", bank="새나래은행")["result"]
    assert (found["isError"], found["structuredContent"]) == (False, answer_to("OTP 분실").as_json())
    assert found["content"] == [{"type": "text", "text": answer_to("OTP 분실").text}]
    assert chat.asked[-1][2] == Filters(equals={"bank": "새나래은행"})


def test_what_cannot_be_answered_is_reported(serve: Serve) -> None:
    server, _ = serve(mcp=True)
    client = Client(server.url)
    failed = client.ask(question="질문", bank="없는은행")["result"]
    assert failed["isError"] and "없는은행" in failed["content"][0]["text"]
    for wrong in ({}, {"question": 1}, {"question": "질문", "bank": 1}, {"question": "질문", "more": "x"}):
        assert client.ask(**wrong)["error"]["code"] == -32602, wrong
    assert client.call("tools/call", name="delete", arguments={})["error"]["code"] == -32602
    assert client.call("resources/list")["error"]["code"] == -32601
    assert client.post(id=1).status_code == 400
    assert httpx.post(client.url, content=b"[]", headers=HEADERS).status_code == 400
    assert httpx.get(client.url, headers=HEADERS).status_code in (404, 405)


@pytest.mark.parametrize("mcp", [True, False])
def test_it_refuses_when_off_and_without_the_login(serve: Serve, mcp: bool) -> None:
    server, _ = serve(mcp=mcp, users={"kim": PasswordHash.parse(hash_password("pass-word-1"))} if mcp else None)
    reply = Client(server.url).post(id=1, method="tools/list")
    assert reply.status_code == (401 if mcp else 404)


def test_another_sites_page_cannot_ask(serve: Serve) -> None:
    server, _ = serve(mcp=True)
    reply = httpx.post(f"{server.url}/mcp", json={}, headers={**HEADERS, "Origin": "https://other.example"})
    assert reply.status_code == 403
