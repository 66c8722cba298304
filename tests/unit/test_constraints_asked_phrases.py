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

PICK_UP = ("귀금속을 예약하고 찾는 방법은 무엇인가요?", "앱에서 예약하시고 지점에서 받으실 수 있습니다.")
NOT_PICKED_UP = ("예약한 귀금속을 찾지 않으면 어떻게 되나요?", "7일 뒤 예약이 취소됩니다.")
ONE_ONLY = ("간편인증서는 몇 개까지 만들 수 있나요?", "한 사람에 하나이며 유효기간은 2년입니다.")
EXTENSION = ("청약 예치금은 언제까지 넣나요?", "모집 공고일 전날까지 넣으셔야 합니다. 앱 > 청약에서 신청하십시오.")
CASH = ("현금이 나오지 않았습니다.", "기기 옆 전화로 알리시면 다음 날 계좌에 입금합니다.")
SAFE_BOX = ("대여금고는 어떻게 쓰나요?", "본점에 있으며 작은 것은 한 해에 3만원입니다. 신분증이 필요합니다.")
LOAN_CHECK = ("대출 한도는 어디서 알아보나요?", "앱 > 대출에서 2분이면 알아보실 수 있습니다.")
CONVERSION = ("무통장으로 바꾸려면요?", "앱 > 계좌 관리에서 신청하시면 종이통장은 그날부터 쓰지 못합니다.")
TRUST = ("보험계약대출을 무르려면 어떻게 하나요?", "받은 날부터 14일 안에 원금과 이자를 돌려주십시오.")
DELAYED = ("지연이체는 언제까지 멈출 수 있나요?", "입금되기 30분 전까지 앱 > 이체에서 멈추실 수 있습니다.")
INVEST = ("공모주 증거금은 얼마인가요?", "청약 금액의 절반을 계좌에 두셔야 합니다.")
PAYING = ("카드 대금은 언제 빠지나요?", "결제일 오후 6시에 계좌에서 빠집니다.")
REINSTATED = ("직업이 바뀌면 알려야 하나요?", "고객센터에 알리십시오. 알리지 않으면 사고 때 덜 받으실 수 있습니다.")


@pytest.mark.parametrize(
    ("message", "row"),
    [
        ("예약한 귀금속 안 찾으면 어떻게 되나요", PICK_UP),
        ("귀금속 못 찾으러 가면 어떻게 되나요", PICK_UP),
        ("인증서를 왜 하나만 만들게 해놓은 거예요", ONE_ONLY),
        ("인증서 한 개만 되는 이유가 뭐죠", ONE_ONLY),
        ("청약 예치금 넣는 날을 놓쳐버렸어요", EXTENSION),
        ("현금 안 나와서 손해 본 거 보상해주나요", CASH),
        ("금고 열쇠 잃어버리면 얼마 물어내요", SAFE_BOX),
        ("한도 알아보면 신용점수 떨어질까요", LOAN_CHECK),
        ("무통장으로 했다가 도로 종이로 돌릴 수 있나요", CONVERSION),
        ("약관대출 반만 철회되나요", TRUST),
        ("지연이체 멈추면 받는 사람한테 알림 가나요", DELAYED),
        ("증거금 묶인 동안 이자 붙어요?", INVEST),
        ("카드값이랑 대출이자 중에 어느 게 먼저 빠져요", PAYING),
        ("외국 나와 있는데 대여금고 쓸 수 있어요", SAFE_BOX),
        ("직업 바뀌면 보험료가 얼마나 올라요", REINSTATED),
        ("현금 천만원 뽑으면 국세청에 통보되나요", CASH),
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
        ("예약한 귀금속 안 찾으면 어떻게 되나요", NOT_PICKED_UP),
        ("귀금속 찾으려면 어떻게 되나요", PICK_UP),
        ("왜 현금이 안 나오죠", CASH),
        ("현금이 안 나왔는데 돈은 언제 돌려줘요", CASH),
        ("직업 바뀐 거 안 알리면 불이익 있나요", REINSTATED),
        ("약관대출 받은 거 무르면 이자는 붙나요", TRUST),
    ],
)
def test_what_a_row_states_or_a_message_only_tells_is_not_missing(message: str, row: tuple[str, str]) -> None:
    assert not list(phrases_not_held(message, *row))
