"""What is offered where a message in a conversation can be read two ways."""

from __future__ import annotations

import pytest

from rag.conversation.follow_up_choice import STANDALONE_POSSIBLE, as_suggestions, choose_reading, merge_as_suggestions
from rag.retrieval.confidence import Verdict, judge
from rag.stores.base import TOKENS
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


def test_what_the_contextual_reading_declines_stays_declined() -> None:
    found = merge_as_suggestions(verdict("old-1", "old-2", top=-3.0), verdict("new-1", top=-2.0))
    assert (found.status, found.nodes) == ("declined", ())
    assert rows(found.ranked) == ["old-1", "new-1", "old-2"]


def test_a_reading_that_finds_nothing_has_no_say() -> None:
    contextual, nothing = verdict("a"), judge(ASKED, [], PLAIN)
    assert (
        merge_as_suggestions(contextual, nothing) is contextual and merge_as_suggestions(nothing, contextual) is nothing
    )


LONG = "자동차 엔진오일은 몇 키로마다 갈아야 하나요"


def said(message: str, shared: float, top: float = -3.0) -> Verdict:
    """A message read by itself that is not covered, of whose words the rows share so much."""
    hits = [hit("x", top), hit("y", top - 1)]
    for number, each in enumerate(hits, 1):
        each.parts[TOKENS] = shared / number
    return judge(message, hits, PLAIN)


@pytest.mark.parametrize(
    ("message", "shared", "is_elliptical", "wanted"),
    [
        ("수수료는요?", 0.05, True, "answered"),
        ("점수 떨어져?", 0.3, False, "answered"),
        ("오늘 점심 뭐 먹지", 0.05, False, "suggested"),
        (LONG, 0.3, False, "answered"),
        (LONG, 0.05, False, "declined"),
        ("ㅁㄴㅇㄹ", 0.0, False, "declined"),
    ],
    ids=["lacks its verb", "of the rows' words", "neither, but short", "long of the rows' words", "long", "no word"],
)
def test_what_was_asked_before_is_answered_again_only_to_who_asks_for_it(
    message: str, shared: float, is_elliptical: bool, wanted: str
) -> None:
    contextual, standalone = verdict("old-1", "old-2"), said(message, shared)
    assert (contextual.status, standalone.status) == (
        "answered",
        "declined",
    ) and standalone.covered < STANDALONE_POSSIBLE
    found = choose_reading(contextual, standalone, is_elliptical=is_elliptical)
    assert found.status == wanted
    assert rows(found.ranked) == (["x", "y"] if wanted == "declined" else ["old-1", "old-2"])


def test_a_message_that_may_be_covered_by_itself_is_offered_both() -> None:
    standalone = verdict("new-1", top=1.0)
    assert standalone.covered >= STANDALONE_POSSIBLE
    assert rows(choose_reading(verdict("old-1"), standalone, is_elliptical=True).nodes) == ["old-1", "new-1"]


def test_an_elliptic_message_is_not_answered_by_itself() -> None:
    """ "서류는요?" after a question about loans is no question about the papers of a deputy, however well that row matches."""
    standalone = verdict("new-1")
    assert standalone.status == "answered"
    assert choose_reading(verdict("old-1"), standalone, is_elliptical=True).status == "suggested"
    found = choose_reading(verdict("old-1", top=-3.0), standalone, is_elliptical=True)
    assert (found.status, rows(found.nodes)) == ("suggested", ["new-1", "old-1"]), "the likelier reading first"
    assert choose_reading(verdict("new-1", top=3.5), standalone, is_elliptical=True) is standalone, "both find it"


def test_offering_makes_no_answer_of_what_is_declined() -> None:
    assert as_suggestions(verdict("a", top=-3.0)).status == "declined"
    assert {(node.status, node.quoted) for node in as_suggestions(verdict("a", "b")).nodes} == {("suggested", False)}
