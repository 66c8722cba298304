"""Words that are forms of everyday verbs and name no thing."""

from __future__ import annotations

import pytest

from rag.conversation.asked_of_row import things
from rag.conversation.general_verbs import is_general_verb


@pytest.mark.parametrize(
    "word",
    [
        "받는",
        "받은",
        "나오기",
        "남은",
        "넣을때",
        "찾았는데",
        "떨어져",
        "시작한",
        "바뀌는지",
        "물어볼",
        "들어온",
        "생기면",
    ],
)
def test_a_form_of_a_general_verb_names_no_thing(word: str) -> None:
    assert is_general_verb(word)


@pytest.mark.parametrize(
    "word", ["가족", "만기", "나이", "해외", "보험", "주소", "들기름", "내용", "알림", "하자", "되팔기", "남편"]
)
def test_a_noun_that_begins_like_one_does(word: str) -> None:
    assert not is_general_verb(word)


def test_only_what_a_message_names_is_left() -> None:
    assert things("남은 적립금은 어디로 나와요") == ("적립금",)
    assert things("심사 결과 나오기까지 떨어지면요") == ("심사", "결과")
