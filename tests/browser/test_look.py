"""Narrow and wide, light and dark, Korean and English: usable, readable, accessible, and from this host alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Serve, Visit

PHONE = {"width": 390, "height": 844}


def serious(visitor: Visit) -> list[Any]:
    """What axe-core finds serious or critical, Gradio's own parts included."""
    found = Axe().run(visitor.page).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 800}], ids=["phone", "desk"])
def test_no_serious_accessibility_violation(
    serve: Serve, visit: Callable[..., Visit], scheme: str, size: dict[str, int]
) -> None:
    server, _ = serve()
    visitor = visit(server.url, color_scheme=scheme, viewport=size, reduced_motion="reduce").ready()
    name = f"{scheme}-{size['width']}"
    visitor.shot(f"{name}-empty")
    assert serious(visitor) == []
    visitor.page.locator("#topics button").first.click()
    visitor.page.click("#tools summary")
    assert serious(visitor) == []
    visitor.page.keyboard.press("Escape")
    visitor.answered("OTP를 잃어버렸어요")
    visitor.page.click('#chat a[href="#src-1-1"]')
    expect(visitor.page.locator("#src-1-1 summary")).to_be_focused()
    visitor.shot(f"{name}-cited")
    assert serious(visitor) == []
    visitor.answered("빠진 내용이 있는 질문")
    visitor.answered("비슷한 질문이 있나요?")
    visitor.shot(f"{name}-suggested")
    assert serious(visitor) == []
    visitor.page.click("#chat article:last-child .none")
    visitor.page.locator("#chat article:last-child .edit").click()
    assert serious(visitor) == []
    visitor.page.keyboard.press("Escape")
    visitor.answered("여러 은행 질문")
    visitor.shot(f"{name}-tall")
    assert serious(visitor) == []
    visitor.answered("오류가 나는 질문")
    assert serious(visitor) == []
    visitor.page.click("#menu")
    expect(visitor.page.locator("#chats .open")).to_have_count(1)
    visitor.shot(f"{name}-chats")
    assert serious(visitor) == []
    assert visitor.foreign() == []
    assert visitor.complaints == []


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
    assert serious(visitor) == []
    visitor.page.locator("#src-1-2 .back").tap()
    expect(visitor.page.locator('#chat a[href="#src-1-2"]')).to_be_focused()
    visitor.page.get_by_role("button", name="출처 3건 보기").tap()
    expect(visitor.page.locator("#panel")).to_be_focused()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator("#sources")).to_be_hidden()
    expect(visitor.page.get_by_role("button", name="출처 3건 보기")).to_be_focused()


def test_nothing_lies_over_the_text_at_double_size(serve: Serve, visit: Callable[..., Visit]) -> None:
    """A window of 1280 x 800 at 200 %."""
    server, _ = serve()
    visitor = visit(server.url, viewport={"width": 640, "height": 400}, device_scale_factor=2).ready()
    visitor.answered("여러 은행 질문")
    down = visitor.page.locator("#down").bounding_box()
    log = visitor.page.locator("#chat [role=log]").bounding_box()
    assert down and log
    assert down["y"] >= log["y"] + log["height"]
    assert serious(visitor) == []
    visitor.shot("double")


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
    expect(visitor.bubbles("bot")).to_have_text("the endpoint faq-llm does not answer")
    visitor.shot("english")
    assert serious(visitor) == []


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
