"""Rows of another value that name the question's number on the other side, of another case, or of another thing of that name."""

from __future__ import annotations

import pytest

from rag.constraints.agreement import compare
from rag.constraints.value_sides import sides

EARLY = (
    "청년도약통장을 5년 전에 깨면 불이익이 있나요?",
    "가입하신 지 5년을 채우지 못하고 해지하시면 정부 지원금이 모두 회수됩니다.",
)
BOTH = (
    "전세 특약을 2년 전에 해지하면 어떻게 되나요?",
    "2년을 못 채우면 위약금이 부과되고, 2년이 지나면 위약금 없이 해지하실 수 있습니다.",
)
OVERDUE = ("임대료를 3개월 연체하면 어떻게 되나요?", "계약이 해지되고 보증금에서 밀린 금액을 뺍니다.")
RENEWED = ("만기 후에 재예치하면 금리가 어떻게 되나요?", "만기일의 고시금리를 적용합니다.")
SPEND = ("이용금액 40만원을 못 채우면 혜택이 없나요?", "해당 달의 할인이 제공되지 않습니다.")


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("도약통장 5년 다 채우고 깨면 지원금 그대로죠?", EARLY),
        ("청년도약통장 5년 넘겨서 해지하면 불이익 있어요", EARLY),
        ("청년도약통장 5년 지나고 해지하면 어떻게 돼요", EARLY),
        ("청년도약통장 6년 채우고 해지하면 불이익 있나요", EARLY),
        ("청년도약통장 가입기간 다 채우고 깨면 불이익 있나요", EARLY),
        ("만기 전에 빼서 재예치하면 금리가 어떻게 돼요", RENEWED),
        ("이용금액 40만원 다 채우면 혜택 뭐 있어요", SPEND),
        ("청년도약통장 8년 전에 깨면 불이익 있나요", EARLY),
        ("이용금액 60만원 못 채우면 혜택 없나요", SPEND),
    ],
)
def test_the_other_side_of_a_bound_is_another_value(question: str, row: tuple[str, str]) -> None:
    assert compare(question, *row).conflicts


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("도약통장 5년 못 채우고 깨면 지원금 뺏겨요?", EARLY),
        ("도약통장 2년도 못 채우고 깨면 지원금 뺏겨요?", EARLY),  # not five either
        ("청년도약통장 5년 되기 전에 깨면 불이익", EARLY),
        ("청년도약통장 3년 지났는데 지금 깨면 불이익 있나요", EARLY),  # three of the five years
        ("청년도약통장 깨면 불이익", EARLY),
        ("청년도약통장 5년 채워야 불이익 없나요", EARLY),  # asks for the bound itself
        ("전세 특약 2년 지나서 해지하면 위약금 있나요", BOTH),
        ("전세 특약 2년 못 채우면 위약금 있나요", BOTH),
        ("5년 전에 든 청년도약통장 깨면 불이익 있어요?", EARLY),  # five years ago
        ("만기까지 들고 있지 못하고 빼면 불이익 있나요 도약통장", EARLY),
    ],
)
def test_the_same_side_of_a_bound_is_no_other_value(question: str, row: tuple[str, str]) -> None:
    assert not compare(question, *row).conflicts


def test_the_sides_of_a_text() -> None:
    [early] = sides("2년 전에 해지하면")
    [reached] = sides("2년을 다 채우고 해지하면")
    assert (early.label, reached.label) == ("2년 전", "2년 후")
    assert sides("2년 전에 해지한 통장") == ()
    [term] = sides("만기까지 갖고 있으면")
    assert (term.label, term.is_reached) == ("만기 후", True)


@pytest.mark.parametrize(
    ("question", "row", "is_other"),
    [
        ("임대료 한 달 밀렸는데 쫓겨나요?", OVERDUE, True),
        ("임대료 2개월 연체 중인데 계약 어떻게 되나요", OVERDUE, True),
        ("임대료를 두 달치 못 냈어요 어떻게 되나요", OVERDUE, True),
        ("임대료 세 달 밀렸는데 어떻게 되나요", OVERDUE, False),
        ("임대료 다섯 달 밀렸는데 어떻게 되나요", OVERDUE, False),  # three months have passed, too
        ("2개월 전에 이사했는데 임대료 연체하면 어떻게 되나요", OVERDUE, False),  # of something else
        ("임대료 밀리면 어떻게 되나요", OVERDUE, False),
    ],
)
def test_a_row_on_another_value_of_the_same_thing(question: str, row: tuple[str, str], is_other: bool) -> None:
    assert bool(compare(question, *row).conflicts) is is_other


