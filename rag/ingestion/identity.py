"""What a row is called: its number, with the file's name where two files use the same; without a number, by its content. Pure."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.ingestion.readers import FaqRow

Refuse = Callable[["FaqRow", str, Mapping[str, object]], None]


def shared_numbers(rows: Sequence[FaqRow]) -> dict[str, str]:
    """Of each file whose numbers another file uses too, the name its ids begin with: as much of its path as tells it apart."""
    by_id: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        # Words as ids are somebody's own: used twice they are a mistake.
        if row.id.isdecimal():
            by_id[row.id].add(row.file)
    files = sorted({file for users in by_id.values() if len(users) > 1 for file in users})
    return dict(zip(files, short_names(files), strict=True))


def short_names(files: Sequence[str], *, stems: bool = True) -> list[str]:
    """A name for each file, as little of its path as tells it apart; `stems`: without extension where that suffices."""
    paths = [Path(unicodedata.normalize("NFC", file)) for file in files]
    candidates = [[path.stem for path in paths]] * stems + [[path.name for path in paths]]
    deepest = max((len(path.parts) for path in paths), default=0)
    candidates += [["/".join(path.parts[-parts:]) for path in paths] for parts in range(2, deepest + 1)]
    return next((names for names in candidates if len(set(names)) == len(names)), list(files))


def by_content(row: FaqRow, *, whole: bool = False) -> str:
    """An id that does not move with the row: of its question and institution; `whole`: of everything in it."""
    parts = [row.question, row.bank]
    if whole:
        parts += [row.answer, row.category, row.effective_from, row.effective_until, repr(sorted(row.extra.items()))]
    return "q-" + hashlib.sha256("\0".join(" ".join(part.split()) for part in parts).encode()).hexdigest()[:12]


def without_number(rows: Iterable[FaqRow]) -> tuple[list[FaqRow], list[FaqRow]]:
    """The rows with their ids by content, and those that repeat another word for word, which are left out."""
    rows = list(rows)
    questions: dict[str, int] = defaultdict(int)
    for row in rows:
        questions[by_content(row)] += 1
    kept: dict[str, FaqRow] = {}
    repeated = []
    for row in rows:
        # Where a question has several answers, all of them are told apart by these: none is "the first".
        row_id = by_content(row, whole=questions[by_content(row)] > 1)
        # Where everything but the file is the same there is one row, whichever file it is in.
        if row_id in kept:
            repeated.append(row)
        else:
            kept[row_id] = replace(row, id=row_id)
    return list(kept.values()), repeated
