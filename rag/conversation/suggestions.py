"""Verdicts that only suggest: the rows of an answer, of two readings, or of a message whose words are a topic.

Nothing is searched here. Which verdict may not answer is decided by the callers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, zip_longest

from rag.korean import compact
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict
from rag.retrieval.offering import PARTICLE, is_short
from rag.retrieval.query_analysis import expand
from rag.retrieval.ranking import score_of
from rag.retrieval.rows import in_question, row_id

MIN_WORDS = 2
"""Content words of a message, at least, by which rows are suggested, unless the message is a single one."""
OFFERED = 0.03
"""Chance in 0..1 from which on a row behind the first is worth offering."""


def as_suggestions(verdict: Verdict, *, without: Sequence[str] = ()) -> Verdict:
    """The verdict with its rows as suggestions, but for those `without`; declined if none is left."""
    if verdict.status == "declined":
        return verdict
    ranked = tuple(hit.judged("suggested") for hit in verdict.ranked if row_id(hit) not in without)
    found = replace(verdict, status="suggested", nodes=ranked[:SUGGESTIONS], ranked=ranked)
    return found if ranked else replace(found, status="declined", reason="not_covered", note=None)


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
    # A reading that is far from all its rows has one first, too.
    ordered = sorted(ranked.values(), key=lambda hit: score_of(hit) < OFFERED)
    return as_suggestions(replace(preferred, ranked=tuple(ordered)))


def suggest_by_words(verdict: Verdict, words: Sequence[str]) -> Verdict:
    """A declined verdict as suggestions of the rows whose questions hold all of at least two content words, or the one word that
    is the whole message: a topic of several rows ("계좌 개설", "인증서") is far ahead of none of them."""
    is_lone = len(words) == 1 and len(compact(verdict.query)) <= len(words[0]) + PARTICLE
    if len(words) < MIN_WORDS and not is_lone:
        return verdict
    # "비번 까먹었어요" is about every row on a forgotten password, by the bank's words for it.
    names = [expand(word).split() if is_short(verdict.query) else [word] for word in words]
    rows = [hit for hit in verdict.ranked if all(in_question(hit, own) for own in names)]
    if not rows:
        return verdict
    nodes = tuple(hit.judged("suggested") for hit in rows)
    return replace(verdict, status="suggested", reason=None, nodes=nodes[:SUGGESTIONS])
