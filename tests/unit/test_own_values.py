"""Values of a customer's own case block no row that answers, and values asked for that no row holds still do."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from rag.constraints.agreement import compare
from rag.retrieval.query_analysis import expand

ROWS = {
    "card limit": (
        "체크카드 한도를 늘리려면 어떻게 하나요?",
        "앱에서 본인확인 후 1회 300만원, 1일 500만원까지 직접 늘리실 수 있습니다. 더 큰 금액은 영업점에 요청하세요.",
    ),
    "payment day": (
        "카드 결제일을 바꾸고 싶어요.",
        "결제일은 매월 1일, 5일, 12일, 23일 중에서 고르실 수 있습니다. 앱 > 카드 > 결제일 변경에서 신청하세요.",
    ),
    "loan day": (
        "대출 이자 내는 날을 바꿀 수 있나요?",
        "매월 1일부터 28일 사이에서 고르실 수 있고, 변경은 6개월에 한 번 됩니다.",
    ),
    "hospital days": (
        "입원 위로금은 얼마인가요?",
        "10일 이상 30일 미만 입원하시면 50만원을 드립니다.",
    ),
    "sale": (
        "주식을 판 돈은 언제 찾을 수 있나요?",
        "판 날부터 2영업일 뒤에 찾으실 수 있습니다. 출금 한도는 1회 1억원, 1일 5억원입니다.",
    ),
    "wrong transfer": (
        "돈을 잘못 보냈는데 어떻게 돌려받나요?",
        "앱에서 반환을 신청하시면 받는 분에게 연락해 드립니다. 거절하면 예금보험공사에 반환지원을 신청하실 수 있습니다.",
    ),
    "certificate": (
        "잔액증명서는 어떻게 떼나요?",
        "앱에서 무료로 떼실 수 있고, 창구에서는 한 통에 2,000원입니다.",
    ),
    "instalment": (
        "할부로 산 것을 미리 다 갚을 수 있나요?",
        "남은 할부금은 앱에서 언제든지 미리 갚으실 수 있으며 수수료가 없습니다.",
    ),
    "instalment length": (
        "결제한 뒤에 할부 개월 수를 바꿀 수 있나요?",
        "첫 청구 전이면 바꾸실 수 있습니다. 2개월에서 최대 10개월까지 고르실 수 있습니다.",
    ),
    "inheritance": (
        "돌아가신 분의 예금을 찾으려면 무슨 서류가 필요한가요?",
        "가족관계증명서, 기본증명서와 상속인 모두의 신분증이 필요합니다.",
    ),
    "password": (
        "앱 간편비밀번호를 잊어버렸어요.",
        "간편비밀번호 6자리는 로그인 화면 > 다시 설정에서 휴대폰 인증 후 새로 정하실 수 있습니다.",
    ),
    "loan withdrawal": (
        "대출 계약을 철회할 수 있나요?",
        "대출금을 받은 날부터 14일 이내에 철회하실 수 있고, 철회하시면 기록도 삭제됩니다.",
    ),
    "policy withdrawal": (
        "보험을 들었다가 취소할 수 있나요?",
        "증권을 받은 날부터 15일 안에 취소하시면 낸 보험료를 모두 돌려드립니다.",
    ),
    "dog": ("강아지 보험은 언제부터 가입되나요?", "생후 60일부터 만 9세까지 가입하실 수 있습니다."),
    "injury": (
        "운전자보험에서 사고 합의금은 얼마까지 나오나요?",
        "상대방이 42일 이상 70일 미만 진단을 받으면 최대 1,500만원, 70일 이상이면 최대 3,000만원입니다.",
    ),
    "cash advance": ("현금서비스는 몇 시까지 쓰나요?", "매일 06:30~23:40에 쓰실 수 있습니다."),
    "mortgage": ("집을 담보로 얼마까지 빌리나요?", "감정가의 최대 70%까지 빌려드립니다."),
    "outpatient": (
        "통원 치료를 받으면 제가 얼마를 내나요?",
        "의원은 1만원, 병원은 1만 5천원입니다.\n\n※ 약값에서는 8천원을 뺍니다.",
    ),
    "annual fee": (
        "카드를 해지하면 연회비를 돌려주나요?",
        "남은 기간만큼 10영업일 이내에 돌려드립니다.\n\n※ 발급 후 쓰지 않고 30일 이내에 해지하시면 전액 돌려드립니다.",
    ),
    "rent loan": (
        "전세대출은 얼마까지 되나요?",
        "임차보증금의 80% 이내에서 최대 2억 4천만원까지 됩니다.",
    ),
    "interest tax": ("예금 이자에서 세금을 얼마나 떼나요?", "이자의 15.4%를 떼고 드립니다."),
    "youth": (
        "청년 적금의 가입 나이가 어떻게 되나요?",
        "만 19세 이상 34세 이하만 가입하실 수 있습니다. 병역 기간은 최대 6년까지 나이에서 뺍니다.",
    ),
    "adults": ("앱에서 통장을 만들려면 어떻게 하나요?", "만 19세 이상 고객은 신분증을 촬영하시면 됩니다."),
    "savers": (
        "새싹적금에 가입하면 무슨 혜택이 있나요?",
        "만 19세 이상 34세 이하 고객만 연 4%를 받습니다. 군 복무 기간은 최대 3년까지 나이에서 제외합니다.",
    ),
    "travel": ("여행자보험은 몇 살까지 들 수 있나요?", "만 75세까지 가입하실 수 있습니다."),
    "paid twice": (
        "공과금을 이중으로 냈을 때 돌려받을 수 있나요?",
        "낸 날에는 앱에서 취소하실 수 있고, 다음 날부터는 청구한 기관에 환급을 신청하셔야 합니다.",
    ),
    "stopped account": (
        "한도가 제한된 계좌를 풀려면 어떻게 하나요?",
        "급여 통장으로 3개월 이상 쓰셨으면 앱에서 바로 풀리고, 아니면 재직증명서를 내시면 됩니다.",
    ),
    "foreign tax": (
        "해외주식 양도세 신고를 대신해 주나요?",
        "3월 2일부터 4월 20일까지 앱에서 신고 대행을 무료로 신청하실 수 있습니다.",
    ),
    "term deposit": ("정기예금을 중간에 깰 수 있나요?", "앱 > 예금 > 해지에서 언제든지 해지하실 수 있습니다."),
    "rate": ("정기예금 금리는 얼마인가요?", "1년 만기는 연 2.7%, 6개월 만기는 연 2.3%입니다."),
    "lost card": ("카드를 잃어버렸어요.", "앱 > 카드 > 분실 신고에서 바로 신고하시거나 전화로 신고하세요."),
    "child": (
        "미성년 자녀의 통장을 만들려면 무엇이 필요한가요?",
        "부모님의 신분증, 가족관계증명서와 자녀의 기본증명서가 필요합니다.",
    ),
    "auto debit": (
        "자동이체가 안 나갔어요.",
        "잔액이 부족하면 나가지 않습니다. 다음 영업일에 다시 한 번 출금합니다.",
    ),
    "late fee": ("후불 결제 대금을 늦게 내면 어떻게 되나요?", "미납금에 연 12%의 연체료가 하루 단위로 붙습니다."),
    "exchange": ("환전한 외화는 어디서 찾나요?", "앱에서 신청하고 공항 지점이나 가까운 영업점에서 찾으실 수 있습니다."),
    "send abroad": (
        "해외송금을 할 때 서류가 필요한가요?",
        "1회 5천달러까지는 서류 없이 보내실 수 있고, 그보다 크면 증빙서류를 내셔야 합니다.",
    ),
    "guarantor": ("보험금을 받으려면 무슨 서류를 내나요?", "청구서, 진단서와 신분증 사본을 앱에 올리시면 됩니다."),
    "minor claim": (
        "자녀의 보험금은 누가 청구하나요?",
        "부모님이 청구하시며 자녀나 부모님 계좌로 드립니다.\n※ 500만원을 초과하는 보험금은 부모 두 분의 동의가 필요합니다.",
    ),
    "fee": ("타행 이체 수수료는 얼마인가요?", "10만원까지 500원, 100만원까지 1,000원입니다."),
    "issue note": ("발행어음 금리는 얼마인가요?", "6개월은 연 3.0%, 12개월은 연 3.3%입니다."),
    "usage span": (
        "결제일에 따라 이용기간이 어떻게 되나요?",
        "결제일 14일은 전월 1일~말일, 결제일 23일은 전월 10일~당월 9일에 쓰신 금액입니다.",
    ),
    "history": ("거래내역서는 몇 년 치까지 떼나요?", "최대 10년 치까지 앱에서 떼실 수 있습니다."),
    "loan": ("신용대출은 얼마까지 되나요?", "소득과 신용을 심사하여 최대 1억원까지, 12개월 이상 60개월 이하로 됩니다."),
    "grades": ("자동차 사고 위로금은 얼마인가요?", "1급은 1,000만원, 5급은 300만원, 14급은 10만원입니다."),
    "points": ("포인트를 현금으로 바꿀 수 있나요?", "1,000점 이상이면 앱에서 계좌로 바꿔 드립니다."),
    "shares": ("공모주는 몇 주부터 청약하나요?", "최소 10주부터 청약하실 수 있습니다."),
}
VALUES = {"money", "rate", "duration", "age", "grade", "count", "date", "time", "length"}


def values_in_the_way(message: str, row: str) -> list[str]:
    found = compare(message, *ROWS[row])
    return [each.asked for each in (*found.conflicts, *found.lacking) if each.kind in VALUES]


@pytest.mark.parametrize(
    ("message", "row"),
    [
        # What happened to the customer, before a question on how, why, where or with which documents.
        ("소파 결제하려는데 한도 초과래요 650만원짜리인데 어떻게 늘려요", "card limit"),
        ("월급이 17일에 들어와서 카드값 빠지는 날을 뒤로 옮기고 싶어요", "payment day"),
        ("급여일이 8일이라 결제일 좀 바꿔야 할 것 같은데 어디서 하나요", "payment day"),
        ("이자가 9일에 나가는데 그때는 돈이 없어요. 날짜 바꿀 수 있을까요", "loan day"),
        ("어제 이천만원어치 팔았거든요 돈은 언제 들어와요", "sale"),
        ("주식 50주 팔았는데 왜 출금이 안 되죠", "sale"),
        ("120만원을 엉뚱한 사람한테 이체해버렸는데 어떻게 찾나요", "wrong transfer"),
        ("친구한테 보낸다는 게 40만원이 모르는 사람한테 들어갔대요 방법 없나요", "wrong transfer"),
        ("5개월 할부로 긁은 노트북 남은 돈 한방에 갚고 싶어요", "instalment"),
        ("24개월 할부로 산 건데 미리 정리할 수 있을까요", "instalment"),
        ("작년에 2년짜리 예금 넣어놨는데 지금 깰 수 있어요?", "term deposit"),
        ("3천만원 넣어둔 정기예금 해지하려면 어디로 들어가요", "term deposit"),
        ("할머니가 남기신 통장에 팔백만원 있던데 찾으려면 뭐 들고 가요", "inheritance"),
        ("아버지 돌아가신 지 8개월 됐는데 통장 정리하려면 서류 뭐 필요해요", "inheritance"),
        ("하루 삼십만원으로 묶인 통장 어떻게 풀죠", "stopped account"),
        ("이체가 100만원밖에 안 되게 걸려 있는데 푸는 방법 알려주세요", "stopped account"),
        ("올해 엔비디아 팔아서 이천만원 남겼는데 신고 대신 해주시나요", "foreign tax"),
        ("가스비가 두 번 빠진 건데 환불 돼요?", "paid twice"),
        ("수도요금을 세 번이나 내버렸네요 어떻게 돌려받아요", "paid twice"),
        ("카드 두 장 다 잃어버렸는데 어디로 신고해요", "lost card"),
        ("여행 사흘째인데 카드를 도둑맞았어요", "lost card"),
        ("다섯 살 딸 이름으로 통장 만들려는데 뭐 챙겨가요", "child"),
        ("통장에 2만원이 모자랐나봐요 관리비 이체가 안 됐는데 왜죠", "auto debit"),
        ("1,500달러 바꿔놨는데 어디 가서 받으면 되나요", "exchange"),
        ("사흘 입원했고 병원비가 90만원 나왔는데 뭐 내야 돼요", "guarantor"),
        ("넘어져서 전치 3주 나왔는데 서류 뭐 올려요", "guarantor"),
        ("지난달에 월급이 350만원 찍혔는데 이걸로 묶인 통장 풀 수 있어요? 방법이 뭐죠", "stopped account"),
        # How many of a thing the customer wants.
        ("잔액증명서 두 장만 떼주세요", "certificate"),
        ("잔고증명 하나 필요한데 어떻게 떼요", "certificate"),
        ("잔액증명서 한 통 뽑는 법", "certificate"),
        ("열여섯 살 아들 통장 하나 개설하려면 준비물이 뭔가요", "child"),
        # A value in another form than the row's.
        ("대출받고 열흘 지났는데 없던 걸로 할 수 있나요", "loan withdrawal"),
        ("대출금 받은 지 2주 안 됐는데 철회되나요", "loan withdrawal"),
        ("대출 철회 2주 안이면 된다던데 맞아요?", "loan withdrawal"),
        ("증권 받고 2주인데 취소할 수 있죠", "policy withdrawal"),
        ("두 주 전에 받은 증권인데 보험 취소되나요", "policy withdrawal"),
        ("보험증서 받은 지 보름 안이면 다 돌려주는 거죠", "policy withdrawal"),
        ("태어난 지 11주 된 푸들 가입돼요?", "dog"),
        ("생후 두 달 지난 강아지도 들 수 있나요", "dog"),
        ("생후 석 달 된 말티즈 보험 되나요", "dog"),
        ("상대방이 전치 7주 나왔대요 합의금 얼마까지 대줘요", "injury"),
        ("전치 12주면 합의금 얼마 나와요", "injury"),
        ("밤 열한시 삼십분에도 현금서비스 돼요?", "cash advance"),
        ("아침 여섯시 사십분에 현금서비스 받을 수 있나요", "cash advance"),
        ("밤 11시 반까지 현금서비스 된다던데 맞나요", "cash advance"),
        ("감정가의 십분의 칠까지 빌려준다면서요", "mortgage"),
        ("집값의 7할까지 빌려주는 거 맞아요?", "mortgage"),
        ("앱 비번 숫자 여섯 개 까먹었어요", "password"),
        ("비번 여섯자리 기억이 안 나요", "password"),
        ("4개월로 끊은 걸 8개월로 늘리고 싶은데요", "instalment length"),
        ("일시불로 긁은 거 6개월로 바꾸려고요", "instalment length"),
        ("약값에서 8,000원 빠지는 거 맞나요", "outpatient"),
        ("약 타면 팔천원 뺀다는데 진짜예요?", "outpatient"),
        ("카드 한 달 안에 안 쓰고 없애면 연회비 다 주는 거 맞죠", "annual fee"),
        ("우리 애 보험금이 7백만원인데 저 혼자 청구해도 되나요", "minor claim"),
        ("보증금이 2억이면 전세대출 얼마까지 해줘요", "rent loan"),
        ("전세 보증금 1억 8천인데 얼마까지 나올까요", "rent loan"),
        ("이자가 30만원이면 15.4프로 떼는 거죠", "interest tax"),
        ("군대 2년 다녀와서 서른다섯인데 청년적금 되나요", "youth"),
        ("만 36세인데 병역 마쳤어요 청년적금 들 수 있나요", "youth"),
        ("서른여섯인데 군대 다녀왔어요 새싹적금 들 수 있어요?", "savers"),
        ("2주 입원했는데 위로금 얼마예요", "hospital days"),
        # The row says what share of such an amount is lent.
        ("보증금 4억이면 전세대출 얼마까지 나와요", "rent loan"),
        ("재작년에 만든 통장인데 5년 치 거래내역서 뽑아주세요", "history"),
    ],
)
def test_a_value_of_the_own_case_blocks_no_row(message: str, row: str) -> None:
    assert values_in_the_way(message, row) == []


@pytest.mark.parametrize(
    ("message", "row"),
    [
        ("3년 만기는요", "rate"),
        ("3년짜리 예금 들었는데 금리가 얼마예요", "rate"),
        ("2년 만기로 넣어놨는데 이율 알려주세요", "rate"),
        ("18개월 예금 이자 몇 프로예요", "rate"),
        ("발행어음 3개월짜리 샀는데 이율이 얼마죠", "issue note"),
        ("발행어음 24개월 금리", "issue note"),
        ("300만원 보냈는데 수수료 얼마 나가요", "fee"),
        ("500만원 이체했는데 수수료가 얼마인가요", "fee"),
        ("결제일이 27일인데 며칠부터 며칠까지 쓴 게 나와요", "usage span"),
        ("카드 결제일 5일로 바꿨는데 언제부터 언제까지 쓴 돈이죠", "usage span"),
        ("결제일을 15일로 바꾸고 싶어요", "payment day"),
        ("매달 20일로 결제일 변경해주세요", "payment day"),
        ("대출받고 20일 지났는데 철회되나요", "loan withdrawal"),
        ("대출받은 지 3주 됐는데 취소할 수 있어요?", "loan withdrawal"),
        ("증권 받고 한 달 지났는데 취소되나요", "policy withdrawal"),
        ("증권 받은 지 3주 넘었는데 보험 취소돼요?", "policy withdrawal"),
        ("태어난 지 5주 된 강아지도 가입되나요", "dog"),
        ("생후 한 달 된 강아지 보험 돼요?", "dog"),
        ("전치 3주 나왔는데 합의금 얼마 나와요", "injury"),
        ("감정가의 십분의 팔까지 빌려주나요", "mortgage"),
        ("집값의 9할까지 빌려준다던데 맞아요", "mortgage"),
        ("약값에서 5천원 빼는 거 맞나요", "outpatient"),
        ("10개월로 긁은 걸 18개월로 늘리고 싶어요", "instalment length"),
        ("60일 안에 카드 없애면 연회비 다 주나요", "annual fee"),
        ("대출 72개월로 받을 수 있나요", "loan"),
        ("신용대출 2억 받을 수 있나요", "loan"),
        ("부상 9급 나왔는데 위로금 얼마예요", "grades"),
        ("7급이면 얼마 받아요", "grades"),
        ("이자 30만원이면 세금 22프로 떼는 거죠", "interest tax"),
        ("20년 치 거래내역서 뽑아주세요", "history"),
        ("15년 전 거래내역서도 떼 주나요", "history"),
        ("포인트 300점인데 현금으로 되나요", "points"),
        ("공모주 3주만 청약할 수 있나요", "shares"),
        ("앱 비번 8자리로 바꿀 수 있나요", "password"),
        ("하루 삼천만원까지 체크카드 한도 올려주세요", "card limit"),
        ("열다섯 살인데 앱으로 통장 만들 수 있나요", "adults"),
        ("만 17세인데 앱에서 통장 개설돼요?", "adults"),
        ("만 41세인데 병역 2년 했어요 새싹적금 되나요", "savers"),
        ("서른여섯인데 새싹적금 들 수 있어요?", "savers"),
        ("일흔여덟인데 여행자보험 들 수 있어요?", "travel"),
        ("마흔 살인데 청년적금 들 수 있나요", "youth"),
        ("7억을 한 번에 찾고 싶어요", "sale"),
        ("45일 입원했는데 위로금 얼마 나와요", "hospital days"),
        ("6주 동안 입원했는데 위로금 얼마예요", "hospital days"),
        ("연봉 6천이면 전세대출 얼마까지 나와요", "rent loan"),
        ("만불 송금하려는데 서류 없이 되나요", "send abroad"),
        ("후불 연체료 연 20프로 맞죠", "late fee"),
        ("36개월 예금 들려는데 금리 얼마 주나요", "rate"),
    ],
)
def test_a_value_asked_for_that_the_row_does_not_hold_blocks_it(message: str, row: str) -> None:
    assert values_in_the_way(message, row) != []


DATA = Path(__file__).parents[2] / "data"
LINES = [
    line.split("\t")
    for line in Path(__file__).with_name("constraints_own_values.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
FAQ = {
    row["id"]: (row["question"], row["answer"])
    for path in (*DATA.glob("faq/*.csv"), *DATA.glob("evaluation/corpora/*/faq.csv"))
    for row in csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(keepends=True))
}


def values_in_the_way_of_faq_row(message: str, row: str) -> list[str]:
    found = compare(message, *FAQ[row], synonyms=expand)
    return [each.asked for each in (*found.conflicts, *found.lacking) if each.kind in VALUES]


@pytest.mark.parametrize(("row", "message"), [line[1:] for line in LINES if line[0] == "free"])
def test_a_value_of_the_own_case_blocks_no_row_of_an_faq(row: str, message: str) -> None:
    assert values_in_the_way_of_faq_row(message, row) == []


@pytest.mark.parametrize(("row", "message"), [line[1:] for line in LINES if line[0] == "bound"])
def test_a_value_that_a_row_of_an_faq_does_not_hold_blocks_it(row: str, message: str) -> None:
    assert values_in_the_way_of_faq_row(message, row) != []
