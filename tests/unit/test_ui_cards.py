"""The source cards' HTML: escaped, complete, and links only to the web."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from rag.korean import answering_sentence
from rag.types import Source
from rag.ui.rendering import is_web_address, sources_html
from rag.ui.texts import KOREAN
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


def cards(*sources: Source, question: str = "질문", relevance: Any = "off") -> Parsed:
    return Parsed(sources_html(1, question, sources, KOREAN, relevance))


def test_nothing_found() -> None:
    assert sources_html(1, "질문", (), KOREAN, "off") == ""


def test_cards_are_named_by_turn_and_number() -> None:
    assert [each["id"] for each in cards(*SOURCES).all("details")] == ["src-1-1", "src-1-2", "src-1-3"]


def test_the_sentence_that_answers_is_marked() -> None:
    text = "먼저 신고해 주세요. 재발급 수수료는 3,000원입니다.\n\n※ 영업점에서도 됩니다."
    start, end = answering_sentence("OTP 재발급 수수료가 얼마예요?", text)
    assert text[start:end] == "재발급 수수료는 3,000원입니다."
    assert cards(source(text=text), question="수수료").text.count("재발급 수수료는 3,000원입니다.") == 2
    assert answering_sentence("질문", "") == (0, 0)


def test_the_marked_sentence_is_about_what_is_asked_not_about_the_institution() -> None:
    text = "OTP를 분실하신 경우 바로 신고해 주세요.\n[재발급]\n- 디지털OTP: 새나래ON에서 무료 발급"
    row = source(question="OTP를 분실한 경우 어떻게 하나요?", text=text, metadata={"bank": "새나래은행"})
    for question in ("새나래은행 OTP 잃어버렸어요", "새나래 OTP가 없어졌는데요"):
        assert "<mark>OTP를 분실하신 경우 바로 신고해 주세요.</mark>" in sources_html(1, question, [row], KOREAN, "off")
    start, end = answering_sentence("디지털OTP 재발급은요?", text)
    assert text[start:end] == "디지털OTP: 새나래ON에서 무료 발급", "neither the label nor the list's marker"


def test_data_cannot_leave_its_place() -> None:
    hostile = source(
        question=HOSTILE, text=HOSTILE, metadata=dict.fromkeys(("bank", "category", "source_url"), HOSTILE)
    )
    parsed = cards(hostile, question=HOSTILE)
    assert {tag for tag, _ in parsed.elements} == {
        "section", "h3", "details", "summary", "span", "div", "p", "button", "mark",
    }  # fmt: skip
    assert parsed.text.count(HOSTILE) == 6
    assert not any(name.startswith("on") for _, attributes in parsed.elements for name in attributes)


@pytest.mark.parametrize(
    ("score", "word", "width"), [(0.0, "낮음", 0), (0.5, "보통", 50), (0.916, "높음", 92), (1.7, "높음", 100)]
)
def test_a_score_is_no_percentage_for_customers(score: float, word: str, width: int) -> None:
    assert "%" not in cards(source(score=score)).text
    assert f"관련도 {word}" in cards(source(score=score), relevance="word").text
    bar = cards(source(score=score), relevance="bar")
    assert {"style": f"width:{width}%"} in bar.all("span")
    assert "%" not in bar.text


def test_origin() -> None:
    parsed = cards(*SOURCES)
    assert "새나래은행 · 인증서" in parsed.text
    assert "기준일 2025-03-04" in parsed.text
    assert parsed.all("a") == [
        {"href": "https://faq.saenarae.example/otp/snb-014", "target": "_blank", "rel": "noopener noreferrer"}
    ]


def test_source_without_metadata() -> None:
    parsed = cards(source())
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
