"""A row's limit decides values that it does not state; values listed as alternatives decide only themselves."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rag.constraints.everyday_values import values_of
from rag.constraints.held_values import is_decided

GIFT = ("적립금을 상품권으로 바꾸고 싶습니다.", "달빛적립금이 3,000점 이상이면 상품권으로 바꿔 드립니다.")
RENT = (
    "월세 대출은 얼마까지 되나요?",
    "보증금의 70% 안에서 최대 8천만원까지 됩니다. 보증금이 3억원을 넘는 집은 신청하실 수 없습니다.",
)
WORKER = ("직장인 대출은 누가 받나요?", "연소득 3,000만원 이상인 분만 신청하실 수 있습니다.")
RATES = ("적금 금리는 얼마인가요?", "6개월은 연 2.1%, 12개월은 연 2.4%입니다.")
WITHDRAWAL = ("계약을 취소하고 싶어요.", "증서를 받은 날부터 15일 안에 취소하실 수 있습니다.")
PARTS = ("나눠 내기는 몇 개월까지 되나요?", "3~15개월 할부를 고르실 수 있습니다.")
PAID = ("예치금에 이자가 붙나요?", "평균 잔액이 20만원 미만이면 연 0.2%, 그 밖에는 연 1.1%입니다.")
YOUNG = ("청년 통장은 몇 살까지 가입하나요?", "만 19세 이상 34세 이하만 가입하실 수 있습니다.")
ADULTS = ("통장을 앱에서 만들려면 어떻게 하나요?", "만 19세 이상 고객은 앱에서 만드실 수 있습니다.")
MACHINE = ("현금지급기에서 얼마까지 찾나요?", "1회 80만원, 하루 400만원까지 찾으실 수 있습니다.")
LENGTHS = ("대출 조건이 궁금합니다.", "영업점에서 신청하세요.\n[조건] 금리 연 5%, 기간 12~60개월")


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("적립금 800점인데 상품권으로 바꿀 수 있나요", GIFT),
        ("적립금 2천점 상품권으로 되나요", GIFT),
        ("보증금 4억인데 월세 대출 되나요?", RENT),
        ("월세 대출 9천만원 되나요?", RENT),
        ("연소득 2천만원인데 대출 돼요?", WORKER),
        ("증서 받은지 20일 됐는데 취소돼요?", WITHDRAWAL),
        ("24개월 할부도 되나요", PARTS),
        ("예치금 100만원 있으면 이자 얼마예요", PAID),
        ("36살인데 청년 통장 가입되나요", YOUNG),
        ("현금지급기에서 한번에 90만원 뽑을 수 있나요", MACHINE),
    ],
)
def test_a_limit_on_the_same_quantity_decides_a_value_beyond_it(question: str, row: tuple[str, str]) -> None:
    assert is_decided(question, values_of(question)[0], *row)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("24개월 적금 되나요?", RATES),  # alternatives, no limit
        ("4등급인데 대출 되나요?", WORKER),
        ("대출 1천만원 되나요?", WORKER),  # the limit is on income
        ("월급 500만원인데 상품권으로 되나요", GIFT),
        ("마일리지 800점 상품권으로 되나요", GIFT),  # of something else
        ("20일짜리 계약 되나요", WITHDRAWAL),  # a term, and the limit is on time that has passed
        ("예치금 100만원 옮기는 방법", PAID),
        ("24개월 할부 수수료율이 얼마인가요", PARTS),  # asks for more than whether it is possible
        ("13살 통장 앱에서 만들 수 있나요", ADULTS),  # the age only says whom the row is for
        ("72개월 대출 되나요", LENGTHS),
    ],
)
def test_other_quantities_alternatives_and_wider_questions_are_not_decided(question: str, row: tuple[str, str]) -> None:
    assert not is_decided(question, values_of(question)[0], *row)


def test_points_are_read_with_their_unit_and_their_limit() -> None:
    [limit] = values_of("3,000점부터 바꿔 드립니다")
    assert (limit.text, limit.unit, limit.low, limit.high) == ("3,000점", "점", Decimal(3000), None)
    assert [value.text for value in values_of("5천 포인트 있는데")] == ["5천 포인트"]
