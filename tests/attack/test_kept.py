"""Chats, records and feedback: no visitor can read, change, delete or fill those of another."""

from __future__ import annotations

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rag.ui.request_guard import OWN_PER_ADDRESS
from tests.attack.visitors import Browser, Page

SURROGATE = b"\\ud800"


def chats(browser: Browser, query: str = "") -> list[dict[str, str]]:
    found: list[dict[str, str]] = browser.client.post("/chats/search", json={"q": query}).json()["chats"]
    return found


def test_chats_are_their_visitors_alone(keeping_page: Page) -> None:
    owner, stranger = keeping_page.browser(), keeping_page.browser()
    owner.say("나만의 상담 질문", "tab")
    (chat,) = chats(owner, "나만의")
    assert chats(stranger) == []
    assert "나만의" not in stranger.client.get("/chats/export", params={"id": chat["id"]}).text
    for action in ("rename", "delete", "forget"):
        answer = stranger.client.post(f"/chats/{action}", json={"id": chat["id"], "title": "남의 것"})
        assert answer.json() == {"changed": 0}
    stranger.join(stranger.event("open"), [chat["id"], None], "tab").raise_for_status()
    assert "나만의" not in str(list(stranger.stream("tab")))
    for program in (keeping_page.program(), keeping_page.program(headers={"X-Forwarded-For": "203.0.113.5"})):
        assert program.post("/chats/search", json={"q": ""}).json() == {"chats": []}, "no cookie, no chats"
    assert chats(owner) == [chat]
    assert "나만의 상담 질문" in owner.client.get("/chats/export", params={"id": chat["id"]}).text


def test_the_search_text_is_in_no_address(keeping_page: Page) -> None:
    assert keeping_page.browser().client.get("/chats", params={"q": "주소에 남을 말"}).status_code == 404


def test_feedback_accepts_only_existing_answers_and_predefined_texts(keeping_page: Page) -> None:
    owner = keeping_page.browser()
    shown = owner.say("의견을 남길 질문", "tab")
    match = re.search(r'data-record=\\*"([2-9A-Z]{10})', shown)
    assert match
    said: list[tuple[dict[str, Any], int]] = [
        ({"answer": "AAAAAAAAAA", "kind": "like"}, 404),
        ({"answer": match[1], "kind": "chosen"}, 404),
        ({"answer": match[1], "kind": "dislike", "reason": "제 번호는 900101-1234567"}, 404),
        ({"answer": match[1], "kind": "dislike", "reason": "내용이 틀려요"}, 200),
        ({"answer": match[1], "kind": "like", "reason": ""}, 200),
    ]
    for body, status in said:
        assert owner.client.post("/feedback", json=body).status_code == status, body
    for _ in range(20):
        assert owner.client.post("/feedback", json=said[-1][0]).status_code == 200
    with sqlite3.connect(keeping_page.log.parent / "records.sqlite") as records:
        assert records.execute("SELECT count(*) FROM feedback WHERE answer = ?", [match[1]]).fetchone() == (2,)
        assert not records.execute("SELECT * FROM feedback WHERE reason LIKE '%900101%'").fetchall()


@pytest.mark.parametrize(
    "path", ["/feedback", "/chats/search", "/chats/rename", "/chats/delete", "/chats/forget", "/mcp"]
)
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b"[" * 50_000, b'{"id": 1e999, "answer": NaN}', b'{"id": [[1]], "title": {"a": 1}}'),
        *(b'{"%s": "%s"}' % (name, SURROGATE) for name in (b"id", b"title", b"q", b"answer", b"kind", b"reason")),
        b'{"answer": "A", "kind": "like", "reason": "%s"}' % SURROGATE,
        b'{"id": "x", "title": "\\u0000\\u001b[2J"}',
        b'{"id": 1, "method": "tools/call", "params": [1]}',
        b'{"id": 1, "method": "tools/call", "params": {"name": "ask", "arguments": {"question": ["x"], "bank": 1}}}',
        b'{"id": 1, "method": "tools/call", "params": {"name": "ask", "arguments": {"question": "%s"}}}' % SURROGATE,
        b'{"id": %s, "method": "initialize", "params": {"protocolVersion": {}}}' % (b"9" * 4000),
    ],
)
def test_malformed_bodies_are_no_errors_of_the_server(keeping_page: Page, path: str, body: bytes) -> None:
    client = keeping_page.browser().client
    assert client.post(path, content=body, headers={"Content-Type": "application/json"}).status_code < 500
    assert "Traceback" not in keeping_page.log.read_text(encoding="utf-8")


def test_one_address_has_few_requests_to_the_files_at_once(keeping_page: Page) -> None:
    """Answers run in other threads, so that a flood of chat lists only delays the visitor who sends it."""
    statuses: list[int] = []

    def many(_: int) -> None:
        client = keeping_page.program(headers={"X-Forwarded-For": "203.0.113.66"})
        statuses.extend(client.post("/chats/search", json={"q": "없는 말"}).status_code for _ in range(20))

    with ThreadPoolExecutor(2 * OWN_PER_ADDRESS) as pool:
        list(pool.map(many, range(2 * OWN_PER_ADDRESS)))
    assert set(statuses) <= {200, 429}
    assert chats(keeping_page.browser()) == []
    assert "여전히" in keeping_page.browser().say("여전히 답합니까", "tab")


def test_metrics_are_not_served_through_a_proxy(keeping_page: Page) -> None:
    assert keeping_page.program().get("/metrics").status_code == 200
    for headers in ({"X-Forwarded-For": "203.0.113.5"}, {"Forwarded": "for=203.0.113.5"}, {"X-Real-IP": "10.0.0.1"}):
        assert keeping_page.program(headers=headers).get("/metrics").status_code == 404
        assert keeping_page.program(headers=headers).get("/readyz").json() == {"status": "ready"}
