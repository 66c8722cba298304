"""Overlap with a reference by hand, and how units are chosen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.written_answers import rouge_l, syllables, token_f1


@pytest.mark.parametrize(
    ("found", "wanted", "f1", "rouge"),
    [
        ("abcd", "abcd", 1.0, 1.0),
        ("abcd", "dcba", 1.0, 0.25),
        ("abxd", "abd", 6 / 7, 6 / 7),
        ("aab", "ab", 4 / 5, 4 / 5),
        ("", "ab", 0.0, 0.0),
        ("xy", "ab", 0.0, 0.0),
    ],
)
def test_overlap(found: str, wanted: str, f1: float, rouge: float) -> None:
    assert token_f1(found, wanted) == pytest.approx(f1)
    assert rouge_l(found, wanted) == pytest.approx(rouge)


@given(st.text("가나다라", max_size=12), st.text("가나다라", max_size=12))
def test_order_only_costs(found: str, wanted: str) -> None:
    assert 0.0 <= rouge_l(found, wanted) <= token_f1(found, wanted) <= 1.0
    assert rouge_l(found, wanted) == pytest.approx(rouge_l(wanted, found))


def test_syllables_know_no_spaces_and_signs() -> None:
    assert list(syllables("이체 한도, 얼마?")) == list("이체한도얼마")
