"""What a row excepts or treats for all kinds of a thing is answered by it, and no note says that it is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from llama_index.core.schema import TextNode

from rag.constraints.compounds import is_on_all_kinds
from rag.constraints.contrasts import is_excepted
from rag.retrieval.confidence import Verdict, defaults, judge
from rag.retrieval.hybrid import DENSE, FusedNode
from rag.stores.base import JAMO, TOKENS
from rag.types import Note

EAGER = replace(defaults(), answered=0.0, suggested=0.0, off_topic=0.0)
SPLIT = ("분할 납부 행사가 궁금해요.", "마트에서 2~4개월 나눠 내실 수 있습니다. 체크카드와 기프트카드는 제외합니다.")
LOST = ("카드를 잃어버렸어요.", "고객센터로 24시간 신고해 주세요.")
LIMIT = ("카드 한도를 올리고 싶어요.", "앱에서 소득 서류를 내 주세요.")
DEBIT = ("체크카드를 만들려면 어떻게 하나요?", "앱에서 신청하세요. 통장이 있어야 합니다.")


def verdict(question: str, *rows: tuple[str, str]) -> Verdict:
    parts = {DENSE: 0.9, TOKENS: 0.5, JAMO: 0.3}
    nodes = [TextNode(id_=asked, text=answer, metadata={"question": asked}) for asked, answer in rows]
    return judge(question, [FusedNode(node=n, score=5.0 - i, parts=parts) for i, n in enumerate(nodes)], EAGER)


@pytest.mark.parametrize(
    ("question", "thing", "answer", "expected"),
    [
        ("체크카드도 분할 납부 되나요?", "체크카드", SPLIT[1], True),
        ("체크카드 분할 납부는 어떻게 하나요?", "체크카드", SPLIT[1], False),  # asks for more than whether
        ("체크카드 수수료 얼마예요", "체크카드", SPLIT[1], False),
        ("외화통장도 되나요", "외화통장", "외화통장도 됩니다. 현금은 안 됩니다.", False),
        ("보증인 세울 수 있나요", "보증인", "보증인 없이 빌리실 수 있으며 수수료는 받지 않습니다.", False),
        ("여권도 되나요", "여권", "여권은 쓸 수 없습니다.", True),
    ],
)
def test_a_sentence_that_refuses_a_thing_answers_whether_it_is_possible(
    question: str, thing: str, answer: str, expected: bool
) -> None:
    assert is_excepted(question, thing, answer) is expected


def test_what_a_row_excepts_is_answered() -> None:
    assert verdict("체크카드도 분할 납부 행사 되나요?", SPLIT).status == "answered"
    assert verdict("체크카드 분할 납부 행사 수수료 얼마예요?", SPLIT).status == "suggested"


def test_a_row_on_cards_is_on_credit_cards_and_one_on_lost_cards_on_all() -> None:
    assert is_on_all_kinds(*LIMIT, "신용카드") and not is_on_all_kinds(*LIMIT, "체크카드")
    assert is_on_all_kinds(*LOST, "신용카드") and is_on_all_kinds(*LOST, "체크카드")
    assert not is_on_all_kinds(*DEBIT, "신용카드")
    assert verdict("체크카드 잃어버렸어요", LOST).status == "answered"
    assert verdict("신용카드 한도 올리고 싶어요", LIMIT).status == "answered"


def test_no_note_says_of_a_thing_that_a_row_on_its_general_kind_is_not_about_it() -> None:
    found = verdict("선불카드 한도 올리고 싶어요", LIMIT, SPLIT)
    assert (found.status, found.note) == ("suggested", None)
    other = verdict("신용카드 만들려면 어떻게 하나요?", DEBIT)
    assert (other.status, other.note) == ("suggested", Note("not_held", {"word": "신용카드"}))
