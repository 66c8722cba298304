"""Ages by school years, life stages and numerals without 살, compared with a row's ages."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rag.constraints import compare, read_quantities
from rag.constraints.everyday_values import values_of


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("중2 아들", 13, 14),
        ("고3인데요", 17, 18),
        ("초등학교 4학년 딸", 9, 10),
        ("중학생이에요", 12, 15),
        ("대학생도 되나요", 19, 29),
        ("서른둘인데", 32, 32),
        ("칠순 어머니", 70, 70),
        ("백세 만기로", 100, 100),
        ("백 살 할머니", 100, 100),
        ("어르신도", 65, None),
    ],
)
def test_everyday_ages(text: str, low: int, high: int | None) -> None:
    [age] = values_of(text)
    assert age.dimension == "age"
    assert [age.low, age.high] == [low, high]


@pytest.mark.parametrize(
    "text", ["중복 신청", "고1000원", "최고3억", "초3개월", "중4", "대학교 등록금", "노인복지", "백세시대"]
)
def test_what_only_looks_like_an_age(text: str) -> None:
    assert "age" not in {value.dimension for value in values_of(text)}


def test_a_models_statement_is_not_read_so() -> None:
    assert not read_quantities("대학생과 어르신")


@pytest.mark.parametrize(
    ("question", "status"),
    [("초5 아이도 되나요", "agree"), ("중3인데 되나요", "conflict"), ("고등학생도 되나요", "conflict")],
)
def test_a_school_year_lies_in_a_rows_range_or_not(question: str, status: str) -> None:
    assert compare(question, "만 14세 미만 자녀의 통장은 어떻게 만드나요?", "영업점에 오십시오.").status == status


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("연봉 3000인데 되나요", "KRW", 30_000_000),
        ("대출 5천까지 되나요", "KRW", 50_000_000),
        ("신용대출 오천 받고 싶어요", "KRW", 50_000_000),
        ("한도 300으로 올려줘", "KRW", 3_000_000),
        ("신용점수 720점이면", "점", 720),
        ("애가 셋이면", "명", 3),
        ("1억 5천이면", "KRW", 150_000_000),
        ("일억오천 맡기면", "KRW", 150_000_000),
    ],
)
def test_amounts_scores_and_children_as_customers_say_them(text: str, unit: str, value: int) -> None:
    [said] = values_of(text)
    assert said.unit == unit
    assert said.low == value


@pytest.mark.parametrize("text", ["한도 2000걸음", "대출 30일 연체", "점포 300점검", "아이디 둘러보기"])
def test_what_only_looks_like_an_amount(text: str) -> None:
    assert not [value for value in values_of(text) if value.unit in ("KRW", "점", "명")]


@pytest.mark.parametrize(("text", "days"), [("실효된 지 이주 됐는데", 14), ("2주 지났어요", 14), ("세 주 만에", 21)])
def test_weeks_that_have_passed_are_read(text: str, days: int) -> None:
    [value] = values_of(text)
    assert (value.dimension, value.unit) == ("duration", "day") and value.low == days
    assert "주" in value.text


def test_weeks_of_a_period_are_no_shares() -> None:
    [value] = values_of("소요 기간: 3~5주")
    assert value.dimension == "duration" and value.ends == {21, 35}
    assert [each.unit for each in values_of("청약 단위: 10주")] == ["주"]


@pytest.mark.parametrize("text", ["이주비 대출 되나요", "이 주식 팔고 싶어요"])
def test_a_move_and_shares_are_no_weeks(text: str) -> None:
    assert not values_of(text)


def test_a_distance_in_a_customers_words() -> None:
    [distance] = values_of("300키로 넘게 타면")
    assert (distance.unit, distance.text) == ("km", "300키로")
    assert [value.dimension for value in values_of("짐이 300킬로그램")] == ["number"]


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("하루 6천 출금되나요", ["60000000"]),
        ("하루 600,000원 출금", ["600000"]),
        ("1일 6천 달러", ["6000"]),
        ("하루 6천 보 걸으면", []),
    ],
)
def test_an_amount_by_the_day_is_in_units_of_ten_thousand(text: str, money: list[str]) -> None:
    assert [str(value.low or value.high) for value in values_of(text) if value.dimension == "money"] == money


@pytest.mark.parametrize(
    ("text", "rate"), [("LTV 70 나와요", 70), ("증거금률은 40인 종목", 40), ("수익률 4.5 넘나요", Decimal("4.5"))]
)
def test_a_rate_without_its_sign(text: str, rate: Decimal) -> None:
    assert [(each.dimension, each.low) for each in values_of(text)] == [("rate", rate)]


@pytest.mark.parametrize(
    "text", ["금리 5년 고정", "전환비율 25:1", "수익률 0부터", "비율 3배", "금리 2026년", "내 금리가 5.5인데"]
)
def test_a_number_beside_a_rate_that_is_none(text: str) -> None:
    assert not [each for each in values_of(text) if each.dimension == "rate"]
