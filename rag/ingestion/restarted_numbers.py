"""Tells rows apart whose numbers start again in each sheet or category of one file. Pure functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from rag.ingestion.columns import match_columns
from rag.ingestion.tables import Record, Table


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
        for table in {id(table): table for table, _, _ in rows}.values():
            table.note("restarted", by=kind, unit={"sheet": "시트", "category": "분류"}[kind])
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
