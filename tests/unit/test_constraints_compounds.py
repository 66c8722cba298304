"""Compounds that tell two rows apart without any list: another kind of thing."""

from __future__ import annotations

import pytest

from rag.constraints import compare
from rag.constraints.compounds import other_modifiers


def asked(question: str, row: str, answer: str = "", institution: str = "") -> list[str]:
    return [name for name, _ in other_modifiers(question, row, answer, institution=institution)]


@pytest.mark.parametrize(
    ("question", "row", "other"),
    [
        ("골드 카드의 연회비는 얼마예요", "국내 카드의 연회비는 얼마인가요?", "골드 카드"),
        ("수도요금 자동납부 신청", "통신요금 자동납부는 어떻게 신청하나요?", "수도요금"),
        ("반려견보험은 몇 살까지 되나요", "어린이보험은 몇 살까지 되나요?", "반려견보험"),
        ("동호회통장 어떻게 만들어요", "통장은 어떻게 만드나요?", "동호회통장"),
        ("장병형 저축 한도", "일반형의 한도는 얼마인가요?", "장병형"),
        ("베트남주식 어떻게 사나요", "미국주식은 어떻게 사나요?", "베트남주식"),
        ("신탁형예금 해지", "외화예금은 어떻게 해지하나요?", "신탁형예금"),
        ("둘레길 체크카드 만들래요", "체크카드 발급은 어떻게 하나요?", "둘레길 체크카드"),
    ],
)
def test_another_kind_than_the_row_names(question: str, row: str, other: str) -> None:
    assert other in asked(question, row)


@pytest.mark.parametrize(
    ("question", "row", "answer"),
    [
        ("엄마 통장 해지하려면", "통장을 해지하려면 어떻게 하나요?", ""),
        ("잃어버린카드 재발급", "카드를 재발급받으려면?", ""),
        ("이년 정기예금 금리", "2년 만기 정기예금 금리는 얼마인가요?", ""),
        ("지난주에통장만들었는데", "통장을 만든 뒤 무엇을 하나요?", ""),
        ("골드 카드 연회비", "카드의 연회비는 얼마인가요?", "골드 카드는 3만원입니다."),
        ("미국주식 처음 사려면", "해외주식은 어떻게 사나요?", ""),
        ("카카오뱅크 통장 있는데 또 만들 수 있나요", "통장을 더 만들 수 있나요?", ""),
        ("자동차대출 서류 챙길 거", "자동차할부대출을 받을 때 어떤 서류를 내나요?", ""),
    ],
)
def test_whose_when_and_how_many_is_no_other_kind(question: str, row: str, answer: str) -> None:
    assert asked(question, row, answer) == []


def test_an_institutions_name_and_another_word_for_the_same_are_no_other_kind() -> None:
    assert asked("가온 대출 갚으려면", "대출을 갚으려면 어떻게 하나요?", institution="가온은행") == []
    called = other_modifiers("집담보 대출 한도", "주택담보 대출 한도는?", "", synonyms=lambda word: f"{word} 주택담보")
    assert called == []


def test_what_is_written_together_is_compared_with_what_is_written_apart() -> None:
    assert other_modifiers("예약주문 취소하려면", "미체결 주문의 취소는 어떻게 하나요?", "앱에서 하십시오.")
    assert other_modifiers("미체결 주문 취소하려면", "예약주문의 취소는 어떻게 하나요?", "앱에서 하십시오.")
    assert not other_modifiers("예약주문 취소하려면", "예약 주문의 취소는 어떻게 하나요?", "앱에서 하십시오.")


def test_nouns_that_end_as_a_particle_or_a_verb_does_tell_kinds_apart() -> None:
    row = ("자동차담보대출의 대상과 한도는 어떻게 되나요?", "시세의 80%까지입니다.")
    assert other_modifiers("농지 담보대출 한도", *row) == [("농지 담보대출", "")]
    assert other_modifiers("직장인 대출 한도", *row) == [("직장인 대출", "자동차담보 대출")]
    assert not other_modifiers("차량이 담보대출 대상인가요", *row)


@pytest.mark.parametrize(
    ("question", "row", "answer"),
    [
        ("물린 보험 해지되나요", "보험을 해지하려면 어떻게 하나요?", ""),  # the form of a verb
        ("동생한테 보험 선물", "보험을 선물할 수 있나요?", ""),
        ("주식계좌 없애기", "증권계좌를 폐쇄하려면 어떻게 하나요?", ""),  # another word for the same
        ("전체 대출 보기", "받은 모든 대출을 볼 수 있나요?", ""),
        ("침수차량 보험", "침수된 차량의 보험은 어떻게 되나요?", ""),  # both parts of it apart
        ("소액휴면예금 찾기", "휴면예금이 소액이면 앱에서 찾을 수 있나요?", ""),
    ],
)
def test_what_the_row_says_in_other_words_or_apart_is_no_other_kind(question: str, row: str, answer: str) -> None:
    assert asked(question, row, answer) == []


def test_a_credit_card_of_foreigners_is_no_loan() -> None:
    lacks = compare(
        "외국인 신용카드", "외국인도 신용카드를 만들 수 있나요?", "영업점에서 신청하실 수 있습니다."
    ).lacking
    assert "product" not in {lack.kind for lack in lacks}


@pytest.mark.parametrize(
    ("question", "row", "answer"),
    [
        ("고양이도 병원비 보험 되나요", "반려동물의 병원비를 보장하는 보험이 있나요?", "질병과 상해를 보장합니다."),
        ("엔화로 결제되나요", "외화 통장으로 외화를 결제할 수 있나요?", "모자라면 원화 통장에서 나갑니다."),
    ],
)
def test_a_row_on_all_of_them_answers_for_one(question: str, row: str, answer: str) -> None:
    assert {lack.kind for lack in compare(question, row, answer).lacking}.isdisjoint({"scope", "state"})


def test_a_row_on_one_of_them_does_not_answer_for_another() -> None:
    lacking = compare(
        "고양이도 병원비 보험 되나요", "강아지 병원비를 보장하는 보험이 있나요?", "질병을 보장합니다."
    ).lacking
    assert "scope" in {lack.kind for lack in lacking}
