"""What customers ask for in everyday phrases, and rows that say nothing on it."""

from __future__ import annotations

import pytest

from rag.constraints import compare
from rag.constraints.asked_phrases import phrases_not_held
from rag.retrieval.query_analysis import expand

SAFE_TRANSFER = (
    "안심이체 서비스란 무엇인가요?",
    "이체하고 2시간 뒤에 상대방에게 입금되는 서비스로, 그 전에는 직접 멈추실 수 있습니다. 앱 > 보안에서 가입하십시오.",
)
DORMANT = (
    "휴면계좌는 어떻게 다시 쓰나요?",
    "5년 넘게 거래가 없는 계좌는 휴면계좌가 됩니다. 신분증을 가지고 영업점에 오시면 다시 쓰실 수 있습니다.",
)
CLUB = ("우수 조합원은 누가 될 수 있나요?", "거래 기간이 3년 이상인 65세 이하 조합원이 될 수 있습니다.")
SHARES = (
    "신주인수권은 어떻게 행사하나요?",
    "행사 기간에 앱 > 권리에서 수량을 넣고 신청하십시오. 마감일 15:00까지입니다.",
)
WITHDRAWAL = ("계약을 무르고 싶은데 언제까지 가능한가요?", "계약서를 받은 날부터 15일 이내에 철회하실 수 있습니다.")
BLOCKED = ("매매가 정지된 계좌는 어떻게 푸나요?", "사유서를 지점에 제출하시면 심사하여 2영업일 안에 풀어 드립니다.")

NEW_DEVICE = ("새 휴대폰에서 간편결제를 쓰려면요?", "새 기기에서 본인확인을 하고 카드를 다시 등록하시면 됩니다.")
CHILD = ("자녀의 통장은 어떻게 만드나요?", "부모가 자녀의 가족관계증명서를 앱에 올리시면 됩니다.")
SIGN_IN = ("로그인 비밀번호를 잊었습니다.", "앱 로그인 화면에서 휴대폰 인증을 하고 새로 정하십시오.")
RESULT = ("대출 심사 결과는 어디서 보나요?", "앱 > 대출 > 진행 상황에 단계가 나옵니다. 알림톡도 보내 드립니다.")
BIGGER = ("이체한도는 어떻게 늘리나요?", "앱 > 한도 관리에서 OTP로 인증하십시오. 평일 9시부터 18시까지 처리합니다.")
ALL = ("마이데이터 연결을 끊으려면요?", "앱 > 설정에서 해지하시면 연결된 기관이 모두 삭제됩니다.")
ONE_WAY = ("마이데이터를 해지하려면 어떻게 하나요?", "앱에서 신청한 분의 연결이 모두 삭제됩니다.")
FRACTION = ("조각 주문은 어떻게 하나요?", "1천원부터 금액을 정해 주문하시면 개장 뒤에 순서대로 체결됩니다.")


@pytest.mark.parametrize(
    ("message", "row"),
    [
        ("안심이체 쓰면 돈 드나요", SAFE_TRANSFER),
        ("안심이체 가입하려면 돈 내야돼?", SAFE_TRANSFER),
        ("안심이체 그거 공짜예요?", SAFE_TRANSFER),
        ("휴면계좌에 있는 돈도 이자 붙나요", DORMANT),
        ("휴면계좌 다시 쓸때 세금 떼요?", DORMANT),
        ("우수 조합원 되려면 뭐 들고 가요", CLUB),
        ("우수 조합원 신청할때 뭘 챙겨야 되나", CLUB),
        ("신주인수권 행사하면 주식은 언제 들어와요", SHARES),
        ("계약 무르는 거 어디서 신청해", WITHDRAWAL),
        ("정지된 계좌 시간 지나면 저절로 풀려요?", BLOCKED),
        ("전화번호가 바뀌었는데 간편결제 어떻게 해요", NEW_DEVICE),
        ("이모가 조카 통장 만들 수 있어요?", CHILD),
        ("로그인하려는데 아이디를 까먹었어요", SIGN_IN),
        ("대출 심사 결과에 이의 있으면 어디에 말해요", RESULT),
        ("이체한도 늘려놓으면 언제까지 유지돼", BIGGER),
        ("마이데이터에서 은행 하나만 빼고 싶어요", ALL),
        ("조각 주문으로 산 주식도 배당 나와요?", FRACTION),
        ("조각 주문 체결된 건 어디서 봐요", FRACTION),
        ("우수 조합원 됐는지 어디서 확인해요", CLUB),
        ("마이데이터 기관 한 개만 삭제되나요", ONE_WAY),
    ],
)
def test_a_row_that_says_nothing_on_it_is_about_another_side(message: str, row: tuple[str, str]) -> None:
    assert list(phrases_not_held(message, *row))
    assert compare(message, *row, synonyms=expand).status == "conflict"


@pytest.mark.parametrize(
    ("message", "row"),
    [
        ("안심이체 가입은 어디서 신청해요", SAFE_TRANSFER),
        ("안심이체 하면 돈 언제 들어가요", SAFE_TRANSFER),
        ("안심이체 했는데 돈이 안 들어와요", SAFE_TRANSFER),
        ("휴면계좌 풀려면 뭐 들고 가요", DORMANT),
        ("휴면계좌에 돈 들어있는데 어떻게 해요", DORMANT),
        ("정지 풀 때 사유서 어디에 제출해", BLOCKED),
        ("폰을 새로 샀는데 간편결제 어떻게 해요", NEW_DEVICE),
        ("아이디는 아는데 비밀번호를 까먹었어요", SIGN_IN),
        ("심사 어디까지 됐는지 어디서 확인해요", RESULT),
        ("한도를 얼마나 늘릴 수 있어요", BIGGER),
    ],
)
def test_what_a_row_states_or_a_message_only_tells_is_not_missing(message: str, row: tuple[str, str]) -> None:
    assert not list(phrases_not_held(message, *row))
