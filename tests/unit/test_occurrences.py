"""Where a word stands in a text, and what stands beside it, against the patterns that would find the same."""

import re

import pytest

from rag.synthesis.occurrences import begins_word, is_followed, places, stands_before


def test_places_overlap() -> None:
    assert list(places("가가", "가가가 나 가가")) == [0, 1, 6]
    assert list(places("다", "가나")) == []


@pytest.mark.parametrize(
    ("text", "begins"), [("예금은", True), ("정기예금은", False), ("정기예금과 예금", True), ("", False)]
)
def test_a_word_begins_where_no_hangul_stands_before_it(text: str, begins: bool) -> None:
    assert begins_word("예금", text) is begins


def test_a_later_occurrence_may_be_followed() -> None:
    after = re.compile(r"[이가]?\s?있")
    assert is_followed("대출", after, "대출 상담 중 대출이 있는 고객")
    assert not is_followed("대출", after, "대출 상담이 있는 고객")


@pytest.mark.parametrize(
    "text",
    ["다음 영업일에", "다음영업일", "그다음 영업일", "다음  영업일", "다음\n영업일", "다음", "다음 날, 다음 영업일"],
)
def test_two_words_stand_beside_each_other_as_a_pattern_finds_them(text: str) -> None:
    assert stands_before("다음", "영업일", text) is (re.search(r"(?<![가-힣])다음\s?영업일", text) is not None)
