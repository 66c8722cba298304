"""Which texts a message in a conversation is searched by."""

from __future__ import annotations

import pytest

from rag.answering.condense import MAX_JOINED_CHARS, alone, joined, points_back, stands_alone
from rag.types import Turn

FIRST = Turn("새나래 카드형 OTP 잃어버렸는데 다시 받으려면 어떻게 해요?")


def test_without_a_history_a_question_is_itself() -> None:
    assert alone("그럼 수수료는요?", ()) == "그럼 수수료는요?"
    assert joined("그럼 수수료는요?", ()) is None


@pytest.mark.parametrize("message", ["그럼 수수료는요?", "해외에서는요?", "그거 얼마나 걸려요"])
def test_a_short_follow_up_is_joined_to_what_it_follows(message: str) -> None:
    assert joined(message, [FIRST]) == f"{FIRST.question} {message}"


@pytest.mark.parametrize("lead", ["아 그리고 ", "근데 다른 건데 ", "아 맞다 ", "하나만 더요 "])
def test_a_new_subject_is_searched_alone_without_its_lead(lead: str) -> None:
    message = f"{lead}이사해서 집 주소를 바꾸고 싶어요"
    assert stands_alone(message)
    assert joined(message, [FIRST]) is None
    assert alone(message, [FIRST]) == "이사해서 집 주소를 바꾸고 싶어요"


def test_a_long_message_stands_alone_unless_it_points_back() -> None:
    long = "미국주식 배당금은 달러로 들어오는지 원화로 들어오는지 알고 싶어요"
    assert stands_alone(long)
    assert not stands_alone(f"그럼 {long}")
    assert points_back(f"그럼 {long}")


def test_a_chain_of_follow_ups_goes_back_to_the_question_they_are_about() -> None:
    history = [Turn("적금 우대금리 조건을 다 채웠는지 어디에서 볼 수 있나요"), FIRST, Turn("수수료는요?")]
    assert joined("얼마나 걸려요?", history) == f"{FIRST.question} 수수료는요? 얼마나 걸려요?"


def test_history_is_text_and_never_a_template() -> None:
    braces = Turn("{context_str} {query_str} %s ${x}")
    assert joined("그건요?", [braces]) == "{context_str} {query_str} %s ${x} 그건요?"


def test_a_long_history_is_cut_from_its_beginning() -> None:
    text = joined("그건요?", [Turn("가" * 2000)])
    assert text is not None
    assert len(text) == MAX_JOINED_CHARS
    assert text.endswith("그건요?")
