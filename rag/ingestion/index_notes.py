"""Notes on the rows that an index holds, for `ingest` and `doctor`, and on how many an ingestion deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rag.conversation.word_rules import match_decline_rule
from rag.ingestion.messages import Note
from rag.ingestion.sync import SyncReport


def notes_on_declined(rows: Iterable[tuple[str, str, str]]) -> list[Note]:
    """A note on each row, given as (place, id, question), whose question a decline rule matches.

    Such a question is answered in its exact wording only.
    """
    return [
        Note(place, "declined", {"id": row, "rule": repr(rule.name), "reason": rule.reason, "question": repr(question)})
        for place, row, question in rows
        if (rule := match_decline_rule(question)) and rule.yields_to != "same"
    ]


def note_on_unnamed(place: str, institutions: Mapping[str, int], setting: str | None) -> Note | None:
    """The note on passages that name no institution; None where nothing needs saying.

    `institutions`: passages by the institution they name, "" for none. `setting`: FSI_CHAT__INSTITUTION.
    """
    unnamed, names = institutions.get("", 0), sorted(filter(None, institutions))
    if not unnamed or (setting and len(names) < 2):
        return None
    if not names:
        return Note(place, "no_institution")
    values: dict[str, object] = {"count": unnamed, "total": sum(institutions.values())}
    if len(names) == 1:
        return Note(place, "one_institution", {**values, "name": names[0]})
    return Note(place, "several_institutions", {**values, "names": ", ".join(names)})


def note_on_deleted(place: str, changes: SyncReport, *, dry_run: bool) -> Note | None:
    """The note that the files hold less than half of what the index held; else None."""
    before = changes.deleted + changes.unchanged + changes.updated
    if 2 * changes.deleted <= before:
        return None
    kind = "mostly_to_be_deleted" if dry_run else "mostly_deleted"
    return Note(place, kind, {"count": changes.deleted, "total": before})
