"""What was ended and should begin again, what is taken back, what should begin."""

from __future__ import annotations

import pytest

from rag.constraints.reversals import is_taken_back


def taken_back(question: str, row: str, steps: str = "앱 설정 > 알림 메뉴에서 고르십시오.") -> bool:
    return is_taken_back(question, row, lambda: steps)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("탈회했는데 다시 가입되나요", "회원 탈회는 어떻게 하나요?"),
        ("중지해 둔 납입을 다시 시작하려면", "납입을 중지할 수 있나요?"),
        ("해지 신청한 거 철회하고 싶어요", "적금 해지는 어떻게 하나요?"),
    ],
)
def test_a_row_on_the_action_does_not_answer_on_taking_it_back(question: str, row: str) -> None:
    assert taken_back(question, row)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("등록해 둔 기기 빼고 싶어요", "기기 등록을 해제하려면 어떻게 하나요?"),
        ("등록된 번호 지우고 새 번호로 바꾸려고요", "휴대폰번호는 어떻게 변경하나요?"),
        ("신청한 거 언제 나와요", "신청한 카드는 언제 받나요?"),
        ("이체한도 내리는 법", "이체한도를 줄이려면 어떻게 하나요?"),
        ("탈회했는데 다시 가입되나요", "재가입은 언제부터 할 수 있나요?"),
        ("알림을 어떻게 끄나요", "가격 알림은 어떻게 설정하나요?"),
    ],
)
def test_what_a_row_says_of_it_or_what_was_never_done_is_left_alone(question: str, row: str) -> None:
    assert not taken_back(question, row)


def test_the_steps_of_an_answer_may_say_it() -> None:
    assert not taken_back(
        "해지 신청한 거 철회하고 싶어요", "적금 해지는 어떻게 하나요?", "[해지 취소] 당일 22:00까지 앱"
    )


def test_a_row_that_says_only_how_a_thing_ends_does_not_say_how_it_begins() -> None:
    steps = "가입되어 있으면 접속이 제한되니 고객센터에서 해제하십시오."
    assert taken_back("야간 접속 차단 걸어두고 싶어요", "야간 접속이 제한된다고 나옵니다.", steps)
    assert not taken_back("야간 접속 차단 걸어두고 싶어요", "야간 접속 차단은 어떻게 신청하나요?", "[해제] 고객센터")
    assert not taken_back("야간 접속 차단 걸고 푸는 법", "야간 접속 차단은 어떻게 해제하나요?", "앱에서 해제하십시오.")


def test_a_row_on_asking_for_something_else_does_not_say_how_a_thing_begins() -> None:
    row, steps = "대출통장의 만기 연장은 어떻게 신청하나요?", "대출관리 > 기한연장에서 신청하십시오."
    assert taken_back("대출통장 새로 만들려면", row, steps)
    assert not taken_back("대출통장 연장하려면", row, steps)
    assert not taken_back(
        "통장을 새로 만들어서 계좌를 바꾸려고요", "출금계좌는 어떻게 변경하나요?", "앱에서 변경하십시오."
    )
