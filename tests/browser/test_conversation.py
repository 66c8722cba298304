"""Questions and answers: streaming, stop, retry, suggestions, starters, filters, errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from rag.types import Filters
from rag.ui.request_guard import DATA, RequestGuard
from tests.browser.conftest import ANSWER_TEXT, Visit
from tests.fakes import PIECES, SOURCES, FakeChat


def test_sources_are_there_before_the_last_words_and_the_answer_grows(visitor: Visit, chat: FakeChat) -> None:
    visitor.ask("기다리는 질문")
    expect(visitor.bubbles("bot")).to_contain_text("먼저 사고신고를")
    expect(visitor.page.locator("#panel .shown .card")).to_have_count(3)
    expect(visitor.bubbles("bot")).not_to_contain_text("재발급은")
    chat.released.set()
    visitor.idle()
    assert visitor.answer_text() == ANSWER_TEXT
    assert visitor.foreign() == []
    assert visitor.complaints == []


def test_what_is_sent_while_an_answer_is_written_waits_visibly_and_is_asked_in_order(
    visitor: Visit, chat: FakeChat
) -> None:
    visitor.ask("기다리는 질문")
    expect(visitor.page.locator("#send")).to_be_hidden()
    for question in ("둘째", "그만둘 질문", "셋째"):
        visitor.ask(question)
    waiting = visitor.page.locator("#queue p")
    expect(waiting).to_have_count(3)
    expect(waiting.first).to_contain_text("답변이 끝나면 보냅니다: 둘째")
    waiting.nth(1).get_by_role("button").click()
    expect(waiting).to_have_count(2)
    visitor.page.fill("#box textarea", "쓰는 중인 글")
    chat.released.set()
    expect(visitor.bubbles("bot")).to_have_count(3)
    visitor.idle()
    assert [question for question, _, _ in chat.asked] == ["기다리는 질문", "둘째", "셋째"]
    assert visitor.page.input_value("#box textarea") == "쓰는 중인 글"
    expect(visitor.page.locator("#box textarea")).to_be_focused()


def test_stop_takes_effect_while_the_stream_blocks_and_closes_it(visitor: Visit, chat: FakeChat) -> None:
    visitor.ask("기다리는 질문")
    expect(visitor.bubbles("bot")).to_contain_text("먼저 사고신고를")
    visitor.page.click("#stop")
    visitor.idle()
    expect(visitor.bubbles("bot")).to_contain_text("답변을 멈췄습니다.")
    assert (chat.opened, chat.closed) == (1, 0), "the fake still waits: stopping did not wait for it"
    chat.released.set()
    visitor.answered("다음 질문")
    assert (chat.opened, chat.closed) == (2, 2)
    assert chat.asked[-1][1] == (), "a stopped answer is no part of the history"


def test_a_stop_before_the_answer_has_begun_is_not_lost(visitor: Visit, chat: FakeChat) -> None:
    held: list[Route] = []

    def hold_the_question(route: Route) -> None:
        if "기다리는 질문" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    visitor.page.route("**/queue/join**", hold_the_question)
    with visitor.page.expect_request("**/queue/join**"):
        visitor.ask("기다리는 질문")
    visitor.page.click("#stop")
    visitor.page.wait_for_load_state("load")  # handles what the click has sent
    held[0].continue_()
    visitor.idle()
    expect(visitor.bubbles("bot")).to_contain_text("답변을 멈췄습니다.")
    chat.released.set()


def test_closing_the_tab_closes_the_stream(visitor: Visit, chat: FakeChat) -> None:
    visitor.ask("끝없는 질문")
    expect(visitor.bubbles("bot")).to_contain_text("계속 계속")
    assert chat.closed == 0
    visitor.page.close()
    assert chat.ended.wait(120)


def test_retry_asks_the_last_question_again_in_its_place(visitor: Visit, chat: FakeChat) -> None:
    visitor.answered("첫 질문")
    visitor.answered("오류가 나는 질문")
    expect(visitor.bubbles("bot").last).to_have_text("답변 모델을 지금 사용할 수 없습니다.")
    expect(visitor.page.locator(".retry:visible")).to_have_count(1)
    chat.ended.clear()
    visitor.page.click("#chat .retry")
    assert chat.ended.wait(120)
    visitor.idle()
    assert [question for question, _, _ in chat.asked] == ["첫 질문", "오류가 나는 질문", "오류가 나는 질문"]
    assert [turn.question for turn in chat.asked[-1][1]] == ["첫 질문"]
    expect(visitor.bubbles("user")).to_have_count(2)


def test_history_is_passed(visitor: Visit, chat: FakeChat) -> None:
    visitor.answered("첫 질문")
    visitor.answered("둘째 질문")
    assert [(turn.question, turn.answer) for turn in chat.asked[-1][1]] == [("첫 질문", "".join(PIECES))]


def test_suggestions_are_buttons_that_ask(visitor: Visit, chat: FakeChat) -> None:
    visitor.answered("비슷한 질문")
    buttons = visitor.page.locator("#chat .option")
    asked = [f"{source.metadata['bank']} {source.question}" for source in SOURCES]
    assert [" ".join(text.split()) for text in buttons.all_inner_texts()] == asked
    buttons.nth(1).focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.bubbles("user")).to_have_count(2)
    visitor.idle()
    assert (chat.asked[-1][0], chat.chosen[-1]) == (asked[1], SOURCES[1].id), "exactly that row"
    expect(visitor.page.locator("#chat .option:visible")).to_have_count(3)
    expect(visitor.page.locator("#chat .none:visible")).to_have_count(0)


def test_without_a_fitting_suggestion_the_contact_is_shown(visitor: Visit) -> None:
    visitor.answered("비슷한 질문")
    expect(visitor.page.locator("#chat .desk")).to_be_hidden()
    visitor.page.get_by_role("button", name="찾는 질문이 없어요").click()
    expect(visitor.page.locator("#chat .desk")).to_contain_text("아래로 문의해 주세요")
    expect(visitor.page.locator("#chat .desk a")).to_have_attribute("href", "tel:1500-0101")


def test_starters_ask_and_come_back_with_a_new_chat(visitor: Visit, chat: FakeChat) -> None:
    starter = visitor.page.locator("#starters button").first
    assert starter.inner_text() == "OTP를 잃어버렸어요"
    starter.dblclick()
    expect(visitor.bubbles("bot")).to_have_count(1)
    visitor.idle()
    assert [question for question, _, _ in chat.asked] == ["OTP를 잃어버렸어요"], "a double click asks once"
    expect(starter).to_be_hidden()
    visitor.page.click("#clear")
    expect(starter).to_be_visible()
    expect(visitor.bubbles("bot")).to_have_count(0)
    expect(visitor.page.locator("#panel .card")).to_have_count(0)
    expect(visitor.page.locator("#sources")).to_be_hidden()
    visitor.answered("새로운 질문")
    assert chat.asked[-1][1] == ()


def test_a_new_chat_can_be_undone(visitor: Visit, chat: FakeChat) -> None:
    visitor.answered("첫 질문")
    visitor.page.click("#clear")
    expect(visitor.page.locator("#toast")).to_contain_text("새 상담을 시작했습니다.")
    visitor.page.click("#toast .undo")
    expect(visitor.bubbles("user")).to_have_text(["첫 질문"])
    visitor.answered("둘째 질문")
    assert [turn.question for turn in chat.asked[-1][1]] == ["첫 질문"]


def test_an_edited_question_takes_the_place_of_what_came_after_it_and_can_be_undone(
    visitor: Visit, chat: FakeChat
) -> None:
    for question in ("첫 질문", "둘째 질문", "셋째 질문"):
        visitor.answered(question)
    visitor.page.locator("#chat .edit").nth(1).click()
    expect(visitor.page.locator("#editing")).to_be_visible()
    assert visitor.page.input_value("#box textarea") == "둘째 질문"
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator("#editing")).to_be_hidden()
    visitor.page.locator("#chat .edit").nth(1).click()
    visitor.ask("고친 질문")
    expect(visitor.bubbles("user")).to_have_text(["첫 질문", "고친 질문"])
    visitor.idle()
    assert [turn.question for turn in chat.asked[-1][1]] == ["첫 질문"]
    visitor.page.click("#toast .undo")
    expect(visitor.bubbles("user")).to_have_text(["첫 질문", "둘째 질문", "셋째 질문"])


def test_an_answer_is_labelled_and_copied_with_its_sources(visitor: Visit) -> None:
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.answered("첫 질문")
    expect(visitor.bubbles("bot").locator(".label")).to_have_text("승인 답변")
    visitor.page.click("#chat .copy")
    expect(visitor.page.locator("#toast")).to_have_text("복사했습니다")
    copied = visitor.page.evaluate("navigator.clipboard.readText()")
    assert "재발급은 앱에서 무료입니다. [2]" in copied
    assert "[1] OTP를 분실하였을 경우 어떻게 해야 하나요? https://faq.saenarae.example/otp/snb-014" in copied


def test_escape_stops_the_answer(visitor: Visit, chat: FakeChat) -> None:
    visitor.ask("기다리는 질문")
    expect(visitor.bubbles("bot")).to_contain_text("먼저 사고신고를")
    visitor.page.keyboard.press("Escape")
    visitor.idle()
    expect(visitor.bubbles("bot")).to_contain_text("답변을 멈췄습니다.")
    chat.released.set()


def test_double_click_is_one_click(visitor: Visit, chat: FakeChat) -> None:
    """The second click hits another button in the same place: Stop instead of Send."""
    visitor.page.set_viewport_size({"width": 390, "height": 800})
    visitor.page.fill("#box textarea", "기다리는 질문")
    place = visitor.page.locator("#send").bounding_box()
    assert place
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    visitor.page.mouse.click(x, y)
    expect(visitor.page.locator("#stop")).to_be_visible()
    visitor.page.mouse.down(click_count=2)
    visitor.page.mouse.up(click_count=2)
    chat.released.set()
    visitor.idle()
    assert visitor.answer_text() == ANSWER_TEXT


def test_new_chat_while_an_answer_is_written(visitor: Visit, chat: FakeChat) -> None:
    visitor.ask("기다리는 질문")
    expect(visitor.bubbles("bot")).to_contain_text("먼저 사고신고를")
    visitor.page.click("#clear")
    expect(visitor.page.locator("#starters button").first).to_be_visible()
    chat.released.set()
    visitor.answered("새로운 질문")
    expect(visitor.bubbles("user")).to_have_text(["새로운 질문"])


def test_new_chat_while_pieces_arrive(visitor: Visit) -> None:
    """The end of the answer, which Gradio tells with its last frame, does not bring back what was cleared."""
    for _ in range(4):
        visitor.ask("끝없는 질문")
        expect(visitor.bubbles("bot")).to_contain_text("계속 계속")
        visitor.page.click("#clear")
        visitor.page.wait_for_timeout(500)
        expect(visitor.bubbles("bot")).to_have_count(0)
        expect(visitor.page.locator("#starters button").first).to_be_visible()


def test_a_stream_opened_while_the_last_one_is_closed_is_the_only_one(
    visitor: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gradio's server deals a conversation's messages out among its streams, so that a second one would swallow half of them.

    Chromium sends a request again if it was waiting for its headers when another one of the same URL was aborted, unless the
    responses are not stored. That is so if the response to a click is read just after the stream's last message.
    """
    opened: list[str] = []
    stream = RequestGuard._stream

    async def slow_stream(guard: RequestGuard, path: str, *rest: Any) -> None:
        if path == DATA:
            opened.append(path)
            await asyncio.sleep(0.2)
        await stream(guard, path, *rest)

    monkeypatch.setattr(RequestGuard, "_stream", slow_stream)
    visitor.page.add_init_script(HOLD_THE_CLICK)
    visitor.requests.clear()
    visitor.page.reload()
    visitor.ready()
    for number in range(6):
        visitor.ask("끝없는 질문")
        expect(visitor.bubbles("bot")).to_contain_text("계속 계속")
        visitor.page.click("#clear")
        expect(visitor.bubbles("bot")).to_have_count(0)
        visitor.page.wait_for_function("number => window.held === number", arg=number + 1)
    visitor.answered("새로운 질문")
    assert visitor.answer_text() == ANSWER_TEXT
    assert len(opened) == sum(DATA in url for url in visitor.requests)


