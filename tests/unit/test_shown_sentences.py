"""The sentence of a row shown that answers a case, a value or a part asked about next."""

from __future__ import annotations

import pytest

from rag.conversation.shown_sentences import sentence_for

TOWING = "특약에 드시면 연 4회까지 무료입니다. 견인은 30km까지 무료이고 넘으면 1km마다 1,500원이며, 비상급유는 1회 5리터입니다."
TERMS = (
    "만기 전에 깨시면 이율이 낮아집니다.\n\n- 2개월 미만: 연 0.3%\n"
    "- 2개월 이상 5개월 미만: 약정이율의 30%\n- 5개월 이상: 약정이율의 50%"
)
HOURS = (
    "계절에 따라 다릅니다.\n\n[서머타임 미적용]\n- 정규장 23:30~익일 06:00\n- 프리마켓 18:00~23:30\n\n"
    "[서머타임 적용]\n- 정규장 22:30~익일 05:00\n- 프리마켓 17:00~22:30"
)
BATTERY = "가지고 오시면 바꿔 드립니다.\n\n- 발급일부터 2년 이내의 고장: 무료\n- 발급일부터 2년 경과 또는 파손: 8,000원"
TRANSFER = (
    "등록하신 계좌로 하루 3회, 1회 최대 200만원까지 보내실 수 있습니다. 최소 1만원부터 됩니다. 수수료는 없습니다."
)
OPENING = "일반 상담: 평일 09:00~18:00\n긴급 접수: 24시간 365일"
DISPUTE = "상대 은행에 반환을 요청합니다.\n\n1. 접수\n2. 최대 12영업일 이내 결과를 문자로 통지"


@pytest.mark.parametrize(
    ("before", "message", "content", "sentence"),
    [
        ("긴급출동 몇 번 돼요", "3번은 무료죠?", TOWING, "특약에 드시면 연 4회까지 무료입니다."),
        ("긴급출동 몇 번 돼요", "50km 끌고 가면 얼마 내요?", TOWING, TOWING.partition(". ")[2]),
        ("적금 깨면 이자는", "3개월 됐어요", TERMS, "2개월 이상 5개월 미만: 약정이율의 30%"),
        ("미국장 몇시", "썸머타임 때는요", HOURS, "[서머타임 적용] 정규장 22:30~익일 05:00, 프리마켓 17:00~22:30"),
        ("미국장 몇시", "썸머타임땐 프리마켓 몇시", HOURS, "프리마켓 17:00~22:30"),
        ("otp 고장", "3년 썼는데 돈 내야돼?", BATTERY, "발급일부터 2년 경과 또는 파손: 8,000원"),
        ("이체 어떻게 해요", "300만원 되나요", TRANSFER, TRANSFER.partition(".")[0] + "."),
        ("상담원 몇시까지", "주말에도?", OPENING, "일반 상담: 평일 09:00~18:00"),
        ("잘못 보냈어요", "며칠이나 걸려요", DISPUTE, "최대 12영업일 이내 결과를 문자로 통지"),
        ("교통카드 등록", "아이폰은?", "안드로이드에서 등록합니다. 아이폰은 지원하지 않습니다.", "아이폰은 지원하지 않습니다."),
        ("가족카드", "동생은요?", "배우자와 부모께 드립니다. 형제자매는 되지 않습니다.", "형제자매는 되지 않습니다."),
    ],
)  # fmt: skip
def test_the_sentence_on_what_a_message_asks_is_found(before: str, message: str, content: str, sentence: str) -> None:
    assert sentence_for(message, before, "", content) == sentence


@pytest.mark.parametrize(
    ("before", "message", "content"),
    [
        ("마일리지 특약", "1만5천키로는", "3,000km 이하 42%, 3,000km 초과 5,000km 이하 33%를 돌려드립니다."),
        ("1년 예금 중간에 빼기", "6개월짜리도 돼?", "12개월 예금은 가입 후 3개월이 지나면 빼실 수 있습니다."),
        ("할부 수수료", "36개월은?", "6개월 할부는 연 13.5%, 2~3개월 할부는 무이자입니다."),
        ("otp 고장", "아예 잃어버리면?", "분실이 아니므로 신고는 필요 없습니다."),
        ("송금 취소", "수수료는 돌려받나요", "해외은행 수수료가 반환금액에서 차감됩니다."),
        ("무카드출금", "며칠 걸려요", "[한도] 1회 30만원, 1일 50만원"),
        ("카드 분실", "오늘 날씨 어때", "24시간 신고하실 수 있습니다."),
        ("융자 이자", "30일 쓰면?", "2025년 12월 31일 이전 체결된 융자도 같습니다."),
        ("자동차 긴급출동", "열쇠 잠긴 것도요?", TOWING),
        ("미납이면", "4년 지났으면?", "14일이 지난 다음 날 실효됩니다. 두 달 연속 미납하신 경우입니다."),
    ],
)
def test_a_sentence_on_something_else_is_not(before: str, message: str, content: str) -> None:
    assert sentence_for(message, before, "", content) == ""
