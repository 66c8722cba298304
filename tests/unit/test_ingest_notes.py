"""Notes on rows that name no institution, and on an index that lost most rows."""

from __future__ import annotations

import pytest

from rag.cli.ingest_notes import note_on_deleted, note_on_unnamed
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
    note = note_on_unnamed(institutions, setting)
    assert note and all(part in note[0] for part in parts)


@pytest.mark.parametrize(
    ("institutions", "setting"), [({}, None), ({ONE: 3}, None), ({ONE: 3, TWO: 1}, None), ({"": 5, ONE: 2}, ONE)]
)
def test_where_all_name_one_or_the_setting_does_there_is_no_note(
    institutions: dict[str, int], setting: str | None
) -> None:
    assert note_on_unnamed(institutions, setting) is None


def test_an_index_that_loses_most_passages_is_noted() -> None:
    assert note_on_deleted(SyncReport(0, 1, 2, 3, 0.1), dry_run=False) is None
    note = note_on_deleted(SyncReport(5, 1, 2, 4, 0.1), dry_run=True)
    assert note and "4 of the 7 passages before would be deleted" in note[0] and "7건 중 4건" in note[1]
    assert note_on_deleted(SyncReport(5, 0, 0, 0, 0.1), dry_run=False) is None, "a first ingestion deletes nothing"
