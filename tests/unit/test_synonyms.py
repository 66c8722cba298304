"""Other names of a word in a row."""

from __future__ import annotations

import pytest

from rag.constraints.synonyms import holds_name, holds_other_name, other_names
from rag.korean import compact


def synonyms(word: str) -> str:
    return {"비번": "비번 비밀번호 PIN"}.get(word, word)


@pytest.mark.parametrize(
    ("row", "by_any", "by_other"),
    [
        ("비밀번호 재설정", True, True),
        ("pin 번호를 잊었을 때", True, True),
        ("비번 변경", True, False),
        ("이체한도", False, False),
    ],
)
def test_a_row_holds_a_word_by_itself_or_by_another_name(row: str, by_any: bool, by_other: bool) -> None:
    assert holds_name(compact(row), "비번", synonyms) is by_any
    assert holds_other_name(compact(row), "비번", synonyms) is by_other


def test_a_word_without_synonyms_has_no_other_name() -> None:
    assert other_names("한도", synonyms) == [] and not holds_other_name("한도", "한도", synonyms)
