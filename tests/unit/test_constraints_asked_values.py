"""What value a question asks for, and whether a row holds one of its kind."""

from __future__ import annotations

import pytest

from rag.constraints.asked_values import asked_values, not_stated

GATE = "가온적금은 어떻게 가입하나요?"


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("만 몇 살까지 들 수 있어요?", ["age"]),
        ("하루에 얼마까지 보낼 수 있나요", ["sum"]),
        ("재발급 비용 얼마예요?", ["money"]),
        ("우대금리가 얼마예요", ["rate"]),
        ("심사는 얼마나 걸려요", ["duration"]),
        ("적립금 유효기간은 얼마나 되나요", ["duration"]),
        ("환전은 하루에 얼마까지 돼요", ["sum"]),
        ("서류 내면 며칠 만에 나와요?", ["duration"]),
        ("서류 내면 몇일만에 나와요?", ["duration"]),
        ("환급은 몇 개월만에 되나요", ["duration"]),
        ("며칠만 쓰고 싶어요", []),
        ("며칠 걸렸는데 왜 안 와요", []),
        ("심사가 며칠이나 걸리는데요?", ["duration"]),
        ("보관은 몇 년 해 주나요", ["duration"]),
        ("창구는 몇 시에 닫아요", ["time"]),
        ("한 사람이 몇 개까지 돼요", ["count"]),
        ("암호는 몇 자리예요?", ["length"]),
        ("세 번째 줄에 몇 번을 눌렀는데 안 돼요", []),
        ("몇 년 전에 만든 통장인데요", []),
        ("얼마 전에 바꿨어요", []),
        ("몇 개만 빼고 싶어요", []),
        ("어떻게 가입하나요", []),
        ("가온적금 20만원이면 이자 얼마예요", ["money"]),
        ("대출 이자 300만원에 대략 얼마죠", ["money"]),
        ("가온대출 이자율", ["rate"]),
        ("가온대출 금리 좀 알려주세요", ["rate"]),
        ("고정금리와 변동금리", []),
        ("이자 내는 날 수수료 얼마예요", ["money"]),
    ],
)
def test_the_kind_of_value_that_is_asked_for(question: str, kinds: list[str]) -> None:
    assert [value.kind for value in asked_values(question)] == kinds


def test_a_value_is_named_by_a_noun_and_no_verb() -> None:
    labels = [value.label for text in ("재발급하면 얼마", "재발급 수수료 얼마") for value in asked_values(text)]
    assert labels == ["금액", "수수료 금액"]


