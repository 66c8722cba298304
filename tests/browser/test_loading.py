"""The page is served before its service has loaded, and shows the progress."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from rag.errors import IndexMismatch
from rag.ui.loader import Chat, Progress
from tests.browser.conftest import Serve, Visit
from tests.fakes import FakeChat


class Loading:
    """A build that reports progress and waits until the test lets it succeed or fail."""

    def __init__(self, chat: Chat, error: Exception | None = None) -> None:
        self._chat = chat
        self._error = error
        self.go_on = threading.Event()

    def __call__(self, progress: Progress) -> Chat:
        progress("질문을 준비하는 중", 120, 300)
        self.go_on.wait()
        if self._error:
            raise self._error
        return self._chat


def test_questions_asked_while_loading_are_answered_afterwards(
    serve: Serve, visit: Callable[..., Visit], chat: FakeChat
) -> None:
    build = Loading(chat)
    server, _ = serve(build=build)
    visitor = visit(server.url)
    expect(visitor.page.locator("#status")).to_have_text("질문을 준비하는 중 … 120/300")
    visitor.ask("OTP를 잃어버렸어요")
    expect(visitor.bubbles("bot")).to_have_text("자료가 준비되면 바로 답변합니다. 질문을 준비하는 중 … 120/300")
    visitor.screenshot("loading")
    build.go_on.set()
    visitor.idle()
    expect(visitor.bubbles("bot")).to_contain_text("먼저 사고신고를")
    expect(visitor.page.locator("#status")).to_be_empty()
    expect(visitor.page.locator("#starters")).to_be_hidden()
    visitor.page.click("#clear")
    visitor.ready()


def test_who_asks_before_everything_is_drawn_is_answered(visitor: Visit, chat: FakeChat) -> None:
    """Gradio's buttons come after the box."""
    visitor.page.evaluate(
        "() => { const late = document.querySelector('#do-send'); window.late = late; late.remove(); }"
    )
    visitor.ask("OTP를 잃어버렸어요")
    expect(visitor.page.locator("#composer[data-busy]")).to_have_count(1)
    visitor.page.evaluate("() => document.querySelector('#do-stop').after(window.late)")
    visitor.idle()
    expect(visitor.bubbles("bot")).to_contain_text("먼저 사고신고를")
    assert [question for question, _, _ in chat.asked] == ["OTP를 잃어버렸어요"]
    assert visitor.complaints == []


def test_waiting_question_can_be_stopped(serve: Serve, visit: Callable[..., Visit], chat: FakeChat) -> None:
    build = Loading(chat)
    server, _ = serve(build=build)
    visitor = visit(server.url)
    visitor.ask("OTP를 잃어버렸어요")
    visitor.page.click("#stop")
    visitor.idle()
    expect(visitor.bubbles("bot")).to_have_text("답변을 멈췄습니다.")
    build.go_on.set()
    visitor.page.click("#chat .retry")
    expect(visitor.bubbles("bot")).to_contain_text("먼저 사고신고를")
    visitor.idle()
    assert len(chat.asked) == 1


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (IndexMismatch("built with another embedding"), "자료와 설정이 서로 맞지 않습니다. 관리자에게 문의해 주세요."),
        (RuntimeError("a secret detail"), "예상하지 못한 문제가 생겼습니다."),
    ],
)
def test_failed_loading_is_reported_with_advice(
    serve: Serve, visit: Callable[..., Visit], chat: FakeChat, error: Exception, line: str
) -> None:
    build = Loading(chat, error)
    server, _ = serve(build=build)
    visitor = visit(server.url)
    visitor.ask("OTP를 잃어버렸어요")
    expect(visitor.bubbles("bot")).to_contain_text("자료가 준비되면")
    build.go_on.set()
    status = visitor.page.locator("#status")
    expect(status).to_contain_text(line)
    expect(status).to_contain_text("프로그램을 실행한 창의 안내를 확인하고 다시 시작해 주세요.")
    visitor.idle()
    expect(visitor.bubbles("bot")).to_have_text(line)
    visitor.screenshot(f"failed-{type(error).__name__}")


def test_reduced_service_is_reported(serve: Serve, visit: Callable[..., Visit]) -> None:
    line = "의미 검색을 쓸 수 없어 낱말이 같은 질문만 찾습니다."
    server, _ = serve(FakeChat(warnings=[line]))
    visitor = visit(server.url).ready()
    expect(visitor.page.locator("#status")).to_have_text(line)
    visitor.screenshot("warning")
