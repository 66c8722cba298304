"""The readings of a message in a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.conversation import follow_up_rules
from rag.conversation.follow_up_rules import (
    MAX_JOINED_CHARS,
    MAX_TURNS,
    chosen_number,
    replace_topic,
    standalone_text,
    stands_alone,
)
from rag.conversation.row_search import RowSearch
from rag.conversation.searcher import Searcher
from rag.conversation.word_rules import WordRule, content_words, nouns, rules, says
from rag.models.cancellation import CancelScope
from rag.retrieval.confidence import Verdict, defaults
from rag.stores.base import PassageStore
from rag.types import Filters, Turn

PATTERNS = list(rules().values())
FIRST = "새나래은행 적금을 중간에 해지하면 이자가 얼마인가요"


def joined(question: str, history: Sequence[Turn], *topics: str) -> str | None:
    """The joined reading where there is one; of the earlier messages, `topics` are found by themselves."""
    return (
        follow_up_rules.contextual_text(question, history, topics.__contains__)
        if not follow_up_rules.stands_alone(question)
        else None
    )


def turns(*questions: str) -> list[Turn]:
    return [Turn(question, "답변입니다.") for question in questions]


@pytest.mark.parametrize("question", ["이체한도", "그럼 수수료는요?", "그리고 이체한도는요", ""])
def test_a_first_message_is_searched_as_it_is(question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    searched = []

    def search(_rows: RowSearch, text: str, _filters: Filters) -> Verdict:
        searched.append(text)
        return Verdict("declined", "not_covered", (), (), 0.0, 0.0, text)

    monkeypatch.setattr(RowSearch, "search", search)
    monkeypatch.setattr(RowSearch, "limited", lambda _rows, _text, filters: filters)
    Searcher(cast(PassageStore, None), None, defaults(), None, CancelScope(1.0)).rank(question, (), Filters())
    assert searched == [question]


@pytest.mark.parametrize(
    "question",
    [
        "그럼 수수료는요?",
        "그거 언제 돼요",
        "아니면 전화로는요",
        "만약 늦으면",
        "수수료는요?",
        "앱으로도 되나요",
        "왜요ㅠ",
    ],
)
def test_a_short_follow_up_is_also_read_with_what_it_follows(question: str) -> None:
    assert joined(question, turns(FIRST)) == f"{FIRST} {question}"


def test_a_message_that_points_back_is_never_enough_alone() -> None:
    long = "그럼 그걸 중간에 해지하지 않고 만기까지 두면 이자가 얼마나 더 붙는지도 알려 주세요"
    assert says(long, "back reference") and not stands_alone(long)
    assert joined(long, turns(FIRST)) == f"{FIRST} {long}"
    assert not says("수수료는요?", "back reference")


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("그리고 통장 비밀번호를 잊어버렸어요", "통장 비밀번호를 잊어버렸어요"),
        ("아 그리고 통장 비밀번호를 잊어버렸어요", "통장 비밀번호를 잊어버렸어요"),
        ("근데 다른 질문인데요, 통장 비밀번호를 잊어버렸어요", "통장 비밀번호를 잊어버렸어요"),
        ("하나만 더요 통장 비밀번호를 잊어버렸어요", "통장 비밀번호를 잊어버렸어요"),
    ],
)
def test_a_new_subject_is_read_alone_without_the_words_that_open_it(question: str, rest: str) -> None:
    assert joined(question, turns(FIRST)) is None
    assert standalone_text(question) == rest


def test_a_long_message_stands_by_itself() -> None:
    question = "통장을 만들고 싶은데 미성년자도 혼자 신청할 수 있는지 궁금합니다"
    assert joined(question, turns(FIRST)) is None
    assert standalone_text(question) == question


def test_nothing_but_opening_words_is_kept() -> None:
    assert standalone_text("그리고") == "그리고"
    assert joined("그리고", turns(FIRST)) == f"{FIRST} 그리고"


def test_a_chain_reaches_back_to_the_message_that_stands_alone() -> None:
    history = turns("통장을 만들고 싶은데 미성년자도 혼자 신청할 수 있나요", FIRST, "그럼 세금은요?")
    assert joined("앱으로는요?", history) == f"{FIRST} 그럼 세금은요? 앱으로는요?"


def test_a_chain_reaches_back_to_the_message_that_has_a_topic_of_its_own() -> None:
    """Short as it is, it is no follow-up: with the question before it a customer would be answered on that one."""
    history = turns(FIRST, "otp 숫자가 안 떠요")
    assert joined("새로 사야 돼?", history) == f"{FIRST} otp 숫자가 안 떠요 새로 사야 돼?"
    assert joined("새로 사야 돼?", history, "otp 숫자가 안 떠요") == "otp 숫자가 안 떠요 새로 사야 돼?"
    opened = turns(FIRST, "근데 otp 숫자가 안 떠요")
    assert joined("새로 사야 돼?", opened, "otp 숫자가 안 떠요") == "근데 otp 숫자가 안 떠요 새로 사야 돼?"
    pointing = turns(FIRST, "그럼 세율은요")
    assert joined("수수료는?", pointing, "그럼 세율은요") == f"{FIRST} 그럼 세율은요 수수료는?", (
        "it says that it has none"
    )


def test_of_an_elliptical_message_between_the_topic_before_it_is_kept() -> None:
    history = turns("나루포인트 유효기간이 어떻게 돼요", "현금으로 바꾸는 건?")
    assert joined("모으는 건 어떻게 해?", history, "현금으로 바꾸는 건?") == (
        "나루포인트 현금으로 바꾸는 건? 모으는 건 어떻게 해?"
    )
    named = turns("나루포인트 유효기간이 어떻게 돼요", "적금 중도해지는?")
    assert joined("만기는?", named, "적금 중도해지는?") == "적금 중도해지는? 만기는?", "it has a product of its own"


@pytest.mark.parametrize(
    ("earlier", "message", "replaced"),
    [
        ("이체한도를 올리고 싶어요", "그럼 줄이는건?", "이체한도를 줄이고 싶어요"),
        ("적금 만기일 알려줘", "아니 적금 말고 예금", "예금 만기일 알려줘"),
        ("해외주식 결제일", "국내는요?", "국내주식 결제일"),
        ("자동이체 등록하고 싶은데", "없애는건?", "자동이체 하고 싶은데"),
        ("지로 자동이체 가입돼 있어요", "해지하려면?", "지로 자동이체 가입돼 있어요"),
        ("카드 재발급 비용", "보안카드는?", "보안카드 재발급 비용"),
        ("예금자보호 한도", "적금도 돼요?", "예금자보호 한도"),
        ("적금이랑 예금 차이", "적금은 언제까지요?", "적금이랑 예금 차이"),
        ("이체 수수료 얼마예요", "며칠 걸려요?", "이체 수수료 얼마예요"),
        ("햇살적금 2년 이율 알려주세요", "그럼 3년은요?", "햇살적금 3년 이율 알려주세요"),
        ("신용 4등급 한도가 얼마예요", "2등급이면?", "신용 2등급 한도가 얼마예요"),
        ("3천만원 보낼때 수수료", "5천만원은?", "5천만원 보낼때 수수료"),
        ("햇살적금 2년 이율", "3천만원은요?", "햇살적금 2년 이율"),
        ("1년에서 2년으로 바꾸려면", "3년은요?", "1년에서 2년으로 바꾸려면"),
        ("햇살적금 2년 이율", "3년 뒤 수수료는요?", "햇살적금 2년 이율"),
        ("", "그럼 줄이는건?", ""),
    ],
)
def test_what_a_message_names_takes_the_place_of_what_was_named_before(
    earlier: str, message: str, replaced: str
) -> None:
    assert replace_topic(earlier, message) == replaced


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("수수료는요?", True),
        ("깜빡하고 안 찾으면?", True),
        ("7년전꺼두요", True),
        ("영업점 안 가고요ㅠ", True),
        ("언제까지", True),
        ("오늘 점심 뭐 먹지", False),
        ("점수 떨어져?", False),
        ("ㅁㄴㅇㄹ", False),
        ("", False),
    ],
)
def test_a_sentence_without_its_verb_is_elliptic(message: str, wanted: bool) -> None:
    assert says(message, "ellipsis") is wanted


def test_a_chain_is_bounded_in_turns_and_characters() -> None:
    history = turns(*(f"그럼 {number}은요?" for number in range(9)))
    text = joined("그건요?", history)
    assert text == " ".join([*(f"그럼 {number}은요?" for number in range(9 - MAX_TURNS, 9)), "그건요?"])
    text = joined("그건요?", turns("가" * 1000))
    assert text is not None and len(text) == MAX_JOINED_CHARS and text.endswith("가 그건요?")


def test_the_message_itself_is_never_cut() -> None:
    question = "그럼 " + "가나다라마바사아자차 " * 60
    text = joined(question, turns(FIRST))
    assert text is not None and text.endswith(question)


def test_history_is_text_and_no_template() -> None:
    """LlamaIndex's chat engines fill {context_str} in a past message with what was retrieved."""
    assert joined("그럼 {question}은요?", turns("{context_str} {0} %s")) == "{context_str} {0} %s 그럼 {question}은요?"