@pytest.mark.parametrize(
    ("question", "answer", "missing"),
    [
        ("이름 고치는 데 얼마나 걸려요", "3개월 이내에 발급된 초본을 내십시오.", True),
        ("이름 고치는 데 며칠 걸려요", "초본(최근 90일 이내 발급분)을 내십시오.", True),
        ("이름 고치는 데 며칠 걸려요", "3개월 이내에 발급된 초본을 내시면 2영업일 안에 고쳐집니다.", False),
        ("초본은 며칠 안에 뗀 거여야 해요", "최근 90일 이내 발급분을 내십시오.", False),
        ("가입비 얼마예요", "가입하실 때 본인확인과 신분증 진위확인을 합니다.", True),
        ("가입비 얼마예요", "가입비는 앱에서 확인하십니다.", False),
    ],
)
def test_the_age_of_papers_and_checks_of_identity_are_no_values(question: str, answer: str, missing: bool) -> None:
    assert bool(not_stated(question, GATE, answer)) is missing


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("가온적금 몇 살까지 들 수 있어요?", "앱에서 가입하시며 월 30만원까지 넣으실 수 있습니다."),
        ("가온적금 약정은 몇 년짜리예요?", "가입 신청은 3영업일 안에 처리됩니다."),
        ("가온적금 한 달에 얼마까지 납입해요?", "우대금리는 연 1.2%입니다."),
        ("가온적금 몇 개까지 만들 수 있나요", "앱 상품몰에서 가입하십시오."),
        ("가온적금 담당자는 몇 시까지 있나요", "앱 상품몰에서 가입하십시오."),
        ("가온대출 금리 얼마예요", "한도는 집값의 60% 이내이며(가산 금리 반영), 앱에서 조회하실 수 있습니다."),
        ("가온대출 이자율이 얼마죠", "소득의 40%까지 빌리실 수 있습니다."),
        ("가온적금 20만원 넣으면 이자 얼마예요", "매월 1만원부터 50만원까지 넣으실 수 있습니다."),
        ("가온대출 이자율", "중도상환수수료는 없습니다. 쓰신 날까지의 이자만 내십니다."),
        ("가온대출 금리가 궁금해요", "한도는 최대 2천만원입니다."),
        ("가온적금 가입비 얼마예요", "만 18세부터 가입하실 수 있고 해외에서는 되지 않습니다."),
        ("가온적금 가입비 얼마예요", "앱에서 처리 상태를 조회하십시오."),
        ("가온적금 이자 연 몇 프로 줘요", "신청 결과는 앱에서 확인하십시오."),
        ("가온적금 사고 나면 며칠 안에 알려야 해요", "앱에서 바로 정지하실 수 있습니다."),
        ("가온적금 인증번호는 몇 분 지나면 못 써요", "번호는 즉시 보내 드립니다."),
        ("가온적금 접수하면 며칠 걸립니까", "평일 9시부터 받으며 앱에서 하십시오."),
    ],
)
def test_a_row_without_a_value_of_that_kind_answers_something_else(question: str, answer: str) -> None:
    assert not_stated(question, GATE, answer)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("가온적금 몇 살까지 들 수 있어요?", "만 17세부터 34세까지 가입하십니다."),
        ("가온적금은 몇 년짜리예요?", "기간은 24개월입니다."),
        ("가온적금 한 달에 얼마까지 납입해요?", "매월 30만원까지 넣으실 수 있습니다."),
        ("가온적금 얼마까지 넣어요", "납입 한도는 제한이 없습니다."),
        ("가온적금 가입하는 데 얼마나 걸려요", "신청 즉시 처리됩니다."),
        ("가온적금 가입비 얼마예요", "가입 비용은 무료입니다."),
        ("가온적금 가입비 얼마예요", "앱에서 가입하시며 따로 내실 수수료는 없습니다."),
        ("가온적금 몇 개까지 만들 수 있나요", "1인당 2건까지 가입하십니다."),
        ("가온대출 금리 얼마예요", "연 5.1%부터이며 신용 등급으로 정해집니다."),
        ("가온대출 금리 얼마예요", "이자는 잔액의 6%입니다."),
        ("가온대출 이율이 얼마인가요", "금리는 앱에서 조회하십시오."),
        ("가온적금 20만원 넣으면 이자 얼마예요", "기본금리는 연 2.7%입니다."),
        ("가온적금 20만원 넣으면 이자 얼마예요", "1년 뒤 이자로 3,500원을 드립니다."),
        ("가온대출 이자율", "[금리]\n- 6개월: 5.2%\n- 1년: 5.6%"),
        ("가온대출 금리가 궁금해요", "첫 해에는 이자가 없습니다."),
        ("가온적금 붙은 이자가 얼만지 보고 싶어요", "이자 내역은 앱에서 보실 수 있습니다."),
        ("가온적금 사고 나면 며칠 안에 알려야 해요", "24시간 이내에 알려 주십시오."),
    ],
)
def test_a_row_with_such_a_value_or_with_words_that_answer_is_kept(question: str, answer: str) -> None:
    assert not not_stated(question, GATE, answer)


def test_a_row_that_asks_for_the_value_itself_is_the_one_on_it() -> None:
    assert not not_stated("송금 비용 얼마예요", "송금 수수료는 얼마인가요?", "수수료 메뉴에 있습니다.")


