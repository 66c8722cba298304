"""A message that answers what was shown before."""

from __future__ import annotations

from typing import Any, cast

import pytest
from llama_index.core.schema import BaseNode, TextNode

from rag.conversation.shown_rows import read_choice
from rag.conversation.word_rules import CHOOSING, says
from rag.stores.base import PassageStore
from rag.types import Turn

QUESTIONS = {"a": "이체한도를 늘리려면?", "b": "이체 수수료는?", "c": "통장을 해지하려면?"}


class Rows:
    """What `read_choice` asks of a store; row "c" is split in two."""

    def get_nodes(self, node_ids: list[str] | None = None, filters: Any = None) -> list[BaseNode]:
        nodes = {
            name: TextNode(id_=name, text="답변", metadata={"question": question, "bank": "가온은행"})
            for name, question in (("a", QUESTIONS["a"]), ("b", QUESTIONS["b"]), ("c#0", QUESTIONS["c"]))
        }
        return [nodes[name] for name in node_ids or () if name in nodes]


STORE = cast(PassageStore, Rows())
SUGGESTED = [Turn("이체", "아래에서 골라 주세요", "suggested", ("a", "b", "c"))]


def outcome(message: str, history: list[Turn]) -> tuple[str, list[str], str | None] | None:
    verdict = read_choice(message, history, STORE)
    if verdict is None:
        return None
    may_choose = (history and history[-1].status == "suggested") or says(message, *CHOOSING)
    assert may_choose, "read by no step where nothing says that it chooses"
    return verdict.status, [node.node.node_id for node in verdict.nodes], verdict.note.kind if verdict.note else None


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("1번이요", ("answered", ["a"], None)),
        ("두 번째 거", ("answered", ["b"], None)),
        ("마지막이요", ("answered", ["c#0"], None)),
        ("이체 수수료는", ("answered", ["b"], None)),
        ("가온은행 통장을 해지하려면?", ("answered", ["c#0"], None)),
        ("7번", ("suggested", ["a", "b", "c#0"], "which")),
        ("네", ("suggested", ["a", "b", "c#0"], "which")),
        ("아니요", ("declined", [], "none_chosen")),
        ("이체한도 말고 OTP요", None),
        ("네 수수료는요?", None),
    ],
)
def test_a_message_chooses_among_suggestions(message: str, wanted: tuple[str, list[str], str | None] | None) -> None:
    assert outcome(message, SUGGESTED) == wanted


def test_yes_to_one_suggestion_is_that_one() -> None:
    assert outcome("네", [Turn("이체", "", "suggested", ("b",))]) == ("answered", ["b"], None)


def test_after_an_answer_a_number_is_one_of_its_sources_and_a_yes_is_courtesy() -> None:
    answered = [Turn("이체", "답변 [1]", "answered", ("a", "b"))]
    assert outcome("2번이요", answered) == ("answered", ["b"], None)
    assert outcome("2", answered) is None, "a bare number may be an amount"
    assert outcome("네", answered) == outcome("아니요", answered) == ("declined", [], "nothing_pending")


def test_rows_that_are_gone_are_no_choice() -> None:
    assert outcome("1번", [Turn("이체", "", "suggested", ("z",))]) == ("declined", [], "which")


def test_without_what_was_shown_nothing_is_a_choice() -> None:
    history = [Turn("이체", "아래에서 골라 주세요")]
    assert outcome("1번이요", history) is None and outcome("네", history) is None


def test_a_reply_to_nothing_is_met_with_courtesy() -> None:
    for message in ("1번이요", "네", "아니요"):
        assert outcome(message, []) == ("declined", [], "no_list" if message == "1번이요" else "nothing_pending")
    assert outcome("3", []) is None and outcome("이체한도", []) is None


@pytest.mark.parametrize("message", ["두 번째 거", "3번이요", "마지막 거요"])
def test_a_choice_where_nothing_was_offered_is_said_so(message: str) -> None:
    declined = [Turn("비밀번호", "찾지 못했습니다", "declined")]
    assert outcome(message, declined) == ("declined", [], "no_list")
    assert outcome("3", declined) is None, "a number alone may be anything"


def test_a_number_after_one_of_the_suggestions_still_means_them() -> None:
    chosen = [*SUGGESTED, Turn("1번", "답변 [1]", "answered", ("a",))]
    assert outcome("그럼 두 번째는?", chosen) == ("answered", ["b"], None)
    parts = [*SUGGESTED, Turn("이체랑 통장", "답변 [1]", "answered", ("b", "a"))]
    assert outcome("두 번째 거", parts) == ("answered", ["a"], None), "an answer in parts has numbers of its own"
    assert outcome("그럼 두 번째는?", [Turn("이체", "답변 [1]", "answered", ("a",))]) == ("declined", [], "no_list")


def test_what_was_shown_is_offered_again_to_who_asks_for_it_again() -> None:
    answered = [Turn("이체", "답변 [1]", "answered", ("a", "b"))]
    assert outcome("다시 한번 설명해줘", answered) == ("suggested", ["a", "b"], "already_shown")
    assert outcome("다시 보여주세요", SUGGESTED) == ("suggested", ["a", "b", "c#0"], "already_shown")
    assert outcome("다시 설명해줘", [Turn("날씨", "", "declined")]) is None


@pytest.mark.parametrize("message", ["2번으로 할게요", "아니 다른 거요", "그거 말고 다른거", "세 번째 거 보여줘"])
def test_a_choice_before_any_list_is_said_to_have_none(message: str) -> None:
    assert outcome(message, []) == ("declined", [], "no_list")


@pytest.mark.parametrize("message", ["찾는 게 없어요", "원하는 질문은 안 보이네요", "여기 없는데요"])
def test_none_of_the_suggestions_may_be_said_in_other_words(message: str) -> None:
    answered = [Turn("이체", "답변 [1]", "answered", ("a",))]
    assert outcome(message, SUGGESTED) == outcome(message, answered) == ("declined", [], "none_chosen")


def test_a_number_after_a_row_of_an_answer_in_parts_still_means_its_list() -> None:
    chosen = [Turn("이체랑 통장", "답변 [1]", "answered", ("a", "b", "c")), Turn("3번", "답변 [1]", "answered", ("c",))]
    assert outcome("2번이요", chosen) == ("answered", ["b"], None)
    assert outcome("4번이요", chosen) == ("suggested", ["a", "b", "c#0"], "which")
