"""What `ingest` says of an index that lost most passages, and `ingest` and `doctor` of passages that name no institution."""

from __future__ import annotations

from collections.abc import Mapping

from rag.ingestion.sync import SyncReport


def note_on_unnamed(institutions: Mapping[str, int], setting: str | None) -> tuple[str, str] | None:
    """The note in English and Korean; None where nothing needs saying.

    `institutions`: passages by the institution they name, "" for none. `setting`: FSI_CHAT__INSTITUTION.
    """
    unnamed, names = institutions.get("", 0), sorted(filter(None, institutions))
    if not unnamed or (setting and len(names) < 2):
        return None
    if not names:
        return (
            "no row names its institution: its rows may be shown to another institution's customers; "
            "set FSI_CHAT__INSTITUTION=NAME, or add a bank column",
            "어느 기관의 FAQ인지 적혀 있지 않아 다른 기관의 고객에게도 보일 수 있습니다. "
            "FSI_CHAT__INSTITUTION=기관이름을 설정하거나 은행 열을 추가해 주세요.",
        )
    listed, total = ", ".join(names), sum(institutions.values())
    english = f"{unnamed} of {total} passages name no institution and are shown to the customers of {listed}: "
    korean = f"{total}건 중 {unnamed}건에 기관 이름이 없어 {listed} 고객 모두에게 보입니다. "
    if len(names) > 1:
        return (
            english + "add a bank column where they hold for one only",
            korean + "한 기관에만 해당하면 은행 열을 추가해 주세요.",
        )
    return (
        english + f"set FSI_CHAT__INSTITUTION={names[0]} if they are its own, or add a bank column",
        korean
        + f"모두 그 기관의 안내이면 FSI_CHAT__INSTITUTION={names[0]}을(를) 설정하고, 아니면 은행 열을 추가해 주세요.",
    )


def note_on_deleted(changes: SyncReport, *, dry_run: bool) -> tuple[str, str] | None:
    """The note in English and Korean where the files hold less than half of what the index held; else None."""
    before = changes.deleted + changes.unchanged + changes.updated
    if 2 * changes.deleted <= before:
        return None
    english = f"{changes.deleted} of the {before} passages before {'would be' if dry_run else 'were'} deleted"
    korean = f"이전 {before}건 중 {changes.deleted}건이 {'삭제될 예정입니다' if dry_run else '삭제되었습니다'}"
    return (
        f"{english}: an index holds only what the files named in one command hold; name all of them",
        f"{korean}. 인덱스에는 한 번에 지정한 파일의 내용만 남습니다. 모든 파일을 함께 지정해 주세요.",
    )
