"""The noun that a message of keywords ends in, and rows that say nothing on it."""

from __future__ import annotations

import pytest

from rag.constraints import compare
from rag.constraints.requested_nouns import final_noun, noun_not_held
from rag.retrieval.query_analysis import expand

TOWING = ("긴급출동 서비스는 1년에 몇 번 이용할 수 있나요?", "보험기간 중 총 6회까지 무료로 이용하실 수 있습니다.")
SAFE_BOX = ("대여금고를 이용하려면 어떻게 하나요?", "신분증과 도장을 가지고 영업점을 방문하여 약정하십시오.")
EXCHANGE = ("환전한 외화는 어디에서 받나요?", "신청할 때 고른 영업점에서 신분증을 보이고 받으실 수 있습니다.")


@pytest.mark.parametrize(
    ("message", "noun"),
    [
        ("긴급출동 할증", "할증"),
        ("리볼빙 신용도는?", "신용도"),
        ("공항 환전소 운영시간", "운영시간"),
        ("펫보험 치과 담보ㅠㅠ", "담보"),
        ("할증", ""),
        ("긴급출동 할증 되나요", ""),
        ("이체한도 얼마까지 증액", ""),
        ("도담 아니고 새나래 한도", ""),
        ("카드 해지하면 연회비", ""),
        ("해외에서 카드 안됨", ""),
        ("대출 알아보는 중", ""),
        ("통장 관련 문의", ""),
        ("해외송금 상담", ""),
        ("직구할때 원화결제 막는법", ""),
        ("자동이체 날짜랑 금액이랑 계좌 전부 변경", ""),
    ],
)
def test_it_is_the_last_noun_of_a_few_keywords(message: str, noun: str) -> None:
    assert final_noun(message) == noun


@pytest.mark.parametrize(
    ("message", "row"),
    [
        ("긴급출동 할증", TOWING),
        ("긴급출동 과실비율", TOWING),
        ("대여금고 열쇠 분실", SAFE_BOX),
        ("대여금고 상속", SAFE_BOX),
        ("환전 우대쿠폰", EXCHANGE),
        ("대여금고 승계", SAFE_BOX),
        ("긴급출동 누락", TOWING),
    ],
)
def test_a_row_that_says_nothing_on_it_is_about_another_side(message: str, row: tuple[str, str]) -> None:
    assert noun_not_held(message, *row, expand)
    assert compare(message, *row, synonyms=expand).status == "conflict"


@pytest.mark.parametrize(
    ("message", "row"),
    [
        ("긴급출동 횟수", TOWING),
        ("긴급출동 비용", TOWING),
        ("긴급출동 이용횟수", TOWING),
        ("대여금고 이용방법", SAFE_BOX),
        ("대여금고 준비물", SAFE_BOX),
        ("환전 수령 장소", EXCHANGE),
        ("환전 외화수령", EXCHANGE),
        ("신분증 업로드", ("신분증을 다시 내라고 합니다.", "앱에서 사진을 올려 주세요.")),
        ("환급금 변동", ("환급금이 매달 달라져요.", "공시이율에 따라 정해집니다.")),
        ("신용등급 하락", ("등급이 왜 떨어졌나요?", "새로 받은 대출이 반영되었습니다.")),
        ("대출한도 상향", ("대출을 더 받게 한도를 늘릴 수 있나요?", "심사를 거칩니다.")),
        ("포인트 사용처", ("포인트는 어디에서 쓰나요?", "제휴 매장에서 쓰실 수 있습니다.")),
        ("리스 승계", ("리스 차를 다른 사람에게 넘길 수 있나요?", "심사를 거쳐 넘기실 수 있습니다.")),
    ],
)
def test_a_row_may_hold_a_part_of_it_or_say_it_in_other_words(message: str, row: tuple[str, str]) -> None:
    assert not noun_not_held(message, *row, expand)
