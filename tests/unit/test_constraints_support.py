"""Values of a statement that its passages do not state."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from rag.constraints import StatedQuantities
from rag.korean import sentences

FAQ = Path(__file__).parents[2] / "data/faq"

PASSAGES = (
    "1일 이체한도는 최대 5천만원이며 만 14세 미만은 100만원 이하입니다. 영업점은 09:00~16:00에 엽니다. 고객센터 1500-0101.",
    "우대금리는 연 0.5%p이고 기본금리는 연 3.5%입니다. 중도해지는 1개월 이상 6개월 미만이면 30%입니다. 월 5회 면제됩니다.",
    "2025년 7월 1일부터 시행합니다. 갱신은 만료 30일 전부터 가능하고 3영업일이 걸립니다.",
    "비밀번호는 6자리, 5회 오류 시 잠깁니다. 경찰 112.",
)


@pytest.mark.parametrize(
    "sentence",
    [
        "하루에 50,000,000원까지 보내실 수 있습니다.",
        "하루 한도는 오천만원입니다.",
        "만 14세 미만은 100만원 이하입니다.",
        "오전 9시부터 오후 4시까지 엽니다.",
        "4시에 닫습니다.",
        "우대금리는 0.5%포인트입니다.",
        "기본금리는 3.5퍼센트입니다.",
        "6개월 미만이면 30%입니다.",
        "한 달에 다섯 번 면제됩니다.",
        "7월 1일부터 시행합니다.",
        "만료 30일 전부터 갱신하세요.",
        "비밀번호 여섯 자리를 입력하세요.",
        "112에 신고하세요.",
        "1500-0101로 전화하세요.",
        "앱에서 신청하세요.",
    ],
)
def test_supported(sentence: str) -> None:
    assert StatedQuantities(PASSAGES).unsupported(sentence) == []


@pytest.mark.parametrize(
    ("sentence", "values"),
    [
        ("하루에 6천만원까지 보내실 수 있습니다.", ["6천만원"]),
        ("5천만원 이상 보내실 수 있습니다.", ["5천만원"]),
        ("만 14세 이상은 100만원입니다.", ["만 14세"]),
        ("만 19세 미만은 100만원입니다.", ["만 19세"]),
        ("오후 5시까지 엽니다.", ["오후 5시"]),
        ("우대금리는 0.5%입니다.", ["0.5%"]),
        ("기본금리는 3.5%p입니다.", ["3.5%p"]),
        ("6개월 이하이면 30%입니다.", ["6개월"]),
        ("2024년 7월 1일부터 시행합니다.", ["2024년 7월 1일"]),
        ("만료 30일 후부터 갱신하세요.", ["30일"]),
        ("3일이 걸립니다.", ["3일"]),
        ("비밀번호는 4자리입니다.", ["4자리"]),
        ("세 번 틀리면 잠깁니다.", ["세 번"]),
        ("1500-0202로 전화하세요.", ["1500-0202"]),
        ("119에 신고하세요.", ["119"]),
        ("5천만 달러까지 됩니다.", ["5천만 달러"]),
        ("한도는 5천만원, 수수료는 500원입니다.", ["500원"]),
    ],
)
def test_unsupported(sentence: str, values: list[str]) -> None:
    quantities = StatedQuantities(PASSAGES).unsupported(sentence)
    assert [quantity.text for quantity in quantities] == values
    assert all(sentence[quantity.start : quantity.end] == quantity.text for quantity in quantities)


def test_nothing_is_stated_without_passages() -> None:
    assert [quantity.text for quantity in StatedQuantities([]).unsupported("1년이며 3%입니다.")] == ["1년", "3%"]


@pytest.mark.parametrize("path", sorted(FAQ.glob("*.csv")), ids=lambda path: path.stem)
def test_each_sentence_of_an_answer_is_supported_by_the_answer(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        answers = [row["answer"] for row in csv.DictReader(file)]
    parts = [(answer, answer[start:end]) for answer in answers for start, end in sentences(answer)]
    assert len(parts) > 500
    assert [part for answer, part in parts if StatedQuantities([answer]).unsupported(part)] == []


def test_the_passages_are_read_once_for_many_sentences() -> None:
    stated = StatedQuantities(PASSAGES)
    assert [[quantity.text for quantity in stated.unsupported(text)] for text in ("5천만원", "6천만원")] == [
        [],
        ["6천만원"],
    ]
