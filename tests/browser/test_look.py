"""All widths, colour schemes and languages: usable, readable, accessible, and without requests to other hosts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from rag.ui.texts import ENGLISH
from tests.browser.conftest import Serve, Visit


@pytest.mark.parametrize("width", [390, 768])
def test_narrow_pages_open_the_sources_as_a_drawer_and_never_scroll_sideways(
    serve: Serve, visit: Callable[..., Visit], width: int
) -> None:
    server, _ = serve()
    visitor = visit(server.url, viewport={"width": width, "height": 844}, has_touch=True, is_mobile=True).ready()
    expect(visitor.page.get_by_text("자동으로(AI 포함) 제공됩니다")).to_be_in_viewport()
    expect(visitor.page.get_by_text("주민등록번호, 계좌번호, 비밀번호는 입력하지 마세요")).to_be_in_viewport()
    composer = visitor.page.locator("#composer").bounding_box()
    assert composer
    assert composer["height"] <= 90
    visitor.answered("OTP를 잃어버렸어요")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == width
    for part in ("#box", "#send", "#tools", "#clear"):
        box = visitor.page.locator(part).bounding_box()
        assert box, part
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, part
        assert box["height"] >= 36, part
    expect(visitor.page.locator("#sources")).to_be_hidden()
    visitor.page.tap('#chat a[href="#src-1-2"]')
    expect(visitor.page.locator("#src-1-2 summary").first).to_be_in_viewport()
    assert visitor.violations() == []
    visitor.page.locator("#src-1-2 .back").tap()
    expect(visitor.page.locator('#chat a[href="#src-1-2"]')).to_be_focused()
    visitor.page.get_by_role("button", name="출처 3건 보기").tap()
    expect(visitor.page.locator("#panel")).to_be_focused()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator("#sources")).to_be_hidden()
    expect(visitor.page.get_by_role("button", name="출처 3건 보기")).to_be_focused()


@pytest.mark.parametrize("drawer", ["chats", "sources"])
def test_a_drawer_is_all_there_is_until_it_is_closed_also_by_a_click_beside_it(
    serve: Serve, visit: Callable[..., Visit], drawer: str
) -> None:
    server, _ = serve()
    visitor = visit(server.url, viewport={"width": 768, "height": 844}).ready()
    visitor.answered("OTP를 잃어버렸어요")
    opener = visitor.page.locator({"chats": "#menu", "sources": '#chat a[href="#src-1-2"]'}[drawer])
    opener.click()
    expect(visitor.page.locator(f"#{drawer} :focus")).to_have_count(1)
    for _ in range(20):
        visitor.page.keyboard.press("Tab")
        inside = (
            f"document.activeElement === document.body || document.activeElement.closest('#{drawer}, #toast') !== null"
        )
        assert visitor.page.evaluate(inside)
    beside = {"chats": 700, "sources": 60}[drawer]
    visitor.page.mouse.click(beside, 700)
    expect(visitor.page.locator(f"#{drawer}")).to_be_hidden()
    expect(opener).to_be_focused()
    expect(visitor.bubbles("user")).to_have_count(1)


def test_what_a_phone_shows_is_whole(serve: Serve, visit: Callable[..., Visit]) -> None:
    """Button labels stay on one line, and content opened by a click is scrolled into view."""
    server, _ = serve()
    visitor = visit(server.url, viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True).ready()
    visitor.answered("여러 은행 질문")
    visitor.page.locator("#chat .dislike").tap()
    expect(visitor.page.locator("#chat .reason").last).to_be_in_viewport(ratio=1)
    visitor.page.locator("#chat .edit").tap()
    end = visitor.page.locator("#editing .end").bounding_box()
    visitor.page.locator("#clear").tap()
    undo = visitor.page.locator("#toast .undo").bounding_box()
    assert end and undo
    assert max(end["height"], undo["height"]) < 40


def test_nothing_lies_over_the_text_at_double_size(serve: Serve, visit: Callable[..., Visit]) -> None:
    """A window of 1280 x 800 at 200 %."""
    server, _ = serve()
    visitor = visit(server.url, viewport={"width": 640, "height": 400}, device_scale_factor=2).ready()
    visitor.answered("여러 은행 질문")
    down = visitor.page.locator("#down").bounding_box()
    log = visitor.page.locator("#chat [role=log]").bounding_box()
    assert down and log
    assert down["y"] >= log["y"] + log["height"]
    assert visitor.violations() == []
    visitor.screenshot("double")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system(serve: Serve, visit: Callable[..., Visit], scheme: str) -> None:
    server, _ = serve()
    visitor = visit(server.url, color_scheme=scheme).ready()
    ground = visitor.page.locator(".gradio-container").evaluate("e => getComputedStyle(e).backgroundColor")
    assert ground == {"light": "rgb(244, 246, 250)", "dark": "rgb(13, 19, 28)"}[scheme]


def test_dark_by_choice_is_kept(serve: Serve, visit: Callable[..., Visit]) -> None:
    server, _ = serve()
    visitor = visit(server.url, color_scheme="light").ready()
    visitor.page.click("#theme")
    expect(visitor.page.locator("#theme")).to_have_attribute("aria-pressed", "true")
    visitor.page.reload()
    visitor.ready()
    expect(visitor.page.locator("body")).to_have_class("dark")


def test_whole_page_by_keyboard(serve: Serve, visit: Callable[..., Visit]) -> None:
    server, _ = serve()
    visitor = visit(server.url).ready()
    expect(visitor.page.locator("#question")).to_be_focused()
    visitor.page.locator("#starters button").first.focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.bubbles("bot")).to_have_count(1)
    visitor.idle()
    expect(visitor.page.locator("#live")).to_contain_text("답변이 도착했습니다.")
    expect(visitor.page.locator("#live")).to_contain_text("출처 3건이 표시되었습니다.")
    visitor.page.locator("#chat a").last.focus()
    reached: list[str] = []
    while not reached or reached[-1] != "src-1-3":
        visitor.page.keyboard.press("Tab")
        reached.append(visitor.page.evaluate("(e => e.closest('[id]').id)(document.activeElement)"))
        assert len(reached) < 20
    assert list(dict.fromkeys(reached)) == ["chat", "tools", "question", "send", "src-1-1", "src-1-2", "src-1-3"]
    visitor.page.locator("a.skip").focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("#question")).to_be_focused()


def test_english_page(serve: Serve, visit: Callable[..., Visit]) -> None:
    server, _ = serve(language="en")
    visitor = visit(server.url, locale="ko-KR").ready()
    assert visitor.page.title() == "Financial FAQ"
    expect(visitor.page.locator("html")).to_have_attribute("lang", "en")
    expect(visitor.page.get_by_role("button", name="Send")).to_be_visible()
    expect(visitor.page.get_by_placeholder("Type a question")).to_be_visible()
    visitor.answered("오류가 나는 질문")
    expect(visitor.bubbles("bot")).to_have_text(ENGLISH.errors["ModelUnavailable"])
    visitor.answered("OTP를 잃어버렸어요")
    for part in ("#chat .said", "#panel .card-title", "#panel .excerpt mark"):
        expect(visitor.page.locator(part).last).to_have_attribute("lang", "ko")
    visitor.screenshot("english")
    assert visitor.violations() == []


@pytest.mark.parametrize("locale", ["ko-KR", "en-US"])
def test_korean_page_is_korean_in_any_browser(serve: Serve, visit: Callable[..., Visit], locale: str) -> None:
    server, _ = serve()
    visitor = visit(server.url, locale=locale).ready()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "ko")
    assert visitor.page.title() == "금융 FAQ 상담"
    visitor.answered("질문")
    expect(visitor.page.get_by_role("complementary", name="출처")).to_be_visible()
    labels = visitor.page.locator("#chat [role=log], #chat [data-testid=user], #chat [data-testid=bot]").evaluate_all(
        "all => all.map(e => e.ariaLabel)"
    )
    assert set(labels) == {"상담 내용", "내 질문", "답변"}
