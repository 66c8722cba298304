"""Rows that say in other words, in a later sentence or in their question what a customer wants done."""

from __future__ import annotations

import pytest

from rag.constraints.agreement import compare
from rag.constraints.guidance import steps_of

DORMANT = (
    "오래 안 쓴 통장이 휴면 처리됐어요.",
    "1년 넘게 거래가 없으면 이용이 멈춥니다. 앱 [휴면 해제]에서 본인인증 후 해제하실 수 있습니다.",
)
REFUSED = ("보증대출 신청이 거절되는 이유는 무엇인가요?", "연체 중이거나 소득이 확인되지 않으면 승인되지 않습니다.")
STOPPED = ("거래정지를 받은 당좌는 언제 해제되나요?", "2년이 지나면 거래를 재개하실 수 있습니다.")
PREMIUM = ("폐차하면 보험료가 어떻게 되나요?", "남은 기간만큼 하루 단위로 환급됩니다.")
FEES = ("유공자도 수수료를 면제받을 수 있나요?", "창구 송금 수수료를 면제받으실 수 있습니다.")
FRAUD = ("상품권 사기를 당했을 때는 어떻게 하나요?", "바로 112에 신고해 주세요.")
RAISE = ("금리인하요구권은 어떻게 신청하나요?", "소득이 늘면 앱 [대출 관리]에서 신청하실 수 있습니다.")
ATM_FEE = ("ATM 출금 수수료는 얼마인가요?", "편의점 ATM은 월 20회까지 무료입니다.")


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("휴면계좌 해제", DORMANT),
        ("휴면통장 풀려면", DORMANT),
        ("보증대출 거절사유", REFUSED),
        ("보증대출 거절", REFUSED),
        ("당좌 거래정지 해제", STOPPED),
        ("정지된 당좌 언제 다시 쓸 수 있어요", STOPPED),
        ("폐차했는데 보험료 남은 거 돌려주나요", PREMIUM),
        ("유공자면 송금 수수료 빼주나요", FEES),
        ("상품권 사기", FRAUD),
        ("월급 올랐는데 이자 깎아주세요", RAISE),
        ("편의점 기계에서 현금 뽑으면 수수료 떼나요", ATM_FEE),
        ("주식 지금 팔 수 있나요", ("우리사주는 언제부터 매도할 수 있나요?", "1년이 지나면 매도하실 수 있습니다.")),
        ("비갱신 전환", ("갱신형을 비갱신형으로 바꿀 수 있나요?", "기존 특약은 변경하실 수 없습니다.")),
        ("친구한테 포인트 보내고 싶어요", ("포인트를 선물할 수 있나요?", "회원끼리 선물하실 수 있습니다.")),
    ],
)
def test_a_row_that_says_it_in_other_words_answers(question: str, row: tuple[str, str]) -> None:
    found = compare(question, *row)
    assert not [each for each in (*found.conflicts, *found.lacking) if each.kind in ("action", "channel")]


@pytest.mark.parametrize(
    ("question", "row"),
    [
        (
            "보증대출 거절",
            ("보증대출 만기는 어떻게 연장하나요?", "앱에서 연장하시면 됩니다. 연체 중이면 거절될 수 있습니다."),
        ),
        ("보증서 발급", ("발급받은 보증서를 해제하려면 어떻게 하나요?", "보증서 원본을 반환하시면 됩니다.")),
        ("리볼빙 해지", ("리볼빙이란 무엇인가요?", "결제대금 일부를 다음 달로 넘기는 서비스입니다.")),
        ("한도 축소", ("ATM 한도는 얼마인가요?", "하루 600만원입니다.")),
        ("주식 사고 싶어요", ("우리사주는 언제부터 매도할 수 있나요?", "1년이 지나면 매도하실 수 있습니다.")),
    ],
)
def test_a_row_that_names_an_action_only_in_passing_does_not(question: str, row: tuple[str, str]) -> None:
    found = compare(question, *row)
    assert [each for each in (*found.conflicts, *found.lacking) if each.kind == "action"]


def test_the_steps_hold_instructions_of_any_sentence_but_no_consequences() -> None:
    steps = steps_of("1년 넘게 거래가 없으면 정지됩니다. 신분증을 내시면 지점에서 재개하실 수 있습니다.")
    assert "재개" in steps
    assert "정지됩니다" not in steps


def test_a_list_of_relatives_does_not_cover_others() -> None:
    row = ("가족카드는 누가 받을 수 있나요?", "배우자, 부모, 자녀와 형제자매가 받으실 수 있습니다.")
    assert compare("사촌도 가족카드 받을 수 있어요?", *row).status == "conflict"
    assert compare("누나도 가족카드 받을 수 있어요?", *row).status != "conflict"