DIVIDEND = ("배당금은 언제 받나요?", "3월 결산법인의 배당금은 6월 말에 입금됩니다.")
QUARTER = ("실적 발표는 언제 하나요?", "1분기 실적은 4월 20일에 발표합니다.")
LOAN = ("새봄론2는 누가 받을 수 있나요?", "새봄론2는 소득 하위 20%인 분이 신청하실 수 있습니다.")
VISA = ("외국인도 통장을 만들 수 있나요?", "D-2, D-10 비자로 3개월 이상 거주하시면 만드실 수 있습니다.")
CODES = ("심장 질환은 어디까지 보장되나요?", "질병코드 K31~K35가 보장됩니다.")
MEDICAL = ("도수치료는 보장되나요?", "2세대 실손은 연 30회까지 보장합니다.")
PHONE = ("앱은 어떤 휴대폰에서 쓸 수 있나요?", "안드로이드 10 이상에서 쓰실 수 있습니다.")
FUND = ("펀드 보수는 어떻게 떼나요?", "A클래스는 가입할 때 1%를 떼고 보수는 매일 빠집니다.")
CLOSED = ("앱 점검은 언제 하나요?", "매월 셋째 주 토요일 새벽에 점검합니다.")
HALF = ("주식 양도세는 언제 신고하나요?", "상반기에 파신 주식은 8월 말까지 신고하셔야 합니다.")
SYSTEM = ("인터넷뱅킹은 어떤 컴퓨터에서 되나요?", "윈도우 10, 11과 맥에서 쓰실 수 있습니다.")
LEVERAGE = ("레버리지 상품은 교육을 받아야 하나요?", "2배 레버리지는 온라인 교육을 1시간 들으셔야 합니다.")
VOUCHER = ("선물권은 얼마짜리가 있나요?", "1만·5만·20만원권이 있고 한 사람이 월 200만원까지 사실 수 있습니다.")
GRANT = ("장학금 대출 대상이 어떻게 되나요?", "소득 7구간 이하 학생이 신청하실 수 있습니다.")


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("9월 결산법인 배당금은 언제 받아요", DIVIDEND),
        ("3분기 실적 발표는 언제예요", QUARTER),
        ("새봄론3은 누가 받아요", LOAN),
        ("E-9 비자에 D-8 비자인데 통장 만들 수 있어요?", VISA),
        ("K40 나왔는데 심장 보장되나요", CODES),
        ("3세대 실손 도수치료 보장돼요?", MEDICAL),
        ("C클래스 펀드 보수는 어떻게 떼요", FUND),
        ("윈도우 7에서 인터넷뱅킹 되나요", SYSTEM),
        ("선물권 10만원권 있어요?", VOUCHER),
        ("3배 레버리지도 교육 들어야 돼요?", LEVERAGE),
        ("매월 첫째주 토요일도 앱 점검하나요", CLOSED),
        ("하반기에 판 주식 양도세는 언제 신고해요", HALF),
    ],
)
def test_a_number_or_mark_of_a_name_that_a_row_has_with_others(question: str, row: tuple[str, str]) -> None:
    assert compare(question, *row).conflicts


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("3월 결산법인 배당금 언제 받아요", DIVIDEND),
        ("배당금 6월에 들어오나요", DIVIDEND),
        ("1분기 실적 발표 언제예요", QUARTER),
        ("새봄론2 누가 받아요", LOAN),
        ("새봄론이랑 새봄론2 누가 받아요", LOAN),
        ("D-10 비자인데 통장 되나요", VISA),
        ("K33 나왔는데 심장 보장되나요", CODES),
        ("안드로이드 9인데 앱 쓸 수 있나요", PHONE),  # decided by the limit
        ("9구간인데 장학금 대출 되나요", GRANT),
        ("A클래스랑 C클래스 중에 보수가 어떻게 달라요", FUND),
        ("셋째주 토요일에 앱 점검하죠?", CLOSED),
        ("양도세 신고는 언제 해요", HALF),
        ("윈도우 11에서 인터넷뱅킹 되나요", SYSTEM),
        ("선물권 5만원권 있어요?", VOUCHER),
        ("2배 레버리지 교육 들어야 돼요?", LEVERAGE),
    ],
)
def test_a_number_of_a_name_that_a_row_states_or_decides(question: str, row: tuple[str, str]) -> None:
    assert not compare(question, *row).conflicts


GIFT = ("상품권 선물을 상대가 받지 않으면 어떻게 되나요?", "10일 안에 받지 않으시면 보낸 분에게 자동으로 환불됩니다.")
WAIT = ("탈퇴했다가 다시 가입할 수 있나요?", "탈퇴하신 날부터 20일이 지나면 다시 가입하실 수 있습니다.")
RESULTS = ("이체 결과는 어디에서 보나요?", "앱 [이체 > 이체결과 조회]에서 최근 1년간 결과를 보실 수 있습니다.")
PROLONG = ("보증은 어떻게 연장하나요?", "만기 2개월 전부터 1개월 전까지 신청하시면 연장됩니다.")
RIGHTS = ("권리증서를 팔 수 있나요?", "상장된 5거래일 동안 파실 수 있고 그 뒤에는 사라집니다.")


