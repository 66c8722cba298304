"""A customer to whom something like a scam has happened: rows about fraud or a warning, never what the scammer wants."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.chat import ChatService
from rag.types import Answer, Turn
from tests.lexical_chat import lexical_chat

ORDINARY = """id,question,answer
a-1,대출을 중도상환하려면 어떻게 하나요?,앱의 대출관리에서 중도상환을 누르시면 됩니다.
a-2,자동이체 출금계좌는 어떻게 변경하나요?,앱의 설정에서 출금계좌를 변경하시면 됩니다.
a-3,가상계좌로 할부금을 입금할 수 있나요?,"네, 가상계좌를 발급받아 입금하실 수 있습니다."
a-4,공동인증서는 어떻게 갱신하나요?,앱의 인증센터에서 갱신하시면 됩니다.
a-5,체크카드를 분실했습니다. 어떻게 하나요?,고객센터로 분실신고를 하시면 됩니다.
"""
FRAUD = """f-1,회사를 사칭한 대출 권유 전화인지 어떻게 확인하나요?,전화를 끊고 고객센터로 확인하십시오.
f-2,보이스피싱 피해로 송금한 경우 지급정지는 어떻게 신청하나요?,고객센터나 경찰 112로 신청하십시오.
f-3,본인 계좌가 사기이용계좌로 지급정지된 경우 이의제기는 어떻게 하나요?,영업점에 신청하십시오.
"""
STORIES = [
    "직원이라면서 전화와서 대출을 중도상환하래요 어떻게 하나요",
    "출금계좌를 변경하라고 전화왔는데 진짜예요?",
    "가상계좌 문자로 받았는데 입금해도 되나요",
    "문자로 온 링크에서 공동인증서 갱신하라는데 어떻게 하나요",
]
LOSSES = ["전화로 앱 설치하래서 설치했어요", "엄마가 파밍 사이트에서 돈 보냈어요"]


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> ChatService:
    return lexical_chat(tmp_path_factory.mktemp("ordinary"), ORDINARY)


@pytest.fixture(scope="module")
def with_fraud(tmp_path_factory: pytest.TempPathFactory) -> ChatService:
    return lexical_chat(tmp_path_factory.mktemp("fraud"), ORDINARY + FRAUD)


def shown(answer: Answer) -> list[str]:
    return [source.id for source in answer.sources]


@pytest.mark.parametrize("story", STORIES)
def test_without_rows_about_fraud_a_story_gets_a_warning_and_no_row(ordinary: ChatService, story: str) -> None:
    answer = ordinary.ask(story)
    assert (answer.status, answer.reason, answer.sources) == ("declined", "not_covered", ())
    assert answer.text.startswith("금융사기") and "112" in answer.text and ordinary.contact in answer.text


@pytest.mark.parametrize("story", STORIES)
def test_rows_about_fraud_are_offered_below_the_warning(with_fraud: ChatService, story: str) -> None:
    answer = with_fraud.ask(story)
    assert answer.status == "suggested" and shown(answer) == ["f-1", "f-2", "f-3"]
    assert answer.text.startswith("금융사기") and with_fraud.contact in answer.text


@pytest.mark.parametrize("story", LOSSES)
def test_after_a_loss_the_row_on_stopping_the_payment_is_first(with_fraud: ChatService, story: str) -> None:
    answer = with_fraud.ask(story)
    assert shown(answer)[0] == "f-2" and "지금 바로 경찰 112" in answer.text


def test_a_row_about_fraud_that_answers_is_the_answer(with_fraud: ChatService) -> None:
    answer = with_fraud.ask("회사를 사칭한 대출 권유 전화인지 어떻게 확인하나요")
    assert answer.status == "answered" and shown(answer)[0] == "f-1"
    after = with_fraud.ask("보이스피싱 당해서 송금했어요 지급정지는 어떻게 신청하나요")
    assert after.status == "answered" and shown(after)[0] == "f-2"


def test_a_row_on_something_else_about_fraud_is_no_answer_to_a_demand(with_fraud: ChatService) -> None:
    answer = with_fraud.ask("경찰이라면서 계좌가 사기이용계좌로 지급정지된 경우 이의제기하려면 돈 보내래")
    assert answer.status == "suggested" and shown(answer)[0] == "f-1"


def test_a_row_that_asks_the_same_is_never_replaced(tmp_path: Path) -> None:
    question = "문자로 온 링크에서 인증서를 갱신하라는데 어떻게 하나요?"
    chat = lexical_chat(tmp_path, ORDINARY + f"a-6,{question},누르지 마시고 삭제하십시오.\n")
    assert shown(chat.ask(question))[0] == "a-6" and chat.ask(question).status == "answered"


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("고객센터에서 대출을 중도상환하라는데 어떻게 하나요", "a-1"),
        ("공동인증서 갱신하라고 문자 왔는데 어떻게 갱신하나요", "a-4"),
        ("회사에서 자동이체 출금계좌 변경하라는데 어떻게 하나요", "a-2"),
        ("체크카드를 분실했는데 신고하래요 어떻게 하나요", "a-5"),
    ],
)
def test_an_ordinary_question_that_reports_anothers_words_shows_its_row(
    with_fraud: ChatService, question: str, row: str
) -> None:
    answer = with_fraud.ask(question)
    assert shown(answer)[0] == row and "금융사기" not in answer.text


def test_what_was_done_is_told_after_the_story(with_fraud: ChatService) -> None:
    first = with_fraud.ask(STORIES[0])
    history = [Turn(STORIES[0], first.text, first.status, tuple(shown(first)))]
    assert shown(with_fraud.ask("이미 보냈어요", history))[0] == "f-2"
    assert shown(with_fraud.ask("공동인증서는 어떻게 갱신하나요?", history))[0] == "a-4"
    assert shown(with_fraud.ask("2번", history)) == ["f-2"]


def test_an_english_story_gets_an_english_warning(with_fraud: ChatService, ordinary: ChatService) -> None:
    story = "someone called saying they are from the bank and asked for my otp code"
    assert ordinary.ask(story).status == "declined" and "112" in ordinary.ask(story).text
    offered = with_fraud.ask(story)
    assert offered.text.startswith("This looks like fraud") and with_fraud.contact in offered.text
    assert offered.status == "suggested" and shown(offered)[0] == "f-1"


@pytest.fixture(scope="module")
def with_links(tmp_path_factory: pytest.TempPathFactory) -> ChatService:
    link = "f-4,출처가 불분명한 문자의 링크를 눌러 앱을 설치한 경우 어떻게 하나요?,비행기 모드로 바꾸고 신고하십시오.\n"
    return lexical_chat(tmp_path_factory.mktemp("links"), ORDINARY + FRAUD + link)


def after_story(chat: ChatService, message: str) -> Answer:
    story = "금감원이라면서 전화와서 앱 깔고 돈 옮기래요"
    answer = chat.ask(story)
    return chat.ask(message, [Turn(story, answer.text, answer.status, tuple(shown(answer)))])


@pytest.mark.parametrize("message", ["눌렀어요", "앱은 깔았어요", "그만 눌러버렸어요", "벌써 설치했는데"])
def test_after_a_link_was_pressed_the_row_on_that_is_first(with_links: ChatService, message: str) -> None:
    answer = after_story(with_links, message)
    assert shown(answer)[:2] == ["f-4", "f-2"] and "지금 바로 경찰 112" in answer.text


@pytest.mark.parametrize("message", ["보냈어요", "앱 깔고 돈도 보냈어요", "잘못 보냈어요"])
def test_after_money_was_sent_the_row_on_stopping_the_payment_is_first(with_links: ChatService, message: str) -> None:
    assert shown(after_story(with_links, message))[0] == "f-2"


@pytest.mark.parametrize("message", ["아직 안 눌렀어요", "설치하지는 않았어요", "차단 버튼 눌렀어요", "못 보냈어요"])
def test_what_was_not_done_after_a_story_is_no_loss(with_links: ChatService, message: str) -> None:
    answer = after_story(with_links, message)
    assert shown(answer)[0] == "f-1" and "지금 바로" not in answer.text and answer.text.startswith("금융사기")
