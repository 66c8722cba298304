"""What a question pins down decides between neighbours: rows that agree with it move up, rows that differ move down.

A row on 2년 is no answer to a question about 1년, however near it is. Where the nearest row conflicts and none that agrees
takes its place, or where the first row lacks what is asked for, no row may be called the answer; what differs is kept, so that
the customer is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.constraints import Agreement, Conflict, compare
from rag.constraints.agreement import BLOCKING_KINDS
from rag.constraints.contrasts import ANSWERING, default_contrasts, members_of
from rag.retrieval.hybrid import FusedNode, is_passage, question_of
from rag.retrieval.query_analysis import BANK, expand

COMPARED = 10
"""Rows compared with the question, best first."""
FIRST = 3
"""Rows that are offered: what all of them lack, the customer is offered nothing on."""
AGREES = 0.3
CONFLICTS = 1.2
"""Units of fused score by which a row moves. Any value from .15 and .3 on ranked the development sets alike."""
HOLDS = 0.6
"""Units by which a row moves that states all values of the text, told ones too: "오천원" is rarely said of another row."""
LACKS = 0.6
"""Units by which a row moves down that lacks what another one holds of the values and things asked for."""
_ABSENT_KINDS = ("action", "product", "means", "scope")


@dataclass(frozen=True, slots=True)
class Ordered:
    """Hits with their scores moved, best first, and why the first may not be given as the answer.

    `conflicts` are of the nearest row; none where the first row may be the answer. `states_values`: the first row states or
    covers all values of the text, of which there is one at least. `lacks_thing`: none of the first rows names a thing that the
    text is about ("법인카드").
    """

    hits: tuple[FusedNode, ...]
    conflicts: tuple[Conflict, ...] = ()
    states_values: bool = False
    lacks_thing: bool = False


def order_by_agreement(text: str, hits: Sequence[FusedNode]) -> Ordered:
    """Reorder fused hits, best first. Institutions are not compared: a search is limited to the one that is named."""
    rows = [_compared(text, hit) for hit in hits[:COMPARED]]
    moved = _moved(hits, rows)
    if not moved:
        return Ordered(())
    first = moved[0][1]
    if first and (first.conflicts or (rows[0].conflicts and first.status != "agree")):
        # In the order of their match: what lies nearest is what the customer is told the difference of.
        kept = _moved(hits, rows, drop=0.0)
        conflicts = next(row.conflicts for _, row in kept if row and row.conflicts)
        return Ordered(tuple(hit for hit, _ in kept), conflicts, lacks_thing=_lack_a_thing(kept))
    return Ordered(
        tuple(hit for hit, _ in moved),
        first.lacking if first else (),
        states_values=first is not None and first.held == 1.0,
        lacks_thing=_lack_a_thing(moved),
    )


def _lack_a_thing(moved: Sequence[tuple[FusedNode, Agreement | None]]) -> bool:
    """Whether the FIRST rows all lack one and the same thing that the text names."""
    lacked = [
        {each.asked for each in row.lacking if each.kind in BLOCKING_KINDS} if row else set()
        for _, row in moved[:FIRST]
    ]
    # Of fewer rows it tells nothing: they may be all that an institution has.
    return len(lacked) == FIRST and bool(set.intersection(*lacked))


def _compared(text: str, hit: FusedNode) -> Agreement:
    bank = str(hit.node.metadata.get(BANK) or "")
    row = question_of(hit), hit.node.get_content()
    return compare(text, *row, institution=bank, is_passage=is_passage(hit), synonyms=_synonyms)


def absent(text: str, hit: FusedNode) -> bool:
    """Whether the text names an action, a product, a means or a scope that the row names nowhere.

    No conflict, for the row may say it in words that no contrast set knows; but fewer of such rows answer.
    """
    sets = default_contrasts().sets
    asked = {
        (name, member) for name, member in members_of(text) if sets[name].kind in _ABSENT_KINDS and member != ANSWERING
    }
    return bool(asked) and not asked <= members_of(question_of(hit)) | members_of(hit.node.get_content())


def _moved(
    hits: Sequence[FusedNode], rows: Sequence[Agreement], *, drop: float = CONFLICTS
) -> list[tuple[FusedNode, Agreement | None]]:
    # Where every row lacks something, none is the better for it, and their scores mean what they always do.
    lacks = LACKS if drop and any(not row.lacking for row in rows) else 0.0
    moved: list[tuple[float, FusedNode, Agreement | None]] = []
    for index, hit in enumerate(hits):
        row = rows[index] if index < len(rows) else None
        # A row that was not compared is not better than one that was.
        step = -lacks
        if row and row.conflicts:
            step = HOLDS * row.held - drop
        elif row:
            step = HOLDS * row.held + (AGREES if row.agreed else 0.0) - (lacks if row.lacking else 0.0)
        moved.append(((hit.score or 0.0) + step, hit, row))
    moved.sort(key=lambda each: -each[0])
    return [(FusedNode(node=hit.node, parts=hit.parts, score=score), row) for score, hit, row in moved]


@lru_cache(maxsize=4096)
def _synonyms(word: str) -> str:
    return expand(word)
