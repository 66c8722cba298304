"""A question with masked personal numbers is searched for as the question without them."""

from __future__ import annotations

import pytest

from rag.privacy import mask, without_masked_numbers
from tests.personal_numbers import personal


@pytest.mark.parametrize(
    ("question", "searched"),
    [
        ("제 주민번호 900101-1234567인데 비번 까먹었어요", "비번 까먹었어요"),
        ("900101-1234567 비번 까먹었어요", "비번 까먹었어요"),
        ("제 번호는 010-1234-5678이에요. 이체한도 올리고 싶어요", "이체한도 올리고 싶어요"),
        ("OTP 잃어버렸어요 kim@naver.com 입니다", "OTP 잃어버렸어요"),
        ("본인 확인용 M12345678 이고 인증서 갱신요", "인증서 갱신요"),
        ("4111-1111-1111-1111 분실했어요", "카드 분실했어요"),
        ("110-234-567890 해지하고 싶어요", "계좌 해지하고 싶어요"),
        ("연락처 010-1234-5678로 바꾸고 싶어요", "연락처 바꾸고 싶어요"),
    ],
)
def test_what_introduces_a_number_goes_with_it(question: str, searched: str) -> None:
    masked = mask(question)
    assert masked.kinds
    assert without_masked_numbers(masked.text) == searched


@pytest.mark.parametrize(
    "question", ["[주민등록번호]", "제 번호는 [전화번호]입니다", "이체한도 얼마예요?", "[급해요] 카드 분실"]
)
def test_what_asks_nothing_else_or_holds_no_mask_stays(question: str) -> None:
    assert without_masked_numbers(question) == question


def test_nothing_but_masks_is_taken_from_varied_messages() -> None:
    for _, _, message in personal(300):
        masked = mask(message).text
        rest = without_masked_numbers(masked)
        assert len(rest) <= len(masked)
        for word in ("한도", "재발급", "잃어버렸어요"):
            assert (word in rest) == (word in masked), message
        assert without_masked_numbers(rest) == rest
