"""Quantities of Korean text: values, units, ranges and offsets; and ordinary words that hold none."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.constraints import Quantity, read_quantities
from rag.constraints.quantity_patterns import PATTERNS, number

WON, MONTHS = "KRW", "month"


def only(text: str) -> Quantity:
    quantities = read_quantities(text)
    assert len(quantities) == 1, quantities
    return quantities[0]


@pytest.mark.parametrize(
    ("text", "dimension", "unit", "value"),
    [
        *[(text, "money", "KRW", 50_000_000) for text in ("5천만원", "오천만원", "50,000,000원", "5000만 원")],
        *[(text, "money", "KRW", 50_000_000) for text in ("5천 만원", "5,000만원")],
        *[(text, "money", "KRW", 250_000_000) for text in ("이억 오천만원", "이억 오천만", "이억 오천", "2억 5천")],
        *[(text, "money", "KRW", 3_500_000_000_000) for text in ("삼조 오천억원", "3조 5천억원", "3조 5천억", "3조5,000억")],
        ("이천 만원", "money", "KRW", 20_000_000),
        ("①5만원", "money", "KRW", 50_000),
        ("5만원¹", "money", "KRW", 50_000),
        ("５００만원", "money", "KRW", 5_000_000),
        ("1만2,500원", "money", "KRW", 12_500),
        ("1억 2,000만원", "money", "KRW", 120_000_000),
        ("백만원", "money", "KRW", 1_000_000),
        ("이십만 원", "money", "KRW", 200_000),
        ("천원이 빠져나갔어요", "money", "KRW", 1_000),
        ("1.5억원", "money", "KRW", 150_000_000),
        *[(text, "money", "USD", 5_000) for text in ("5천달러", "$5,000", "5천불", "USD 5,000", "5,000 USD")],
        *[(text, "money", "USD", 5_000) for text in ("미화 5천불", "오천달러")],
        ("10만달러", "money", "USD", 100_000),
        ("100엔", "money", "JPY", 100),
        ("20유로", "money", "EUR", 20),
        *[(text, "rate", "%", Decimal("3.5")) for text in ("연 3.5%", "3.5퍼센트", "3.5 프로", "삼점오 퍼센트", "３.５％")],
        ("0.5%p", "rate", "%p", Decimal("0.5")),
        ("0.5%포인트", "rate", "%p", Decimal("0.5")),
        *[(text, "duration", "month", 12) for text in ("12개월", "1년", "일년", "십이개월", "열두 달")],
        *[(text, "duration", "month", 6) for text in ("반년", "6개월", "육개월", "여섯 달")],
        *[(text, "duration", "month", 18) for text in ("1년반", "1년 6개월", "1년 반", "18개월")],
        ("한 달", "duration", "month", 1),
        ("석 달밖에", "duration", "month", 3),
        ("보름", "duration", "day", 15),
        ("열흘", "duration", "day", 10),
        ("2주일", "duration", "day", 14),
        ("3영업일", "duration", "business_day", 3),
        ("2시간 30분", "duration", "second", 9_000),
        ("1½시간", "duration", "second", 5_400),
        *[(text, "age", "세", 14) for text in ("14살", "열네 살", "만 14세", "열네살")],
        ("스무 살", "age", "세", 20),
        ("67세신데", "age", "세", 67),
        ("1등급", "grade", "등급", 1),
        ("이등급", "grade", "등급", 2),
        ("3종", "grade", "종", 3),
        *[(text, "count", "회", 5) for text in ("5회", "다섯 번", "5번", "다섯번")],
        ("3건", "count", "건", 3),
        ("세 개", "count", "개", 3),
        *[(text, "count", "명", 2) for text in ("2명", "두 분", "두 명")],
        *[(text, "date", "date", 20260301) for text in ("2026-03-01", "2026.03.01.", "2026년 3월 1일", "2026/3/1")],
        ("3월 1일", "date", "date", 301),
        *[(text, "date", "date", 5) for text in ("매월 5일", "5일날", "5일 날", "5일자")],
        ("5거래일", "duration", "business_day", 5),
        *[(text, "time", "clock", 16 * 60) for text in ("오후 4시", "16:00", "16시", "오후 네 시")],
        ("밤 11시 반", "time", "clock", 23 * 60 + 30),
        ("밤12시", "time", "clock", 0),
        ("4시", "time", "clock12", 4 * 60),
        ("1500-0101", "phone", "phone", 15000101),
        ("02-123-4567", "phone", "phone", 21234567),
        ("+82-2-1234-5678", "phone", "phone", 82212345678),
        *[(text, "length", "자리", 6) for text in ("6자리", "여섯 자리", "문자로오는번호여섯자리가")],
        ("경찰 112", "number", "", 112),
    ],
)  # fmt: skip
def test_one_value(text: str, dimension: str, unit: str, value: int | Decimal) -> None:
    quantity = only(text)
    assert (quantity.dimension, quantity.unit, quantity.low) == (dimension, unit, value)
    assert quantity.is_point


@pytest.mark.parametrize(
    ("text", "unit", "low", "high", "closed"),
    [
        ("10~20만원", WON, 100_000, 200_000, True),
        ("5천~1억원", WON, 50_000_000, 100_000_000, True),
        ("3~5등급", "등급", 3, 5, True),
        ("5만원 이상 1억원 이하", WON, 50_000, 100_000_000, True),
        ("5만원을 초과", WON, 50_000, None, False),
        ("5만원 넘는", WON, 50_000, None, False),
        ("최대 1억원", WON, None, 100_000_000, True),
        ("최소 1만원", WON, 10_000, None, True),
        ("1억까지되는거맞죠", WON, None, 100_000_000, True),
        ("1개월 이상 6개월 미만", MONTHS, 1, 6, False),
        ("3년에서 5년", MONTHS, 36, 60, True),
        ("1년 이내", MONTHS, None, 12, True),
        ("3~5영업일", "business_day", 3, 5, True),
        ("8~12자리", "자리", 8, 12, True),
        ("만 14세 미만", "세", None, 14, False),
        ("미성년자", "세", None, 19, False),
        ("30대 직장인", "세", 30, 40, False),
        ("09:00~16:00", "clock", 540, 960, True),
        ("오전 9시부터 오후 4시까지", "clock", 540, 960, True),
        ("오후 1시~4시", "clock", 780, 960, True),
        ("23:00~01:00", "clock", 1380, 60, True),
    ],
)
def test_range(text: str, unit: str, low: int | None, high: int | None, closed: bool) -> None:
    quantity = only(text)
    assert (quantity.unit, quantity.low, quantity.high) == (unit, low, high)
    assert (quantity.low_closed and quantity.high_closed) == closed


def test_the_number_of_a_clause_is_no_part_of_an_amount() -> None:
    assert [(q.dimension, q.low, q.text) for q in read_quantities("제2조 5천만원의 한도")] == [
        ("number", Decimal(2), "2"),
        ("money", Decimal(50_000_000), "5천만원"),
    ]
    assert [q.dimension for q in read_quantities("제3조 2항")] == ["number", "number"]


@pytest.mark.parametrize(
    "text",
    [
        "이체 일반 사이 오류 삼성 만기 천천히 구매 이자 육아 이용 사용 조회 백화점 영업 공인 이번 사회 사건 구급차",
        "일회용비밀번호 이월약정 다시 역시 한시적 한도 세금 세대주 네이버 두드림  열심히 서명 개인 명의",
        "수천만원 몇만원 몇 백만원 천만에요 천만다행 만년필 조건 안건 물건 한 번에 한번 해 보세요 두번째",
        "1. 약관에 동의합니다.\n2. 확인을 누릅니다.\n3) 끝냅니다.",
        "전셋집 구할 때 집을 구할 수 있나요",
        "제일은행 오일 뱅크 육성 구분 칠곡 팔다 십자 백신 억울 조회수 이일을 사십시오",
    ],
)
def test_ordinary_words_hold_no_quantity(text: str) -> None:
    assert read_quantities(text) == []


def test_several_in_one_sentence() -> None:
    texts = [
        quantity.text for quantity in read_quantities("1회 30만원, 1일 100만원까지이며 3~5영업일 걸립니다(1500-0202).")
    ]
    assert texts == ["1회", "30만원", "1일", "100만원", "3~5영업일", "1500-0202"]


def test_year_before_maturity_is_not_ten_thousand() -> None:
    assert [quantity.low for quantity in read_quantities("1년 만기와 2년 만기")] == [12, 24]


def test_before_and_after_differ() -> None:
    assert [quantity.side for quantity in read_quantities("만료 30일 전부터, 신청 30일 후까지, 30일")] == [
        "before",
        "after",
        "",
    ]


def test_a_pm_hour_covers_what_lies_between() -> None:
    night = only("23:00~01:00")
    assert night.covers(only("00:30"))
    assert not night.covers(only("12:00"))


def test_open_ends_do_not_cover_their_bound() -> None:
    under = only("만 14세 미만")
    assert under.covers(only("13살"))
    assert not under.covers(only("14살"))
    assert not under.covers(only("만 19세 미만"))


@given(
    st.text(alphabet=st.sampled_from("0123456789만억원년월일시분개회 세살%,.~-:①½５이상하미반열네달러\n"), max_size=40)
)
def test_offsets_point_into_the_text(text: str) -> None:
    end = 0
    for quantity in read_quantities(text):
        assert quantity.text == text[quantity.start : quantity.end]
        assert quantity.start >= end
        end = quantity.end


@given(st.integers(min_value=1, max_value=10**10))
def test_won_are_read_as_written(amount: int) -> None:
    assert only(f"{amount:,}원").low == amount


def test_decomposed_text_is_read_with_its_own_offsets() -> None:
    text = unicodedata.normalize("NFD", "하루 5천만원까지")
    quantity = read_quantities(text)[-1]
    assert quantity.high == 50_000_000
    assert unicodedata.normalize("NFC", text[quantity.start : quantity.end]) == "5천만원"


def test_numerals() -> None:
    assert [number(word) for word in ("이십오만", "삼백", "1억5천만", "서른다섯")] == [250_000, 300, 150_000_000, 35]


def test_a_pattern_matches_no_text_without_one_of_its_signs() -> None:
    files = (Path(__file__).parents[2] / "data" / "faq").glob("*.csv")
    lines = {line for file in files for line in file.read_text(encoding="utf-8").splitlines()}
    parts = {part for line in lines for part in line.split(",")} | {"1매만", "9월 말", "3조 5천억", "₩5,000", "반년"}
    missed = [
        (signs, part)
        for _, signs, pattern in PATTERNS
        for part in parts
        if signs and pattern.search(part) and set(part).isdisjoint(signs)
    ]
    assert lines and not missed
