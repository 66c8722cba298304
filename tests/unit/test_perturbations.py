"""Perturbed questions: each rule's change, which is the same each time."""

from __future__ import annotations

import unicodedata

import pytest

from rag.evaluation.datasets import Case
from rag.evaluation.perturbations import honorific, informal, latin, mistyped, perturbed, without_spaces
from rag.evaluation.suites import bundled_suite
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("change", "text", "changed"),
    [
        (without_spaces, "이체 한도 올려 줘", "이체한도올려줘"),
        (honorific, "수수료 얼마예요", "수수료 얼마입니까"),
        (honorific, "한도 올리고 싶은데 어떻게 해요?", "한도 올리고 싶은데 어떻게 합니까?"),
        (informal, "통장 만들 수 있나요", "통장 만들 수 있음"),
        (informal, "환전 되나요", "환전 돼"),
        (latin, "카드 비밀번호를 잊었어요", "card 비밀번호를 잊었어요"),
        (latin, "금리가 얼마예요", "금리가 얼마예요"),
        (honorific, "otp", "otp"),
        (mistyped, "otp", "otp"),
    ],
)
def test_changes(change: object, text: str, changed: str) -> None:
    assert callable(change) and change(text, "1") == changed


def test_a_typing_error_is_one_jamo_and_the_same_each_time() -> None:
    text = "공동인증서를 갱신하려면"
    changed = mistyped(text, "q1")
    assert changed == mistyped(text, "q1") != text
    one, other = (unicodedata.normalize("NFD", each) for each in (text, changed))
    assert len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) == 1
    assert len({mistyped(text, str(number)) for number in range(30)}) > 3


def test_variants_keep_their_rows_and_name_their_question() -> None:
    cases = bundled_suite(ROOT / "data" / "evaluation", "dev").cases
    rows = {case.id: case.relevant for case in cases if case.set == "queries"}
    variants = list(perturbed(cases))
    assert len({case.label for case in variants}) == 5
    assert len({case.key for case in variants}) == len(variants) > 800
    assert all(case.relevant == rows[case.id.partition(":")[0]] for case in variants)
    assert not list(perturbed([Case("ood", "1", "", ("카드 되나요",))]))
