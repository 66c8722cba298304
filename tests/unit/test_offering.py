"""From which chance on rows are offered: doubts, lone words, and words that nothing knows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

from rag.retrieval.confidence import judge
from rag.retrieval.hybrid import PARTS, FusedNode
from rag.retrieval.offering import DOUBTFUL, Wording, bound_of, is_one_of_several, least_chance
from rag.retrieval.ranking import order_by_agreement
from tests.unit.test_confidence import PLAIN


def row(name: str, question: str, answer: str, score: float) -> FusedNode:
    node = TextNode(
        id_=name,
        text=answer,
        metadata={"question": question},
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=name)},
    )
    return FusedNode(node=node, score=score, parts=dict.fromkeys(PARTS, 0.5))


CARDS = [
    row("limit", "체크카드 한도를 변경하려면 어떻게 하나요?", "앱에서 바꾸십시오.", 4.0),
    row("issue", "체크카드를 발급받으려면 어떻게 하나요?", "영업점에서 신청하십시오.", 3.0),
    row("loss", "체크카드를 잃어버리면 어떻게 하나요?", "고객센터로 신고하십시오.", 2.0),
]


def bound(question: str, words: tuple[str, ...], *, about_banking: bool) -> str:
    return bound_of(question, order_by_agreement(question, CARDS), Wording(words, about_banking))


@pytest.mark.parametrize(
    ("question", "words", "about_banking", "expected"),
    [
        ("법인카드 한도", ("법인카드", "한도"), True, "doubtful"),  # none of the three is about 법인카드
        ("체크카드 한도", ("체크카드", "한도"), True, "off_topic"),
        ("체크카드 한도를 바꾸고 싶은데 어떻게 하나요", ("체크카드", "한도", "바꾸고"), True, "suggested"),
        ("미용실 몇시까지 해", ("미용실",), False, "unknown_words"),
        ("신고 어디", ("신고",), False, "off_topic"),  # a row holds it
        ("비번 까먹음", ("비번", "까먹음"), False, "off_topic"),  # the lexicon knows both
        ("핸드폰새로샀는데앱에어떻게들어가요", ("핸드폰새로샀는데앱에어떻게들어가요",), False, "suggested"),
    ],
)
def test_which_bound_a_question_has_to_reach(
    question: str, words: tuple[str, ...], about_banking: bool, expected: str
) -> None:
    assert bound(question, words, about_banking=about_banking) == expected


def test_of_fewer_rows_than_are_offered_a_thing_lacking_tells_nothing() -> None:
    assert order_by_agreement("법인카드 한도", CARDS).lacks_thing
    assert not order_by_agreement("법인카드 한도", CARDS[:2]).lacks_thing


def test_the_bounds_of_a_calibration() -> None:
    chances = [least_chance(0.05, 0.02, each) for each in ("off_topic", "suggested", "doubtful", "unknown_words")]
    assert chances == [0.02, 0.05, DOUBTFUL, DOUBTFUL]
    assert least_chance(0.4, 0.02, "doubtful") == 0.4


SHARES = row("fee", "외화주식 사고팔 때 외화주식수수료", "0.2%입니다.", 4.0)
FRACTIONS = row("part", "소수점 주문은 되나요?", "외화주식만 되고 외화주식수수료는 따로 붙습니다.", 3.0)
PENSION = row("pension", "연금이전 신청, 해지, 재발급, 한도", "앱에서 신청하십시오.", 4.0)


@pytest.mark.parametrize(
    ("message", "word", "hits", "is_open"),
    [
        ("외화주식", "외화주식", [SHARES, FRACTIONS], True),
        ("외화주식요", "외화주식", [SHARES, FRACTIONS], True),
        ("외화주식 어떻게 사요", "외화주식", [SHARES, FRACTIONS], False),
        ("외화주식수수료", "외화주식수수료", [SHARES, FRACTIONS], False),
        ("연금이전", "연금이전", [PENSION, FRACTIONS], False),
        ("해지", "해지", [PENSION, FRACTIONS], True),
        ("재발급이요", "재발급", [PENSION, FRACTIONS], True),
        ("한도", "한도", [PENSION, FRACTIONS], True),
        ("연금 관련 문의드려요", "연금", [PENSION, FRACTIONS], True),
        ("연금에 대해 궁금해요", "연금", [PENSION, FRACTIONS], True),
        ("연금 이전 관련 문의", "연금", [FRACTIONS], False),
    ],
)
def test_a_topic_that_answers_mention_and_an_action_or_aspect_of_nothing_leave_open_what_is_meant(
    message: str, word: str, hits: list[FusedNode], is_open: bool
) -> None:
    assert is_one_of_several(message, Wording((word,), about_banking=True), hits) is is_open


def test_a_lone_word_of_several_rows_is_offered_but_never_answered() -> None:
    lone = Wording(("체크카드",), about_banking=True)
    assert is_one_of_several("체크카드", lone, CARDS) and not is_one_of_several("체크카드", lone, CARDS[:1])
    assert not is_one_of_several("체크카드 한도", Wording(("체크카드", "한도"), about_banking=True), CARDS)
    assert not is_one_of_several("체크카드 얼마까지", lone, CARDS), "the value tells which of them is meant"
    passage = row("terms", "카드 약관 › 체크카드", "체크카드는 앱에서 신청한다.", 3.5)
    passage.node.metadata["document"] = "약관.pdf"
    assert not is_one_of_several("체크카드", lone, [CARDS[0], passage]), (
        "a document that says the same is no other topic"
    )
    sure = replace(PLAIN, answered=0.1, suggested=0.1)
    assert judge("체크카드", CARDS, sure).status == "answered"
    verdict = judge("체크카드", CARDS, sure, wording=lone)
    assert (verdict.status, verdict.is_blocked) == ("suggested", True)


def test_what_nothing_knows_is_off_topic_whatever_its_score() -> None:
    unsure = replace(PLAIN, covered=replace(PLAIN.covered, weights={}, bias=-2.2))  # a chance of .1
    assert (
        judge("미용실 머리", CARDS, replace(unsure, suggested=0.05, off_topic=0.02, answered=0.9)).status == "suggested"
    )
    verdict = judge(
        "미용실 머리",
        CARDS,
        replace(unsure, suggested=0.05, off_topic=0.02, answered=0.9),
        wording=Wording(("미용실", "머리"), about_banking=False),
    )
    assert (verdict.status, verdict.reason) == ("declined", "off_topic")


def test_a_word_that_only_other_trades_have_a_term_for_is_not_known() -> None:
    """Tyres are of a car insurer's FAQ: in an index without such rows the lexicon's line says nothing."""
    words, asked = ("펑크",), "펑크 났는데 언제 오나요"
    ordered = order_by_agreement(asked, CARDS)
    assert bound_of(asked, ordered, Wording(words, about_banking=False)) != "unknown_words"
    unheld = Wording(words, about_banking=False, unheld=frozenset({"타이어", "긴급출동"}))
    assert bound_of(asked, ordered, unheld) == "unknown_words"


@pytest.mark.parametrize("message", ["이체한도", "이체한도?", " 이체한도.. "])
def test_an_aspect_alone_leaves_open_what_is_meant_beside_a_row_on_changing_it(message: str) -> None:
    wording = Wording(("이체한도",), about_banking=True)
    raising = [row("raise", "이체한도를 올리려면 어떻게 하나요?", "앱에서 하루 2억원까지 올리실 수 있습니다.", 4.0)]
    amount = [row("amount", "이체한도는 얼마이고 어떻게 올리나요?", "하루 5천만원이며 앱에서 올리십시오.", 4.0)]
    assert is_one_of_several(message, wording, raising)
    assert not is_one_of_several(message, wording, amount)
    assert not is_one_of_several("이체한도 증액", Wording(("이체한도", "증액"), about_banking=True), raising)
