"""Notes on rows that a decline rule matches or that name no institution, and on an index that lost most rows."""

from __future__ import annotations

import pytest

from rag.ingestion.index_notes import note_on_deleted, note_on_unnamed, notes_on_declined
from rag.ingestion.sync import SyncReport

ONE, TWO = "별솔생명", "한여울화재"


@pytest.mark.parametrize(
    ("institutions", "setting", "parts"),
    [
        ({"": 5}, None, ("no row names its institution", "FSI_CHAT__INSTITUTION=NAME")),
        ({"": 5, ONE: 2}, None, ("5 of 7 passages", f"FSI_CHAT__INSTITUTION={ONE}")),
        ({"": 5, ONE: 2, TWO: 1}, None, ("5 of 8 passages", f"{ONE}, {TWO}", "bank column")),
        ({"": 5, ONE: 2, TWO: 1}, ONE, ("5 of 8 passages", f"{ONE}, {TWO}", "bank column")),
    ],
)
def test_rows_without_an_institution_are_noted(
    institutions: dict[str, int], setting: str | None, parts: tuple[str, ...]
) -> None:
    note = note_on_unnamed("mine", institutions, setting)
    assert note and str(note).startswith("mine: ") and all(part in str(note) for part in parts)


@pytest.mark.parametrize(
    ("institutions", "setting"), [({}, None), ({ONE: 3}, None), ({ONE: 3, TWO: 1}, None), ({"": 5, ONE: 2}, ONE)]
)
def test_where_all_name_one_or_the_setting_does_there_is_no_note(
    institutions: dict[str, int], setting: str | None
) -> None:
    assert note_on_unnamed("mine", institutions, setting) is None


def test_an_index_that_loses_most_passages_is_noted() -> None:
    assert note_on_deleted("mine", SyncReport(0, 1, 2, 3, 0.1), dry_run=False) is None
    note = note_on_deleted("mine", SyncReport(5, 1, 2, 4, 0.1), dry_run=True)
    assert note and "4 of the 7 passages before would be deleted" in str(note) and "7건 중 4건" in note.korean
    assert note_on_deleted("mine", SyncReport(5, 0, 0, 0, 0.1), dry_run=False) is None, "a first one deletes nothing"


def test_rows_that_a_decline_rule_matches_are_noted() -> None:
    rows = [("a1", "통장을 만들려면?"), ("a2", "적금 추천해 주세요"), ("a3", "고객센터 전화번호 알려 주세요")]
    [note] = notes_on_declined(("faq.csv", row, question) for row, question in rows)
    assert str(note).startswith(
        "faq.csv: row a2: the decline rule 'recommend' (advice) matches its question '적금 추천해 주세요'; "
    )
