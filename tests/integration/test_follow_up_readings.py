"""Follow-ups that a row of a small FAQ answers, and those that none does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.chat import ChatService
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import ingest_files, open_index
from rag.settings import Settings, StoreSettings
from rag.types import Answer, Turn

FAQ = """id,question,answer,category
rate,푸른통장의 금리는 얼마인가요?,"잔액 500만원까지 세전 연 2.2%, 초과 금액은 세전 연 1.0%입니다.",예금
paid,푸른통장 이자는 언제 지급되나요?,매월 25일에 결산하여 다음 날 통장으로 입금합니다.,예금
saving,달빛적금은 한 달에 얼마까지 넣을 수 있나요?,월 1만원 이상 30만원 이하로 넣으실 수 있습니다.,적금
bonus,달빛적금의 우대금리 조건은 무엇인가요?,급여를 6개월 이상 받으시면 연 0.4%p를 더해 드립니다.,적금
broken,달빛적금을 중도에 해지하면 이자는 어떻게 되나요?,가입 기간에 따라 약정금리의 30%~60%가 적용됩니다.,적금
loan,전문직 대출의 한도는 얼마인가요?,연소득의 1.5배 이내에서 최대 2억원입니다.,대출
papers,전문직 대출을 신청할 때 필요한 서류는 무엇인가요?,"자격증 사본, 소득금액증명원, 신분증이 필요합니다.",대출
repay,대출금을 미리 갚으면 수수료가 있나요?,상환금액의 0.7%에 남은 기간의 비율을 곱한 수수료가 있습니다.,대출
late,대출 이자를 제때 내지 못하면 어떻게 되나요?,납입일 다음 날부터 약정금리에 연 3%p를 더한 연체이자가 붙습니다.,대출
payday,대출 이자 납입일을 변경할 수 있나요?,앱 > 대출 > 납입일 변경에서 연 1회 바꾸실 수 있습니다.,대출
claim,보험금은 청구하면 며칠 만에 나오나요?,서류를 받은 날부터 3영업일 안에 지급합니다.,보험
progress,청구한 보험금의 처리 상태는 어디에서 확인하나요?,앱 > 보험 > 청구 내역에서 확인하실 수 있습니다.,보험
open,비대면으로 통장을 만들려면 무엇이 필요한가요?,"신분증, 휴대폰, 다른 은행 계좌가 필요합니다.",계좌
hours,비대면 통장 개설은 몇 시에 할 수 있나요?,매일 07:00부터 22:00까지 하실 수 있습니다.,계좌
frozen,출금정지계좌의 하루 입금 한도는 얼마인가요?,하루 50만원까지 입금하실 수 있습니다.,계좌
thaw,출금정지계좌를 해제하려면 어떻게 하나요?,신분증을 가지고 영업점에 오시면 해제해 드립니다.,계좌
cancel,보험을 해지하려면 어떻게 하나요?,앱 > 보험 > 해지에서 신청하시면 해지환급금은 당일 입금됩니다.,보험
refund,해지환급금은 어디서 확인하나요?,앱 > 보험 > 예상 환급금에서 확인하실 수 있습니다.,보험
heir,보험 수익자를 변경하려면 무엇이 필요한가요?,신분증과 피보험자의 동의서가 필요합니다.,보험
certificate,금융인증서는 어떻게 발급받나요?,앱 > 인증센터에서 계좌 비밀번호를 입력하고 발급받으십니다. 유효기간은 3년입니다.,인증
raise,카드 이용한도를 올리려면 어떻게 하나요?,앱 > 카드 > 한도관리에서 신청합니다. 발급 후 3개월이 지나야 합니다.,카드
points,별빛포인트의 유효기간은 얼마인가요?,적립한 날부터 3년입니다.,포인트
cash,별빛포인트를 현금으로 바꿀 수 있나요?,1포인트를 1원으로 바꾸어 통장으로 입금해 드립니다.,포인트
"""


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Iterator[ChatService]:
    root = tmp_path_factory.mktemp("follow_ups")
    (root / "faq.csv").write_text(FAQ, encoding="utf-8")
    settings = Settings(store=StoreSettings(directory=root, index="faq"))
    ingest_files(root, "faq", models, [root / "faq.csv"])
    store = open_index(settings, models)
    yield build_service(settings, models, store)
    store.close()


def converse(chat: ChatService, *messages: str) -> Answer:
    """The answer to the last message, with the history that the page passes."""
    history: list[Turn] = []
    for message in messages:
        answer = chat.ask(message, history)
        history.append(Turn(message, answer.text, answer.status, tuple(source.id for source in answer.sources)))
    return answer


@pytest.mark.parametrize(
    ("first", "then", "row"),
    [
        ("푸른통장 금리 몇프로예요", "이자는 언제 주는데요", "paid"),
        ("전문직 대출 한도 얼마 나와요", "서류는 뭐 내야돼요", "papers"),
        ("보험금 청구했는데 며칠만에 나와요", "처리 상태는 어디서 봐요", "progress"),
        ("별빛포인트 유효기간 있어요?", "현금으로는 못바꾸나요", "cash"),
        ("달빛적금 한달에 얼마까지 돼요", "우대는 뭐가 있어요", "bonus"),
        ("대출 이자 내는 날 바꿀수 있어요?", "못내면 어떻게 되나요", "late"),
        ("전문직 대출 한도가 어떻게 되죠", "미리 갚으면 수수료 있나요", "repay"),
        ("비대면으로 통장 만들려면 뭐 있어야돼요", "몇시까지 돼요", "hours"),
        ("출금정지계좌 하루에 얼마까지 넣을수있어요", "그럼 푸는건 어떻게 해요", "thaw"),
    ],
)
def test_a_row_that_two_readings_find_answers(chat: ChatService, first: str, then: str, row: str) -> None:
    answer = converse(chat, first, then)
    assert (answer.status, answer.sources[0].id) == ("answered", row)


def test_another_row_that_is_sure_to_answer_is_preferred_to_a_sentence_of_the_row_shown(chat: ChatService) -> None:
    answer = converse(chat, "보험 해지 어떻게해요", "환급금은 어디서 봐요")
    assert (answer.status, answer.sources[0].id) == ("answered", "refund")


def test_a_new_topic_with_its_own_verb_is_answered_where_the_topic_before_finds_nothing(chat: ChatService) -> None:
    answer = converse(chat, "달빛적금 우대 조건이요", "수익자 바꾸려면 뭐 필요해요")
    assert (answer.status, answer.sources[0].id) == ("answered", "heir")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("금융인증서 발급 어떻게 해요", "비밀번호 까먹으면요?"),
        ("카드 한도 올리려면 어떻게 하죠", "잠깐만 올리는것도 돼요?"),
        ("푸른통장 금리 몇프로예요", "언제 자요?"),
        ("별빛포인트 유효기간 있어요?", "통신사 포인트는 어디서 봐요"),
        ("보험금 청구했는데 며칠만에 나와요", "택배는 며칠만에 와요"),
        ("전문직 대출 한도 얼마 나와요", "금리는 몇프로예요"),
    ],
)
def test_what_no_row_says_is_not_answered(chat: ChatService, first: str, then: str) -> None:
    assert converse(chat, first, then).status != "answered"


@pytest.mark.parametrize("then", ["이자가 얼마쯤 해요", "금리가 얼마정도예요"])
def test_an_aspect_alone_is_not_answered_by_a_row_on_a_special_case_of_it(chat: ChatService, then: str) -> None:
    answer = converse(chat, "전문직 대출 서류 뭐 내야돼요", then)
    assert (answer.status, answer.sources[:1] and answer.sources[0].id) != ("answered", "late")


@pytest.mark.parametrize(
    ("first", "then", "row"),
    [
        ("별빛포인트 유효기간 있어요?", "아 그건 됐고 카드 한도 올리려고요", "raise"),
        ("대출 이자 내는 날 바꿀수 있어요?", "그나저나 금융인증서 발급 좀", "certificate"),
        ("전문직 대출 한도가 어떻게 되죠", "됐고 비대면 통장 개설 몇 시부터 돼요", "hours"),
    ],
)
def test_what_was_asked_before_is_put_aside(chat: ChatService, first: str, then: str, row: str) -> None:
    answer = converse(chat, first, then)
    assert (answer.status, answer.sources[0].id) == ("answered", row)


@pytest.mark.parametrize("then", ["그건 됐고 주차장에 자리 있어요", "그건 그렇고 점심 뭐가 맛있어요"])
def test_nothing_of_what_was_put_aside_is_offered(chat: ChatService, then: str) -> None:
    assert converse(chat, "카드 이용한도 올리려고요", then).status == "declined"


def test_an_aspect_that_is_put_aside_leaves_the_topic(chat: ChatService) -> None:
    answer = converse(chat, "전문직 대출 한도 얼마 나와요", "그건 됐고 서류는요")
    assert (answer.status, answer.sources[0].id) == ("answered", "papers")
