"""Rows on the reverse, on another of a kind, on the kind in general, and rows whose own limit decides."""

from __future__ import annotations

import pytest

from rag.retrieval.ranking import order_by_agreement
from tests.unit.test_ranking import row

STEPS = "앱 설정 > 관리 메뉴에서 고르십시오."


@pytest.mark.parametrize(
    ("question", "row_question", "answer"),
    [
        ("등록해 둔 기기 빼고 싶어요", "기기는 어떻게 등록하나요?", STEPS),
        ("걸어둔 알림 끄려면요", "가격 알림은 어떻게 설정하나요?", STEPS),
        ("추가한 운전자를 지우려면", "운전자는 어떻게 추가하나요?", STEPS),
        ("상담 예약한 거 취소할 수 있나요", "방문 상담은 어떻게 예약하나요?", STEPS),
        ("동의했던 마케팅 문자 그만 받을래요", "마케팅 문자 동의는 어디서 하나요?", STEPS),
        ("체크카드 해지하고 싶어요", "입출금통장을 해지하려면 어떻게 하나요?", STEPS),
        ("위안화 매입 우대는 몇 퍼센트예요", "외화 매입 우대는 얼마나 되나요?", "달러 60%, 엔화 40%입니다."),
        ("입금 안내를 문자로 받으려고요", "입금 안내를 받으려면 어떻게 하나요?", "알림톡으로 보내 드립니다."),
        ("해외장 애프터마켓 언제 끝나요", "해외장 프리마켓은 언제 열리나요?", "18:00에 열립니다."),
        ("휴대폰번호가 바뀌었어요", "직장 주소가 바뀌었어요.", "내 정보에서 변경하십시오. 전화로는 안 됩니다."),
        (
            "예치 80일이면 이율 몇 프로예요",
            "예치 이율이 궁금해요.",
            "1~30일 연 1%, 31~60일 2%입니다. 60일을 넘으면 지점에 물으십시오.",
        ),
        ("중학생 자녀 계좌는 어떻게 트나요", "만 14세 미만 자녀 계좌는 어떻게 여나요?", "부모님이 지점으로 오십시오."),
        ("적립 한도 조회하려면", "적립 한도는 어떻게 늘리나요?", "앱에서 신청하시면 상담원이 확인합니다."),
        ("폰 바꿨는데 지갑 옮기려고요", "컴퓨터에 있는 지갑을 폰으로 옮기려면?", STEPS),
        ("배송 요일 바꾸고 싶은데요", "배송 주소를 바꾸려면 어떻게 하나요?", "내 정보에서 바꾸십시오."),
    ],
)
def test_a_row_on_the_reverse_or_on_another_of_its_kind_is_not_answered(
    question: str, row_question: str, answer: str
) -> None:
    assert order_by_agreement(question, [row("only", row_question, answer, 5.0)]).conflicts


@pytest.mark.parametrize(
    ("question", "row_question", "answer"),
    [
        ("멤버십 등록한거 취소하고 싶음", "등록된 멤버십을 해지하려면 어떻게 하나요?", "앱에서 해지하십시오."),
        ("적립 한도 보는 법", "적립 한도는 얼마인가요?", "앱에서 확인하실 수 있습니다."),
        ("폰 바꿨는데 앱 다시 등록하나요", "휴대폰을 바꾸면 앱을 다시 등록하나요?", "예, 다시 등록하십시오."),
        ("주담대 조기상환 수수료", "대출을 조기상환하면 수수료가 있나요?", "3년 안에는 있습니다."),
        ("전세대출 이자 납입일 언제예요", "이자 납입일은 언제인가요?", "대출 실행일과 같은 날입니다."),
        ("딸내미 카드 훼손됐어요", "카드가 훼손되면 어떻게 하나요?", "영업점으로 오십시오."),
        ("그딴 통장 없애려면", "통장을 해지하려면 어떻게 하나요?", "앱에서 해지하십시오."),
        ("파산하면 제 예치금은 어떻게 돼요", "회사가 파산하면 예치금은 어떻게 되나요?", "5천만원까지 보호됩니다."),
        ("새벽 1시에도 보낼 수 있나요", "몇 시에 보낼 수 있나요?", "07:00~23:30에 보내실 수 있습니다."),
        ("고등학생도 들 수 있나요", "몇 살부터 들 수 있나요?", "만 17세 이상이면 됩니다."),
        ("20만원부터 넣을 수 있나요", "얼마를 넣을 수 있나요?", "20만원부터 3천만원까지 넣으실 수 있습니다."),
        ("일년에 몇 번 받을 수 있나요", "몇 번 받을 수 있나요?", "한 해 4회 받으실 수 있습니다."),
        ("중국어 상담 밤에도 몇 시까지 돼요", "중국어 상담은 몇 시까지 하나요?", "오전 9시부터 밤 9시까지입니다."),
    ],
)
def test_a_row_on_the_thing_in_general_or_with_what_decides_is_answered(
    question: str, row_question: str, answer: str
) -> None:
    ordered = order_by_agreement(question, [row("only", row_question, answer, 5.0)])
    assert not ordered.conflicts
