"""What a value of a model's sentence belongs to, beside the values of passages of an invented institution."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rag.synthesis.normalisation import marked
from rag.synthesis.values import passage_values, pieces_of, sentence_values
from rag.synthesis.verification import RuleVerifier

LIMITS = """해솔은행
해솔 이체 한도는 얼마인가요?
간편인증만으로 1회 30만원, 1일 90만원까지 보내실 수 있습니다. OTP를 등록하시면 1회 4천만원, 1일 1억원까지 가능합니다.
- 보안카드: 1회 700만원 / 1일 3천만원
코드는 요청 후 2분 이내에 발송되며 5분간 유효합니다.
수도권 40%, 비수도권 70%까지 인정됩니다. 사고 상담: 금융감독원 1332, 경찰 112
결과는 당일 21:10에 알림으로 통지하고, 출금은 21:00에 다시 시도합니다.
주간형은 당일 종가로, 야간형은 전일 종가로 체결됩니다.
신규 개설 수수료는 2,000원이고 앱에서는 무료입니다. 대출 금리는 연 4.1%~9.3%입니다."""
TABLE = """해솔증권
해솔증권 안내 › 신용 이자
신용 이자
기간 | 일반 | 우수
1일~10일 | 연 4.1% | 연 3.1%
11일 이상 | 연 8.2% | 연 7.2%

송금 수수료
종류 | 금액 | 수수료
송금 | 50만원 이하 | 800원
송금 | 50만원 초과 300만원 이하 | 1,700원
조회 | 제한 없음 | 면제"""
TERMS = """해솔은행
해솔 보호 예금은 누가 가입하나요?
연금을 받고 있는 고객은 보호 예금을 신청하실 수 있습니다. 진단은 본인이 앱에서 직접 하셔야 합니다.
감액은 별도 심사 없이 가능하며, 가입 후 2개월이 지나야 나누어 해지할 수 있습니다.
개명에 따른 카드 재발급 수수료 4,000원은 면제됩니다. 만기일이 휴일이면 이율은 줄지 않습니다.
다만 도장 분실은 전화로 해제할 수 없습니다. 카드 양도 사고는 보상하지 않습니다."""


@pytest.mark.parametrize(
    ("passage", "sentence"),
    [
        (LIMITS, "간편인증만 쓰시면 한 번에 90만 원까지 보낼 수 있어요."),  # a day's
        (LIMITS, "OTP를 등록하시면 하루 4천만 원까지 보내실 수 있습니다."),  # a transfer's
        (LIMITS, "보안카드로는 하루에 700만 원까지 보낼 수 있어요."),
        (LIMITS, "코드는 요청 후 5분 이내에 발송되고 2분 동안 유효합니다."),
        (LIMITS, "비수도권은 40%까지 인정됩니다."),
        (LIMITS, "사고 상담은 금융감독원 112로 연락하세요."),
        (LIMITS, "결과는 21:00에 알림으로 알려 드려요."),
        (LIMITS, "야간형은 당일 종가로 체결됩니다."),
        (LIMITS, "앱에서 개설하시면 2,000원이 듭니다."),
        (LIMITS, "대출 금리는 최저 연 9.3%입니다."),
        (TABLE, "우수 고객이 5일 동안 쓰시면 연 4.1%가 적용됩니다."),
        (TABLE, "일반 고객은 11일 이상이면 연 7.2%예요."),
        (TABLE, "50만 원이 넘는 금액을 송금하면 800원을 내요."),
        (TABLE, "100만 원을 송금하시면 수수료가 800원이에요."),
    ],
)
def test_a_value_of_another_role_is_withheld(passage: str, sentence: str) -> None:
    finding = RuleVerifier().verify(sentence, [passage])
    assert finding.status == "withheld", finding


@pytest.mark.parametrize(
    ("passage", "sentence"),
    [
        (LIMITS, "간편인증만 쓰시면 한 번에 30만 원, 하루 90만 원까지 보낼 수 있어요."),
        (LIMITS, "OTP를 등록해 두시면 하루 1억 원까지 이체가 가능해집니다."),
        (LIMITS, "보안카드를 쓰시면 하루 3천만 원까지예요."),
        (LIMITS, "코드는 2분 안에 발송되고 받은 뒤 5분 동안만 쓸 수 있어요."),
        (LIMITS, "결과는 그날 밤 9시 10분에 알림으로 알려 드려요."),
        (LIMITS, "개설할 때 2,000원이 들지만 앱에서는 공짜예요."),
        (TABLE, "우수 고객은 열흘까지 연 3.1%, 그 뒤로는 연 7.2%입니다."),
        (TABLE, "100만 원을 송금하시면 수수료가 1,700원이에요."),
        (TERMS, "만기일이 쉬는 날이어도 이율은 줄지 않아요."),
        (TERMS, "감액에는 별도 심사가 필요하지 않습니다."),
    ],
)
def test_a_value_of_its_own_role_is_not_withheld(passage: str, sentence: str) -> None:
    finding = RuleVerifier().verify(sentence, [passage])
    assert finding.status != "withheld", finding


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("연금을 받고 있지 않아도 보호 예금을 신청하실 수 있어요.", "condition"),
        ("진단은 대리인이 대신 하셔도 됩니다.", "entity"),
        ("감액할 때는 별도 심사를 거쳐야 합니다.", "condition"),
        ("만기일이 휴일이면 이율이 줄어듭니다.", "condition"),
        ("도장 분실도 전화로 해제할 수 있습니다.", "polarity"),
        ("카드를 양도한 경우에도 사고를 보상합니다.", "condition"),
    ],
)
def test_what_a_passage_requires_is_not_left_out(sentence: str, reason: str) -> None:
    finding = RuleVerifier().verify(sentence, [TERMS])
    assert (finding.status, finding.reason) == ("withheld", reason), finding


def test_a_sentence_is_cut_at_the_values_of_a_list() -> None:
    pieces = pieces_of("한 번에 100만원씩 하루 600만원까지, OTP가 있으면 1회 2억원")
    assert [piece.text.strip() for piece in pieces] == [
        "@회 100만원씩",
        "@일 600만원까지",
        "OTP가 있으면",
        "@회 2억원",
    ]
    assert [piece.end for piece in pieces] == ["", "", "if", "then"]


def test_rates_of_use_and_what_is_free_are_marked() -> None:
    assert marked("하루에 3회, 매월 2건, C군 무료").split() == ["@일", "3회,", "@월", "2건,", "@C", "군", "0원"]


def test_a_value_keeps_what_it_stands_with() -> None:
    card, day = (each for each in sentence_values("보안카드는 1회 700만원, 1일 3천만원까지 가능합니다."))
    assert card.quantity.low is None or card.quantity.low == Decimal(7_000_000)
    assert card.own.split() == ["@회"] and "보안카드는" in card.shared
    assert day.own.split()[0] == "@일" and "보안카드는" in day.shared


def test_a_cell_stands_with_its_row_and_column() -> None:
    cell = next(each for each in passage_values(TABLE) if each.quantity.text == "7.2%")
    assert "우수" in cell.own and "11일이상" in cell.own and "일반" not in cell.own
    assert [each.text for each in cell.conditions] == ["11일"]
    free = next(each for each in passage_values(TABLE) if each.quantity.low == 0)
    assert free.quantity.unit == "KRW" and "조회" in free.own
