"""What a row names, and what is said of a question that the nearest rows do not answer: what none of them names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.constraints import Conflict
from rag.constraints.compounds import names_general
from rag.constraints.contrasts import members_of, mentions_of
from rag.constraints.everyday_values import values_of
from rag.constraints.held_values import share_held
from rag.constraints.synonyms import holds_name
from rag.korean import compact
from rag.retrieval.hybrid import FusedNode
from rag.retrieval.query_analysis import expand
from rag.retrieval.rows import phrasings_of, row_text
from rag.types import Note

_PRICE = frozenset(("비용", "요금", "금액", "가격"))
_STATES_PRICE = re.compile(r"얼마.*[0-9,]+\s?(?:[십백천만]?원|%)", re.DOTALL)
"""A row that is asked how much and says it names no 비용, and is on exactly that."""


def what_differs(conflicts: Sequence[Conflict], shown: Sequence[FusedNode]) -> Note | None:
    """Names what was asked for and no row shown holds; nothing that one of them holds, though it may be another than the nearest.

    A row that names a thing in other words, or all that it is a kind of, holds it: none without anything to name. A value
    that a limit of the nearest row decides is not called missing: the customer is asked to compare it.
    """
    limited = dict.fromkeys(conflict.asked for conflict in conflicts if conflict.by_limit)
    asked = dict.fromkeys(conflict.asked for conflict in conflicts if conflict.asked)
    # "주택담보" beside "주택담보대출" is the same thing said twice.
    words = [
        word for word in asked if word not in limited and not any(word != other and word in other for other in asked)
    ]
    # A value in another form ("2년" by 24개월); the nearest row conflicts, whatever it states.
    stated = {
        word
        for word in words
        for hit in shown[1:]
        if share_held(word, phrasings_of(hit), hit.node.get_content()) == 1.0
    }
    if missing := [word for word in words if word not in stated and not any(names_thing(hit, word) for hit in shown)]:
        return Note("not_held", {"word": ", ".join(missing)})
    return Note("limit", {"word": ", ".join(limited)}) if limited else None


def names_thing(hit: FusedNode, word: str) -> bool:
    """Whether a row names a thing, by this word, by another name of it ("일본 엔" for 엔화) or by what it is a kind of."""
    row = row_text(hit)
    # "플래티넘카드 연회비" is not named by a row on another card's 연회비.
    named = {(m.set_name, m.member) for m in mentions_of(word) if word in (m.text, m.label)}
    text, members = compact(row), members_of(row)
    if word in _PRICE and _STATES_PRICE.search(row):
        return True
    # A value has other forms (`share_held`), but no other names.
    if compact(word) in text or (not values_of(word) and holds_name(text, word, expand)):
        return True
    return bool(named & members) or bool(named and names_general(word, row))
