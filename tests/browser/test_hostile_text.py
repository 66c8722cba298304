"""Text of customers and data is shown as written, executes nothing and loads nothing."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from playwright.sync_api import expect

from rag.types import Answer, Source
from tests.browser.conftest import Serve, Visit
from tests.fakes import HOSTILE, FakeChat

CHARACTERS = "가나다라   \n\n\t-*_~`#>|[](){}<>!&;:=+.\\$^%@\"'/0123abc"


def soup(length: int) -> str:
    """Random markup characters, the same in every run."""
    return "시작 " + "".join(random.Random(7).choices(CHARACTERS, k=length)) + " 끝"


def letters(text: str) -> str:
    """The text without the markers of lists and labels, which are drawn."""
    return re.sub(r"[\s\-*•·\[\]().0-9]", "", text)


class SoupChat(FakeChat):
    """Answers with random markup."""

    def answer(self, question: str) -> Answer:
        text = soup(3000)
        return Answer(question, text, "answered", sources=(Source(1, "a", text, text, 0.5),))


def test_hostile_text_is_shown_as_it_is(visitor: Visit) -> None:
    visitor.answered(f"위험한 글\n{HOSTILE}"[:1000])
    assert visitor.bubbles("user").inner_text() == f"위험한 글\n{HOSTILE}"[:1000].strip()
    assert letters(visitor.answer_text()) == letters(HOSTILE)
    expect(visitor.page.locator("#chat a")).to_have_count(1)
    expect(visitor.page.locator("#chat a")).to_have_attribute("href", "#src-1-1")
    visitor.page.locator("#panel summary").click()
    visitor.page.locator("#panel .whole").click()
    for part in (".card-title", ".passage"):
        assert visitor.page.locator(f"#panel {part}").inner_text() == HOSTILE
    assert visitor.page.locator("#panel .asked").inner_text().startswith("질문: 위험한 글\n<b>굵게</b>")
    inside = visitor.page.locator("#chat, #panel")
    assert inside.locator("img, form, iframe, script, input, table, code, b, strong, em, h1, [onerror]").count() == 0
    assert visitor.page.title() == "금융 FAQ 상담"
    assert visitor.foreign() == []
    assert visitor.complaints == []
    visitor.screenshot("hostile")


def test_hostile_suggestions_and_starters(serve: Serve, visit: Callable[..., Visit]) -> None:
    class Hostile(FakeChat):
        def answer(self, question: str) -> Answer:
            return Answer(question, "?", "suggested", sources=(Source(1, "a", HOSTILE, HOSTILE, 0.5),))

        def topics(self) -> dict[str, list[str]]:
            return {HOSTILE: [HOSTILE]}

    server, _ = serve(Hostile())
    visitor = visit(server.url).ready()
    flat = " ".join(HOSTILE.split())
    visitor.page.locator("#topics button").click()
    for part in ("#topics", "#starters"):
        assert " ".join(visitor.page.locator(f"{part} button").inner_text().split()) == flat
    visitor.answered("질문")
    assert " ".join(visitor.page.locator("#chat .option").inner_text().split()) == flat
    visitor.page.click("#chat .option")
    expect(visitor.bubbles("user")).to_have_count(2)
    assert visitor.foreign() == []
    assert visitor.complaints == []


def test_random_markup_is_shown_as_it_is(serve: Serve, visit: Callable[..., Visit]) -> None:
    server, _ = serve(SoupChat())
    visitor = visit(server.url).ready()
    visitor.answered("질문")
    assert letters(visitor.answer_text()) == letters(soup(3000))
    visitor.page.locator("#panel summary").click()
    visitor.page.locator("#panel .whole").click()
    assert visitor.page.locator("#panel .passage").inner_text() == soup(3000)
    assert visitor.foreign() == []
    assert visitor.complaints == []
