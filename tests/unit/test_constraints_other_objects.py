"""Another object of an action, with words between them, other ones than the one named, and secret numbers entered on the way."""

from __future__ import annotations

import pytest

from rag.constraints import compare
from rag.retrieval.query_analysis import expand

PAYMENT_DAY = ("보험료 이체일을 바꿀 수 있나요?", "앱 > 계약 > 이체일 변경에서 1년에 두 번 바꾸실 수 있습니다.")
SILVER_CARD = ("은빛카드의 연회비는 얼마인가요?", "은빛카드의 연회비는 2만원입니다.")
USER_PASSWORD = (
    "홈페이지 이용자 비밀번호를 잊어버렸습니다.",
    "[인증센터 > 비밀번호 재설정]에서 계좌비밀번호와 OTP를 입력하신 후 새로 정하십시오.",
)
SUBURBS = ("수도권 아파트 담보대출의 비율은 얼마인가요?", "수도권은 집값의 40%까지 빌리실 수 있습니다.")


@pytest.mark.parametrize(
    ("message", "row"),
    [
        ("보험료 나가는 계좌를 다른 걸로 바꾸고 싶어요", PAYMENT_DAY),
        ("보험료 나가는 카드를 새로 바꾸려면", PAYMENT_DAY),
        ("은빛카드 말고 다른 카드 연회비는요", SILVER_CARD),
        ("은빛카드 말고 딴 거 연회비 얼마예요", SILVER_CARD),
        ("계좌 비밀번호 까먹었어요", USER_PASSWORD),
        ("통장 비번을 잊어버렸는데요", USER_PASSWORD),
        ("비수도권 아파트 담보대출은 몇 프로까지 돼요", SUBURBS),
    ],
)
def test_a_row_on_another_one_is_no_answer(message: str, row: tuple[str, str]) -> None:
    assert compare(message, *row, synonyms=expand).status == "conflict"


@pytest.mark.parametrize(
    ("message", "row"),
    [
        ("보험료 이체일을 다른 날로 바꾸고 싶어요", PAYMENT_DAY),
        ("보험료 나가는 날짜를 새로 바꾸려면", PAYMENT_DAY),
        ("은빛카드 연회비는요", SILVER_CARD),
        ("이용자 비번 까먹었어요", USER_PASSWORD),
        ("홈페이지 비밀번호를 잊어버렸어요", USER_PASSWORD),
        ("수도권 아파트 담보대출은 몇 프로까지 돼요", SUBURBS),
    ],
)
def test_a_row_on_the_same_one_does_not_differ(message: str, row: tuple[str, str]) -> None:
    assert compare(message, *row, synonyms=expand).status != "conflict"