HOLD_THE_CLICK = """(() => {
  const fetched = window.fetch;
  let clicked = false, release = null, ending = null;
  window.held = 0;
  const stream = async (request) => {
    const network = new AbortController();
    request.signal.addEventListener("abort", () => {
      if (!release) return network.abort();
      ending = network;
      release();
      release = null;
    });
    const sent = fetched(new Request(request, { signal: network.signal }));
    ending?.abort();
    ending = null;
    return new Response((await sent).body.tee()[0]);  // whose end does not end the request
  };
  window.fetch = async (...request) => {
    const url = String(request[0]?.url ?? request[0]);
    if (url.includes("/queue/data")) return stream(request[0]);
    if (!url.includes("/queue/join") || !clicked) return fetched(...request);
    clicked = false;
    const closed = new Promise((resolve) => { release = resolve; });
    const answer = await fetched(...request);
    await closed;
    window.held += 1;
    return answer;
  };
  document.addEventListener("click", (event) => { if (event.target.closest?.("#clear")) clicked = true; }, true);
})();"""
"""Holds the response to a click on New chat until the page ends its stream, and sends the next one's request before that end."""


def test_filters_are_sent_and_kept(visitor: Visit, chat: FakeChat) -> None:
    visitor.page.click("#tools summary")
    visitor.page.select_option("#bank", "도담저축은행")
    visitor.page.select_option("#category", "이체")
    visitor.answered("한도가 얼마인가요")
    expect(visitor.page.locator("#tools .chosen")).to_have_text("도담저축은행 · 이체")
    visitor.answered("한도는 얼마인가요")
    expected = Filters(equals={"bank": "도담저축은행", "category": "이체"})
    assert [filters for _, _, filters in chat.asked] == [expected, expected]


