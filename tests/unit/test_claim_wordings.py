"""Families of free wording: what follows from a passage in other words is released, what only resembles it is withheld."""

from __future__ import annotations

import pytest

from rag.synthesis.verification import RuleVerifier

TIERS = """한빛은행
예금을 중도해지하면 이율은 어떻게 되나요?
중도해지이율은 예치기간에 따라 다릅니다.
- 3개월 미만: 연 0.3%
- 3개월 이상 6개월 미만: 연 1.1%
- 6개월 이상: 연 1.9%"""
RENT = """한빛은행
연체이자는 어떻게 계산하나요?
연체이자율은 30일 이내 연 8%, 31~90일 연 10%, 91일 이상 연 11%입니다."""
TRANSFER = """한빛은행
수수료는 얼마인가요?
이체 수수료는 30만원 이하이면 500원, 초과이면 1,200원입니다.
다만 청소년 고객은 면제됩니다."""
DELIVERY = """한빛은행
카드는 언제 오나요?
카드는 신청일로부터 4~6영업일 이내에 우편으로 배송됩니다.
배송 상담은 한국우편진흥원(1588-1300)에서 가능합니다. 영업점 수령은 평일에만 가능합니다.
수요일에 신청하시면 금요일에 발송됩니다."""
CLOSING = """한빛은행
계좌를 해지할 수 있나요?
계좌는 앱에서 해지하실 수 있습니다. 통장이 없는 경우 신분증과 얼굴 확인으로 대체합니다.

[해지 불가 계좌]
- 공과금이 등록된 계좌 (공과금 해지 후 가능)
- 압류된 계좌

※ 미납 요금이 없는 계좌만 해지하실 수 있습니다.
※ 위임장이 없으면 대리 해지가 접수되지 않습니다."""
LOAN = """한빛은행
대출 계좌는 어디에서 해지하나요?
대출 계좌의 해지는 영업점에서만 가능합니다. 앱에서는 잔액을 조회하실 수 있습니다."""
NEW = """한빛은행
한 달 안에 계좌를 더 만들 수 있나요?
최근 20영업일 이내에 입출금통장을 개설하신 경우 입출금통장을 추가로 개설할 수 없습니다.
적금은 이 제한과 관계없이 앱에서 가입하실 수 있습니다.
재발급은 수시로 가능하며 횟수 제한은 없습니다."""
TAX = """한빛은행
인지세를 내야 하나요?
인지세는 대출금액 5천만원 이하이면 비과세이므로 한도가 3천만원인 비상금대출에는 부과되지 않습니다.
[출금 수수료] 낮 700원, 밤 900원"""


@pytest.mark.parametrize(
    ("passage", "sentence"),
    [
        (TIERS, "4개월 만에 해지하시면 연 1.1%를 받으세요."),
        (TIERS, "예금을 두 달 동안 유지하다가 해지하시면 이율은 연 0.3%입니다."),
        (RENT, "45일이 지난 경우에는 연 10%의 연체이자율이 적용돼요."),
        (TRANSFER, "30만원을 넘으면 수수료가 1,200원이에요."),
        (TRANSFER, "청소년 고객은 500원의 수수료가 면제돼요."),
        (DELIVERY, "카드는 영업일 기준 4일에서 6일 안에 우편으로 와요."),
        (DELIVERY, "토요일에는 영업점에서 수령하실 수 없어요."),
        (CLOSING, "통장이 없으셔도 신분증과 얼굴 확인으로 대신할 수 있어요."),
        (CLOSING, "공과금이 등록된 계좌는 공과금을 해지한 뒤에야 앱에서 해지할 수 있어요."),
        (NEW, "20영업일 안에 입출금통장을 만드셨더라도 적금은 앱에서 가입하실 수 있습니다."),
        (TAX, "비상금대출에는 인지세가 붙지 않아요."),
        (TAX, "출금하실 때 낮에는 700원이 부과됩니다."),
    ],
)
def test_what_follows_is_released(passage: str, sentence: str) -> None:
    assert RuleVerifier().verify(sentence, [passage]).status != "withheld"


@pytest.mark.parametrize(
    ("passage", "sentence", "reason"),
    [
        # Another row's value for a case within a range.
        (TIERS, "4개월 만에 해지하시면 연 1.9%를 받으세요.", "quantity"),
        (TIERS, "예금을 두 달 동안 유지하다가 해지하시면 이율은 연 1.1%입니다.", "quantity"),
        (RENT, "45일이 지난 경우에는 연 8%의 연체이자율이 적용돼요.", "quantity"),
        (TRANSFER, "30만원을 넘으면 수수료가 500원이에요.", "quantity"),
        (TRANSFER, "30만원을 밑도는 금액은 수수료가 1,200원이에요.", "quantity"),
        (DELIVERY, "카드는 영업일 기준 2일에서 3일 안에 우편으로 와요.", "quantity"),
        # Another day, institution or document.
        (DELIVERY, "수요일에 신청하시면 목요일에 발송돼요.", "entity"),
        (DELIVERY, "배송 상담은 한국소비자원(1588-1300)에서 가능합니다.", "entity"),
        (CLOSING, "통장이 없는 경우 주민등록초본과 얼굴 확인으로 대체합니다.", "entity"),
        # Without the condition.
        (CLOSING, "미납 요금이 있어도 계좌를 해지하실 수 있습니다.", "condition"),
        (CLOSING, "위임장이 없어도 대리 해지가 접수됩니다.", "condition"),
        (LOAN, "대출 계좌의 해지는 앱에서도 가능합니다.", "condition"),
        (DELIVERY, "수령일이 언제이든 영업점 수령이 가능합니다.", "condition"),
    ],
)
def test_what_only_resembles_is_withheld(passage: str, sentence: str, reason: str) -> None:
    finding = RuleVerifier().verify(sentence, [passage])
    assert (finding.status, finding.reason) == ("withheld", reason), finding
