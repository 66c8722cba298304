"""Personal numbers are masked in every spelling; look-alikes are not."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest

from rag.privacy import mask, own_numbers
from tests.personal_numbers import ordinary, personal

FAQ = Path(__file__).parents[2] / "data" / "faq"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("제 번호 900101-1234567 로 조회", "제 번호 [주민등록번호] 로 조회"),
        ("９００１０１－１２３４５６７", "[주민등록번호]"),
        ("9 0 0 1 0 1 1 2 3 4 5 6 7 이에요", "[주민등록번호] 이에요"),
        ("900101-1****** 입니다", "[주민등록번호] 입니다"),
        ("주민번호 뒷자리 1234567", "주민번호 뒷자리 [주민등록번호]"),
        ("900101.5123456", "[외국인등록번호]"),
        ("공일공 일이삼사 오육칠팔", "[전화번호]"),
        ("+82 10-1234-5678", "[전화번호]"),
        ("02)1234-5678로 전화 주세요", "[전화번호]로 전화 주세요"),
        ("4539 1488 0343 6467 결제", "[카드번호] 결제"),
        ("카드번호 1234 5678 1234 5678", "카드번호 [카드번호]"),
        ("국민은행 12345678901234로 보냈는데요", "국민은행 [계좌번호]로 보냈는데요"),
        ("110-123-456789에서 빠져나갔어요", "[계좌번호]에서 빠져나갔어요"),
        ("면허 11-26-123456-12", "면허 [운전면허번호]"),
        ("여권 M123A4567", "여권 [여권번호]"),
        ("hong.gd @ mail.example 로 보내줘", "[이메일] 로 보내줘"),
        ("0\u200b10-1234-5678", "[전화번호]"),
    ],
)
def test_a_personal_number_becomes_its_kind(text: str, masked: str) -> None:
    assert mask(text).text == masked
    assert mask(masked).text == masked, "masking again changes nothing"


@pytest.mark.parametrize(
    "text",
    [
        "1500-0101로 전화했어요",
        "080-123-4567 수신거부",
        "1일 5천만원, 1회 10,000,000원",
        "12345678900원 이체",
        "2026.03.01. ~ 2026-12-31",
        "2026-11-28 14:30:00에 결제",
        "주문번호 202611281234567",
        "상품코드 M12345678",
        "오류코드(SN-1101)",
        "계좌번호 12자리, 비밀번호 4자리",
        "사업자 110-81-12345",
        "192.168.110.120",
        "2023/2024/2025 3개년 이자",
        "2025-2026-2027년",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert mask(text).text == text


def test_generated_personal_numbers_are_masked_and_lookalikes_stay() -> None:
    cases = list(personal())
    missed = [written for _, written, message in cases if not mask(message).kinds or written in mask(message).text]
    lookalikes = list(ordinary())
    false = [written for written, message in lookalikes if mask(message).kinds]
    print(f"masked {len(cases) - len(missed)} of {len(cases)}; look-alikes masked {len(false)} of {len(lookalikes)}")
    assert len(cases) == len(lookalikes) == 300
    assert len(missed) <= 3, missed
    assert len(false) <= 6, false


def test_the_institutions_own_numbers_stay_in_any_spelling() -> None:
    own = own_numbers(["해외에서는 +82-2-0000-0101, 팩스 02-1234-9999, help@bank.example"])
    for text in ("+82 2 0000 0101", "02-0000-0101", "02)1234-9999", "HELP@bank.example"):
        assert mask(text, own).kinds == (), text
    assert mask("02-1234-9998", own).kinds == ("전화번호",)


def test_every_row_of_the_bundled_faq_stays_with_its_own_numbers() -> None:
    texts = [file.read_text(encoding="utf-8") for file in sorted(FAQ.glob("*.csv"))]
    rows = [row for text in texts for row in csv.DictReader(StringIO(text, newline=""))]
    own = own_numbers(row[column] for row in rows for column in ("question", "answer"))
    assert [row["id"] for row in rows if mask(row["question"] + "\n" + row["answer"], own).kinds] == []
