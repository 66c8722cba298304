"""Row ids: the row's number, with its sheet, category or file before it where numbers repeat, or a hash of its content. Pure."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rag.ingestion.columns import match_columns
from rag.ingestion.faq_row import FaqRow
from rag.ingestion.messages import PARTS, Note
from rag.ingestion.tables import Record, Table


def file_prefixes(rows: Sequence[FaqRow], restarted: Collection[str] = ()) -> dict[str, str]:
    """The id prefix of each file that shares row numbers with another file: its shortest distinct name.

    `restarted`: files whose numbers have their sheet's or category's name before them.
    """
    by_id: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        # Only for numbers: ids in words are chosen by the author, and a repeated one is an error.
        if row.id.isdecimal() or row.file in restarted:
            by_id[row.id].add(row.file)
    files = sorted({file for users in by_id.values() if len(users) > 1 for file in users})
    return dict(zip(files, short_names(files), strict=True))


def short_names(files: Sequence[str], *, stems: bool = True) -> list[str]:
    """A name for each file: the shortest end of its path that is distinct. `stems`: without extension if still distinct."""
    paths = [Path(unicodedata.normalize("NFC", file)) for file in files]
    candidates = [[path.stem for path in paths]] * stems + [[path.name for path in paths]]
    deepest = max((len(path.parts) for path in paths), default=0)
    candidates += [["/".join(path.parts[-parts:]) for path in paths] for parts in range(2, deepest + 1)]
    return next((names for names in candidates if len(set(names)) == len(names)), list(files))


def content_id(row: FaqRow, *, whole: bool = False) -> str:
    """An id that does not depend on the row's position: a hash of question and institution, or of all fields if `whole`."""
    parts = [row.question, row.bank]
    if whole:
        parts += [row.answer, row.category, row.effective_from, row.effective_until, repr(sorted(row.extra.items()))]
    return "q-" + hashlib.sha256("\0".join(" ".join(part.split()) for part in parts).encode()).hexdigest()[:12]


def assign_content_ids(rows: Iterable[FaqRow]) -> tuple[list[FaqRow], list[FaqRow]]:
    """The rows with `content_id`s, and the omitted rows that repeat another one exactly."""
    rows = list(rows)
    questions: dict[str, int] = defaultdict(int)
    for row in rows:
        questions[content_id(row)] += 1
    rows_by_id: dict[str, FaqRow] = {}
    repeated = []
    for row in rows:
        # All rows of a question with several answers get an id of all fields, so that none depends on the order.
        row_id = content_id(row, whole=questions[content_id(row)] > 1)
        # Rows that are equal except for the file are one row.
        if row_id in rows_by_id:
            repeated.append(row)
        else:
            rows_by_id[row_id] = replace(row, id=row_id)
    return list(rows_by_id.values()), repeated


def qualify_restarted_numbers(tables: Sequence[Table], columns: Mapping[str, str]) -> bool:
    """Put the sheet or the category before the numbers of a file's rows, if they repeat and that tells them apart.

    Changes the records, notes it and returns True. `columns`: as in `rag.ingestion.columns.match_columns`. Numbers of further
    phrasings of a row, which have its answer, may repeat. Where neither helps, the numbers stay, and repeated ones are an
    error.
    """
    located = [(table, match_columns(table.header, columns)) for table in tables]
    rows = [(table, record, at) for table, at in located if "id" in at and "answer" in at for record in table.records]
    if not _has_clash([("", _number(record, at), _answer(record, at)) for _, record, at in rows]):
        return False
    for kind in ("sheet", "category"):
        names = [
            table.sheet if kind == "sheet" else str(record.values.get(at.get("category", ""), "")).strip()
            for table, record, at in rows
        ]
        named = list(zip(names, rows, strict=True))
        if not all(names) or _has_clash([(name, _number(row, at), _answer(row, at)) for name, (_, row, at) in named]):
            continue
        for name, (_, record, at) in named:
            if _number(record, at):
                record.values[at["id"]] = f"{name}:{_number(record, at)}"
        first = rows[0][0]
        first.notes.append(Note(first.file, "restarted", {"by": PARTS[kind]}))
        return True
    return False


def _has_clash(rows: Sequence[tuple[str, str, str]]) -> bool:
    """Whether two rows (group, number, answer) of one group share a number but not the answer."""
    answers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for group, number, answer in rows:
        if number.isdecimal():
            answers[group, number].add(answer)
    return any(len(each) > 1 for each in answers.values())


def _number(record: Record, at: Mapping[str, str]) -> str:
    return str(record.values.get(at["id"], "")).strip()


def _answer(record: Record, at: Mapping[str, str]) -> str:
    return " ".join(str(record.values.get(at["answer"], "")).split())
