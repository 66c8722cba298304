"""What a question asks for and a passage of a document does not state: its values, names of places, numbers to call."""

from __future__ import annotations

import pytest
from llama_index.core.schema import TextNode

from rag.constraints.passage_scope import lacking_in_passage
from rag.retrieval.hybrid import FusedNode
from rag.retrieval.ranking import order_by_agreement
from rag.stores.base import DOCUMENT, QUESTION

PAY_DAYS = "납부일은 3일, 10일, 20일 가운데 고릅니다.\n납부일 | 이용 기간\n3일 | 전월 1일~전월 말일\n20일 | 전월 18일~당월 17일"
FEES = (
    "구분 | 금액 | 창구 | 기기\n송금 | 10만원 이하 | 600원 | 500원\n송금 | 10만원 초과 100만원 이하 | 2,000원 | 900원"
)
RATES = "상품 | 기간 | 금리\n햇살예금 | 6개월 | 연 2.4%\n햇살예금 | 12개월 | 연 2.7%"
BRANCHES = "영업점 안내\n지점 | 영업시간\n강남지점 | 09:00~16:00\n제주지점 | 10:00~17:00"


@pytest.mark.parametrize(
    ("question", "passage", "lacking"),
    [
        ("납부일이 10일이면 언제 쓴 돈이에요", PAY_DAYS, ["10일"]),
        ("납부일이 20일이면 언제 쓴 돈이에요", PAY_DAYS, []),
        ("햇살예금 36개월 금리", RATES, ["36개월"]),
        ("햇살예금 1년 금리", RATES, []),
        ("5만원 송금 수수료", FEES, []),
        ("송금 수수료가 2000원 맞나요", FEES, []),
        ("500만원 송금 수수료", FEES, ["500만원"]),
        # The passage begins within a table, whose column names are elsewhere.
        ("햇살예금 36개월 금리", RATES.split("\n", 1)[1], ["36개월"]),
        ("햇살예금 6개월 금리", RATES.split("\n", 1)[1], []),
    ],
)
def test_a_table_answers_for_its_own_values(question: str, passage: str, lacking: list[str]) -> None:
    assert lacking_in_passage(question, passage) == lacking


@pytest.mark.parametrize(
    ("question", "passage", "is_lacking"),
    [
        ("강남지점 전화번호", BRANCHES, True),
        ("강남지점 연락처가 어떻게 돼요", BRANCHES, True),
        ("강남지점 전화번호", BRANCHES + "\n문의 02-000-1234", False),
        ("전화번호를 바꾸려면 어떻게 해요", "회원 정보는 앱에서 바꿉니다.", False),
        ("강남지점 주차 되나요", BRANCHES, True),
        ("강남지점 주소 알려줘", BRANCHES, True),
        ("강남지점 어디에 있어요", "강남지점은 누리타워 2층으로 옮깁니다.", False),
        ("이전 신청에 필요한 서류", "3영업일 안에 처리합니다.", True),
        ("이전 신청에 필요한 서류", "신분증을 가지고 오세요.", False),
        ("어느 공항에서 쓸 수 있어요", "공항 라운지\n해마다 네 번 무료입니다. 지정 공항은 앱에서 봅니다.", True),
        ("어느 공항에서 쓸 수 있어요", "인천공항과 김포공항의 라운지", False),
        ("어느 지점에서 환전해요", "중앙로 지점에서 합니다.", False),
        ("무슨 요일에 쉬나요", "토요일에 쉽니다.", False),
        ("어느 나라 주식을 살 수 있어요", "해외 주식을 삽니다.", True),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_stated(question: str, passage: str, is_lacking: bool) -> None:
    assert bool(lacking_in_passage(question, passage)) is is_lacking


@pytest.mark.parametrize(("document", "is_blocked"), [("안내.pdf", True), ("", False)])
def test_only_passages_are_held_to_it(document: str, is_blocked: bool) -> None:
    node = TextNode(id_="p", text=BRANCHES, metadata={QUESTION: "영업점 안내", DOCUMENT: document})
    ordered = order_by_agreement("강남지점 전화번호 알려주세요", [FusedNode(node=node, score=5.0, parts={})])
    assert [conflict.asked for conflict in ordered.conflicts] == (["전화번호"] if is_blocked else [])


@pytest.mark.parametrize(
    ("question", "passage", "lacking"),
    [
        ("여름 휴가철 창구 시간", "겨울 휴가철 창구 안내\n창구는 10시에 연다.", ["여름"]),
        ("겨울 휴가철 창구 시간", "겨울 휴가철 창구 안내\n창구는 10시에 연다.", []),
        ("멕시코 달러 예금 이율", "외화예금\n통화 | 이율\n미국 달러 | 연 2.2%", ["멕시코"]),
        ("급여통장 우대 이율", "급여 이체 통장의 우대 이율은 연 1.1%이다.", []),
        ("앱으로 달러 사면 우대 얼마", "달러를 사면 우대율은 80%이다.", []),
        ("자꾸 오류 나요", "오류가 나면 다시 설치한다.", []),
        ("온천 지점 폐점 날짜", "지점 폐점\n시장 지점은 3월에 문을 닫는다.", ["온천"]),
    ],
)
def test_a_noun_that_narrows_what_the_passage_holds_must_be_held_too(
    question: str, passage: str, lacking: list[str]
) -> None:
    assert lacking_in_passage(question, passage) == lacking


def test_another_name_of_a_narrowing_noun_counts() -> None:
    passage = "자동화기기 출금 수수료는 500원이다."
    assert lacking_in_passage("기계 출금 수수료", passage) == ["기계"]
    assert lacking_in_passage("기계 출금 수수료", passage, synonyms=lambda word: f"{word} 자동화기기") == []


def test_a_passage_may_state_an_action_as_a_rule() -> None:
    text = "정기 납입\n납입은 매달 5일에 처리하며 잔액이 모자라면 취소된다. 취소는 하루 전까지 할 수 있다."
    node = TextNode(text=text, metadata={QUESTION: "이용 안내 › 정기 납입", DOCUMENT: "안내.pdf"})
    ordered = order_by_agreement("정기 납입 언제까지 취소할 수 있나요", [FusedNode(node=node, score=3.0, parts={})])
    assert not ordered.conflicts
