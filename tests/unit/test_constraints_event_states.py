"""What has happened and what has not: read off the forms of words, compared with what a row's question says."""

from __future__ import annotations

import pytest

from rag.constraints.agreement import compare
from rag.constraints.event_states import other_states

DELIVERED = ("배송이 완료된 카드를 반품하려면 어떻게 하나요?", "고객센터로 연락해 주십시오.")
WAITING = ("배송 전인 카드를 반품하려면 어떻게 하나요?", "진행 상태가 '준비중'인 카드는 앱에서 취소하실 수 있습니다.")
FILLED = ("체결된 주문을 취소할 수 있나요?", "체결된 주문은 취소하실 수 없습니다.")
UNFILLED = ("미체결 주문의 정정은 어떻게 하나요?", "주문내역에서 정정하실 수 있습니다.")


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("아직 배송 안 된 카드 반품할래요", DELIVERED),
        ("카드 아직 안 나갔는데 반품돼요?", DELIVERED),
        ("배송되기 전인데 반품 되나요", DELIVERED),
        ("배송이 끝난 카드 반품", WAITING),
        ("이미 배송된 카드인데 반품하려고요", WAITING),
        ("체결 안 된 주문 취소", FILLED),
        ("체결되지 않은 주문 취소하려면", FILLED),
        ("체결된 주문 정정하고 싶어요", UNFILLED),
    ],
)
def test_the_contrary_state_of_the_same_event_conflicts(question: str, row: tuple[str, str]) -> None:
    assert compare(question, *row).conflicts


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("배송 끝난 카드 반품", DELIVERED),
        ("배송 전에 반품하려면", WAITING),
        ("미체결 주문 정정", UNFILLED),
        ("카드 반품 어떻게 해요", DELIVERED),
        ("접수 안 된 카드 반품", DELIVERED),  # another event
        ("배송 안 되나요?", DELIVERED),  # asks whether it is possible
    ],
)
def test_the_same_state_another_event_and_no_state_do_not(question: str, row: tuple[str, str]) -> None:
    assert not list(other_states(question, *row))


def test_the_state_a_screen_shows_must_be_named_by_the_row() -> None:
    question = "카드 반품하고 싶은데 상태가 준비중으로 나와요"
    assert list(other_states(question, *DELIVERED)) == [("준비중", "")]
    assert not list(other_states(question, *WAITING))


def test_what_comes_too_often_is_no_row_on_what_does_not_come() -> None:
    row = ("결제 문자가 오지 않습니다.", "수신을 거부하셨는지 확인하십시오.")
    assert compare("결제 문자가 너무 많이 와요", *row).conflicts
    assert not compare("결제 문자가 계속 안 와요", *row).conflicts
