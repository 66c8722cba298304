"""Citations and the source panel: by mouse and keyboard, of new and old turns."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit


def card(visitor: Visit, turn: int, number: int) -> Locator:
    return visitor.page.locator(f"#src-{turn}-{number}")


def cite(visitor: Visit, turn: int, number: int) -> Locator:
    return visitor.page.locator(f'#chat a[href="#src-{turn}-{number}"]')


def expect_open(visitor: Visit, turn: int, number: int) -> None:
    """The card is shown, open, highlighted, in view, has the focus, and is the only one highlighted."""
    found = card(visitor, turn, number)
    expect(found).to_have_attribute("open", "")
    expect(found.locator("summary")).to_be_focused()
    expect(found.locator("summary")).to_be_in_viewport()
    assert visitor.page.locator("#panel .cited").evaluate_all("all => all.map(e => e.id)") == [f"src-{turn}-{number}"]


@pytest.mark.parametrize("way", ["click", "keyboard"])
def test_citation_of_the_newest_and_of_an_older_turn(visitor: Visit, way: str) -> None:
    visitor.answered("첫 질문")
    visitor.answered("둘째 질문")
    address = visitor.page.url
    for turn, number in ((2, 1), (1, 2), (2, 2)):
        if way == "click":
            cite(visitor, turn, number).click()
        else:
            cite(visitor, turn, number).focus()
            visitor.page.keyboard.press("Enter")
        expect_open(visitor, turn, number)
    expect(visitor.page.locator("#panel .shown .asked")).to_have_text("질문: 둘째 질문")
    assert visitor.page.url == address, "the page did not navigate"
    visitor.screenshot(f"cited-{way}")


def test_link_back_to_the_answer(visitor: Visit) -> None:
    visitor.answered("첫 질문")
    cite(visitor, 1, 2).click()
    card(visitor, 1, 2).get_by_role("button", name="답변으로 돌아가기").click()
    expect(cite(visitor, 1, 2)).to_be_focused()


def test_new_answer_shows_its_own_sources_again(visitor: Visit) -> None:
    visitor.answered("첫 질문")
    visitor.answered("둘째 질문")
    cite(visitor, 1, 1).click()
    expect(visitor.page.locator("#panel .shown .asked")).to_have_text("질문: 첫 질문")
    visitor.answered("셋째 질문")
    expect(visitor.page.locator("#panel .shown .asked")).to_have_text("질문: 셋째 질문")
    expect(visitor.page.locator("#panel .cited")).to_have_count(0)


def test_the_content_of_a_card(visitor: Visit) -> None:
    visitor.answered("어디로 신고해야 하나요?")
    first = card(visitor, 1, 1)
    expect(first.locator(".place")).to_have_text("새나래은행 · 인증서")
    expect(first.locator(".score")).to_have_count(0)
    first.locator("summary").click()
    expect(first.locator(".origin")).to_contain_text("기준일 2025-03-04")
    expect(first.locator(".excerpt mark")).to_have_text("고객센터 1500-0101로 먼저 신고해 주세요.")
    expect(first.locator(".passage")).to_be_hidden()
    link = first.get_by_role("link", name="원문 보기")
    expect(link).to_have_attribute("href", "https://faq.saenarae.example/otp/snb-014")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    third = card(visitor, 1, 3)
    third.locator("summary").click()
    expect(third.locator(".origin")).to_have_text("javascript:alert(1)")
    expect(third.get_by_role("link")).to_have_count(0)


def test_older_turns_stay_on_the_page_with_their_sources(visitor: Visit) -> None:
    for number in range(21):
        visitor.answered(f"질문 {number}")
        if number == 19:
            expect(visitor.bubbles("user")).to_have_count(20)
            break
    visitor.ask("마지막 질문")
    expect(visitor.bubbles("user").last).to_have_text("마지막 질문")
    visitor.idle()
    expect(visitor.bubbles("user")).to_have_count(21)
    for turn in (1, 21):
        cite(visitor, turn, 1).click()
        expect_open(visitor, turn, 1)
