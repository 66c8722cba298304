"""Nouns of a question in the place of a row's, periods, targets of a change."""

from __future__ import annotations

import pytest

from rag.constraints.asked_values import other_period
from rag.constraints.compounds import other_target
from rag.constraints.everyday_values import values_of
from rag.constraints.institutions import InstitutionNames
from rag.constraints.reversals import is_taken_back
from rag.constraints.substitutions import substituted_nouns
from rag.retrieval.query_analysis import expand

HOURS = "고객센터의 평일 상담시간은 언제인가요?"


@pytest.mark.parametrize(
    ("question", "row_question", "asked"),
    [
        ("새벽 상담시간은 언제예요", HOURS, "새벽"),
        ("드론 배터리 교체하려면", "리모컨 배터리가 다 되면 어떻게 하나요?", "드론"),
        ("조합에서 나가면 장려금 언제 받나요", "조합에서 나가면 적립금은 언제 돌려받나요?", "장려금"),
        ("12개월 거치식신탁 금리 얼마예요", "12개월 자유적금의 금리는 얼마인가요?", "거치식신탁"),
        ("팩스번호 바뀌었는데 어떻게 변경해요", "성명이 바뀌었는데 어떻게 변경하나요?", "팩스번호"),
        ("해외 채권 방문 거래 수수료 얼마예요", "해외 채권의 온라인 거래 수수료는 얼마인가요?", "방문"),
    ],
)
def test_a_noun_in_the_place_of_another_asks_for_something_else(question: str, row_question: str, asked: str) -> None:
    assert [pair[0] for pair in substituted_nouns(question, row_question, "", synonyms=expand)] == [asked]


@pytest.mark.parametrize(
    ("question", "row_question", "answer"),
    [
        pytest.param("상담시간은 언제예요", HOURS, "", id="nothing in its place"),
        pytest.param("토요일 상담시간은 언제예요", HOURS, "토요일은 쉽니다.", id="the answer holds it"),
        pytest.param("여쭤보고 싶은데 상담시간은 언제예요", HOURS, "", id="a verb"),
        pytest.param("미르눌리 앱 설치하려면", "미르누리 앱 설치 방법은 무엇인가요?", "", id="misspelt"),
        pytest.param(
            "36개월 적금 금리 얼마예요", "24개월 적금 금리는 얼마인가요?", "", id="values are compared elsewhere"
        ),
        pytest.param("오티피 비번 까먹었어요", "OTP 비밀번호를 잊은 경우 어떻게 하나요?", "", id="a synonym"),
        pytest.param(
            "적금 해지하면 돈은 언제 나와요", "적금을 해지하면 해지금은 언제 지급되나요?", "", id="one syllable"
        ),
        pytest.param("이체한도 상향", "이체한도 증액은 어떻게 신청하나요?", "", id="what is to be done"),
    ],
)
def test_the_same_in_other_words_is_no_substitution(question: str, row_question: str, answer: str) -> None:
    assert substituted_nouns(question, row_question, answer, synonyms=expand) == []


@pytest.mark.parametrize(
    ("question", "row_question", "answer", "is_other"),
    [
        ("1회 결제 한도 얼마예요", "1일 결제 한도는 얼마인가요?", "1일 300만 원입니다.", True),
        ("한 달 결제 한도 얼마예요", "1일 결제 한도는 얼마인가요?", "1일 300만 원입니다.", True),
        ("하루 결제 한도 얼마예요", "1일 결제 한도는 얼마인가요?", "300만 원입니다.", False),
        ("매일 보고서 보내 주나요", "보고서는 일 년에 몇 번 보내 주나요?", "연 4회입니다.", True),
        ("1회 결제 한도 얼마예요", "1일 결제 한도는 얼마인가요?", "1회 100만 원, 1일 300만 원입니다.", False),
        ("하루 지나면 결제 한도가 다시 생기나요", "월 결제 한도는 얼마인가요?", "300만 원입니다.", False),
        ("1년 만기 예금의 결제 한도", "1일 결제 한도는 얼마인가요?", "300만 원입니다.", False),
        ("한 달 결제 한도 얼마예요", "결제 한도는 얼마인가요?", "300만 원입니다.", False),
        ("하루 적립 한도 얼마예요", "적립률은 얼마인가요?", "2%를 월 3만 원까지 적립합니다.", True),
        ("하루에 얼마까지 넣어요", "어떻게 가입하나요?", "매월 30만원까지 넣으실 수 있습니다.", True),
        ("하루 만에 적립되나요", "적립률은 얼마인가요?", "2%를 월 3만 원까지 적립합니다.", False),
    ],
)
def test_another_period(question: str, row_question: str, answer: str, is_other: bool) -> None:
    assert bool(other_period(question, row_question, answer)) == is_other


@pytest.mark.parametrize(
    ("question", "row_question", "answer", "target"),
    [
        ("수령 방법을 상품권으로 바꾸려면", "수령 방법을 입금으로 바꾸려면 어떻게 하나요?", "", "상품권"),
        ("수령 주기를 분기로 변경", "수령 주기를 반년으로 변경하려면 어떻게 하나요?", "분기로도 됩니다.", ""),
        ("연락처를 새 번호로 바꾸려면", "수령 계좌를 은행계좌로 바꾸려면 어떻게 하나요?", "", ""),
        ("수령 계좌를 바꾸려면", "수령 계좌를 은행계좌로 바꾸려면 어떻게 하나요?", "", ""),
    ],
)
def test_another_target_of_a_change(question: str, row_question: str, answer: str, target: str) -> None:
    assert other_target(question, row_question, answer) == target


@pytest.mark.parametrize(
    "question", ["멈춰 둔 카드 다시 쓰려면", "숨긴 계좌 다시 보고 싶어요", "지운 수취인 복구되나요"]
)
def test_what_was_stopped_begins_again(question: str) -> None:
    assert is_taken_back(question, "카드를 일시 정지하거나 계좌와 수취인을 지우려면 어떻게 하나요?", str)
    assert not is_taken_back(question, "일시 정지를 해제하려면 어떻게 하나요?", str)


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


def test_a_cooperative_goes_by_its_kind() -> None:
    [mention] = InstitutionNames({"푸른신협": []}).find("신협 탈퇴하려면")
    assert (mention.name, mention.held) == ("푸른신협", True)
    [mention] = InstitutionNames({"푸른신협": [], "맑은신협": []}).find("신협 탈퇴하려면")
    assert not mention.held
