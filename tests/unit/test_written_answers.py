"""Overlap with a reference by hand, and how units are chosen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.written_answers import korean_units, rouge_l, syllables, token_f1


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


def test_morphemes_part_a_noun_from_its_particle() -> None:
    """Two sentences that differ in their endings alone share more morphemes than words."""
    units = korean_units()
    asked, told = units("이체 수수료는 500원입니다."), units("이체 수수료가 500원이에요")
    assert {"이체", "수수료", "500"} <= set(asked) & set(told) and "." not in asked
    assert 0.5 < token_f1(asked, told) < 1.0
    assert token_f1(["이체", "수수료는", "500원입니다."], ["이체", "수수료가", "500원이에요"]) < token_f1(asked, told)
