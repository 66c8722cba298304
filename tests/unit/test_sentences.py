"""Sentences of Korean answers, whole and while they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.synthesis.sentences import cited_parts, complete_until, says_something, split_sentences


def parts(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("연 3.5%입니다. [1] 무료입니다. [2]", ["연 3.5%입니다. [1]", " 무료입니다. [2]"]),
        ("2026.03.01. 기준입니다[1]. 끝", ["2026.03.01. 기준입니다[1].", " 끝"]),
        ("2026. 3. 1.부터 적용됩니다.[1][2] 네", ["2026. 3. 1.부터 적용됩니다.[1][2]", " 네"]),
        ("Ⅰ. 개요입니다. 1. 첫째입니다.", ["Ⅰ. 개요입니다.", " 1. 첫째입니다."]),
        ("[경로]\n- 앱 > 설정 [1]\n끝", ["[경로]\n", "- 앱 > 설정 [1]\n", "끝"]),
        ("가능해요! 그렇죠? [1] 네", ["가능해요!", " 그렇죠? [1]", " 네"]),
        ("'네.' 라고 했다", ["'네.'", " 라고 했다"]),
        ("", []),
    ],
)
def test_sentences_keep_their_citations(text: str, expected: list[str]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("수수료는 500원이고 [2], 한도는 5억원 [1].", [("수수료는 500원이고 [2],", (2,)), (" 한도는 5억원 [1].", (1,))]),
        ("수수료 500원[2], 한도 5억원 [1][3] 입니다.", [("수수료 500원[2],", (2,)), (" 한도 5억원 [1][3] 입니다.", (1, 3))]),
        ("수수료는 500원이고 [1] 한도는 5억원입니다 [1].", []),
        ("수수료는 500원이고 한도는 5억원입니다. [1][2]", []),
        ("수수료는 500원입니다.", []),
    ],
)  # fmt: skip
def test_the_parts_that_cite_different_sources(sentence: str, expected: list[tuple[str, tuple[int, ...]]]) -> None:
    assert cited_parts(sentence) == expected


@given(st.text(alphabet="가다요.!? \n[]123%", max_size=60))
def test_joined_the_parts_are_the_text(text: str) -> None:
    assert "".join(parts(text)) == text


@given(st.text(alphabet="가다요. \n[1]", max_size=40), st.text(alphabet="가다요. \n[1]", max_size=10))
def test_what_follows_changes_no_whole_sentence(text: str, more: str) -> None:
    whole = complete_until(text)
    assert complete_until(text + more) >= whole
    assert (text + more)[: complete_until(text + more)].startswith(text[:whole])


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("하나입니다", ""),
        ("하나입니다. ", ""),
        ("하나입니다. [", ""),
        ("하나입니다. [1] ", "하나입니다. [1]"),
        ("하나입니다. 둘", "하나입니다."),
        ("연 3. ", ""),
    ],
)
def test_a_sentence_waits_for_its_citation(text: str, whole: str) -> None:
    assert text[: complete_until(text)] == whole


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [("[1]", False), ("1. [2]", False), (" \n", False), ("- [1]", False), ("무료입니다 [1]", True), ("[경로]", True)],
)
def test_a_citation_alone_says_nothing(sentence: str, expected: bool) -> None:
    assert says_something(sentence) is expected