@pytest.mark.parametrize(
    ("question", "row", "is_other"),
    [
        ("상품권 선물 14일 지나면 저한테 돌아오나요", GIFT, True),
        ("상품권 선물 10일 지나면 돌아오나요", GIFT, False),
        ("상품권 선물 보낸지 2주 지났는데 어떻게 됐나요", GIFT, False),  # only mentioned
        ("다시 가입하려면 60일 지나야 되나요", WAIT, True),
        ("재가입하려니까 60일 기다리라는데 맞나요", WAIT, True),
        ("다시 가입하려면 20일 기다려야 돼요?", WAIT, False),
        ("권리증서 5일 지나면 못 팔아요?", RIGHTS, False),
        ("권리증서 10일 지나도 팔 수 있나요?", RIGHTS, True),
        ("3년 전 이체 결과 조회되나요", RESULTS, True),
        ("6개월 전 이체 결과 조회되나요", RESULTS, False),
        ("3년 전에 한 이체 때문에 결과 조회하려면 어디서 해요", RESULTS, False),  # only mentioned
        ("보증 연장 만기 3일 전에 신청해도 되나요", PROLONG, True),
        ("보증 연장 만기 두 달 전에 신청해도 되나요", PROLONG, False),
    ],
)
def test_time_that_will_have_passed_is_asked_about(question: str, row: tuple[str, str], is_other: bool) -> None:
    assert (compare(question, *row).status == "conflict") is is_other


DUE_DAYS = ("후원금 이체일을 바꿀 수 있나요?", "매월 3일, 13일, 23일 중에서 한 달에 한 번 바꾸실 수 있습니다.")
DUE = ("후원금은 언제 빠져나가나요?", "매월 13일에 출금되며, 잔액이 부족하면 5일 동안 다시 출금합니다.")


@pytest.mark.parametrize(
    ("question", "row", "is_other"),
    [
        ("후원금 23일날로 바꾸고 싶어요", DUE_DAYS, False),
        ("후원금 이체일 매월 13일로 바꾸고 싶어요", DUE_DAYS, False),
        ("후원금 이체일 8일날로 바꾸고 싶어요", DUE_DAYS, True),
        ("후원금 8일날 빠져나가게 해주세요", DUE_DAYS, True),
        ("후원금 이체일 30일로 바꿀래요", DUE_DAYS, True),
        ("후원금 이체일 3일로 바꿔주세요", DUE_DAYS, False),
        ("월급이 27일날 들어와서 후원금 이체일 바꾸고 싶어요", DUE_DAYS, False),  # why she asks
        ("후원금 13일날 나가는 거 맞죠?", DUE, False),
        ("후원금 13일에 나가는 거 맞죠?", DUE, False),
        ("후원금 18일날 나가는 거 맞죠?", DUE, True),
    ],
)
def test_a_day_of_the_month(question: str, row: tuple[str, str], is_other: bool) -> None:
    assert (compare(question, *row).status == "conflict") is is_other


CHILD = ("부모가 미성년 자녀의 적금을 해지할 수 있나요?", "부모 신분증과 가족관계증명서를 가지고 오시면 됩니다.")
DAILY = ("간편송금의 1일 한도는 얼마인가요?", "1회 100만원, 1일 300만원까지 보내실 수 있습니다.")
MONTHLY = ("상품권은 얼마까지 사나요?", "하루 20만원, 월 70만원까지 사실 수 있습니다.")
YEARLY = ("출동 서비스는 1년에 몇 번 쓸 수 있나요?", "보험기간 중 5회까지 무료입니다.")
OWNER = ("1주택자도 전세대출이 되나요?", "보유하신 집이 9억원 이하이면 됩니다.")
RANK = ("공모주 우대등급은 어떻게 정해지나요?", "전월 평균잔고가 4천만원 이상이면 우대등급입니다.")


@pytest.mark.parametrize(
    ("question", "row", "is_other"),
    [
        ("성년 자녀 적금 부모가 해지할 수 있나요", CHILD, True),
        ("미성년인 아들 적금 엄마가 해지돼요?", CHILD, False),
        ("간편송금 월 한도 얼마예요", DAILY, True),
        ("간편송금 한 달 송금 한도가 궁금해요", DAILY, True),
        ("간편송금 하루 송금 한도 얼마예요", DAILY, False),
        ("상품권 월 한도 얼마예요", MONTHLY, False),
        ("출동 서비스 한 달에 몇 번 쓸 수 있어요", YEARLY, True),
        ("출동 서비스 일년에 몇 번 쓸 수 있어요", YEARLY, False),
        ("집 두 채인데 전세대출 되나요", OWNER, True),
        ("전월 평균잔고 2천이면 우대등급인가요", RANK, True),
        ("전월 평균잔고 5천이면 우대등급인가요", RANK, False),
    ],
)
def test_minors_periods_of_limits_homes_and_bare_amounts(question: str, row: tuple[str, str], is_other: bool) -> None:
    assert (compare(question, *row).status == "conflict") is is_other
