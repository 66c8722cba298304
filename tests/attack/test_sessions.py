"""Conversations are bound to their visitor: a session's name gives no access, and new sessions evict no open tab."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from rag.ui import sessions
from rag.ui.sessions import LimitExceeded, Sessions
from rag.ui.visitors import Visitor
from tests.attack.conftest import USERS
from tests.attack.visitors import API, Browser, Page


def test_another_visitor_reads_nothing_by_a_sessions_name(page: Page) -> None:
    owner, stranger = page.browser(), page.browser()
    owner.say("나만 아는 첫 질문", "tab1")
    assert "나만 아는 첫 질문" in whole_page(owner), "the owner's page holds the conversation"
    for other in (stranger, page.browser()):
        assert "나만 아는" not in other.say("엿보는 질문", "tab1")
        assert "나만 아는" not in whole_page(other)
    retried = owner.join(owner.event("retry"), [None, "", ""], "tab1")
    assert retried.status_code == 200
    assert "나만 아는" not in stranger.say("다시 엿보는 질문", "tab1")
    assert "나만 아는" in str(list(owner.stream("tab1")))


def whole_page(browser: Browser) -> str:
    """All turns of the tab's conversation, as a page requests them after it missed some."""
    browser.join(browser.event("sync"), [None], "tab1").raise_for_status()
    return str(list(browser.stream("tab1")))


def test_a_program_reads_no_answer_of_a_browser_by_its_event(page: Page) -> None:
    owner = page.browser()
    event = owner.client.post(f"{API}/call/ask", json={"data": ["비밀 질문", None, None]}).json()["event_id"]
    for client in (page.browser().client, page.program()):
        answer = client.get(f"{API}/call/ask/{event}")
        assert answer.status_code == 404
        assert "비밀" not in answer.text
    with owner.client.stream("GET", f"{API}/call/ask/{event}") as mine:
        assert mine.status_code == 200
        assert "complete" in "".join(mine.iter_text())


def test_another_visitor_cancels_nothing(page: Page) -> None:
    owner, stranger = page.browser(), page.browser()
    number = owner.event("send")
    event = owner.join(number, ["취소해 보는 질문", None, "", ""], "tab2").json()["event_id"]
    body = {"session_hash": "tab2", "fn_index": number, "event_id": event}
    assert stranger.client.post(f"{API}/cancel", json=body).status_code == 200
    assert "취소해 보는 질문" in str(list(owner.stream("tab2")))


def test_no_cache_stores_what_belongs_to_a_conversation(page: Page) -> None:
    owner = page.browser()
    joined = owner.join(owner.event("send"), ["한 번만 읽는 질문", None, "", ""], "tab9")
    assert joined.headers["cache-control"] == "no-store"
    for path in ("queue/data?session_hash=tab9", "heartbeat/tab9"):
        with owner.client.stream("GET", f"{API}/{path}") as stream:
            assert stream.headers["cache-control"] == "no-store"
    script = owner.client.get("/static/js/iframeResizer.contentWindow.min.js").raise_for_status()
    assert "cache-control" not in script.headers


def test_the_next_event_is_announced_after_the_last_stream_was_read(page: Page) -> None:
    """If the browser learned of it earlier, it would wait for the second answer on the first one's stream."""
    owner = page.browser()
    number = owner.event("send")
    owner.join(number, ["첫 질문", None, "", ""], "tab4").raise_for_status()
    messages = owner.stream("tab4")
    while next(messages)["msg"] != "close_stream":
        pass
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(owner.join, number, ["둘째 질문", None, "", ""], "tab4")
        owner.client.get("/healthz").raise_for_status()
        assert not second.done()
        assert list(messages) == []  # hangs up
        second.result().raise_for_status()
    assert "둘째 질문" in str(list(owner.stream("tab4")))


def test_two_users_of_one_browser_do_not_share_a_session(guarded_page: Page) -> None:
    client = guarded_page.program()
    login = {"username": "kim", "password": USERS["kim"]}
    assert client.post("/login", data=login).status_code == 200
    kim = guarded_page.browser(cookies=client.cookies)
    kim.say("김의 질문", "tab3")
    assert client.post("/login", data={"username": "lee", "password": USERS["lee"]}).status_code == 200
    lee = guarded_page.browser(cookies=client.cookies)
    assert "김의 질문" not in lee.say("이의 질문", "tab3")


def visitor(number: int) -> Visitor:
    return Visitor(f"owner {number}", f"10.0.0.{number}", "localhost", https=False, new=False)


def book(maximum: int) -> tuple[Sessions, list[str]]:
    forgotten: list[str] = []
    return Sessions(running=lambda _: True, forget=forgotten.append, max_sessions=maximum), forgotten


def test_new_sessions_evict_no_open_tab() -> None:
    sessions, forgotten = book(3)
    customer, stranger = visitor(1), visitor(2)
    with sessions.stream("customer", customer, answers=False):
        sessions.admit("customer", customer, page=True)
        for number in range(50):
            sessions.admit(f"new {number}", stranger, page=True)
        assert "customer" not in forgotten
        assert len(forgotten) == 48
        with (
            sessions.stream("new 48", stranger, answers=True),
            sessions.stream("new 49", stranger, answers=True),
            pytest.raises(LimitExceeded),
        ):
            sessions.admit("one more", visitor(3), page=True)
    sessions.admit("one more", visitor(3), page=True)
    assert forgotten[-1] == "customer", "of those whose tab is closed, the oldest"


def test_events_are_counted_per_browser_per_address_and_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.ui.sessions.EVENTS_PER_OWNER", 3)
    monkeypatch.setattr("rag.ui.sessions.EVENTS_PER_ADDRESS", 5)
    monkeypatch.setattr("rag.ui.sessions.MAX_EVENTS", 7)
    running = {f"event {number}" for number in range(20)}
    sessions = Sessions(running=running.__contains__, forget=lambda _: None)

    def join(event: int, who: Visitor) -> None:
        sessions.admit(f"{who.owner} {event}", who, page=True).events.add(f"event {event}")

    one, neighbour, other = visitor(1), Visitor("owner 9", "10.0.0.1", "", https=False, new=False), visitor(2)
    for event in range(3):
        join(event, one)
    with pytest.raises(LimitExceeded, match="one visitor"):
        join(3, one)
    join(4, neighbour)
    join(5, neighbour)
    with pytest.raises(LimitExceeded, match="one visitor"):
        join(6, neighbour)
    join(7, other)
    join(8, other)
    with pytest.raises(LimitExceeded) as full:
        join(9, visitor(3))
    assert full.value.status == 503
    running.clear()
    join(10, one)


def test_an_unread_event_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "OPEN_SECONDS", 0.05)
    book_, forgotten = book(10)
    who = visitor(1)

    async def run() -> tuple[bool, bool]:
        book_.admit("unread", who, page=True)
        dropped = await book_.wait_for_stream("unread")
        book_.admit("read", who, page=True)
        with book_.stream("read", who, answers=True):
            return dropped, await book_.wait_for_stream("read")

    assert asyncio.run(run()) == (False, True)
    assert forgotten == ["unread"]


def test_streams_are_counted_and_given_back() -> None:
    book_, _ = book(10)
    who = visitor(1)
    for _ in range(3):
        with book_.stream("a", who, answers=True), book_.stream("b", who, answers=True):
            pass
    assert not book_._streams
    assert not book_._open
