"""A small FAQ of two fictional institutions, with one example of each case of answering."""

from __future__ import annotations

import csv
from pathlib import Path

COLUMNS = ("id", "question", "answer", "category", "bank", "effective_from", "effective_until")
GAON, NARU = "가온은행", "나루증권"
LIMIT = "이체한도를 늘리려면 어떻게 해야 하나요?"
"""A question that a row of each institution answers."""
FEE = "다른 은행으로 보낼 때 이체 수수료는 얼마인가요?"
"""A question with three rows: one expired, one valid and one valid in the future."""
PAPERS = "주택담보대출 신청 서류는 무엇인가요?"
LONG_ANSWER = (
    "주택담보대출 신청 서류는 아래와 같습니다.\n"
    + "\n".join(
        f"{number}. "
        + "신청인의 신분증과 소득을 증빙하는 서류를 준비하여 대출 창구에 제출하시면 담당자가 확인합니다. " * 3
        for number in range(1, 15)
    ).strip()
)
"""Longer than the embedder's window, so that its row is split into several nodes."""


def _row(
    row: str, bank: str, category: str, question: str, answer: str, start: str = "2024-01-01", end: str = ""
) -> tuple[str, ...]:
    return row, question, answer, category, bank, start, end


ROWS = (
    _row("g-001", GAON, "이체", LIMIT, "가온 앱의 이체 > 한도 변경에서 신청하십시오. 1일 한도는 최고 5억 원입니다."),
    _row("n-001", NARU, "이체", LIMIT, "나루 앱의 설정 > 이체한도에서 신청하십시오. 1일 한도는 최고 2억 원입니다."),
    _row(
        "g-002", GAON, "인증", "OTP를 분실하였을 경우 어떻게 해야 하나요?", "1500-1111로 신고하십시오.\n재발급됩니다."
    ),
    _row("g-003", GAON, "수수료", FEE, "건당 500원입니다.", "2020-01-01", "2024-12-31"),
    _row("g-004", GAON, "수수료", FEE, "수수료가 면제됩니다.", "2025-01-01", "2089-12-31"),
    _row("g-005", GAON, "수수료", FEE, "건당 900원입니다.", "2090-01-01"),
    _row("g-006", GAON, "대출", PAPERS, LONG_ANSWER),
    _row("g-007", GAON, "인증", "비밀번호를 여러 번 틀려서 정지되면 어떻게 하나요?", "영업점에서 해제해 드립니다."),
    _row("g-008", GAON, "계좌", "종이통장을 재발급받을 수 있나요?", "모든 영업점에서 재발급해 드립니다."),
    _row("n-002", NARU, "공모주", "공모주 청약을 취소할 수 있나요?", "마감일 16시까지 취소하실 수 있습니다."),
    _row("n-003", NARU, "해외주식", "미국 주식은 몇 시부터 거래할 수 있나요?", "한국 시각 23:30부터 06:00까지입니다."),
    _row("n-004", NARU, "배당", "주식 배당금은 언제 입금되나요?", "주주총회일로부터 1개월 이내에 입금됩니다."),
)
ANSWERS = {row[0]: row[2] for row in ROWS}


def write_faq(file: Path, *, without: tuple[str, ...] = ()) -> Path:
    """Write the FAQ as a CSV file, without the rows of these ids, and return its path."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        writer.writerows(row for row in ROWS if row[0] not in without)
    return file
