"""Several phrasings of one row: read from a cell or from rows of one id, and where two rows lay claim to one.

A phrasing is another way to ask what the row answers, written by hand or by another tool. Pure functions.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.korean import compact

if TYPE_CHECKING:
    from rag.ingestion.readers import FaqRow

_SEPARATORS = re.compile(r"[|｜\r\n]+")
_PUNCTUATION = re.compile(r"[?!.,~]+")
_SHARED = ("answer", "category", "bank", "source_url", "effective_from", "effective_until")
"""Fields in which a further row of an id may not differ; it may leave out all but the answer."""


def split_cell(cell: str) -> tuple[str, ...]:
    """The phrasings of a cell, which are parted by `|` or by line breaks."""
    return tuple(filter(None, map(str.strip, _SEPARATORS.split(cell))))


def is_other_phrasing(row: FaqRow, first: FaqRow) -> bool:
    """Whether `row`, which has the id of `first`, is the same entry under another question."""
    if not (row.question and first.question and row.answer) or _key(row.question) == _key(first.question):
        return False
    # A further row may leave the shared columns empty, as people do who write below a row; a difference is another row.
    same = all(getattr(row, name) in ("", getattr(first, name)) for name in _SHARED)
    return same and row.extra.items() <= first.extra.items()


def merge_rows(rows: Iterable[FaqRow]) -> list[FaqRow]:
    """One row an id, under its first question; the questions of its further rows are phrasings. None is there twice."""
    merged: dict[str, FaqRow] = {}
    for row in rows:
        first = merged.get(row.id, row)
        added = () if first is row else (row.question,)
        texts = {_key(first.question): ""}
        for text in (*(() if first is row else first.alternatives), *added, *row.alternatives):
            texts.setdefault(_key(text), text)
        merged[row.id] = replace(first, alternatives=tuple(filter(None, texts.values())))
    return list(merged.values())


def collisions(rows: Sequence[FaqRow]) -> list[str]:
    """A line for each phrasing that another row of the same institution, in force at the same time, has too.

    Both would match a customer's question equally. Rows of one answer do not collide, nor do two rows' own questions.
    """
    claims: defaultdict[tuple[str, str], list[tuple[FaqRow, str]]] = defaultdict(list)
    for row in rows:
        for text in (row.question, *row.alternatives):
            claims[row.bank, _key(text)].append((row, text))
    lines = []
    for claimed in claims.values():
        for position, (row, text) in enumerate(claimed):
            for other, other_text in claimed[:position]:
                own = text == row.question and other_text == other.question
                # ISO dates compare as text; an end that is not given is open.
                begin, ends = (
                    max(row.effective_from, other.effective_from),
                    (row.effective_until, other.effective_until),
                )
                overlap = all(not end or begin <= end for end in ends)
                if not own and row.answer != other.answer and overlap:
                    lines.append(f"row {row.id}: {text!r} is also a phrasing of row {other.id} ({other.question!r})")
    return lines


def _key(text: str) -> str:
    """The same for texts that differ in spaces, case, width and punctuation alone."""
    return _PUNCTUATION.sub("", compact(text)) or text
