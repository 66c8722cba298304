"""Which institutions a message compares without naming them, and names in Latin letters."""

from __future__ import annotations

from typing import cast

import pytest

from rag.conversation.asked_elsewhere import all_compared
from rag.conversation.row_search import RowSearch
from rag.korean import latin_names, romanized
from rag.retrieval.query_analysis import NamedBanks, named_banks
from rag.types import Turn
from tests.unit.test_shown_rows import verdict

BANKS = ["가온은행", "나루증권", "다솜저축은행"]


class Rows:
    """What `all_compared` asks of a search."""

    banks = BANKS

    def named(self, text: str) -> NamedBanks:
        return named_banks(text, self.banks)


ROWS = cast(RowSearch, Rows())


@pytest.mark.parametrize(
    ("message", "before", "wanted"),
    [
        ("셋 다 비교해줘", ["가온 수수료", "나루는요", "다솜은요"], ("가온은행", "나루증권", "다솜저축은행")),
        ("둘 비교해 주세요", ["다솜 수수료", "나루는요"], ("다솜저축은행", "나루증권")),
        ("은행별로 비교해줘", ["이체 수수료"], tuple(BANKS)),
        ("둘 다 비교해줘", ["이체 수수료"], ()),
    ],
)
def test_the_institutions_named_before_are_compared_else_all(
    message: str, before: list[str], wanted: tuple[str, ...]
) -> None:
    assert all_compared(message, [Turn(each) for each in before], ROWS, ()) == wanted


def test_of_two_shown_rows_the_institutions_are_a_pair() -> None:
    shown = verdict("수수료", "수수료 면제", banks=("나루증권", "가온은행")).ranked
    assert all_compared("둘 중 어디가 더 싸요", [Turn("수수료")], ROWS, shown) == ("나루증권", "가온은행")


def test_an_institution_is_known_by_its_name_in_latin_letters() -> None:
    assert romanized("다솜 1호") == "dasom 1ho" and latin_names("가온") == [] == latin_names("KB")
    assert latin_names("미르누리") == ["mireunuri", "mirnuri"]
    for text in ("loan at Dasom?", "DASOM Bank limits", "다솜요", "다솜이요"):
        assert named_banks(text, BANKS).chosen == ("다솜저축은행",), text
    assert not named_banks("handsome payments", BANKS).chosen
