"""Two readings of one message in a conversation: which one is shown where the message alone is not clearly covered.

The standalone reading is the message by itself, the contextual one the message with the questions it follows. Always taking
the contextual one would show the old topic as the answer to a new one, or to small talk. So it answers only where the message
asks for it; else its rows are suggested. What this was measured against: docs/evaluation-log.md.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, zip_longest

from rag.korean import compact
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict
from rag.retrieval.hybrid import row_id
from rag.stores.base import TOKENS

STANDALONE_COVERED = 0.4
"""Chance in 0..1 that the standalone reading is covered from which on it is taken, unless it is elliptical; set on `dev`."""
STANDALONE_POSSIBLE = 0.1
"""Chance in 0..1 that it is covered from which on both readings are suggested; set on `dev` and conversations beside it."""
ON_TOPIC = 0.15
"""Share of a message's words, by rarity, in one row from which on it speaks of what the rows are about; set on `dev`."""
FULL_SENTENCE = 16
"""Characters without spaces from which on a message that shares less than ON_TOPIC is no follow-up; set on `dev`."""


def choose_reading(contextual: Verdict, standalone: Verdict, *, is_elliptical: bool) -> Verdict:
    """The verdict to show; `is_elliptical`: the message lacks what only the conversation can give."""
    # Where both are possible nothing is answered: each has one row first, and only the customer knows which was meant.
    if standalone.covered >= max(STANDALONE_COVERED, contextual.covered):
        return merge_as_suggestions(standalone, contextual)
    if standalone.covered >= STANDALONE_POSSIBLE:
        return merge_as_suggestions(contextual, standalone)
    shared = max((hit.parts[TOKENS] for hit in standalone.ranked), default=0.0)
    if is_elliptical or shared >= ON_TOPIC:
        return contextual
    # A whole sentence about something else, or words that no row has: small talk, to be declined for itself.
    if not shared or len(compact(standalone.query)) >= FULL_SENTENCE:
        return standalone
    return as_suggestions(contextual)


def as_suggestions(verdict: Verdict) -> Verdict:
    """The verdict with its rows as suggestions; as it is where it declines."""
    if verdict.status == "declined":
        return verdict
    ranked = tuple(
        JudgedNode(node=hit.node, parts=hit.parts, score=hit.score, status="suggested") for hit in verdict.ranked
    )
    return replace(verdict, status="suggested", nodes=ranked[:SUGGESTIONS], ranked=ranked)


def merge_as_suggestions(preferred: Verdict, other: Verdict) -> Verdict:
    """`preferred` where both readings rank the same row first; else their rows in turn as suggestions.

    Whether there are any is decided by `preferred`: where it declines, the result declines with the merged ranking.
    """
    if not preferred.ranked or not other.ranked or row_id(preferred.ranked[0]) == row_id(other.ranked[0]):
        return preferred
    ranked: dict[str, JudgedNode] = {}
    for hit in chain.from_iterable(zip_longest(preferred.ranked, other.ranked)):
        if hit:
            ranked.setdefault(row_id(hit), hit)
    return as_suggestions(replace(preferred, ranked=tuple(ranked.values())))
