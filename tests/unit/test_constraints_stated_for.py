"""What is asked must be stated for the value that is given: a limit elsewhere in the row states nothing of it."""

from __future__ import annotations

import pytest

from rag.constraints.everyday_values import values_of
from rag.constraints.stated_for import asked_noun, is_left_out

WITHDRAWAL = (
    "하루 최대 300만원까지 찾으실 수 있습니다. 다른 은행 기기의 수수료는 5만원 이하 600원, 5만원 초과 30만원 이하 900원이며, "
    "저희 앱을 쓰시면 무료입니다."
)
SAVINGS = "6개월 가입 시 기본이율은 연 2.9%이며, 급여를 3개월 이상 받으시면 연 0.4%p를 더해 드립니다."
BILLING = (
    "결제일은 3일, 12일, 22일 중에서 고르실 수 있습니다. "
    "결제일을 12일로 정하시면 이용기간이 전월 1일부터 말일까지가 됩니다."
)
ABROAD = (
    "건당 미화 3천달러, 연간 미화 4만달러까지 가능하며 수수료는 건당 6,000원입니다. "
    "창구 송금 수수료는 미화 3천달러 이하 9,000원, 1만달러 이하 14,000원입니다."
)


DIVIDED = "이월비율은 10%에서 90%까지 고르십니다. 이월 수수료율은 이월비율이 30%이면 연 15.9%, 60%이면 연 18.4%입니다."
TERMS = "2개월 이상 48개월 이하로 드실 수 있습니다.\n- 3개월: 연 2.3%\n- 24개월: 연 2.9%"
DAYS = "결제일은 3일, 12일, 22일 가운데 고르십니다.\n- 결제일 12일: 전월 29일~당월 28일"


@pytest.mark.parametrize(
    ("question", "answer", "is_stated"),
    [
        ("이월비율 45%로 하면 수수료율 얼마예요", DIVIDED, False),
        ("이월비율 60프로면 수수료율 얼마예요", DIVIDED, True),
        ("1년 들면 금리 몇이에요", TERMS, False),
        ("2년 들면 금리 몇인가요", TERMS, True),
        ("결제일 3일로 하면 언제부터 언제까지 쓴 거예요", DAYS, False),
        ("결제일 12일로 하면 언제부터 언제까지 쓴 거예요", DAYS, True),
    ],
)
def test_a_range_that_covers_the_value_states_nothing_of_what_is_asked_for_it(
    question: str, answer: str, is_stated: bool
) -> None:
    assert is_left_out(question, values_of(question)[0], answer) is not is_stated


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("기기에서 80만원 찾으면 수수료 얼마예요", WITHDRAWAL),
        ("80만원 뽑는데 수수료 얼만가요", WITHDRAWAL),
        ("12개월 들면 기본이율 몇 프로예요", SAVINGS),
        ("결제일을 22일로 하면 이용기간이 어떻게 되나요", BILLING),
        ("결제일 3일이면 며칠부터 며칠까지 쓴 거예요?", BILLING),
        ("창구에서 4만달러 보내면 송금수수료 얼마예요", ABROAD),
    ],
)
def test_what_is_stated_for_other_values_alone_is_left_out(question: str, answer: str) -> None:
    assert is_left_out(question, values_of(question)[0], answer)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("20만원 찾으면 수수료 얼마예요", WITHDRAWAL),
        ("6개월 들면 기본이율 몇 프로예요", SAVINGS),
        ("급여 5개월 받으면 얼마 더 줘요", SAVINGS),
        ("결제일을 12일로 하면 이용기간이 어떻게 되나요", BILLING),
        ("결제일을 22일로 바꿀 수 있나요", BILLING),
        ("창구에서 8천달러 보내면 수수료 얼마예요", ABROAD),
        ("하루에 200만원 찾을 수 있나요", WITHDRAWAL),
    ],
)
def test_what_is_stated_for_the_value_or_asks_for_nothing_beside_it_is_not(question: str, answer: str) -> None:
    assert not is_left_out(question, values_of(question)[0], answer)


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("결제일 22일이면 이용기간이 어떻게 되나요", "이용기간"),
        ("해외송금수수료 얼마예요", "해외송금수수료"),
        ("기본이율 좀 알려줘요", "기본이율"),
        ("통장 어떻게 만들어요", ""),
    ],
)
def test_the_asked_noun_is_an_aspect_with_its_compound(question: str, noun: str) -> None:
    assert asked_noun(question) == noun
