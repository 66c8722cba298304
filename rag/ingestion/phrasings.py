"""Alternative phrasings of a row's question: read from a cell or from further rows with its id; and their conflicts.

Phrasings are written by hand or by another tool. Pure functions.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rag.ingestion.faq_row import FaqRow
from rag.ingestion.messages import Note
from rag.korean import compact

_SEPARATORS = re.compile(r"[|｜\r\n]+")
_PUNCTUATION = re.compile(r"[?!.,~]+")
_SHARED = ("answer", "category", "bank", "source_url", "effective_from", "effective_until")
"""Fields in which a further row with the same id must not differ; all but the answer may be empty."""


def split_phrasings(cell: str) -> tuple[str, ...]:
    """The phrasings of a cell, separated by `|` or line breaks."""
    return tuple(filter(None, map(str.strip, _SEPARATORS.split(cell))))


def is_other_phrasing(row: FaqRow, first: FaqRow) -> bool:
    """Whether `row`, which has the id of `first`, is the same entry with another question."""
    if not (row.question and first.question and row.answer) or _key(row.question) == _key(first.question):
        return False
    # People often leave the shared columns empty in a further row; another value means another entry.
    same = all(getattr(row, name) in ("", getattr(first, name)) for name in _SHARED)
    return same and row.extra.items() <= first.extra.items()


def merge_rows(rows: Iterable[FaqRow]) -> list[FaqRow]:
    """Merge rows with the same id into the first one; the other questions become its distinct alternatives."""
    merged: dict[str, FaqRow] = {}
    for row in rows:
        first = merged.get(row.id, row)
        added = () if first is row else (row.question,)
        texts = {_key(first.question): ""}
        for text in (*(() if first is row else first.alternatives), *added, *row.alternatives):
            texts.setdefault(_key(text), text)
        merged[row.id] = replace(first, alternatives=tuple(filter(None, texts.values())))
    return list(merged.values())


def collisions(rows: Sequence[FaqRow]) -> list[Note]:
    """A note on each phrasing that two rows of an institution have, if both are in force at the same time.

    Both would match a customer's question equally. Not reported: rows with the same answer, and two rows whose own questions
    are equal.
    """
    claims: defaultdict[tuple[str, str], list[tuple[FaqRow, str]]] = defaultdict(list)
    for row in rows:
        for text in (row.question, *row.alternatives):
            claims[row.bank, _key(text)].append((row, text))
    notes = []
    for claimed in claims.values():
        for position, (row, text) in enumerate(claimed):
            for other, other_text in claimed[:position]:
                both_own = text == row.question and other_text == other.question
                # ISO dates compare as text; an empty end means without limit.
                begin, ends = (
                    max(row.effective_from, other.effective_from),
                    (row.effective_until, other.effective_until),
                )
                overlap = all(not end or begin <= end for end in ends)
                if not both_own and row.answer != other.answer and overlap:
                    values = {"id": row.id, "text": repr(text), "other": other.id, "question": repr(other.question)}
                    notes.append(Note(row.file, "collision", values))
    return notes


def _key(text: str) -> str:
    """A key that is equal for texts which differ only in white space, case, width and punctuation."""
    return _PUNCTUATION.sub("", compact(text)) or text