def test_answers_are_no_part_of_a_reading() -> None:
    assert joined("그럼요?", [Turn("한도는요?", "비밀 답변")]) == "한도는요? 그럼요?"


@given(st.text(), st.lists(st.text(), max_size=5))
def test_any_conversation_has_a_reading(question: str, history: list[str]) -> None:
    assert standalone_text(question) or not question
    together = joined(question, turns(*history))
    assert together is None or together.endswith(question)


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [(pattern, text, True) for pattern in PATTERNS for text in pattern.examples]
    + [(pattern, text, False) for pattern in PATTERNS for text in pattern.not_examples],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_pattern_matches_its_examples_alone(pattern: WordRule, text: str, wanted: bool) -> None:
    assert pattern.matches(text) is wanted


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ("1번이요", 1),
        ("3", 3),
        ("두 번째 거", 2),
        ("세번째꺼 알려주세요", 3),
        ("마지막 거", 4),
        ("the second one", 2),
        ("option 4", 4),
        ("9번", 9),
        ("１번", 1),
        ("1년", None),
        ("두 번째 비밀번호", None),
        ("", None),
    ],
)
def test_a_choice_is_a_number(message: str, number: int | None) -> None:
    assert chosen_number(message, 4) == number


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("그럼 수수료는요?", ("수수료",)),
        ("대출 되나요", ("대출",)),
        ("얼마예요?", ()),
        ("몇 시까지 해요?", ()),
        ("몇 프로 떼요", ("떼요",)),
        ("면제되는 경우는?", ("면제", "경우")),
        ("이체한도요", ("이체한도",)),
        ("변경제도요", ("변경제도",)),
        ("수수료도요?", ("수수료",)),
        ("신청할수 있나요", ("신청",)),
        ("대출받을 수 있나요", ("대출",)),
        ("원금분할 상환", ("원금분할", "상환")),
        ("", ()),
    ],
)
def test_content_words_are_without_endings(message: str, words: tuple[str, ...]) -> None:
    assert content_words(message) == words


@pytest.mark.parametrize("message", ["공항에서 뺄수 있나요", "공항에서 받을 수는 없나요", "공항에서 바꿀수있어요?"])
def test_what_one_can_do_is_no_noun(message: str) -> None:
    assert nouns(message) == ("공항",)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("며칠까지 가능해요", ("며칠",)),
        ("해외도 가능할까요?", ("해외",)),
        ("가능합니까", ()),
        ("가능한도", ("가능한도",)),
        ("가능금액", ("가능금액",)),
    ],
)
def test_that_something_is_possible_names_no_thing(message: str, words: tuple[str, ...]) -> None:
    assert content_words(message) == words


@pytest.mark.parametrize(
    ("message", "read"),
    [
        ("돈 들어요?", "수수료 있어요?"),
        ("심사 오래 걸려요?", "심사 얼마나 걸려요?"),
        ("얼마나 오래 걸리는데요", "얼마나 걸리는데요"),
    ],
)
def test_everyday_words_for_a_value_are_read(message: str, read: str) -> None:
    assert follow_up_rules.in_the_banks_words(message) == read
