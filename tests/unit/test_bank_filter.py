"""An institution named in a question limits the search to it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.query_analysis import detect_bank

BANKS = ["새나래은행", "도담저축은행", "미르누리증권"]
GROUP = ["하나은행", "하나증권", "우리은행", "신한 은행", "KB증권", "IBK기업은행"]


@pytest.mark.parametrize(
    ("question", "bank"),
    [
        ("새나래은행 이체한도", "새나래은행"),
        ("새나래 이체한도 얼마예요", "새나래은행"),
        ("도담앱에서 적금 해지", "도담저축은행"),
        ("도 담 저축은행 영업시간", "도담저축은행"),
        ("미르누리M 접속이 안 돼요", "미르누리증권"),
        ("저축은행 예금자보호 되나요", "도담저축은행"),
        ("증권 계좌 만들기", "미르누리증권"),
        ("은행 영업시간", None),
        ("이체한도 얼마예요", None),
        ("새나래에서 도담으로 보내기", "새나래은행"),
        ("새나래 계좌를 증권으로", "새나래은행"),
        ("", None),
    ],
)
def test_a_name_or_a_kind_that_only_one_is_of(question: str, bank: str | None) -> None:
    assert detect_bank(question, BANKS) == bank


@pytest.mark.parametrize(
    ("question", "bank"),
    [
        ("하나증권 계좌", "하나증권"),
        ("하나은행에서 하나증권으로", None),
        ("신한은행 OTP", "신한 은행"),
        ("신한 OTP", "신한 은행"),
        ("kb증권 로그인", "KB증권"),
        ("KB 증권 로그인", "KB증권"),
        ("ibk기업 공인인증서", "IBK기업은행"),
        ("ＩＢＫ기업은행 공인인증서", "IBK기업은행"),
        ("증권 계좌", None),
    ],
)
def test_names_that_share_a_beginning(question: str, bank: str | None) -> None:
    assert detect_bank(question, GROUP) == bank


@pytest.mark.parametrize("question", ["하나 더 물어볼게요", "우리 아이 통장", "통장 하나 만들려고요"])
def test_everyday_words_are_no_names(question: str) -> None:
    """하나 (one) and 우리 (we) are also the short names of two banks."""
    assert detect_bank(question, GROUP) is None
    assert detect_bank(question, ["하나은행", "우리은행"]) is None


@pytest.mark.parametrize(
    "question", ["새나래\t은행", "새나래\n은행", "새나래　은행", unicodedata.normalize("NFD", "새나래 한도")]
)
def test_spaces_and_composition_do_not_matter(question: str) -> None:
    assert detect_bank(question, BANKS) == "새나래은행"


def test_a_short_name_is_only_recognised_whole() -> None:
    assert detect_bank("한 번에 얼마까지", ["한은행", "두은행"]) is None
    assert detect_bank("한은행 한도", ["한은행", "두은행"]) == "한은행"


def test_a_kind_tells_nothing_of_a_lone_institution() -> None:
    assert detect_bank("증권 계좌", ["미르누리증권"]) is None
    assert detect_bank("증권 계좌", []) is None


@given(st.text(), st.lists(st.text(min_size=1)))
def test_any_text_is_read(question: str, banks: list[str]) -> None:
    assert detect_bank(question, banks) in {None, *banks}
