"""Two readings of one message in a conversation, where neither is clear: what the customer is offered then.

Taking the joined reading for sure shows the old topic as the answer to a new one; so both are offered, never answered.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, zip_longest

from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict
from rag.retrieval.hybrid import row_id


def between(joined: Verdict, alone: Verdict) -> Verdict:
    """`joined` where both readings find the same row first; else their rows in turn, suggested rather than answered."""
    if not alone.ranked or not joined.ranked or row_id(alone.ranked[0]) == row_id(joined.ranked[0]):
        return joined
    ranked: dict[str, JudgedNode] = {}
    for hit in chain.from_iterable(zip_longest(joined.ranked, alone.ranked)):
        if hit:
            ranked.setdefault(row_id(hit), hit)
    if joined.status == "declined":
        return replace(joined, ranked=tuple(ranked.values()))
    rows = tuple(_suggested(hit) for hit in ranked.values())
    return replace(joined, status="suggested", nodes=rows[:SUGGESTIONS], ranked=rows)


def _suggested(hit: JudgedNode) -> JudgedNode:
    return JudgedNode(node=hit.node, parts=hit.parts, score=hit.score, status="suggested")
