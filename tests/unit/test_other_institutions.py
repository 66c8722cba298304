"""How many rows name an institution in their texts."""

from __future__ import annotations

import pytest

from rag.conversation.other_institutions import _rows_naming


@pytest.mark.parametrize(
    ("name", "texts", "count"),
    [
        ("가람은행", ["가람은행 앱", "가람뱅크에서", "가람앱에서", "고객센터로"], 3),
        ("가람저축은행", ["가람은행 앱", "가람앱에서"], 0),
        ("가람저축은행", ["가람저축은행 지점", "가람앱에서"], 2),
        ("가람은행", ["가람증권 앱"], 0),
        ("카카오뱅크", ["카뱅에서", "카카오은행 앱", "카카오페이로"], 2),
        ("신한은행", ["신안은행 앱", "신안은행 지점"], 0),
        ("우리은행", ["우리 아이 통장", "우리은행으로"], 1),
    ],
)
def test_rows_that_name_an_institution(name: str, texts: list[str], count: int) -> None:
    assert _rows_naming(name, texts) == count


def test_the_name_without_its_kind_may_be_left_out() -> None:
    assert _rows_naming("가람은행", ["가람앱에서"], without_kind=False) == 0
