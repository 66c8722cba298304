"""Two readings of one message in a conversation: which one is shown where the message alone is not clearly covered.

Taking the joined reading for sure shows the old topic as the answer to a new one, or to small talk. So it is taken only where
the message asks for it; else the rows are offered, never answered. What this was measured against: docs/evaluation-log.md.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, zip_longest

from rag.korean import compact
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict
from rag.retrieval.hybrid import row_id
from rag.stores.base import TOKENS

ALONE_COVERED = 0.4
"""Chance that the message alone is covered from which on it is read alone, unless it is elliptic; set on `dev`."""
ALONE_POSSIBLE = 0.1
"""Chance that the message alone is covered from which on both readings are offered; set on `dev` and conversations beside it."""
KNOWN = 0.15
"""Share of a message's words, by rarity, in one row from which on it speaks of what the rows are about; set on `dev`."""
SAYS_ENOUGH = 16
"""Characters without spaces from which on a sentence that shares less than KNOWN is no follow-up; set on `dev`."""


def choose_reading(contextual: Verdict, standalone: Verdict, *, is_elliptical: bool) -> Verdict:
    """The reading to show; `is_elliptical`: the message lacks what only the conversation can give."""
    if standalone.covered >= max(ALONE_COVERED, contextual.covered):
        return merge_as_suggestions(standalone, contextual)
    if standalone.covered >= ALONE_POSSIBLE:
        return merge_as_suggestions(contextual, standalone)
    shared = max((hit.parts[TOKENS] for hit in standalone.ranked), default=0.0)
    if is_elliptical or shared >= KNOWN:
        return contextual
    if not shared or len(compact(standalone.query)) >= SAYS_ENOUGH:
        return standalone
    return as_suggestions(contextual)


def as_suggestions(verdict: Verdict) -> Verdict:
    """Its rows as suggestions, unless it declines."""
    if verdict.status == "declined":
        return verdict
    rows = tuple(map(_suggested, verdict.ranked))
    return replace(verdict, status="suggested", nodes=rows[:SUGGESTIONS], ranked=rows)


def merge_as_suggestions(one: Verdict, other: Verdict) -> Verdict:
    """`one` where both readings find the same row first; else their rows in turn, suggested unless `one` declines."""
    if not one.ranked or not other.ranked or row_id(one.ranked[0]) == row_id(other.ranked[0]):
        return one
    ranked: dict[str, JudgedNode] = {}
    for hit in chain.from_iterable(zip_longest(one.ranked, other.ranked)):
        if hit:
            ranked.setdefault(row_id(hit), hit)
    return as_suggestions(replace(one, ranked=tuple(ranked.values())))


def _suggested(hit: JudgedNode) -> JudgedNode:
    return JudgedNode(node=hit.node, parts=hit.parts, score=hit.score, status="suggested")