def test_filters_with_the_keyboard(visitor: Visit, chat: FakeChat) -> None:
    visitor.page.focus("#tools summary")
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.locator("#bank")).to_be_focused()
    visitor.page.keyboard.press("ArrowDown")
    expect(visitor.page.locator("#bank")).to_have_value("새나래은행")
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator("#tools .filters")).to_be_hidden()
    expect(visitor.page.locator("#tools summary")).to_be_focused()
    visitor.answered("한도가 얼마인가요")
    assert chat.asked[-1][2] == Filters(equals={"bank": "새나래은행"})
    visitor.page.click("#clear")
    expect(visitor.page.locator("#tools .chosen")).to_have_text("")


def test_a_topic_shows_its_questions_and_limits_nothing(visitor: Visit, chat: FakeChat) -> None:
    """A topic only lists questions; a filter that stayed active would decline later questions about other topics."""
    starters = visitor.page.locator("#starters button")
    expect(starters).to_have_text(["OTP를 잃어버렸어요", "이체한도를 늘리고 싶어요", "비슷한 질문이 있나요?"])
    topic = visitor.page.get_by_role("button", name="인증서")
    topic.click()
    expect(topic).to_have_attribute("aria-pressed", "true")
    expect(starters).to_have_text(["OTP를 잃어버렸어요", "비슷한 질문이 있나요?"])
    topic.click()
    expect(starters).to_have_count(3)
    visitor.page.get_by_role("button", name="이체", exact=True).click()
    starters.click()
    expect(visitor.bubbles("bot")).to_have_count(1)
    visitor.idle()
    assert (chat.asked[-1][0], chat.asked[-1][2]) == ("이체한도를 늘리고 싶어요", None)
    visitor.page.click("#clear")
    expect(starters).to_have_count(3)


