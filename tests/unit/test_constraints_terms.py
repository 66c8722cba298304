"""The lines of terms.tsv: their form, and what they name in customers' words of insurance, cards, securities and payments."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import rag.constraints
from rag.constraints import compare
from rag.constraints.contrasts import members_of

LINES = [
    line
    for line in Path(rag.constraints.__file__).with_name("terms.tsv").read_text(encoding="utf-8").splitlines()
    if line and line[0] != "#"
]


def test_a_line_has_names_and_at_most_one_column_of_answering_words() -> None:
    assert [line for line in LINES if line.count("\t") > 1 or not all(line.replace("\t", "|").split("|"))] == []


def test_names_are_lower_case_without_spaces() -> None:
    names = [name for line in LINES for name in line.partition("\t")[0].split("|")]
    assert [name for name in names if name != name.lower() or any(character.isspace() for character in name)] == []


def test_no_line_says_a_name_twice_and_no_two_lines_begin_with_one() -> None:
    names = [line.partition("\t")[0].split("|") for line in LINES]
    assert [each for each in names if len(set(each)) < len(each)] == []
    assert [name for name, count in Counter(each[0] for each in names).items() if count > 1] == []


@pytest.mark.parametrize(
    ("question", "row", "answer"),
    [
        ("갑상선암이면 진단비를 얼마나 주나요?", "뇌졸중 진단비는 얼마인가요?", "최초 1회 2,000만원을 지급합니다."),
        ("오토바이도 긴급출동 불러도 되나요?", "자동차 긴급출동은 몇 번까지 되나요?", "1년에 5회까지 가능합니다."),
        ("여행을 취소하면 위약금도 보상되나요?", "항공기 지연은 보상되나요?", "4시간 이상 지연되면 보상합니다."),
        ("디폴트옵션은 어떻게 바꾸나요?", "출금계좌는 어떻게 바꾸나요?", "앱에서 변경하실 수 있습니다."),
        ("트래블카드 환불 어떻게 해요?", "충전 잔액은 어떻게 환불하나요?", "앱에서 계좌로 환불하실 수 있습니다."),
        ("더치페이는 어떻게 하나요?", "송금은 어떻게 하나요?", "받는 분의 휴대폰번호를 입력하세요."),
    ],
)
def test_a_row_on_another_thing_lacks_the_one_asked_about(question: str, row: str, answer: str) -> None:
    assert "term" in {lack.kind for lack in compare(question, row, answer).lacking}


@pytest.mark.parametrize(
    ("question", "row", "answer"),
    [
        ("차에 기름이 떨어졌는데 어떻게 하죠?", "긴급출동은 어떻게 부르나요?", "고객센터로 전화해 주세요."),
        ("카드값 나눠 내고 싶어요", "일시불을 할부로 바꾸려면?", "앱에서 할부로 전환하실 수 있습니다."),
        ("연말정산에 낼 서류 떼 주세요", "소득공제용 납입증명서는 어떻게 받나요?", "앱에서 받으실 수 있습니다."),
        (
            "번호로 송금하면 상대방이 언제까지 받아야 하나요?",
            "연락처로 보낸 돈은 언제까지 받나요?",
            "7일 안에 받으셔야 합니다.",
        ),
    ],
)
def test_a_row_answers_under_another_name(question: str, row: str, answer: str) -> None:
    assert "term" not in {lack.kind for lack in compare(question, row, answer).lacking}


@pytest.mark.parametrize("text", ["다음주에 가요", "생활비만큼만", "접수해 주세요", "국내전용 카드", "상급종합병원"])
def test_a_name_is_not_read_inside_another_word(text: str) -> None:
    names = {member for _, member in members_of(text)}
    assert names.isdisjoint({"음주운전", "비만", "침수", "전쟁", "인적분할"})


@pytest.mark.parametrize(
    ("question", "row", "answer"),
    [
        (
            "은행에서 받은 보안카드 여기서 되나요",
            "다른 회사에서 받은 보안매체를 등록할 수 있나요?",
            "보안카드는 등록됩니다.",
        ),
        ("외국인데 앱 로그인이 안돼요", "해외에서 앱에 로그인할 수 있나요?", "통신이 되면 로그인하실 수 있습니다."),
        ("갑자기 주식이 안 보여요", "보유 주식이 화면에서 사라졌어요.", "새로고침해 주세요."),
        ("최고장 받았는데 어떡하죠", "보험료를 못 내서 안내장을 받으면 어떻게 하나요?", "기한 안에 내시면 됩니다."),
        ("만기 후 원금 언제 나와요", "만기가 되면 돈은 언제 들어오나요?", "만기일에 원금과 이자가 입금됩니다."),
        ("이월이자 얼마예요", "리볼빙 이자는 어떻게 정해지나요?", "이월잔액에 연 15%를 곱합니다."),
        ("차 명의변경", "차의 명의를 아들로 바꾸려면 어떻게 하나요?", "등록증을 내시면 됩니다."),
    ],
)
def test_words_that_only_look_like_a_name_ask_for_nothing(question: str, row: str, answer: str) -> None:
    assert "term" not in {lack.kind for lack in compare(question, row, answer).lacking}


@pytest.mark.parametrize(
    ("question", "row", "answer"),
    [
        ("은행에서 받고 싶어요 카드", "카드는 언제 배송되나요?", "5일 안에 집으로 보내드립니다."),
        ("외국인도 되나요", "비대면으로 계좌를 만들 수 있나요?", "만 19세 이상이면 됩니다."),
        ("냉장고 고장도 보상되나요", "가구가 젖었는데 보상되나요?", "누수 피해를 보상합니다."),
        ("후원금 영수증", "월세 영수증은 어떻게 받나요?", "앱에서 받으실 수 있습니다."),
    ],
)
def test_the_names_themselves_are_still_asked_for(question: str, row: str, answer: str) -> None:
    assert "term" in {lack.kind for lack in compare(question, row, answer).lacking}
