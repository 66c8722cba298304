"""The server stops and starts again: the page reports it, and typed text and answers are kept."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from rag.ui.connections import free_port
from tests.browser.conftest import Serve, Visit


def stream_is_open(visitor: Visit) -> bool:
    last = [line for line in visitor.log if "/queue/data" in line][-1]
    return last.split()[1] not in ("read", "failed")


def test_a_lost_connection_is_reported_in_korean_and_the_question_stays(
    serve: Serve, visit: Callable[..., Visit]
) -> None:
    port = free_port("127.0.0.1", 7895)  # no other test takes it while the server is away
    server, _ = serve(port=port)
    visitor = visit(server.url).ready()
    visitor.answered("첫 질문")
    while stream_is_open(visitor):  # the last words are shown before it ends
        visitor.page.wait_for_timeout(20)
    server.close()
    visitor.ask("둘째 질문")
    expect(visitor.page.locator("#hint")).to_have_text(
        "서버와 연결이 끊겼습니다. 다시 연결되면 화면을 새로 불러옵니다."
    )
    expect(visitor.page.locator("#toast")).to_have_text(
        "서버와 연결이 끊겼습니다. 다시 연결되면 화면을 새로 불러옵니다."
    )
    expect(visitor.page.locator(".toast-wrap:visible")).to_have_count(0)
    expect(visitor.page.locator("#composer[data-busy]")).to_have_count(0)
    expect(visitor.page.locator("#question")).to_have_value("둘째 질문")
    with visitor.page.expect_navigation(timeout=240_000):
        serve(port=port)
    expect(visitor.page.locator("#question")).to_have_value("둘째 질문")
    expect(visitor.bubbles("user")).to_have_text(["첫 질문"])
    visitor.page.press("#question", "Enter")
    expect(visitor.bubbles("user")).to_have_text(["첫 질문", "둘째 질문"])


SLOW_BROWSER = """() => {
    const fetched = window.fetch, abort = AbortController.prototype.abort, held = document.body.dataset;
    window.fetch = async (...request) => {
        const response = await fetched(...request);
        if (!("number" in held) && String(request[0]?.url ?? request[0]).includes("/queue/join")) {
            held.number = "";
            await new Promise((done) => { window.release = done; });
        }
        return response;
    };
    AbortController.prototype.abort = function () {
        held.stream = "";
        window.hangUp = () => abort.call(this);
    };
}"""
"""Holds the next event's number until `release()`, and the end of a stream until `hangUp()`."""


def test_an_event_that_ended_before_the_browser_knew_its_number(visitor: Visit) -> None:
    """Gradio's script then opens a stream for it, while the last one is not yet closed: what is done next still arrives."""
    visitor.ask("끝없는 질문")
    expect(visitor.bubbles("bot")).to_contain_text("계속 계속")
    visitor.page.evaluate(SLOW_BROWSER)
    visitor.page.click("#stop")
    expect(visitor.page.locator("body[data-number][data-stream]")).to_have_count(1)
    with visitor.page.expect_request("**/queue/data?*"):
        visitor.page.evaluate("window.release()")
    visitor.page.evaluate(
        "fetch('healthz').then((response) => response.text())"
    )  # the server has the stream's request now
    visitor.page.evaluate("window.hangUp()")
    visitor.page.click("#clear")
    expect(visitor.bubbles("bot")).to_have_count(0)
