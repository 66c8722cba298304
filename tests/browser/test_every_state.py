"""axe-core finds no violation in any state of the page: all widths, double size, light and dark, both languages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from rag.ui.auth import PasswordHash, hash_password
from rag.ui.texts import ENGLISH, KOREAN, Texts
from tests.attack.served import CHEAP
from tests.browser.conftest import Serve, Visit
from tests.fakes import FakeChat

FORMS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1280, "height": 800}},
    "tablet": {"viewport": {"width": 768, "height": 1024}, "has_touch": True},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "double": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
}
"""`double`: a window of 1280 x 800 at 200 %."""
VARIANTS = [
    *((form, "light", KOREAN) for form in ("desk", "phone")),
    *((form, "dark", KOREAN) for form in ("tablet", "double")),
    *((form, "dark", ENGLISH) for form in ("desk", "phone")),
    *((form, "light", ENGLISH) for form in ("tablet", "double")),
]

Variant = tuple[str, str, Texts]


@pytest.fixture(params=VARIANTS, ids=lambda variant: f"{variant[0]}-{variant[1]}-{variant[2].language}")
def variant(request: pytest.FixtureRequest) -> Variant:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def clean(variant: Variant) -> Callable[[Visit, str], None]:
    """Checks the current state of a tab."""

    def clean(visitor: Visit, state: str) -> None:
        visitor.screenshot(f"{variant[0]}-{variant[1]}-{variant[2].language}-{state}")
        assert visitor.violations() == [], state
        width = visitor.page.viewport_size["width"]  # type: ignore[index]
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width, state

    return clean


@pytest.fixture
def opened(variant: Variant, visit: Callable[..., Visit]) -> Callable[[str], Visit]:
    """Opens a tab of this variant."""
    form, scheme, _ = variant
    return lambda url: visit(url, color_scheme=scheme, reduced_motion="reduce", **FORMS[form])


Clean = Callable[[Visit, str], None]
Opened = Callable[[str], Visit]


def test_before_the_first_question(serve: Serve, variant: Variant, opened: Opened, clean: Clean) -> None:
    texts = variant[2]
    server, _ = serve(
        language=texts.language, users={"kim": PasswordHash.parse(hash_password("right-password", CHEAP))}
    )
    visitor = opened(server.url)
    clean(visitor, "login")
    visitor.page.fill("[name=username]", "kim")
    visitor.page.fill("[name=password]", "wrong")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("#wrong")).to_have_text(texts.login_wrong)
    clean(visitor, "login-wrong")
    visitor.page.fill("[name=password]", "right-password")
    visitor.page.keyboard.press("Enter")
    visitor.ready()
    clean(visitor, "empty")
    visitor.page.locator("#topics button").first.click()
    visitor.page.click("#tools summary")
    clean(visitor, "filters")
    visitor.page.select_option("#bank", "도담저축은행")
    visitor.page.keyboard.press("Escape")
    clean(visitor, "filtered")
    visitor.ask(" ")
    clean(visitor, "empty-question")
    visitor.ask("가" * 1001)
    clean(visitor, "too-long")
    visitor.page.click("#menu")
    expect(visitor.page.locator("#chats li")).to_have_text(texts.no_chats)
    clean(visitor, "no-chats")


def test_loading_and_what_went_wrong(serve: Serve, variant: Variant, opened: Opened, clean: Clean) -> None:
    texts = variant[2]
    go_on = threading.Event()

    def build(progress: Callable[[str, int, int], None]) -> FakeChat:
        progress("질문을 준비하는 중", 120, 300)
        go_on.wait()
        raise RuntimeError

    server, _ = serve(build=build, language=texts.language)
    visitor = opened(server.url)
    expect(visitor.page.locator("#status")).to_contain_text("120/300")
    clean(visitor, "loading")
    visitor.ask("OTP를 잃어버렸어요")
    expect(visitor.bubbles("bot")).to_contain_text(texts.waiting)
    clean(visitor, "waiting")
    go_on.set()
    expect(visitor.page.locator("#status")).to_contain_text(texts.failed)
    visitor.idle()
    clean(visitor, "failed")
    server.close()
    visitor.ask("둘째 질문")
    expect(visitor.page.locator("#toast")).to_have_text(texts.lost)
    clean(visitor, "lost")


def test_answers_and_what_is_done_with_them(
    serve: Serve, variant: Variant, opened: Opened, clean: Clean, chat: FakeChat
) -> None:
    texts = variant[2]
    server, _ = serve(chat, language=texts.language)
    visitor = opened(server.url).ready()
    visitor.answered("OTP를 잃어버렸어요")
    clean(visitor, "answered")
    visitor.page.click('#chat a[href="#src-1-1"]')
    visitor.page.click("#src-1-1 .whole")
    clean(visitor, "source")
    visitor.page.keyboard.press("Escape")
    visitor.answered("빠진 내용이 있는 질문, 900101-1234567")
    visitor.answered("비슷한 질문이 있나요?")
    visitor.page.click("#chat article:last-child .none")
    clean(visitor, "suggested")
    visitor.page.click("#chat article:last-child .dislike")
    clean(visitor, "disliked")
    visitor.page.click("#chat article:last-child .reason >> nth=0")
    expect(visitor.page.locator("#chat article:last-child .thanks")).to_have_text(texts.liked)
    visitor.page.click("#chat article:last-child .edit")
    clean(visitor, "editing")
    visitor.page.keyboard.press("Escape")
    visitor.answered("오늘 점심 뭐 먹지")
    clean(visitor, "declined")
    visitor.answered("여러 은행 질문")
    clean(visitor, "tall")
    visitor.answered("금리표")
    expect(visitor.page.locator("#chat td").last).to_have_text("영업점·앱")
    clean(visitor, "table")
    visitor.answered("오류가 나는 질문")
    clean(visitor, "error")
    visitor.ask("기다리는 질문")
    visitor.ask("그 다음 질문")
    expect(visitor.page.locator("#queue p")).to_have_count(1)
    expect(visitor.bubbles("bot").last).to_contain_text("먼저 사고신고를")
    clean(visitor, "writing")
    visitor.page.click("#queue button")
    visitor.page.click("#stop")
    visitor.idle()
    chat.released.set()
    expect(visitor.bubbles("bot").last).to_contain_text(texts.stopped)
    clean(visitor, "stopped")
    visitor.page.click("#clear")
    expect(visitor.page.locator("#toast")).to_contain_text(texts.cleared)
    clean(visitor, "cleared")
    visitor.page.click("#menu")
    expect(visitor.page.locator("#chats .open")).to_have_count(1)
    clean(visitor, "chats")
    visitor.page.fill("#find", "없는 말")
    expect(visitor.page.locator("#chats .open")).to_have_count(0)
    clean(visitor, "nothing-found")
    assert visitor.foreign() == []
    assert visitor.complaints == []
