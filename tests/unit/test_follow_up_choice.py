"""What is offered where a message in a conversation can be read two ways."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.constraints.agreement import Conflict
from rag.conversation.follow_up_choice import STANDALONE_POSSIBLE, MessageSigns, as_offered, choose_reading
from rag.conversation.suggestions import as_suggestions, merge_as_suggestions
from rag.retrieval.confidence import Verdict, judge
from rag.types import Note, Turn
from tests.unit.test_confidence import ASKED, PLAIN, hit, rows


def verdict(*ids: str, top: float = 4.0) -> Verdict:
    return judge(ASKED, [hit(one, top - number) for number, one in enumerate(ids)], PLAIN)


def test_rows_of_both_readings_are_suggested_in_turn_and_nothing_is_quoted() -> None:
    contextual, standalone = verdict("old-1", "old-2", "old-3"), verdict("new-1", "old-1", "new-3", top=1.0)
    assert contextual.status == "answered"
    found = merge_as_suggestions(contextual, standalone)
    assert (found.status, found.reason) == ("suggested", None)
    assert rows(found.nodes) == ["old-1", "new-1", "old-2"]
    assert rows(found.ranked) == ["old-1", "new-1", "old-2", "old-3", "new-3"]
    assert {(node.status, node.quoted) for node in found.ranked} == {("suggested", False)}


def test_readings_that_agree_are_no_reason_for_doubt() -> None:
    contextual = verdict("a", "b")
    assert merge_as_suggestions(contextual, verdict("a", "c", top=1.0)) is contextual


def test_what_was_rejected_is_declined_where_no_other_row_is_left() -> None:
    found = as_suggestions(verdict("a"), without=["a"])
    assert (found.status, found.reason, found.nodes) == ("declined", "not_covered", ())
    assert as_offered(found, [], Turn("이체한도", "", "answered", ("a",))) == found


def test_what_the_contextual_reading_declines_stays_declined() -> None:
    found = merge_as_suggestions(verdict("old-1", "old-2", top=-3.0), verdict("new-1", top=-2.0))
    assert (found.status, found.nodes) == ("declined", ())
    assert rows(found.ranked) == ["old-1", "new-1", "old-2"]


def test_a_reading_that_finds_nothing_has_no_say() -> None:
    contextual, nothing = verdict("a"), judge(ASKED, [], PLAIN)
    assert (
        merge_as_suggestions(contextual, nothing) is contextual and merge_as_suggestions(nothing, contextual) is nothing
    )


UNRELATED = MessageSigns(own_match=0.0)
OWN = MessageSigns(own_match=0.2)


def uncovered(message: str) -> Verdict:
    """A message read alone that no row covers."""
    return judge(message, [hit("x", -3.0), hit("y", -4.0)], PLAIN)


@pytest.mark.parametrize(
    ("message", "signs", "wanted"),
    [
        ("점수 떨어져?", OWN, "answered"),
        ("서류는요?", replace(OWN, is_elliptical=True), "answered"),
        ("그럼 수수료는요?", replace(OWN, has_back_reference=True), "answered"),
        ("그거 언제 돼요", replace(UNRELATED, has_back_reference=True), "suggested"),
        ("며칠 걸려요", replace(UNRELATED, asks_on=True), "suggested"),
        ("끝말잇기 하자 너부터", replace(UNRELATED, is_elliptical=True), "declined"),
        ("오늘 점심 뭐 먹지", UNRELATED, "declined"),
        ("대출 되나요", replace(UNRELATED, asks_on=True, names_topic=True), "declined"),
        ("비트코인 얼마예요", replace(UNRELATED, asks_on=True, lacks_thing=True), "declined"),
        ("카드 연회비는 얼마예요", replace(OWN, names_topic=True, lacks_thing=True), "declined"),
        ("그럼 법인은요?", replace(OWN, has_back_reference=True, lacks_thing=True), "answered"),
        ("대출은 되고?", replace(UNRELATED, asks_on=True, is_elliptical=True), "suggested"),
    ],
)
def test_the_topic_before_answers_only_what_its_row_matches(message: str, signs: MessageSigns, wanted: str) -> None:
    contextual, standalone = verdict("old-1", "old-2"), uncovered(message)
    assert (contextual.status, standalone.status) == (
        "answered",
        "declined",
    ) and standalone.covered < STANDALONE_POSSIBLE
    chosen = choose_reading(contextual, standalone, signs)
    assert chosen.status == wanted
    assert rows(chosen.nodes) == ([] if wanted == "declined" else ["old-1", "old-2"])
    assert rows(chosen.ranked) == ["old-1", "old-2"], "what would have been offered"


def test_a_message_that_may_be_covered_alone_is_offered_both() -> None:
    standalone = verdict("new-1", top=1.0)
    assert standalone.covered >= STANDALONE_POSSIBLE
    assert rows(choose_reading(verdict("old-1"), standalone, OWN).nodes) == ["old-1", "new-1"]


def test_a_message_that_names_a_product_is_taken_by_itself() -> None:
    standalone, signs = verdict("new-1", top=0.5), MessageSigns(own_match=0.05, names_topic=True)
    assert standalone.status == "suggested"
    assert choose_reading(verdict("old-1"), standalone, signs) is standalone
    assert (
        choose_reading(verdict("old-1"), standalone, replace(signs, names_topic=False, has_back_reference=True)).status
        == "answered"
    )


def test_a_product_of_the_row_before_is_offered_never_answered() -> None:
    signs = replace(OWN, names_topic=True)
    assert rows(choose_reading(verdict("old-1"), uncovered("카드 연회비는"), signs).nodes) == ["old-1"]
    assert choose_reading(verdict("old-1"), uncovered("카드 연회비는"), signs).status == "suggested"


def test_an_elliptical_message_is_not_answered_alone() -> None:
    """ "서류는요?" after a question about loans is no question about the papers of a deputy, however well that row matches."""
    standalone, signs = verdict("new-1"), replace(UNRELATED, is_elliptical=True)
    assert standalone.status == "answered"
    assert choose_reading(verdict("old-1"), standalone, signs).status == "suggested"
    chosen = choose_reading(verdict("old-1", top=-3.0), standalone, signs)
    assert (chosen.status, rows(chosen.nodes)) == ("suggested", ["new-1", "old-1"]), "the likelier reading first"
    assert choose_reading(verdict("new-1", top=3.5), standalone, signs) is standalone, "both find it"


def test_the_same_is_asked_of_another_thing() -> None:
    """ "체크카드는요?" after a question on another card, of which a row says the same."""
    standalone = verdict("new-1", top=0.5)
    assert standalone.covered >= STANDALONE_POSSIBLE and standalone.status == "suggested"
    elliptical = replace(OWN, is_elliptical=True)
    assert choose_reading(verdict("old-1"), standalone, elliptical).status == "suggested"
    assert choose_reading(verdict("old-1"), standalone, replace(elliptical, names_thing_only=True)).status == "answered"
    without_its_word = replace(UNRELATED, is_elliptical=True, names_thing_only=True)
    assert choose_reading(verdict("old-1"), standalone, without_its_word).status == "suggested"


def test_an_ellipsis_is_not_answered_without_what_was_asked_before() -> None:
    """ "연체 있으면" after "리스 승계": a row on 연체 alone does not answer."""
    standalone = verdict("new-1")
    lacking = replace(verdict("new-1", top=1.0), conflicts=(Conflict("term", "승계", ""),))
    signs = replace(OWN, is_elliptical=True)
    assert choose_reading(lacking, standalone, signs).status == "suggested"
    assert choose_reading(replace(lacking, conflicts=()), standalone, signs).status == "answered"


def test_offering_makes_no_answer_of_what_is_declined() -> None:
    assert as_suggestions(verdict("a", top=-3.0)).status == "declined"
    assert {(node.status, node.quoted) for node in as_suggestions(verdict("a", "b")).nodes} == {("suggested", False)}


def test_behind_a_likely_row_only_likely_ones_and_those_on_the_same_word_are_offered() -> None:
    found = as_suggestions(verdict("a", "b", "c"))
    likely, unlikely, no_chance = (found.nodes[0].model_copy(update={"score": each}) for each in (0.6, 0.2, 0.001))
    turn = Turn("도장 바꾸려면", "", "answered", ("z",))
    offered = replace(found, nodes=(likely, unlikely, no_chance))
    assert as_offered(offered, (), turn).nodes == (likely, unlikely)
    assert as_offered(offered, ("이체한도",), turn).nodes == (likely, unlikely, no_chance)
    # Where none is likely, what is left is no better.
    assert as_offered(replace(found, nodes=(no_chance, no_chance)), (), turn).nodes == (no_chance, no_chance)


def test_what_was_only_offered_was_not_read() -> None:
    found = replace(as_suggestions(verdict("a")), note=Note("already_shown"))
    assert as_offered(found, (), Turn("도장", "", "answered", ("a",))).note == Note("already_shown")
    assert as_offered(found, (), Turn("도장", "", "suggested", ("a",))).note is None


def test_a_declined_message_has_no_remark_on_rows_offered() -> None:
    standalone = replace(uncovered("오늘 17일인데"), note=Note("limit", {"word": "17일"}))
    chosen = choose_reading(verdict("old", top=-3.0), standalone, UNRELATED)
    assert (chosen.status, chosen.note) == ("declined", None)
