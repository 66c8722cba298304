"""A passage is about its last heading; its document's title and chapters say what all its passages belong to."""

from __future__ import annotations

import pytest
from llama_index.core.schema import TextNode

from rag.retrieval.confidence import defaults
from rag.retrieval.hybrid import DENSE, FusedNode
from rag.retrieval.ranking import features, order_by_agreement
from rag.retrieval.rows import last_heading, text_of, titles_of
from rag.stores.base import DOCUMENT, HEADINGS, JAMO, QUESTION, TOKENS

FUSION = defaults().fusion


def passage(*headings: str, text: str) -> FusedNode:
    node = TextNode(id_=text[:4], text=text, metadata={QUESTION: HEADINGS.join(headings), DOCUMENT: "안내.pdf"})
    return FusedNode(node=node, score=2.0, parts={DENSE: 0.5, TOKENS: 0.3, JAMO: 0.2})


@pytest.mark.parametrize(
    ("headings", "last"),
    [
        ("대출 약관 › 제1장 조건 › 제4조 (대출 금리)", "대출 금리"),
        ("대출 약관 › 제12조의2(만기 연장)", "만기 연장"),
        ("창구 안내 › 3. 이용 한도", "이용 한도"),
        ("창구 안내 › 1.2 이용 한도", "이용 한도"),
        ("창구 안내 › 24시간 창구", "24시간 창구"),
        ("창구 안내 › 2031년 일정", "2031년 일정"),
        ("대출 약관 › 제3조", "제3조"),
        ("수수료표", "수수료표"),
        ("", ""),
    ],
)
def test_the_last_heading_is_read_without_its_number(headings: str, last: str) -> None:
    assert last_heading(headings) == last


def test_a_passage_says_its_headings_and_its_text_in_the_style_of_a_row() -> None:
    hit = passage("창구 안내", "통장", text="수수료를 받지 않는다.")
    assert titles_of(hit) == "통장"
    assert text_of(hit) == "창구 안내 › 통장\n수수료를 받지 않습니다."
    row = FusedNode(
        node=TextNode(text="받지 않는다.", metadata={QUESTION: "통장 › 수수료는?"}), score=1.0, parts=hit.parts
    )
    assert (titles_of(row), text_of(row)) == ("통장 › 수수료는?", "받지 않는다."), "a row stays as it is written"


@pytest.mark.parametrize(
    ("question", "hit"),
    [
        ("앱 정기 점검 언제 해요", passage("인터넷뱅킹 안내", "점검", text="정기 점검은 매월 둘째 일요일 03:00~05:00에 한다.")),
        ("적금 한 달에 얼마까지 넣을 수 있어요", passage("예금 안내", "적금", text="만기는 1년이다.\n월 30만원까지 넣는다.")),
        ("중학생인데 통장 만들 수 있어요?", passage("예금 약관", "통장", text="통장은 만 14세부터 신청한다.")),
        ("햇살적금 나이 제한 있어요?", passage("상품 안내", "적금 비교", text="햇살적금은 만 34세까지 든다.")),
        (
            "공모주 청약 일반 고객 한도",
            passage("약관", "공모주 청약", text="고객 등급 | 청약 한도 | 수수료\n우수 | 2,000좌 | 면제\n일반 | 500좌 | 2,000원"),
        ),
        ("창구에서 900만원 수수료 얼마", passage("수수료표", "송금", text="구분 | 금액 | 수수료\n창구 | 제한 없음 | 1천원")),
        ("레버리지 펀드 사려면 뭐 해야 해요", passage("유의 사항", "레버리지", text="레버리지 펀드를 사려면 교육을 마친다.")),
        ("타행 기계에서 뽑으면 얼마", passage("수수료표", "출금 수수료", text="구분 | 수수료\n타행 기기 | 800원")),
        ("신용등급 4등급 금리", passage("대출 약관", "대출 금리", text="신용 등급 | 금리\n1~2등급 | 연 4%\n3~5등급 | 연 6%")),
    ],
)  # fmt: skip
def test_what_a_passage_states_anywhere_is_no_difference(question: str, hit: FusedNode) -> None:
    assert order_by_agreement(question, [hit]).conflicts == ()


@pytest.mark.parametrize(
    ("question", "hit"),
    [
        ("적금 중도 해지하면 이자 얼마", passage("예금 안내", "중도 해지", text="예금은 약정 이율의 절반을 준다.")),
        ("신용등급 7등급 금리", passage("대출 약관", "대출 금리", text="신용 등급 | 금리\n1~2등급 | 연 4%\n3~5등급 | 연 6%")),
        ("공모주 청약 일반 고객 한도", passage("약관", "공모주 청약", text="고객 등급 | 수수료\n우수 | 면제\n일반 | 2,000원")),
        ("창구에서 900만원 수수료 얼마", passage("수수료표", "송금", text="구분 | 금액 | 수수료\n창구 | 9만원 이하 | 1천원")),
        ("이번 추석연휴엔 며칠 쉬어요", passage("점검 안내", "설 연휴 점검", text="설 연휴 동안 사흘을 쉰다.")),
        ("해지한 통장 다시 살릴 수 있나요", passage("예금 약관", "통장 해지", text="통장은 창구에서 해지한다.")),
    ],
)  # fmt: skip
def test_what_a_passage_does_not_state_is_one(question: str, hit: FusedNode) -> None:
    assert order_by_agreement(question, [hit]).conflicts


def test_the_title_of_a_document_is_no_part_of_what_a_passage_is_asked_for() -> None:
    plain, titled = (
        features("환전 수수료", [passage(*titles, "환전 수수료", text="1%이다.")], FUSION)
        for titles in ((), ("새솔은행 외환 업무 이용 안내", "제3장 현찰 거래"))
    )
    assert plain == titled
    assert plain["title"] == 1.0
