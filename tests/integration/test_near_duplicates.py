"""Rows are answered alike alone, with expired versions, and with other institutions' copies."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from rag.chat import ChatService
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import ingest_files, open_index
from rag.settings import Settings, StoreSettings

ROWS = (
    (
        "분실한 체크카드를 다시 쓰려면 어떻게 하나요?",
        "앱의 카드 관리에서 분실 해제를 신청하시면 바로 쓰실 수 있습니다.",
    ),
    ("공과금 자동납부를 신청하려면?", "앱의 공과금 메뉴에서 고지서를 찍어 등록하십시오."),
    ("외화 현찰은 어디서 받나요?", "환전을 신청하신 영업점에서 신분증을 보이고 받으십시오."),
    ("대출 이자 납부일을 바꿀 수 있나요?", "대출 관리에서 일 년에 두 번까지 바꾸실 수 있습니다."),
    ("거래내역서를 팩스로 받을 수 있나요?", "상담원에게 팩스 번호를 알려 주시면 보내 드립니다."),
    ("예금 만기가 지나면 이자는 어떻게 되나요?", "만기 뒤에는 약정 금리의 절반이 적용됩니다."),
    ("이체 예약을 취소하려면?", "실행되기 전날까지 예약 이체 내역에서 취소하십시오."),
    ("인터넷뱅킹 아이디를 잊어버렸어요", "로그인 화면의 아이디 찾기에서 본인확인을 하십시오."),
)
QUESTIONS = (
    "체크카드 분실한거 다시 쓰려고요",
    "공과금 자동납부 신청",
    "이자 납부일 바꾸기",
    "거래내역서 팩스",
    "이체 예약 취소",
    "인터넷뱅킹 아이디 까먹음",
)
BANKS = [f"{name}은행" for name in ["가람", "나눔", "다솜", "라온", "마루", "바름", "사랑채", "아침"]]


def versions(count: int) -> list[dict[str, str]]:
    past = [
        {"question": question, "answer": f"{answer} ({2000 + n}년판)", "effective_until": f"{2000 + n}-12-31"}
        for n in range(count)
        for question, answer in ROWS
    ]
    return [*past, *({"question": question, "answer": answer, "effective_until": ""} for question, answer in ROWS)]


def institutions(count: int) -> list[dict[str, str]]:
    return [
        {"question": question, "answer": f"{bank}: {answer}", "bank": bank}
        for bank in BANKS[:count]
        for question, answer in ROWS
    ]


def chat(rows: Sequence[Mapping[str, str]], models: Models, directory: Path, name: str) -> ChatService:
    path = directory / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    settings = Settings(store=StoreSettings(directory=directory / "indexes", index=name))
    ingest_files(directory / "indexes", name, models, [path])
    return build_service(settings, models, open_index(settings, models))


def answered(made: ChatService, prefix: str = "") -> int:
    return sum(made.judge(prefix + question).status == "answered" for question in QUESTIONS)


@pytest.fixture(scope="module")
def answered_alone(models: Models, tmp_path_factory: pytest.TempPathFactory) -> int:
    found = answered(chat(versions(0), models, tmp_path_factory.mktemp("alone"), "alone"))
    assert found >= len(QUESTIONS) - 1
    return found


@pytest.mark.parametrize("count", [3, 7])
def test_expired_versions_take_no_answer_away(models: Models, tmp_path: Path, answered_alone: int, count: int) -> None:
    assert abs(answered(chat(versions(count), models, tmp_path, "faq")) - answered_alone) <= 1


@pytest.mark.parametrize("count", [3, 8])
def test_other_institutions_take_no_answer_away(
    models: Models, tmp_path: Path, answered_alone: int, count: int
) -> None:
    """The customer names the institution."""
    assert abs(answered(chat(institutions(count), models, tmp_path, "faq"), f"{BANKS[0]} ") - answered_alone) <= 1