@pytest.mark.parametrize(
    ("answer", "is_stated"),
    [
        ("접수한 날로부터 5영업일 안에 나옵니다.", True),
        ("당일 처리됩니다.", True),
        ("2025년 9월 1일부터 시행합니다.", False),
    ],
)
def test_a_date_says_not_how_many_days_something_takes(answer: str, is_stated: bool) -> None:
    for question in ("환급금은 며칠 만에 나와요", "환급금은 몇일만에 와요", "환급금은 며칠이나 걸려요"):
        assert (not not_stated(question, "환급금은 어떻게 받나요?", answer)) is is_stated


@pytest.mark.parametrize(
    ("question", "answer", "period"),
    [
        ("한 달에 총 얼마까지 보낼 수 있어요", "1회 300만원, 1일 900만원까지 보내실 수 있습니다.", "한 달"),
        ("1년에 얼마까지 넣어도 돼요", "매월 50만원까지 납입하실 수 있습니다.", "1년"),
        ("하루에 얼마까지 뽑을 수 있나요", "월 500만원까지 찾으실 수 있습니다.", "하루"),
        ("한달에 몇 번까지 되나요", "하루 3회까지 하실 수 있습니다.", "한달"),
        ("한 달에 총 얼마까지 보낼 수 있어요", "1회 300만원, 월 2천만원까지 보내실 수 있습니다.", ""),
        ("한 달에 얼마까지 충전돼요", "200만원까지 충전하실 수 있습니다.", ""),
        ("한번에 얼마까지 보낼 수 있어요", "1일 900만원까지 보내실 수 있습니다.", ""),
        ("한 달에 얼마까지 보낼 수 있어요", "1회 한도는 없으며 매월 700만원까지입니다.", ""),
    ],
)
def test_a_limit_is_stated_for_the_period_it_is_asked_for(question: str, answer: str, period: str) -> None:
    missing = [value.text for value in not_stated(question, "가온페이는 어떻게 쓰나요?", answer)]
    assert missing == ([period] if period else [])


@pytest.mark.parametrize(
    ("question", "row_question", "row_answer"),
    [
        ("적립금은 얼마 쓰면 쌓여요", "적립금의 사용기한은 얼마나 되나요?", "적립한 날부터 3년이 지나면 없어집니다."),
        (
            "암호를 몇 번까지 틀려도 돼요",
            "전자열쇠는 어떻게 등록하나요?",
            "1인 1기기만 등록하시며 여러 기기에서 쓰실 수 없습니다.",
        ),
        (
            "바꾸는 건 하루에 얼마까지 돼요",
            "외화는 언제 바꾸나요?",
            "평일 9시부터 16시까지 90% 우대하여 바꾸실 수 있습니다.",
        ),
        (
            "다른 은행 기계에서는 하루에 얼마까지 뽑아요",
            "다른 은행 기계의 수수료는요?",
            "낮에는 700원, 밤에는 1,000원입니다.",
        ),
    ],
)
def test_another_value_of_the_row_is_not_the_one_asked_for(question: str, row_question: str, row_answer: str) -> None:
    assert not_stated(question, row_question, row_answer)


@pytest.mark.parametrize(
    ("question", "row_question", "row_answer"),
    [
        ("기계에서 하루에 얼마까지 뽑아요", "기계의 출금한도는요?", "1회 100만원, 1일 600만원입니다."),
        ("이틀에 몇 번 신청할 수 있어요", "신청 횟수에 제한이 있나요?", "횟수 제한은 없습니다."),
        ("적립금은 언제까지 얼마나 쓸 수 있어요", "적립금의 사용기한은 얼마나 되나요?", "적립한 날부터 3년입니다."),
    ],
)
def test_a_value_of_the_kind_asked_for_is_stated(question: str, row_question: str, row_answer: str) -> None:
    assert not not_stated(question, row_question, row_answer)
