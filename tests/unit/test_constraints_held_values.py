"""A row's limit decides values that it does not state; values listed as alternatives decide only themselves."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rag.constraints.agreement import compare
from rag.constraints.everyday_values import values_of
from rag.constraints.held_values import is_decided, missing_values

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


HOUSE = ("집을 담보로 얼마까지 빌리나요?", "연소득의 5배 이내이며, 시가 9억원 이하인 집은 4억원까지 됩니다.")
RECORDS = ("연체 기록은 어떻게 되나요?", "2개월 이상 연체하시면 등록되고, 갚으신 뒤 1년 동안 남습니다.")
EXEMPT = (
    "비과세 한도는 얼마인가요?",
    "이익 300만원까지 비과세됩니다. 총급여 4,000만원 이하인 분이 대상입니다.\n[계산 예시] 이익 450만원: 150만원 x 10%",
)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("연봉 8천만원이면 얼마까지 빌려요", HOUSE),  # a limit on the price says nothing of the income
        ("연체 기록이 3년 동안 남아 있나요", RECORDS),  # "2개월 이상" covers, but does not state it
        ("비과세 450만원으로 늘어난다던데 언제부터예요", EXEMPT),  # stands in an example, below another limit
    ],
)
def test_a_value_within_a_limit_on_something_else_is_not_held(question: str, row: tuple[str, str]) -> None:
    assert missing_values(question, *row)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("시가 8억원인 집이면 얼마까지 빌려요", HOUSE),
        ("연체 기록이 1년 동안 남아 있나요", RECORDS),
        ("비과세 300만원으로 늘어난다던데", EXEMPT),
        ("이익이 450만원이면 세금 얼마예요", EXEMPT),  # the example's own sum
    ],
)
def test_a_value_of_the_same_quantity_is_held(question: str, row: tuple[str, str]) -> None:
    assert not missing_values(question, *row)


NEW_LAPSE = ("효력을 잃은 지 60일 이내인 계약을 되살리려면?", "앱에서 신청하실 수 있습니다.")
OLD_LAPSE = ("효력을 잃은 지 60일이 지난 계약을 되살리려면?", "심사를 받으셔야 합니다.")
DELAYED = ("입금한 돈이 바로 안 나오는 이유는 무엇인가요?", "1회 200만원 이상 입금하시면 20분 동안 찾으실 수 없습니다.")


@pytest.mark.parametrize("said", ["이 아직 안 됐는데", "도 안 지났는데", "이 되기 전인데", "이 지나지 않았는데"])
def test_a_value_that_is_not_reached_is_what_lies_below_it(said: str) -> None:
    question = f"효력 잃은 지 두 달{said} 되살릴 수 있나요"
    [value] = values_of(question)
    assert (value.low, value.high, value.high_closed) == (None, Decimal(2), False)
    assert compare(question, *OLD_LAPSE).conflicts
    assert not compare(question, *NEW_LAPSE).conflicts


def test_a_sum_below_the_only_limit_is_not_held() -> None:
    assert missing_values("입금한 돈이 안 나와요 200만원도 안 되는데 왜죠", *DELAYED)
    assert not missing_values("300만원 입금했는데 안 나와요", *DELAYED)


def test_scores_and_distances_without_their_usual_unit() -> None:
    assert [(v.unit, v.low) for v in values_of("신용점수 780이면 금리가 얼마예요")] == [("점", Decimal(780))]
    assert [(v.unit, v.high) for v in values_of("오십 킬로까지 견인")] == [("km", Decimal(50))]


TIERS = ("미리 갚으면 비용이 있나요?", "1년 이내는 1.5%, 1년 초과 2년 이내는 1.0%입니다.")
SINCE = ("카드 발급 비용은 얼마인가요?", "2025년 7월 1일부터 발급 비용은 8,000원입니다.")


def test_a_time_that_has_passed_is_a_case_where_the_row_has_tiers() -> None:
    assert missing_values("빌린 지 5년 됐는데 갚으면 비용 얼마예요", *TIERS)
    assert not missing_values("빌린 지 10개월 됐는데 갚으면 비용 얼마예요", *TIERS)


def test_a_month_before_the_date_from_which_a_row_holds_is_not_held() -> None:
    assert missing_values("2025년 6월에 만든 카드 발급 비용 얼마였어요", *SINCE)
    assert not missing_values("2025년 9월에 만든 카드 발급 비용 얼마예요", *SINCE)


def test_years_after_an_amount_and_weeks_of_use_are_lengths_of_time() -> None:
    assert [(v.dimension, v.text) for v in values_of("3억 일년 맡기면")] == [("money", "3억"), ("duration", "일년")]
    assert [(v.dimension, v.text) for v in values_of("0.1억 일개월 쓰면")] == [
        ("money", "0.1억"),
        ("duration", "일개월"),
    ]
    assert [(v.dimension, v.text) for v in values_of("3주 쓰면 이자 얼마")] == [("duration", "3주")]
    assert [v.dimension for v in values_of("3주 사려면")] == ["count"]


REFUND = (
    "구독을 무르고 싶어요.",
    "네, 결제한 날부터 10일 이내에 무르실 수 있습니다.\n환급은 3영업일 이내에 처리하셔야 합니다.",
)
TWO_STEPS = (
    "보상은 언제까지 신청하나요?",
    "사고일부터 30일 이내에 신청하실 수 있습니다. 30일이 지나면 우편으로 보내 주세요.",
)


@pytest.mark.parametrize(
    "question", ["구독 무를수 있나요 11일째인데", "구독 무르기 10일 지났는데", "2주 전에 결제했는데 무르기"]
)
def test_more_time_than_a_row_allows_is_not_held_but_decided_by_its_limit(question: str) -> None:
    lacking = compare(question, *REFUND).lacking
    assert [each.by_limit for each in lacking if each.kind == "duration"] == [True]


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("구독 무를수 있나요 9일째인데", REFUND),
        ("구독 무르기 10일째", REFUND),  # the last day counts
        ("15일째인데 환급 언제 돼요", REFUND),  # asks for more than whether it is possible
        ("사고 나고 40일 지났는데 보상 신청", TWO_STEPS),  # the row says what holds then
    ],
)
def test_a_told_length_of_time_within_the_limit_is_nothing_that_a_row_lacks(
    question: str, row: tuple[str, str]
) -> None:
    assert not [each for each in compare(question, *row).lacking if each.kind == "duration"]


TERM = (
    "매월 5만원 이상 넣는 18개월제 적금입니다.\n- 우대: 급여이체 3개월 이상 0.4%p, 병역은 최대 6년까지 나이에서 뺍니다."
)


@pytest.mark.parametrize(
    ("question", "is_held"),
    [
        ("가온적금 24개월짜리 금리", False),
        ("가온적금 3년으로 하면 금리 얼마예요", False),
        ("가온적금 18개월짜리 금리", True),
        ("가온적금 1년 반 넣으면 금리 얼마예요", True),
        ("급여 5개월 받았는데 우대 되나요", True),
    ],
)
def test_a_term_is_held_by_the_products_own_and_by_no_length_of_a_condition(question: str, is_held: bool) -> None:
    assert (not missing_values(question, "가온적금 금리는 얼마인가요?", TERM)) is is_held
