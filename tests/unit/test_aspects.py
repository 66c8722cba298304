"""One table of what is asked of many things alike."""

from __future__ import annotations

import re

import pytest

from rag.constraints import compare
from rag.constraints.aspects import ASPECT, ASPECT_OF, asked_aspect


def test_names_of_one_aspect_are_one() -> None:
    assert ASPECT_OF["비용"] == ASPECT_OF["수수료"] == "수수료"
    assert ASPECT_OF["준비물"] == ASPECT_OF["서류"] != ASPECT_OF["기간"]
    assert "연회비" not in ASPECT_OF


def test_the_pattern_reads_the_longest_name() -> None:
    match = re.match(ASPECT, "이자율은")
    assert match is not None
    assert match.group() == "이자율"


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("보관함 수수료 얼마예요", "수수료"),
        ("대여금고 비용은 얼마나 드나요", "비용"),
        ("월세대출 금리 몇 프로예요", "금리"),
        ("월세대출 이자율", "이자율"),
        ("금고 계약 서류는 뭐 내야 해요", "서류"),
        ("여행자 환율 알려주세요", "환율"),
        ("어르신 수수료 면제", "수수료"),
        ("금리인하 요구는 어떻게 해요", ""),
        ("금고 이용 시간은 언제예요", ""),
        ("수수료 없이 보내는 법", ""),
    ],
)
def test_the_aspect_that_a_question_asks_for(question: str, noun: str) -> None:
    assert asked_aspect(question) == noun


@pytest.mark.parametrize(
    ("question", "row"),
    [
        (
            "월세대출 금리 얼마예요",
            ("월세대출은 누가 받나요?", "직장인이 3천만원까지 받습니다.\n- 앱 > 대출 > 금리 조회"),
        ),
        ("비과세통장 금리 몇 프로예요", ("비과세통장은 누가 만드나요?", "이자소득세 15.4%가 면제됩니다.")),
        ("증권담보 한도 얼마까지 돼요", ("증권담보 이자율은 얼마인가요?", "7일 이내 연 5%, 8일부터 연 7%입니다.")),
        ("금고 계약 서류 뭐 필요해요", ("금고는 얼마나 빌리나요?", "1년 단위로 빌립니다.")),
        ("어르신 수수료 면제", ("어르신 비과세통장은 무엇인가요?", "이자소득세가 면제됩니다.")),
        (
            "금고확인서 유효기간 며칠이에요",
            ("금고확인서는 어떻게 떼나요?", "앱에서 뗍니다. 지점에서는 3영업일이 걸립니다."),
        ),
        ("일흔부터는 수수료 안 낸다던데", ("일흔부터 드는 저축은 누가 드나요?", "일흔이 넘으시면 세금 없이 드십니다.")),
        ("금고확인서 유효기간", ("금고확인서는 어떻게 떼나요?", "3개월 이내 발급된 등본을 지점에 내십시오.")),
    ],
)
def test_a_row_that_states_the_aspect_nowhere_does_not_answer(question: str, row: tuple[str, str]) -> None:
    noun = asked_aspect(question)
    assert ("aspect", noun) in [(each.kind, each.asked) for each in compare(question, *row).lacking]


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("월세대출 금리 얼마예요", ("월세대출은 누가 받나요?", "직장인이 받습니다. 이율은 연 4.1%입니다.")),
        ("금고 수수료 있어요?", ("금고는 어떻게 빌리나요?", "지점에서 빌립니다. 수수료는 없습니다.")),
        ("금고 수수료 얼마예요", ("금고 수수료와 납부 방법을 알려 주세요.", "소형은 5만원입니다.")),
        ("금고 비용 얼마예요", ("금고는 얼마에 빌리나요?", "무료입니다.")),
        ("금고 계약 서류 뭐 필요해요", ("금고는 어떻게 빌리나요?", "신분증을 들고 오십시오.")),
        ("월세대출 한도 얼마예요", ("월세대출은 누가 받나요?", "직장인이 최대 3천만원을 받습니다.")),
        ("금고열쇠 유효기간 얼마예요", ("금고열쇠는 어떻게 받나요?", "지점에서 받으시며 2년간 쓰실 수 있습니다.")),
        ("방문번호 유효기간", ("방문번호는 어디에 넣나요?", "기계에 넣으시면 되고 5분이 지나면 만료됩니다.")),
    ],
)
def test_a_row_that_states_the_aspect_in_whatever_words_answers(question: str, row: tuple[str, str]) -> None:
    assert "aspect" not in {each.kind for each in compare(question, *row).lacking}


@pytest.mark.parametrize(
    ("question", "answer", "answers"),
    [
        ("회비 없는 도서카드 있어요?", "도서카드를 없애시면 회비를 남은 날만큼 돌려드립니다.", False),
        ("회비 없는 도서카드 있어요?", "도서카드의 회비는 없습니다.", True),
        ("수수료 안 나가는 거 뭐 있나요", "수수료는 1,000원이며 어르신은 면제됩니다.", True),
        ("수수료 제일 싼 도서카드 뭐예요", "도서카드의 수수료는 1,000원이며 어르신은 면제됩니다.", True),
        ("회비 싼 도서카드 뭐예요", "도서카드를 버리시면 회비를 남은 날만큼 5영업일 안에 돌려드립니다.", False),
        ("수수료 없는 곳으로 보내려면 얼마 내요", "도서카드의 수수료는 1,000원입니다.", True),
    ],
)
def test_what_is_looked_for_by_an_aspect_is_not_answered_by_any_row_on_it(
    question: str, answer: str, answers: bool
) -> None:
    lacking = compare(question, "도서카드 회비나 수수료는 어떻게 되나요?", answer).lacking
    assert ("aspect" not in {each.kind for each in lacking}) is answers


ON_BONDS = (
    "국채와 회사채는 어떻게 다른가요?",
    "국채는 나라가, 회사채는 기업이 발행합니다. 회사채의 수수료는 0.2%입니다.",
)
SEIZURE = ("압류방지통장과 일반통장의 차이가 무엇인가요?", "압류방지통장은 압류할 수 없고 급여가 입금되지 않습니다.")


@pytest.mark.parametrize(
    ("question", "row", "answers"),
    [
        ("국채 잃어버리면 어디에 말해요", ON_BONDS, False),
        ("회사채 있는데 국채도 사도 되나", ON_BONDS, False),
        ("국채랑 회사채 뭐가 달라요", ON_BONDS, True),
        ("회사채 수수료 얼마예요", ON_BONDS, True),
        ("압류방지통장 비번 바꾸고 싶어요", SEIZURE, False),
        ("압류방지통장 일반통장 구분 기준", SEIZURE, True),
        ("국채 회사채", ON_BONDS, True),
        ("회사채 뜻", ON_BONDS, True),
        ("국채 사려면 어디로 가요", ON_BONDS, False),
        ("압류방지통장이면 월급 못 받아요?", SEIZURE, True),
        ("압류방지통장 만들려면 무슨 서류 내요", SEIZURE, False),
        ("차이나펀드 환매", ("차이나펀드는 언제 환매되나요?", "환매를 신청한 날부터 5영업일에 환매됩니다."), True),
    ],
)
def test_how_two_things_differ_answers_nothing_else_on_them(question: str, row: tuple[str, str], answers: bool) -> None:
    assert (compare(question, *row).status != "conflict") is answers
