"""What is offered where a message in a conversation can be read two ways."""

from __future__ import annotations

from rag.retrieval.confidence import Verdict, judge
from rag.retrieval.readings import between
from tests.unit.test_confidence import ASKED, PLAIN, hit, rows


def verdict(*ids: str, top: float = 4.0) -> Verdict:
    return judge(ASKED, [hit(one, top - number) for number, one in enumerate(ids)], PLAIN)


def test_rows_of_both_readings_are_suggested_in_turn_and_nothing_is_quoted() -> None:
    joined, alone = verdict("old-1", "old-2", "old-3"), verdict("new-1", "old-1", "new-3", top=1.0)
    assert joined.status == "answered"
    found = between(joined, alone)
    assert (found.status, found.reason) == ("suggested", None)
    assert rows(found.nodes) == ["old-1", "new-1", "old-2"]
    assert rows(found.ranked) == ["old-1", "new-1", "old-2", "old-3", "new-3"]
    assert {(node.status, node.quoted) for node in found.ranked} == {("suggested", False)}


def test_readings_that_agree_are_no_reason_for_doubt() -> None:
    joined = verdict("a", "b")
    assert between(joined, verdict("a", "c", top=1.0)) is joined


def test_what_the_joined_reading_declines_stays_declined() -> None:
    found = between(verdict("old-1", "old-2", top=-3.0), verdict("new-1", top=-2.0))
    assert (found.status, found.nodes) == ("declined", ())
    assert rows(found.ranked) == ["old-1", "new-1", "old-2"]


def test_a_reading_that_finds_nothing_has_no_say() -> None:
    joined, nothing = verdict("a"), judge(ASKED, [], PLAIN)
    assert between(joined, nothing) is joined and between(nothing, joined) is nothing
