"""What follows from a case, what is asked for, how often and when: turned, or said in other words."""

from __future__ import annotations

import pytest

from rag.synthesis.normalisation import passage_form, sentence_form
from rag.synthesis.verification import RuleVerifier

TRANSFER = """여울은행
이체 예약은 어떻게 바꾸나요?
이체 예약은 실행일 3영업일 전까지 여울 앱에서 변경하실 수 있습니다. 압류가 등록되어 있으면 예약하실 수 없습니다.
인터넷뱅킹으로 예약하시면 알림을 함께 보내 드립니다.
예약 내역은 분기마다 우편으로 알려 드립니다. 쿠폰은 다음 달로 이어지지 않습니다.
변경 수수료는 1만 5,000원입니다. 개명하신 경우 통장 재발급 없이 변경하실 수 있습니다. 대리인은 위임장이 필요합니다.
휴면 예금은 24개월을 지난 뒤부터 해지됩니다. 거래 중지는 30일 동안 이어집니다. 착오로 보낸 돈은 한꺼번에 돌려받습니다.
체크카드의 연회비는 국내전용 3,000원입니다. 명의 확인서는 앱에서 자동으로 제출됩니다."""


@pytest.mark.parametrize(
    "sentence",
    [
        "압류가 등록되어 있어도 예약하실 수 있습니다.",
        "인터넷뱅킹으로 예약하셔도 알림을 보내 드리지 않습니다.",
        "예약 내역은 매월 우편으로 알려 드립니다.",
        "쿠폰은 다음 달로 그대로 이어집니다.",
        "개명하셨다면 통장을 재발급받아야 변경하실 수 있습니다.",
        "대리인은 위임장 없이 변경하실 수 있습니다.",
        "변경 수수료는 어떤 방법으로도 돌려받으실 수 없습니다.",
        "착오로 보낸 돈은 여러 달에 나누어 돌려받습니다.",
        "실행일 이틀 전 영업일까지 변경하실 수 있습니다.",
        "변경 수수료는 1만 4,000원입니다.",
    ],
)
def test_what_turns_a_case_or_a_requirement_is_withheld(sentence: str) -> None:
    finding = RuleVerifier().verify(sentence, [TRANSFER])
    assert finding.status == "withheld", finding


@pytest.mark.parametrize(
    "sentence",
    [
        "압류가 등록되어 있으면 예약이 안 됩니다.",
        "인터넷뱅킹으로 예약하시면 알림도 보내 드려요.",
        "예약 내역은 분기마다 우편으로 받으실 수 있습니다.",
        "개명하셨다면 통장을 재발급하지 않아도 변경됩니다.",
        "실행일 사흘 전 영업일까지 바꾸실 수 있어요.",
        "변경 수수료는 15,000원이에요.",
        "휴면 예금은 2년 이상 지난 뒤에 해지됩니다.",
        "거래 중지는 한 달 동안 이어져요.",
        "체크카드는 국내전용으로 만드시면 1년에 3,000원입니다.",
        "명의 확인서는 앱이 제출하니 직접 제출하지 않으셔도 됩니다.",
    ],
)
def test_the_same_in_everyday_words_is_released(sentence: str) -> None:
    finding = RuleVerifier().verify(sentence, [TRANSFER])
    assert finding.status != "withheld", finding


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("이틀 뒤 영업일", "2영업일 뒤"),
        ("하루 이틀 영업일", "1~2영업일"),
        ("영업일 기준 사흘에서 닷새", "3~5영업일"),
        ("평일 기준 이틀", "2영업일"),
        ("두 번째 영업일", "2영업일"),
        ("만기일 하루 전 영업일", "만기일 1영업일 전"),
        ("매월 25일 영업일", "매월 25일 영업일"),
        ("평일 이틀", "평일 이틀"),
    ],
)
def test_business_days_are_counted_in_many_ways(said: str, written: str) -> None:
    assert sentence_form(said) == written


def test_a_passage_states_a_count_of_business_days_both_ways() -> None:
    assert passage_form("접수 후 이틀 뒤 영업일에 지급") == "접수 후 이틀 뒤 영업일(2영업일 뒤)에 지급"
    assert passage_form("매월 25일 영업일") == "매월 25일 영업일"