def test_undoing_a_new_chat_brings_its_filters_back(visitor: Visit) -> None:
    visitor.answered("첫 질문")
    visitor.page.click("#tools summary")
    visitor.page.select_option("#bank", "새나래은행")
    visitor.page.click("#clear")
    expect(visitor.page.locator("#tools .chosen")).to_have_text("")
    visitor.page.locator("#toast .undo").click()
    expect(visitor.bubbles("user")).to_have_text(["첫 질문"])
    expect(visitor.page.locator("#tools .chosen")).to_have_text("새나래은행")


def test_the_other_suggestions_stay_to_be_chosen(visitor: Visit, chat: FakeChat) -> None:
    """A customer may open several suggested rows to compare institutions."""
    visitor.answered("비슷한 질문이 있나요?")
    options = visitor.page.locator("#chat article").first.locator(".option")
    rows = [options.nth(place).get_attribute("data-row") for place in (0, 1)]
    for place in (0, 1):
        options.nth(place).click()
        expect(visitor.bubbles("bot")).to_have_count(place + 2)
        visitor.idle()
    assert chat.chosen[-2:] == rows


def test_declined_and_notice_are_reported(visitor: Visit) -> None:
    visitor.answered("오늘 점심 뭐 먹지")
    expect(visitor.bubbles("bot").last).to_contain_text("금융 업무와 관련된 질문에만")
    expect(visitor.page.locator("#panel .card")).to_have_count(0)
    visitor.answered("빠진 내용이 있는 질문")
    expect(visitor.bubbles("bot").last.locator(".remark")).to_have_text(
        "출처에서 확인되지 않은 내용은 빼거나 등록된 FAQ 원문으로 바꿔 보여 드립니다."
    )


