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
    ],
)
def test_a_row_that_two_readings_find_answers(chat: ChatService, first: str, then: str, row: str) -> None:
    answer = converse(chat, first, then)
    assert (answer.status, answer.sources[0].id) == ("answered", row)
