"""What a question pins down decides between neighbours: rows that agree with it move up, rows that conflict move down.

A row on 2년 is no answer to a question about 1년, however near it is. Where the nearest row conflicts and none that agrees
takes its place, or where a value asked for stands in neither question nor answer of the first row, no row may be called the
answer; what differs is kept, so that the customer is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.constraints import Agreement, Conflict, Quantity, compare
from rag.constraints.agreement import concerned_part, guidance, without_notes
from rag.constraints.compounds import is_reversed, other_modifiers
from rag.constraints.contrasts import default_contrasts
from rag.constraints.value_agreement import comparable, families, holds, is_incidental, values_of
from rag.retrieval.hybrid import FusedNode, question_of
from rag.retrieval.query_analysis import BANK, expand

COMPARED = 10
"""Rows compared with the question, best first."""
AGREES = 0.3
CONFLICTS = 1.2
"""Units of fused score by which a row moves. Any value from .15 and .3 on ranked the development sets alike."""
HOLDS = 0.6
"""Units by which a row moves that states all values of the text, told ones too: "오천원" is rarely said of another row."""
_BLOCKING_KINDS = ("product", "means", "scope", "term")
_PASSIVE = re.compile(r"(?<!신청하시면 )\S+\s?(?:됩니다|되며|되고|되므로|될 수 있)")
"""What happens by itself is no guidance on doing it: "변경하시면 자동 해제됩니다"."""
_ABSENT_KINDS = ("action", "product", "means", "scope")


@dataclass(frozen=True, slots=True)
class Ordered:
    """Hits with their scores moved, best first, and why the first may not be given as the answer.

    `conflicts` are of the nearest row; `is_blocked` also where a row answers only one of the values asked for.
    """

    hits: tuple[FusedNode, ...]
    conflicts: tuple[Conflict, ...] = ()
    is_blocked: bool = False


def order_by_agreement(text: str, hits: Sequence[FusedNode]) -> Ordered:
    """Reorder fused hits, best first. Institutions are not compared: a search is limited to the one that is named."""
    agreements = [compare(text, question_of(hit), hit.node.get_content()) for hit in hits[:COMPARED]]
    values = [_held(text, hit) for hit in hits[:COMPARED]]
    moved = _moved(hits, agreements, values, CONFLICTS)
    if not moved:
        return Ordered(())
    first, status = moved[0], {agreement.status for _, agreement in moved[:1] if agreement}
    nearest = agreements[0]
    if "conflict" in status or (nearest.status == "conflict" and "agree" not in status):
        kept = _moved(hits, agreements, values, 0.0)
        conflicts = next((a.conflicts for _, a in kept if a and a.conflicts), ())
        return Ordered(tuple(hit for hit, _ in kept), conflicts, is_blocked=True)
    if first[1] is not None and first[1].missing:
        return Ordered(tuple(hit for hit, _ in moved), is_blocked=True)
    unheld = [Conflict(value.dimension, value.text, "") for value in values_not_held(text, first[0])]
    lacking = (*unheld, *_things_not_held(text, first[0]), *_other_things(text, first[0]))
    return Ordered(tuple(hit for hit, _ in moved), lacking, is_blocked=bool(lacking))


def _held(text: str, hit: FusedNode) -> float:
    """The share of the text's values that a row states or covers, 0..1; 0 without any."""
    asked = comparable(text, values_of(text))
    if not asked:
        return 0.0
    row = _row_values(hit)
    held = [holds(value, row.get(family, [])) for family, values in families(asked).items() for value in values]
    return sum(held) / len(held)


def values_not_held(text: str, hit: FusedNode) -> list[Quantity]:
    """The values a text asks about, not merely tells of, that a row states nowhere but in notes."""
    asked = [value for value in comparable(text, values_of(text)) if not is_incidental(text, value)]
    if not asked:
        return []
    # A note names values of other things ("※ 1만불을 초과하면 국세청에 통보됩니다").
    row = families([*values_of(question_of(hit)), *values_of(without_notes(hit.node.get_content()))])
    return [
        value for family, values in families(asked).items() for value in values if not holds(value, row.get(family, []))
    ]


def _things_not_held(text: str, hit: FusedNode) -> list[Conflict]:
    """The products, means and scopes asked about that a row names nowhere: "카드론" beside a row on loans in general.

    Of several questions in one message only the part that the row is about counts. Of the actions only those count that
    their set requires, like ending a thing: for others a customer has more words than a contrast set knows.
    """
    sets = default_contrasts()
    held = {
        (mention.set_name, mention.member)
        for own in (question_of(hit), hit.node.get_content())
        for mention in sets.mentions(own)
    }
    done = _members(question_of(hit)) | _members(_PASSIVE.sub("", guidance("action", hit.node.get_content())))
    lacking = []
    for mention in sets.mentions(concerned_part(text, question_of(hit))):
        asked_of, member = sets.sets[mention.set_name], (mention.set_name, mention.member)
        # An answer may tell of an action without being about it ("연체하시면 한도가 감액됩니다"): there only its steps count.
        is_required = asked_of.kind in _BLOCKING_KINDS or mention.member in asked_of.required
        if is_required and member not in (done if asked_of.kind == "action" else held):
            lacking.append(Conflict(asked_of.kind, mention.text, ""))
    return lacking


def _other_things(text: str, hit: FusedNode) -> list[Conflict]:
    """The compounds of a text of which a row names another kind ("플래티넘 카드" beside "해외겸용 카드"), and a reverse."""
    part, bank = concerned_part(text, question_of(hit)), str(hit.node.metadata.get(BANK) or "")
    pairs = other_modifiers(part, question_of(hit), hit.node.get_content(), institution=bank, synonyms=expand)
    others = [Conflict("product", asked, held) for asked, held in pairs]
    return [*others, Conflict("action", part, question_of(hit))] if is_reversed(part, question_of(hit)) else others


def absent(text: str, hit: FusedNode) -> bool:
    """Whether the text names an action, a product, a means or a scope that the row names nowhere.

    No conflict, for the row may say it in words that no contrast set knows; but fewer of such rows answer.
    """
    asked = _members(text)
    return bool(asked) and not asked <= _row_members(hit)


def _moved(
    hits: Sequence[FusedNode], agreements: Sequence[Agreement], values: Sequence[float], drop: float
) -> list[tuple[FusedNode, Agreement | None]]:
    steps = {"agree": AGREES, "conflict": -drop, "unknown": 0.0}
    moved: list[tuple[FusedNode, Agreement | None]] = []
    for index, hit in enumerate(hits):
        agreement = agreements[index] if index < len(agreements) else None
        step = steps[agreement.status] + HOLDS * values[index] if agreement else 0.0
        moved.append((FusedNode(node=hit.node, parts=hit.parts, score=(hit.score or 0.0) + step), agreement))
    return sorted(moved, key=lambda pair: -(pair[0].score or 0.0))


def _row_members(hit: FusedNode) -> frozenset[tuple[str, str]]:
    return _members(question_of(hit)) | _members(hit.node.get_content())


def _row_values(hit: FusedNode) -> dict[str, list[Quantity]]:
    return families([*values_of(question_of(hit)), *values_of(hit.node.get_content())])


@lru_cache(maxsize=4096)
def _members(text: str) -> frozenset[tuple[str, str]]:
    """(set, member) of the contrast sets' members that a text names, of the kinds that tell rows apart."""
    sets = default_contrasts()
    return frozenset(
        (mention.set_name, mention.member)
        for mention in sets.mentions(text)
        if sets.sets[mention.set_name].kind in _ABSENT_KINDS
    )