def test_empty_and_long_questions_are_refused_and_nothing_is_lost(visitor: Visit, chat: FakeChat) -> None:
    long = "가" * 1001
    visitor.ask(long)
    expect(visitor.page.locator("#hint")).to_have_text("질문이 너무 깁니다(1,001자). 1,000자 이내로 줄여 주세요.")
    assert visitor.page.input_value("#box textarea") == long
    expect(visitor.page.locator("#counter")).to_have_text("1,001/1,000자")
    visitor.ask("   ")
    expect(visitor.page.locator("#hint")).to_have_text("질문을 입력해 주세요.")
    visitor.page.locator("#starters button").first.click()
    expect(visitor.bubbles("bot")).to_have_count(1)
    visitor.idle()
    assert [question for question, _, _ in chat.asked] == ["OTP를 잃어버렸어요"]
    expect(visitor.page.locator("#hint")).to_be_empty()


def test_sending_an_empty_box_leaves_the_conversation_on_the_page(visitor: Visit, chat: FakeChat) -> None:
    visitor.answered("첫 질문")
    visitor.ask("   ")
    expect(visitor.page.locator("#hint")).to_have_text("질문을 입력해 주세요.")
    expect(visitor.bubbles("user")).to_have_text(["첫 질문"])
    expect(visitor.page.locator("#panel .shown .card")).to_have_count(3)


def test_enter_while_composing_does_not_send(visitor: Visit, chat: FakeChat) -> None:
    box = visitor.page.locator("#box textarea")
    box.focus()
    input_method = visitor.page.context.new_cdp_session(visitor.page)
    input_method.send("Input.imeSetComposition", {"text": "한도", "selectionStart": 2, "selectionEnd": 2})
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    input_method.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    input_method.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    box.evaluate("e => e.dispatchEvent(new KeyboardEvent('keypress', {key: 'Enter', bubbles: true, cancelable: true}))")
    input_method.send("Input.insertText", {"text": "한도"})
    assert visitor.page.input_value("#box textarea") == "한도"
    visitor.page.keyboard.press("Enter")
    expect(visitor.bubbles("bot")).to_have_count(1)
    visitor.idle()
    assert [question for question, _, _ in chat.asked] == ["한도"]


def test_shift_enter_is_a_new_line(visitor: Visit, chat: FakeChat) -> None:
    visitor.page.fill("#box textarea", "첫 줄")
    visitor.page.keyboard.press("Shift+Enter")
    visitor.page.keyboard.type("둘째 줄")
    visitor.page.click("#send")
    expect(visitor.bubbles("bot")).to_have_count(1)
    visitor.idle()
    assert chat.asked[0][0] == "첫 줄\n둘째 줄"
    assert visitor.bubbles("user").inner_text() == "첫 줄\n둘째 줄"


def test_conversations_of_two_visitors_are_apart(visitor: Visit, visit: Callable[..., Visit], chat: FakeChat) -> None:
    visitor.ask("기다리는 손님")
    expect(visitor.bubbles("bot")).to_contain_text("먼저 사고신고를")
    other = visit(visitor.url).ready()
    expect(other.bubbles("user")).to_have_count(0)
    other.answered("다른 손님")
    assert chat.asked[-1][:2] == ("다른 손님", ())
    expect(visitor.bubbles("bot")).not_to_contain_text("재발급은")
    chat.released.set()
    visitor.idle()
    expect(visitor.bubbles("user")).to_have_text(["기다리는 손님"])
