"""Sentences that conclude from their passages: sums of rates, comparisons, cases beside a limit, what is taken away."""

from __future__ import annotations

import pytest

from rag.synthesis.verification import RuleVerifier

SAVINGS = """여울은행
여울 자유적금은 어떤 조건인가요?
자유적금 금리는 연 2.4%이고 급여를 10회 이상 받으시면 연 0.5%p를 더 드립니다.
전용대출 금리는 연 6.1%이며 자동이체를 등록하시면 0.4%p 낮아집니다.
목표일은 매월 5일, 15일 중에서 고르시고, 변경 후 2개월이 지나야 다시 변경하실 수 있습니다.
만기 전에 해지하시면 우대이율은 빠집니다. 신혼 고객의 한도가 일반 고객보다 높습니다."""
DAMAGE = """가온손해보험
여행자보험은 무엇을 보장하나요?
휴대품 손해는 한 개에 30만원까지이고, 배상 책임은 4,000만원까지입니다. 분실·방치는 보장하지 않습니다.
견인은 20km까지 무료이고 20km를 넘으면 1km당 3,000원입니다. 영어 상담은 1년에 5번까지입니다.
| 항목 | 국내 | 해외 |
| --- | --- | --- |
| 증명서 발급 | 2,000원 | 7,000원 |
최근 1년 납입액이 150만원 이상이면 다음 해 증명서 발급 수수료를 면제합니다."""


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("자유적금은 연 2.4%에 급여를 10번 이상 받으시면 연 2.9%가 됩니다.", SAVINGS),
        ("전용대출은 연 6.1%인데 자동이체를 등록하시면 5.7%로 낮아집니다.", SAVINGS),
        ("만기 전에 해지하시면 우대이율은 받으실 수 없습니다.", SAVINGS),
        ("신혼 고객은 일반 고객보다 한도가 높아요.", SAVINGS),
        ("배상 책임은 4천만원까지 보장되지만 분실은 보장되지 않아요.", DAMAGE),
        ("견인이 20km를 넘으면 그때부터 km마다 3천원입니다.", DAMAGE),
        ("영어 상담은 일 년에 다섯 번까지예요.", DAMAGE),
        ("지난 1년 동안 국내에서 150만원 이상 내셨으면 증명서 발급 수수료가 면제돼요.", DAMAGE),
    ],
)
def test_what_follows_from_the_passages_values_is_released(sentence: str, passage: str) -> None:
    finding = RuleVerifier().verify(sentence, [passage])
    assert finding.status != "withheld", finding


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("자유적금은 연 2.4%에 급여를 10번 이상 받으시면 연 3.0%가 됩니다.", SAVINGS),
        ("자유적금은 연 2.4%인데 급여를 10번 이상 받으시면 연 1.9%가 됩니다.", SAVINGS),
        ("전용대출은 연 6.1%인데 자동이체를 등록하시면 6.5%가 됩니다.", SAVINGS),
        ("목표일을 바꾸고 1개월이 지나면 다시 바꾸실 수 있습니다.", SAVINGS),
        ("만기 전에 해지하셔도 우대이율은 그대로 드려요.", SAVINGS),
        ("전용대출 금리는 자유적금 금리보다 낮습니다.", SAVINGS),
        ("오래 맡기실수록 금리가 높아집니다.", SAVINGS),
        ("분실은 30만원까지 보장됩니다.", DAMAGE),
    ],
)
def test_what_does_not_follow_from_them_is_withheld(sentence: str, passage: str) -> None:
    assert RuleVerifier().verify(sentence, [passage]).status == "withheld"
