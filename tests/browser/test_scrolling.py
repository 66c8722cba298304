"""Scrolling: a long answer is shown from its beginning, and a visitor who scrolls is not interrupted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from rag.ui.texts import KOREAN
from tests.browser.conftest import Serve, Visit
from tests.fakes import LONG, FakeChat

STILL = """() => new Promise(done => {
  const log = document.querySelector('#chat [role="log"]');
  let top = log.scrollTop, frames = 0;
  const look = () => {
    frames = log.scrollTop === top ? frames + 1 : 0;
    top = log.scrollTop;
    frames < 40 ? requestAnimationFrame(look) : done();
  };
  look();
})"""
"""Waits until nothing has moved for 40 frames, which take longer where everything does."""

SIZES = pytest.mark.parametrize(
    "size", [{"width": 390, "height": 844}, {"width": 1280, "height": 800}], ids=["phone", "desk"]
)

WATCH = """() => {
  window.tops = [];
  const log = document.querySelector('#chat [role="log"]');
  const note = () => { window.tops.push(log.scrollTop); requestAnimationFrame(note); };
  note();
}"""


@pytest.fixture
def sized(serve: Serve, visit: Callable[..., Visit], chat: FakeChat, size: dict[str, int]) -> Visit:
    server, _ = serve(chat)
    return visit(server.url, viewport=size).ready()


def scroll_top(visitor: Visit) -> float:
    return float(visitor.page.locator("#chat [role=log]").evaluate("e => e.scrollTop"))


def wheel(visitor: Visit, by: int) -> None:
    """Turn the wheel over the conversation, and wait until it has stopped."""
    before = scroll_top(visitor)
    visitor.page.mouse.move(150, 300)
    visitor.page.mouse.wheel(0, by)
    visitor.page.wait_for_function(
        "before => document.querySelector('#chat [role=log]').scrollTop != before", arg=before
    )
    visitor.page.evaluate(STILL)


def expect_from_its_beginning(visitor: Visit) -> None:
    """The last question is at the top of the conversation, and its answer begins right below it."""
    visitor.page.evaluate(STILL)
    log, question, answer = (
        part.evaluate("e => { const box = e.getBoundingClientRect(); return [box.top, box.bottom]; }")
        for part in (
            visitor.page.locator("#chat [role=log]"),
            visitor.bubbles("user").last,
            visitor.bubbles("bot").last,
        )
    )
    assert log[0] <= question[0] <= log[0] + 40
    assert question[1] <= answer[0] <= log[1] - 100
    expect(visitor.bubbles("user").last).to_be_in_viewport(ratio=1)
    assert answer[1] > log[1], "the answer should have been too tall to be shown whole"


@SIZES
def test_a_tall_answer_is_shown_from_its_beginning(sized: Visit) -> None:
    for number in range(2):
        sized.answered(f"여러 은행 질문 {number}")
        expect_from_its_beginning(sized)
    sized.screenshot(f"tall-{sized.page.viewport_size['width']}")  # type: ignore[index]
    sized.page.locator("#chat [role=log]").evaluate("e => e.scrollTo(0, e.scrollHeight)")
    sized.page.locator("#chat .edit").last.click()
    sized.page.keyboard.press("Enter")
    sized.idle()
    expect_from_its_beginning(sized)
    assert sized.complaints == []


@SIZES
def test_who_asks_from_the_sources_below_sees_the_answer(sized: Visit) -> None:
    sized.answered("짧은 질문")
    sized.page.click('#chat a[href="#src-1-2"]')
    sized.page.keyboard.press("Escape")
    sized.answered("여러 은행 질문")
    expect_from_its_beginning(sized)


@SIZES
def test_an_answer_that_is_being_written_is_followed_up_to_its_question(sized: Visit, chat: FakeChat) -> None:
    sized.answered("여러 은행 질문")
    sized.page.evaluate(WATCH)
    sized.ask("끝없는 질문")
    sized.page.wait_for_function(
        "() => { const e = document.querySelector('#chat [role=log]'), q = [...e.querySelectorAll('[data-testid=user]')].pop();"
        " return e.scrollHeight - e.clientHeight > e.scrollTop + 200"
        " && q.getBoundingClientRect().top >= e.getBoundingClientRect().top && q.innerText == '끝없는 질문'; }"
    )
    expect_from_its_beginning(sized)
    tops = sized.page.evaluate("window.tops")
    assert tops == sorted(tops) and tops[0] < tops[-1], "it only ever moved on"
    sized.page.click("#stop")
    sized.idle()
    expect_from_its_beginning(sized)


@SIZES
def test_a_new_question_is_known_by_itself(sized: Visit) -> None:
    """It must not be detected by the stop button, which a slow browser may remove and add again between two frames."""
    sized.answered("여러 은행 질문")
    sized.page.locator("#chat [role=log]").evaluate("e => e.scrollTo(0, e.scrollHeight)")
    wheel(sized, -3000)
    assert scroll_top(sized) == 0
    sized.answered("여러 은행 질문")
    expect_from_its_beginning(sized)


@SIZES
def test_a_visitor_who_scrolls_during_an_answer_is_not_moved(sized: Visit) -> None:
    sized.answered("여러 은행 질문")
    sized.ask("끝없는 질문")
    expect(sized.bubbles("bot").last).to_contain_text("계속 계속")
    wheel(sized, -250)
    stood, length = scroll_top(sized), len(sized.bubbles("bot").last.inner_text())
    sized.page.wait_for_function(
        "length => [...document.querySelectorAll('#chat [data-testid=bot]')].pop().innerText.length > length + 100",
        arg=length,
    )
    sized.page.evaluate(STILL)
    assert scroll_top(sized) == stood
    sized.page.click("#stop")
    sized.idle()
    sized.answered("여러 은행 질문")
    expect_from_its_beginning(sized)


@SIZES
def test_what_is_short_is_shown_whole_below_what_came_before(sized: Visit) -> None:
    sized.answered("여러 은행 질문")
    for question in ("짧은 질문", "비슷한 질문"):
        sized.answered(question)
        sized.page.evaluate(STILL)
        for part in (sized.bubbles("user"), sized.bubbles("bot")):
            expect(part.last).to_be_in_viewport(ratio=1)
    expect(sized.page.locator("#chat .option").last).to_be_in_viewport(ratio=1)


@SIZES
def test_a_tall_question_does_not_hide_its_answer(sized: Visit) -> None:
    sized.answered("여러 은행의 긴 질문 " * 60)
    sized.page.evaluate(STILL)
    log, answer = (
        part.evaluate("e => { const box = e.getBoundingClientRect(); return [box.top, box.bottom]; }")
        for part in (sized.page.locator("#chat [role=log]"), sized.bubbles("bot").last)
    )
    assert log[0] <= answer[0] <= (log[0] + log[1]) / 2 + 40
    assert answer[1] > log[1]


def test_the_way_to_the_end_is_named_in_the_pages_language(visitor: Visit) -> None:
    visitor.answered("여러 은행 질문")
    visitor.page.get_by_role("button", name=KOREAN.scroll_down).click()
    visitor.page.evaluate(STILL)
    assert visitor.answer_text().endswith(LONG.splitlines()[-1].removeprefix("15. "))
    bottom = visitor.page.locator("#chat [role=log]").evaluate("e => e.scrollHeight - e.clientHeight - e.scrollTop")
    assert bottom < 2
