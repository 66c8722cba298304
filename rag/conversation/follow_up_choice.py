"""Two readings of one message in a conversation: which one is shown where the message alone is not clearly covered.

The standalone reading is the message by itself, the contextual one the message with the questions it follows. Always taking
the contextual one would show the old topic as the answer to a new one, or to small talk. So it answers only where the message
asks for it; else its rows are suggested. What this was measured against: docs/evaluation-log.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from rag.korean import compact
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict
from rag.retrieval.hybrid import row_id

STANDALONE_COVERED = 0.4
"""Chance in 0..1 that the standalone reading is covered from which on it is taken, unless it is elliptical; set on `dev`."""
STANDALONE_POSSIBLE = 0.1
"""Chance in 0..1 that it is covered from which on both readings are suggested; set on `dev` and conversations beside it."""
OWN_MATCH = 0.03
"""Share of a message's own words, by rarity, in the row of the contextual reading from which on that row may answer it. On `dev`
the four unrelated messages that it answered lie at or below .01, 10 of the 13 right answers at .05 or above."""
SAME_TOPIC = 0.1
"""The same share from which on a message that names a product may be about the row before, too. `dev` does not decide it."""
FULL_SENTENCE = 16
"""Characters without spaces from which on a message whose words are not in the row is no follow-up; set on `dev`."""


@dataclass(frozen=True, slots=True)
class MessageSigns:
    """What distinguishes a follow-up from a new topic and from small talk.

    `own_match`: coverage in 0..1 of the message's own words by the contextual reading's first row. `names_unknown`: all it
    names occurs in no row found. `lacks_thing`: it names a product or the like that none of the rows found for it alone names.
    `names_topic`: it names a product and lacks nothing.
    The rest follows from the words: `rag.conversation.follow_up_rules`.
    """

    own_match: float
    is_elliptical: bool = False
    has_back_reference: bool = False
    asks_on: bool = False
    names_topic: bool = False
    names_unknown: bool = False
    lacks_thing: bool = False


def choose_reading(contextual: Verdict, standalone: Verdict, signs: MessageSigns) -> Verdict:
    """The verdict to show. The contextual reading answers only where its row matches the message's own words."""
    needs_topic = signs.is_elliptical or signs.has_back_reference
    if signs.lacks_thing and standalone.status == "declined" and not needs_topic:
        return _declined(standalone, contextual)
    if signs.names_topic and standalone.status != "declined":
        # Half covered alone, and as much about the row before ("카드는 언제 와요"): both are offered.
        is_open = standalone.covered < STANDALONE_COVERED and signs.own_match >= SAME_TOPIC
        return merge_as_suggestions(standalone, contextual) if is_open else standalone
    if signs.names_topic:
        # Its product may be the one before ("카드 연회비는 얼마예요"): then that row is offered, never answered.
        return as_suggestions(contextual) if signs.own_match >= OWN_MATCH else _declined(standalone, contextual)
    if signs.names_unknown and not signs.has_back_reference:
        return _declined(standalone, contextual)
    if not signs.has_back_reference:
        # Where both are possible nothing is answered: each has one row first, and the text does not decide which was meant.
        if standalone.covered >= max(STANDALONE_COVERED, contextual.covered):
            return merge_as_suggestions(standalone, contextual)
        if standalone.covered >= STANDALONE_POSSIBLE:
            return merge_as_suggestions(contextual, standalone)
    if signs.own_match >= OWN_MATCH:
        return contextual
    # "미성년자도요?" has no word of the row before, and is no small talk: suggestions neither refuse nor claim anything.
    if signs.has_back_reference or (signs.asks_on and len(compact(standalone.query)) < FULL_SENTENCE):
        return as_suggestions(contextual)
    # Small talk, or a question about something that no row has: declined for itself, whatever was asked before.
    return _declined(standalone, contextual)


def _declined(standalone: Verdict, contextual: Verdict) -> Verdict:
    """The standalone reading's refusal, over the ranking that would have been offered."""
    reason = standalone.reason or "not_covered"
    return replace(
        standalone, status="declined", reason=reason, nodes=(), ranked=contextual.ranked or standalone.ranked
    )


def as_suggestions(verdict: Verdict, *, without: Sequence[str] = ()) -> Verdict:
    """The verdict with its rows as suggestions, but for those `without`; as it is where it declines."""
    if verdict.status == "declined":
        return verdict
    ranked = tuple(
        JudgedNode(node=hit.node, parts=hit.parts, score=hit.score, status="suggested")
        for hit in verdict.ranked
        if row_id(hit) not in without
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
