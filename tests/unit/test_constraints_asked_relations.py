"""Values that a row holds in another relation than the one that is asked for."""

from __future__ import annotations

import pytest

from rag.constraints.asked_relations import MAY_RELATE, otherwise_related

SAVING = (
    "바람적금의 납입 한도와 추가 납입 방법은 어떻게 되나요?",
    "매월 1만원 이상 80만원 이하로 횟수 제한 없이 납입하십니다. "
    "만기일 전 1개월 이내에는 직전 3개월 평균을 넘겨 납입하실 수 없습니다.",
)
BONUS = (
    "적금 우대금리를 받으려면 어떻게 하나요?",
    "당사 카드로 월 30만원 이상 이용하시면 연 0.3%p를 더해 드립니다.",
)
RELEASE = (
    "할부를 다 갚으면 저당은 어떻게 풀리나요?",
    "완납 다음 영업일부터 앱에서 신청하시며 대행료는 2만원입니다.",
)
RIGHTS = (
    "유상증자 청약은 어떻게 하나요?",
    "청약 기간에 앱에서 신청하십시오. 원하지 않으시면 증서 상장기간에 파실 수 있습니다.",
)
POINTS = ("별포인트는 얼마나 적립되나요?", "결제 금액의 1%가 적립되며 월 적립 한도는 2만 점입니다.")
DIVIDEND = ("주식 배당금은 언제 입금되나요?", "다음 해 4월 중에 배당소득세 15.4%를 뺀 금액으로 입금됩니다.")


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("바람적금 가입기간은 몇 개월부터예요", SAVING),
        ("바람적금 몇 년짜리 있어요", SAVING),
        ("가입기간은 몇 개월부터예요", ("바람적금은 한 달에 얼마까지 넣나요?", "매월 80만원까지 넣으십니다.")),
        ("계약기간 최대 얼마까지 돼요", SAVING),
        ("바람적금 가입기간이 어떻게 되나요", SAVING),
        ("적금 한 달에 얼마까지 넣을 수 있어요", BONUS),
        ("적금 얼마까지 부을 수 있나요", BONUS),
        ("한 달 최대 얼마까지 넣어요", BONUS),
        ("저당 풀리는 데 며칠 걸려요", RELEASE),
        ("저당 해지하면 며칠 걸려서 풀려요", RELEASE),
        ("정지 풀리는 데 얼마나 걸려요", ("정지를 풀려면?", "고객센터에서 24시간 접수하십시오.")),
        ("저당 해지하면 얼마나 걸려서 말소돼요", RELEASE),
        ("새 주식 상장일은 언제예요", RIGHTS),
        ("신주 상장일이 언제죠", RIGHTS),
        ("별포인트 최소 몇 점부터 쓸 수 있어요", POINTS),
        ("배당 얼마 줘요", DIVIDEND),
        ("배당금은 한 주에 얼마예요", DIVIDEND),
    ],
)
def test_a_value_in_another_relation(question: str, row: tuple[str, str]) -> None:
    assert list(otherwise_related(question, *row))
    assert MAY_RELATE.search(question)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("바람적금 한 달에 얼마까지 넣어요", SAVING),
        ("바람적금 최소 얼마부터 넣어요", SAVING),
        (
            "바람적금 가입기간은 몇 개월부터예요",
            ("바람적금이란?", "6개월에서 36개월까지 매월 납입하는 적금입니다."),
        ),
        ("바람적금 몇 개월부터 들어요", ("바람적금의 조건은?", "내는 기간에는 제한이 없습니다.")),
        ("바람적금 몇 년짜리 있어요", ("바람적금의 조건은?", "1년제와 3년제가 있습니다.")),
        ("바람적금 몇 년까지 들 수 있어요", ("바람적금의 조건은?", "가입기간은 상품설명서에서 확인하십시오.")),
        ("카드를 얼마 이상 써야 우대금리를 줘요", BONUS),
        ("저당 해지 수수료 얼마예요", RELEASE),
        ("저당 풀리는 데 며칠 걸려요", ("저당은 어떻게 풀리나요?", "다음 영업일부터 신청하시며 3영업일이 걸립니다.")),
        ("송금 얼마나 걸려요", ("해외송금은 언제 도착하나요?", "신청 다음 날 도착합니다.")),
        ("상장일은 언제예요", ("배정 주식은 언제 들어오나요?", "상장 전 영업일 18:00 이후에 입고됩니다.")),
        ("배당일은 언제예요", DIVIDEND),
        ("환급일이 언제예요", ("낸 돈은 언제 돌려받나요?", "7월 20일에 입금됩니다.")),
        ("출금일은 언제예요", ("할부금은 언제 빠져나가나요?", "매월 15일에 빠져나갑니다.")),
        ("별포인트 몇 점부터 써요", ("별포인트는 어떻게 쓰나요?", "1,000점 이상이면 1점 단위로 쓰실 수 있습니다.")),
        ("별포인트 한 달에 몇 점까지 쌓여요", POINTS),
        ("배당금에서 세금 얼마 떼요", DIVIDEND),
        ("배당금은 언제 들어와요", DIVIDEND),
    ],
)
def test_a_value_in_the_relation_that_is_asked_for(question: str, row: tuple[str, str]) -> None:
    assert not list(otherwise_related(question, *row))
