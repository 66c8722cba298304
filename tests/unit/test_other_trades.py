"""Things of other trades in a message that follows a question, and what names no such thing."""

from __future__ import annotations

from collections import Counter

import pytest

from rag.conversation.other_trades import listed_things, other_thing
from rag.data_files import read_table
from tests.unit.test_confidence import hit

LATE = "카드대금을 연체하면 어떻게 되나요?"
CANCEL = "체크카드 결제를 취소하면 환불은 언제 되나요?"
LIMIT = "이체한도를 올리려면 어떻게 하나요?"


@pytest.mark.parametrize(
    ("message", "question", "word"),
    [
        ("미용실 예약 취소는 어떻게 해요", CANCEL, "미용실"),
        ("티빙도 취소하면 돈 돌려주나", CANCEL, "티빙"),
        ("도서관에 낼 책도 연체하면 벌금 있나", LATE, "책"),
        ("세탁기에서 물이 새는데 어떻게 해요", LATE, "세탁기"),
        ("저녁 메뉴 뭐가 좋을까", LIMIT, "저녁 메뉴"),
        ("떡볶이값은 얼마나 올랐대요", LIMIT, "떡볶이"),
        ("로블록스 아이템 환불은 언제 돼요", CANCEL, "로블록스"),
    ],
)
def test_a_thing_of_another_trade_is_foreign_to_a_row(message: str, question: str, word: str) -> None:
    found = other_thing(message, question, row := hit("row", 1.0, question=question), [row])
    assert found is not None
    assert (found.word, found.is_foreign) == (word, True)


@pytest.mark.parametrize(
    ("message", "question", "word"),
    [("슬랙 탈퇴는 어떻게 해요", LATE, "슬랙"), ("우체통 위치를 올리려면요 어디로", LIMIT, "우체통")],
)
def test_an_unknown_noun_that_a_message_begins_with_may_be_meant_otherwise(
    message: str, question: str, word: str
) -> None:
    found = other_thing(message, question, row := hit("row", 1.0, question=question), [row])
    assert found is not None
    assert (found.word, found.is_foreign) == (word, False)


@pytest.mark.parametrize(
    ("message", "question"),
    [
        ("수수료도 있나요", LIMIT),
        ("편의점에서 긁은 것도 되나요", CANCEL),
        ("남편이 대신 해도 돼요?", LIMIT),
        ("앱에서도 올릴 수 있어요?", LIMIT),
        ("얼마까지 되는데요", LIMIT),
        ("한도는 하루에 얼마예요", LIMIT),
        ("다시 내리려면요", LIMIT),
        ("이틀 늦으면 뭐가 달라져요", LATE),
        ("결제한 날 취소하면 바로 들어와요?", CANCEL),
        ("서류 필요한가요", LIMIT),
        ("햇살통장은?", LIMIT),
    ],
)
def test_a_follow_up_names_no_thing_of_another_trade(message: str, question: str) -> None:
    row = hit("row", 1.0, question=question)
    assert other_thing(message, question, row, [row]) is None


def test_what_the_row_or_a_question_before_names_is_no_other_thing() -> None:
    row = hit("row", 1.0, question="병원비를 카드로 할부 결제할 수 있나요?")
    assert other_thing("병원 할부 이자는 얼마예요", "카드 할부", row, [row]) is None
    other = hit("other", 1.0, question="카드 할부 이자는 얼마인가요?")
    assert other_thing("병원 할부는 몇 개월까지 돼요", "병원비 카드로 내면", other, [other]) is None


def test_what_another_row_found_names_may_be_meant() -> None:
    first, second = hit("first", 2.0, question=CANCEL), hit("second", 1.0, question="병원 할부 취소")
    found = other_thing("병원 취소는 며칠 걸려요", "체크카드 환불", first, [first, second])
    assert found is not None
    assert not found.is_foreign


def test_only_whole_words_are_things() -> None:
    assert listed_things("책임보험 차감 밥먹듯이 옷핀 영화롭게") == ()
    assert listed_things("책은 옷도 밥값") == ("책", "옷", "밥")


def test_each_thing_stands_in_the_table_once() -> None:
    words = Counter(
        word for _, words, *_ in read_table("rag.conversation", "other_trades.tsv") for word in words.split()
    )
    assert [word for word, count in words.items() if count > 1] == []
