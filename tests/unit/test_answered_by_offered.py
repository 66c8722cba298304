"""A row that was only offered answers what is asked next, where it alone of those offered states it."""

from __future__ import annotations

import pytest
from llama_index.core.schema import TextNode

from rag.conversation.shown_sentences import answered_by_offered
from rag.retrieval.confidence import JudgedNode, Verdict
from rag.types import Status, Turn

ANSWERS = {
    "payout": "서류를 받은 날부터 4영업일 안에 드립니다. 늦어지면 지연이자를 더해 드립니다.",
    "deadline": "사고일부터 3년 안에 청구하시면 됩니다.",
    "appeal": "다시 심사해 달라고 하실 수 있습니다.",
}
LAST = Turn("청구한 보험금 소식이 없어요", "", "suggested", tuple(ANSWERS))


def row(name: str, bank: str = "") -> JudgedNode:
    metadata = {"question": f"보험금 {name}", **({"bank": bank} if bank else {})}
    node = TextNode(id_=name, text=ANSWERS[name], metadata=metadata)
    return JudgedNode(node=node, parts={}, score=0.4, status="suggested")


def verdict(*names: str, status: Status = "suggested", covered: float = 0.3) -> Verdict:
    hits = tuple(map(row, names))
    return Verdict(status, None, hits, hits, covered, covered, "")


def answered(message: str, contextual: Verdict, standalone: Verdict, last: Turn = LAST) -> Verdict | None:
    return answered_by_offered(contextual, standalone, [row(name) for name in ANSWERS], last, message)


def test_the_row_that_alone_states_it_answers() -> None:
    found = answered("지연이자도 주나요", verdict("payout", "appeal"), verdict("appeal"))
    assert found is not None
    assert (found.status, [hit.node.node_id for hit in found.nodes], found.nodes[0].quoted) == (
        "answered",
        ["payout"],
        True,
    )


@pytest.mark.parametrize(
    ("message", "contextual", "standalone"),
    [
        ("지연이자도 주나요", verdict("appeal", "payout"), verdict("appeal")),
        ("지연이자도 주나요", verdict("payout", status="declined"), verdict("appeal")),
        ("지연이자도 주나요", verdict("payout"), verdict("appeal", status="answered", covered=0.95)),
        ("해외 병원도 되나요", verdict("payout"), verdict("appeal")),
        ("며칠 안에요", verdict("deadline"), verdict("appeal")),
    ],
)
def test_a_row_that_does_not_state_it_or_is_not_the_nearest_is_only_offered(
    message: str, contextual: Verdict, standalone: Verdict
) -> None:
    assert answered(message, contextual, standalone) is None


def test_what_was_answered_or_is_of_several_institutions_is_no_offer() -> None:
    contextual, standalone = verdict("payout"), verdict("appeal")
    assert (
        answered("지연이자도 주나요", contextual, standalone, Turn("청구", "답 [1]", "answered", ("payout",))) is None
    )
    offered = [row("payout", "가람생명"), row("deadline", "나래생명")]
    assert answered_by_offered(contextual, standalone, offered, LAST, "지연이자도 주나요") is None
