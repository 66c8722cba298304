"""What a message tells of the customer's own case, after rows were shown."""

from __future__ import annotations

import pytest

from rag.conversation.own_case import asks_of_case, offer_again, states_case
from rag.retrieval.confidence import Verdict
from rag.types import Turn
from tests.unit.test_shown_rows import verdict


@pytest.mark.parametrize(
    ("message", "before"),
    [
        ("45분 넘었어요", ""),
        ("연소득 3100만원이요", ""),
        ("저는 29살인데요", ""),
        ("벌써 사흘 지났는데요", ""),
        ("8개월 탔어", ""),
        ("3년 썼습니다", ""),
        ("신용점수 710점인데", ""),
        ("재직 5개월밖에 안 됐어요", ""),
        ("작년에 바뀌었다던데요", ""),
        ("한도가 줄었다고 들었어요", ""),
        ("카드 만든 지 2년 됐어요", "카드 재발급"),
    ],
)
def test_a_value_or_a_change_is_stated_of_ones_own_case(message: str, before: str) -> None:
    assert states_case(message, before)


@pytest.mark.parametrize(
    "message",
    [
        "남자친구랑 200일 됐어요",
        "고양이가 4살이에요",
        "피자 3만원이에요",
        "날씨가 바뀌었다던데",
        "5년 된 적금은 어떻게 해요",
        "한도 500만원으로 올려 주세요",
        "비밀번호 5회 틀렸어요",
        "이체 수수료는요",
        "010-1234-5678이에요",
        "ㅋㅋㅋ",
    ],
)
def test_what_names_something_else_or_asks_states_none(message: str) -> None:
    assert not states_case(message)


def test_a_part_or_a_value_is_asked_of_the_rows_that_name_the_rest() -> None:
    rows = verdict("적금 해지", "적금 가입").ranked
    for message in (
        "절반만 뺄 수 있어요?",
        "매달 80만원 넣을 수 있나요",
        "3개월 된 적금도 되나요",
        "취업 세 달째인데 되나요",
    ):
        assert asks_of_case(message, "적금 해지", rows), message
    for message in (
        "게임 2시간 할 수 있나요",
        "노래 일부만 들려줄 수 있나요",
        "가능한가요",
        "우주선 80만원에 살 수 있나요",
    ):
        assert not asks_of_case(message, "적금 해지", rows), message


def test_the_rows_shown_are_offered_again_before_others() -> None:
    found = verdict("적금 해지", "적금 가입", "예금 해지", "청약 해지")
    shown = found.ranked[1:2]
    again = offer_again(shown, found, "20일 됐어요", Turn("적금 가입", "답변 [1]", "answered", ("r1",)))
    assert again.status == "suggested" and again.note and again.note.kind == "already_shown"
    assert [hit.node.node_id for hit in again.nodes] == ["r1", "r0", "r2"] and len(again.ranked) == 4
    declined = Verdict("declined", "off_topic", (), found.ranked, 0.0, 0.0, "20일 됐어요")
    alone = offer_again(shown, declined, "20일 됐어요", Turn("적금", "", "suggested", ("r1",)))
    assert [hit.node.node_id for hit in alone.nodes] == ["r1"] and alone.reason is None and alone.note is None
