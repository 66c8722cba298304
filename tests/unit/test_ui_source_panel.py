"""The panel's HTML: escaped, complete, and links only to the web."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from rag.types import Source
from rag.ui.i18n import KOREAN
from rag.ui.rendering import is_web_address, panel_html
from tests.fakes import HOSTILE, SOURCES


class Parsed(HTMLParser):
    """Elements with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def source(number: int = 1, **changes: Any) -> Source:
    return Source(**{"number": number, "id": "a", "question": "질문", "text": "답", "score": 0.5, **changes})


def test_nothing_found_yet() -> None:
    assert KOREAN.sources_empty in Parsed(panel_html([], KOREAN)).text
    assert KOREAN.sources_empty in Parsed(panel_html([(1, "질문", ())], KOREAN)).text


def test_newest_turn_with_sources_is_shown() -> None:
    html = panel_html([(1, "하나", SOURCES), (2, "둘", SOURCES[:1]), (3, "셋", ())], KOREAN)
    parsed = Parsed(html)
    assert [each["class"] for each in parsed.all("section")] == ["turn", "turn shown"]
    assert [each["id"] for each in parsed.all("details")] == ["src-1-1", "src-1-2", "src-1-3", "src-2-1"]


def test_data_cannot_leave_its_place() -> None:
    hostile = source(
        question=HOSTILE, text=HOSTILE, metadata=dict.fromkeys(("bank", "category", "source_url"), HOSTILE)
    )
    parsed = Parsed(panel_html([(1, HOSTILE, [hostile])], KOREAN))
    assert {tag for tag, _ in parsed.elements} == {
        "h2", "section", "h3", "details", "summary", "span", "div", "p", "button",
    }  # fmt: skip
    assert parsed.text.count(HOSTILE) == 6
    assert not any(name.startswith("on") for _, attributes in parsed.elements for name in attributes)


@pytest.mark.parametrize(
    ("score", "percent"), [(0.0, 0), (0.004, 0), (0.5, 50), (0.916, 92), (1.0, 100), (1.7, 100), (-2.0, 0)]
)
def test_score_is_a_bar_and_a_text(score: float, percent: int) -> None:
    parsed = Parsed(panel_html([(1, "질문", [source(score=score)])], KOREAN))
    assert {"style": f"width:{percent}%"} in parsed.all("span")
    assert f"관련도 {percent}%" in parsed.text


def test_origin() -> None:
    parsed = Parsed(panel_html([(1, "질문", SOURCES)], KOREAN))
    assert "새나래은행 · 인증서" in parsed.text
    assert "기준일 2025-03-04" in parsed.text
    assert parsed.all("a") == [
        {"href": "https://faq.saenarae.example/otp/snb-014", "target": "_blank", "rel": "noopener noreferrer"}
    ]


def test_source_without_metadata() -> None:
    parsed = Parsed(panel_html([(1, "질문", [source()])], KOREAN))
    assert parsed.all("a") == []
    assert "기준일" not in parsed.text


@pytest.mark.parametrize("url", ["https://faq.example/a?b=1#c", "http://faq.example", "HTTPS://faq.example/한글"])
def test_web_addresses(url: str) -> None:
    assert is_web_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "", "faq.example/a", "//faq.example/a", "/a", "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)",
        "java\nscript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://faq.example", "https://", "https:///a",
        "https:javascript", "http://[::1", "https://a b", "https:\\\\faq.example", "vbscript:x",
    ],
)  # fmt: skip
def test_anything_else_is_no_link(url: str) -> None:
    assert not is_web_address(url)
