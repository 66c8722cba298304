"""Visitors' feedback on an answer, and the record it is stored in."""

from __future__ import annotations

from pathlib import Path

import httpx
from playwright.sync_api import expect

from rag.records.answer_log import AnswerLog
from tests.browser.conftest import Visit


def test_like_dislike_with_a_reason_and_none_of_these(visitor: Visit, tmp_path: Path) -> None:
    visitor.answered("첫 질문")
    visitor.page.get_by_role("button", name="도움이 됐어요").click()
    expect(visitor.page.locator(".thanks")).to_have_text("의견을 남겼습니다. 고맙습니다.")
    visitor.answered("둘째 질문")
    last = visitor.page.locator("#chat article").last
    last.get_by_role("button", name="아쉬워요").click()
    last.get_by_role("button", name="오래된 내용이에요").click()
    expect(last.locator(".thanks")).to_have_text("의견을 남겼습니다. 고맙습니다.")
    visitor.answered("비슷한 질문")
    with visitor.page.expect_response("**/feedback"):
        visitor.page.get_by_role("button", name="찾는 질문이 없어요").click()
    name = str(last.get_attribute("data-record"))
    expect(last.locator(".record")).to_have_text(f"답변 번호 {name}")
    log = AnswerLog(tmp_path / "records.sqlite")
    said = [(each["question"], [(one["kind"], one["reason"]) for one in each["feedback"]]) for each in log.all()]
    log.close()
    assert said == [
        ("첫 질문", [("like", "")]),
        ("둘째 질문", [("dislike", "오래된 내용이에요")]),
        ("비슷한 질문", [("none", "")]),
    ]
    assert visitor.complaints == []


def test_invalid_feedback_is_refused(visitor: Visit) -> None:
    for feedback in (
        {"answer": "NONE", "kind": "like"},
        {"answer": "NONE", "kind": "chosen"},
        {"answer": 1, "kind": []},
        {},
    ):
        assert httpx.post(f"{visitor.url}/feedback", json=feedback).status_code == 404
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert httpx.post(f"{visitor.url}/feedback", json={}, headers=evil).status_code == 403
    assert httpx.get(f"{visitor.url}/feedback").status_code == 404
    assert httpx.post(f"{visitor.url}/feedback", content=b"[").status_code == 400
