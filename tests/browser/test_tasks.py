"""Five typical tasks of a customer, each done with two clicks or one question."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import open_index
from rag.settings import Settings, StoreSettings
from tests.browser.conftest import Serve, Visit

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_fee_comparison_follow_up_source_and_deletion(
    bundled_root: Path, models: Models, serve: Serve, visit: Callable[..., Visit], tmp_path: Path, size: dict[str, int]
) -> None:
    settings = Settings(store=StoreSettings(directory=bundled_root))
    server, _ = serve(build_service(settings, models, open_index(settings, models)))
    visitor = visit(server.url, viewport=size, reduced_motion="reduce").ready()
    page = visitor.page

    # A fee: its topic, then the question.
    page.get_by_role("button", name="이체·송금", exact=True).click()
    page.get_by_role("button", name="당행 및 타행 이체 수수료는 얼마인가요?").click()
    expect(visitor.bubbles("bot").last).to_contain_text("건당 3,000원")
    visitor.idle()

    # Two institutions side by side: one question.
    visitor.answered("새나래은행이랑 도담저축은행 이체한도 올리는 방법 비교해줘")
    expect(visitor.bubbles("bot").last.locator("h3.chip")).to_have_text(["새나래은행", "도담저축은행"])

    # A follow-up: one question.
    visitor.answered("그럼 미르누리증권은요?")
    expect(visitor.bubbles("bot").last).to_contain_text("미르누리M에서 1회 1억원")

    # Where it comes from: one click.
    visitor.bubbles("bot").last.locator("a.cite").first.click()
    card = page.locator("#panel .card.cited")
    expect(card.get_by_role("link", name="원문 보기")).to_be_in_viewport()
    expect(card.locator(".excerpt mark")).to_be_in_viewport()
    page.keyboard.press("Escape")

    # Nothing of it is to stay: two clicks, and the browser asks once.
    page.evaluate("window.confirm = () => true")
    page.click("#menu")
    page.click("#forget")
    expect(visitor.bubbles("user")).to_have_count(0)
    assert "이체".encode() not in (tmp_path / "history.sqlite").read_bytes()
