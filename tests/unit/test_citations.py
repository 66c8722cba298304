"""Citation markers, wherever a model's pieces are split."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.synthesis.prompt_builder import escape_markers
from rag.synthesis.sentences import LONGEST, CitationResolver

KNOWN = (1, 2, 3)


def resolved(*pieces: str) -> tuple[str, set[int]]:
    resolver = CitationResolver(KNOWN)
    text = "".join(map(resolver.feed, pieces)) + resolver.end()
    return text, resolver.cited


@pytest.mark.parametrize(
    ("said", "shown", "cited"),
    [
        ("한도는 5억 원입니다. [1]", "한도는 5억 원입니다. [1]", {1}),
        ("앱[1][2]에서", "앱[1][2]에서", {1, 2}),
        ("앱 [1, 2]에서", "앱 [1][2]에서", {1, 2}),
        ("앱 [2,1,2]에서", "앱 [2][1]에서", {1, 2}),
        ("앱 [1、3]", "앱 [1][3]", {1, 3}),
        ("앱 ［１］ 【2】 〔3〕 [ 1 ]", "앱 [1] [2] [3] [1]", {1, 2, 3}),
        ("앱 [9].", "앱 .", set()),
        ("앱 [1, 9] [0]", "앱 [1] ", {1}),
        ("[01]", "[1]", {1}),
        ("[[1]]", "[[1]]", {1}),
        ("[2024] [1-3] [경로] [] [ ] [1", "[2024] [1-3] [경로] [] [ ] [1", set()),
        ('배열[a] <b> & \\n "OTP" 👍🏽 [1]\n- 둘', '배열[a] <b> & \\n "OTP" 👍🏽 [1]\n- 둘', {1}),
        ("", "", set()),
    ],
)
def test_what_is_shown_and_cited(said: str, shown: str, cited: set[int]) -> None:
    assert resolved(said) == (shown, cited)
    assert resolved(*said) == (shown, cited), "character by character"


def test_a_split_marker_waits_for_its_end_and_nothing_else_waits() -> None:
    resolver = CitationResolver(KNOWN)
    assert resolver.feed("앱에서 [") == "앱에서 "
    assert resolver.feed("1") == ""
    assert resolver.cited == set()
    assert resolver.feed("]입니다.") == "[1]입니다."
    assert resolver.cited == {1}
    assert resolver.feed("[경로] ") == "[경로] "


def test_what_never_becomes_a_marker_is_let_go() -> None:
    resolver = CitationResolver(KNOWN)
    long = "[" + "1 " * LONGEST
    assert resolver.feed(long) + resolver.end() == long


@given(st.text(alphabet="[]［］【】0123459,，· \n가a.", max_size=60), st.lists(st.integers(0, 60), max_size=8))
def test_cutting_changes_nothing(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in pairwise(places)]
    assert resolved(*pieces) == resolved(text)


@given(st.text(alphabet=st.characters(exclude_characters="[［【〔"), max_size=80))
def test_text_without_markers_is_left_as_it_is(text: str) -> None:
    assert resolved(*text) == (text, set())


def test_disarmed_markers_cannot_pass_for_sources() -> None:
    assert escape_markers("[1] 하나 [2, 3] [경로] ［4］") == "(1) 하나 (2, 3) [경로] (4)"
