"""Escaping: what is rendered reads as what was written."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.ui.rendering import aside, cited, escape_markdown
from tests.fakes import HOSTILE

REFERENCE = re.compile(r"&#\d+;")
TEXT = st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\t"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("이체한도는 5천만원입니다", "이체한도는 5천만원입니다"),
        ("1~2%", "1&#126;2&#37;"),
        ("- 하나\n1. 둘", "&#45; 하나&#10;1&#46; 둘"),
        ("    코드", "&#32;&#32;&#32;&#32;코드"),
        ("가  나", "가&#32;&#32;나"),
        ("&lt;", "&#38;lt&#59;"),
        ("a\r\nb\rc", "a&#10;b&#10;c"),
        ("", ""),
        ("끝 ", "끝&#32;"),
        ("a\0b\x1bc\ud800d", "a\ufffdb\ufffdc\ufffdd"),
    ],
)
def test_examples(text: str, expected: str) -> None:
    assert escape_markdown(text) == expected


@given(TEXT)
def test_reads_as_written_and_holds_nothing_markup_is_made_of(text: str) -> None:
    shown = escape_markdown(text)
    assert unescape(shown) == text
    rest = REFERENCE.sub("", shown)
    assert not re.search(r"[!-/:-@\[-`{-~\n\t\r]", rest)
    assert "\n" not in shown, "one paragraph: no list, heading, table or code block can begin"
    assert not re.search(r"^\s|\s\s|\s$", rest) or REFERENCE.search(shown)


def test_hostile_text_reads_as_written() -> None:
    assert unescape(escape_markdown(HOSTILE)) == HOSTILE


def test_citations_of_known_sources_become_links() -> None:
    shown = cited("한도[1][2]와 [3], [0], [12](http://x) [01]", turn=4, sources=2)
    assert re.findall(r"\[&#91;(\d+)&#93;\]\((#[^)]*)\)", shown) == [
        ("1", "#src-4-1"), ("2", "#src-4-2"), ("01", "#src-4-1"),
    ]  # fmt: skip
    without_links = re.sub(r"\[(&#91;\d+&#93;)\]\(#[^)]*\)", r"\1", shown)
    assert unescape(without_links) == "한도[1][2]와 [3], [0], [12](http://x) [01]"
    assert not re.search(r"[\[\]()]", without_links)


@given(TEXT, st.integers(0, 5))
def test_only_links_to_cards_are_ever_made(text: str, sources: int) -> None:
    shown = cited(text, turn=1, sources=sources)
    links = re.findall(r"\[(&#91;(\d{1,3})&#93;)\]\((#src-1-(\d+))\)", shown)
    assert all(int(number) == int(target) and 1 <= int(number) <= sources for _, number, _, target in links)
    bare = re.sub(r"\[(&#91;\d{1,3}&#93;)\]\(#src-1-\d+\)", r"\1", shown)
    assert unescape(bare) == text
    assert not re.search(r"[\[\]()]", bare)


def test_remark_is_one_quote() -> None:
    assert aside("멈췄습니다.\n> 둘") == "> 멈췄습니다&#46;&#10;&#62; 둘"
