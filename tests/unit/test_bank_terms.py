"""Things of banks, credit unions and the post office (terms.tsv): whether a row that names another one answers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from rag.constraints import compare
from rag.constraints.contrasts import answered_by, members_of, mentions_of

LINES = [
    line
    for line in Path("rag/constraints/terms.tsv").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def test_no_name_is_of_two_things() -> None:
    names = Counter(name for line in LINES for name in line.partition("\t")[0].split("|") if not name.startswith("!"))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize(
    ("question", "row_question", "answer"),
    [
        (
            "생계비계좌 하나 트려는데 되나요",
            "입출금통장은 어떻게 개설하나요?",
            "앱에서 신분증으로 개설하실 수 있습니다.",
        ),
        ("출자금 돌려받으려면", "정기예금을 해지하려면 어떻게 하나요?", "앱에서 해지하시면 원금을 돌려드립니다."),
        (
            "퇴결되면 수수료도 돌려주나요",
            "타행이체 수수료는 얼마인가요?",
            "건당 500원이며 취소하시면 돌려드리지 않습니다.",
        ),
        ("탈북민인데 수수료 안 받나요", "수수료 면제 대상은 누구인가요?", "만 65세 이상과 국가유공자는 면제됩니다."),
        ("로밍한 폰으로 인증 되나요", "공동인증서는 어떻게 발급하나요?", "앱에서 본인인증 후 발급하실 수 있습니다."),
        ("외화동전도 바꿔줘요?", "엔화 지폐를 원화로 바꿀 수 있나요?", "영업점에서 지폐를 원화로 바꾸실 수 있습니다."),
        ("햇살론뱅크 한도요", "햇살론유스의 한도는 얼마인가요?", "햇살론유스는 최대 1,200만원입니다."),
        (
            "생계비계좌 만드는 법",
            "행복지킴이통장은 어떻게 만드나요?",
            "수급자 증명서를 지참하여 영업점을 방문하십시오.",
        ),
        ("세대원도 가입되나요", "청년주택 통장은 누가 가입하나요?", "무주택 세대주만 가입하실 수 있습니다."),
        (
            "1원인증이 자꾸 안돼요",
            "ARS 인증 전화가 오지 않으면 어떻게 하나요?",
            "ARS 인증 전화의 수신 차단을 해제하십시오.",
        ),
    ],
)
def test_a_row_on_another_thing_does_not_answer(question: str, row_question: str, answer: str) -> None:
    assert compare(question, row_question, answer).status == "conflict"


@pytest.mark.parametrize(
    ("question", "row_question", "answer"),
    [
        ("찢어진 돈 바꿔줘요?", "손상된 화폐는 어떻게 교환하나요?", "남은 면적에 따라 영업점에서 바꿔 드립니다."),
        ("압류 안되는 통장 있어요?", "행복지킴이통장은 누가 가입하나요?", "기초연금 수급자가 가입하실 수 있습니다."),
        ("알아서 재예치 되나요", "정기예금 자동연장은 어떻게 신청하나요?", "앱에서 자동연장을 신청하실 수 있습니다."),
        ("노인도 수수료 면제되나요", "수수료 면제 대상은 누구인가요?", "만 65세 이상 고객은 면제됩니다."),
        ("경로우대 되나요", "수수료가 면제되는 고객은 누구인가요?", "만 65세 이상 고객은 면제됩니다."),
        ("환율 우대 얼마나 돼요", "앱으로 환전하면 무엇이 좋은가요?", "주요 통화는 90% 우대해 드립니다."),
        ("햇살론 한도 알려줘요", "햇살론유스의 한도는 얼마인가요?", "햇살론유스는 최대 1,200만원입니다."),
        ("유럽 여행 가는데 최대환급 받으려면", "캐시백은 얼마까지 받나요?", "최대환급 한도는 월 1만원입니다."),
    ],
)
def test_a_row_by_another_name_answers(question: str, row_question: str, answer: str) -> None:
    assert compare(question, row_question, answer).lacking == ()


def test_who_received_money_by_mistake_asks_for_another_row_than_who_sent_it() -> None:
    asked = "누가 제 계좌로 잘못 보냈는데요"
    assert compare(asked, "잘못 송금한 돈은 어떻게 돌려받나요?", "앱에서 반환을 신청하십시오.").lacking != ()
    assert compare(asked, "다른 분이 잘못 송금한 돈이 들어온 경우?", "앱에서 반환에 동의하시면 됩니다.").lacking == ()


@pytest.mark.parametrize(
    ("question", "answer", "is_one"),
    [
        ("고정금리인가요 변동금리인가요", "6개월마다 바뀌는 변동금리입니다.", True),
        ("이자 단리예요 아니면 복리예요", "월복리로 계산합니다.", True),
        ("이자 단리예요", "월복리로 계산합니다.", False),
        ("고정금리 얼마예요 변동금리는요", "변동금리는 연 4.1%입니다.", False),
    ],
)
def test_one_of_two_answers_which_of_them_it_is(question: str, answer: str, is_one: bool) -> None:
    assert (compare(question, "대출과 예금의 이자는 어떻게 정해지나요?", answer).lacking == ()) is is_one


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("최대환급 한도", "대환"),
        ("우대환율 조회", "대환"),
        ("일부결제 취소", "부결"),
        ("금융자산 이전", "융자"),
        ("어제 낸 것까지로 해 주세요", "지로"),
        ("부모계좌 조회", "모계좌"),
        ("이 민증으로 되나요", "이민"),
    ],
)
def test_a_name_is_not_read_across_words(text: str, word: str) -> None:
    assert word not in {mention.text.replace(" ", "") for mention in mentions_of(text)}


def test_a_word_that_only_answers_names_no_thing() -> None:
    assert ("term 수수료", "수수료") not in members_of("무료인가요") and "term 수수료" in answered_by("무료입니다")
    assert members_of("해외여행보헙") == frozenset()


@pytest.mark.parametrize(
    ("question", "row_question", "answer", "lacks"),
    [
        ("받은 부채증명서 위조된 건지 확인", "부채증명서는 어떻게 발급받나요?", "앱에서 무료로 발급됩니다.", True),
        ("이 서류가 진짜인지 알아보려면", "소득증명서는 어떻게 발급받나요?", "앱에서 무료로 발급됩니다.", True),
        (
            "이 서류가 진짜인지 알아보려면",
            "증명서의 진위는 어디서 확인하나요?",
            "문서번호를 입력하시면 됩니다.",
            False,
        ),
        ("소득증명서 발급", "소득증명서는 어떻게 발급받나요?", "앱에서 무료로 발급됩니다.", False),
        ("장애인이라 면제인데 수수료가 빠졌어요", "비과세저축은 누가 드나요?", "장애인은 세금이 면제됩니다.", True),
        ("안 내도 되는데 수수료가 빠졌어요", "잘못 낸 수수료는 어떻게 돌려받나요?", "앱에서 환급합니다.", False),
    ],
)
def test_what_is_checked_and_what_was_charged_must_be_in_the_row(
    question: str, row_question: str, answer: str, lacks: bool
) -> None:
    assert bool(compare(question, row_question, answer).lacking) == lacks
