"""What a row shows of a question beyond its score: the same question word for word, or the customer's own words in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.conversation import follow_up_rules
from rag.conversation.decline_rules import DeclineRule
from rag.conversation.follow_up_rules import is_about_banking
from rag.korean import compact
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict
from rag.retrieval.hybrid import matched_question, question_of, row_id
from rag.retrieval.query_analysis import BANK
from rag.types import Note, Turn

if TYPE_CHECKING:
    pass

MIN_WORDS = 2
_PUNCTUATION = re.compile(r"[\s?!.,~]+")


MOST_WORDS = 0.6
"""Share of the words a decline rule matched from which on a row that holds them is about the same."""


def is_same_question(question: str, hit: JudgedNode) -> bool:
    """Whether a row's question, or the phrasing of it that was found, is this one, but for spaces, punctuation and case."""
    own = {_PUNCTUATION.sub("", compact(text)) for text in (question_of(hit), matched_question(hit))}
    return _PUNCTUATION.sub("", compact(question)) in own - {""}


def prefer_same_question(verdict: Verdict, question: str) -> Verdict:
    """The verdict answered by the rows that ask the same word for word, one of each institution; else as it is."""
    same: dict[str, JudgedNode] = {}
    for hit in verdict.ranked:
        if is_same_question(question, hit):
            same.setdefault(str(hit.node.metadata.get(BANK) or ""), hit)
    if not same or (verdict.status == "answered" and is_same_question(question, verdict.nodes[0])):
        return verdict
    chosen = {row_id(hit) for hit in same.values()}
    quoted = tuple(_judged(hit, quoted=True) for hit in same.values())
    others = tuple(_judged(hit, quoted=False) for hit in verdict.ranked if row_id(hit) not in chosen)
    return replace(verdict, status="answered", reason=None, nodes=quoted, ranked=(*quoted, *others))


def holds_words(hit: JudgedNode, words: Sequence[str]) -> bool:
    """Whether one of the words occurs in a row's question or answer."""
    text = compact(f"{question_of(hit)} {matched_question(hit)} {hit.node.get_content()}")
    return any(compact(word) in text for word in words)


def suggest_by_words(verdict: Verdict, words: Sequence[str]) -> Verdict:
    """A declined verdict as suggestions of the rows whose questions hold all of at least two content words.

    A short question about a topic of several rows ("계좌 개설") is far ahead of none of them, and none of its words is unknown.
    """
    if verdict.status != "declined" or len(words) < MIN_WORDS:
        return verdict
    rows = [hit for hit in verdict.ranked if all(_in_question(hit, (word,)) for word in words)]
    if not rows:
        return verdict
    nodes = tuple(JudgedNode(node=hit.node, parts=hit.parts, score=hit.score, status="suggested") for hit in rows)
    return replace(verdict, status="suggested", reason=None, nodes=nodes[:SUGGESTIONS])


def other_than_shown(contextual: Verdict, standalone: Verdict, shown: Sequence[str], words: Sequence[str]) -> Verdict:
    """Suggestions in the place of rows `shown` before: other rows that hold the message's own `words`, if there are any.

    The note says that the rows shown say nothing about them; where one does, it is offered with the others.
    """
    repeated = [hit for hit in contextual.ranked if row_id(hit) in shown]
    rows = {row_id(hit): hit for hit in (*contextual.ranked, *standalone.ranked) if row_id(hit) not in shown}
    about = [hit for hit in rows.values() if words and _in_question(hit, words)]
    holding = [hit for hit in repeated if holds_words(hit, words)]
    # Only a word of banking is worth naming: "'며칠'에 대한 내용이 없습니다" helps nobody.
    subject = next((word for word in words if is_about_banking(word)), "")
    if subject and not holding:
        note, offered = Note("not_mentioned", {"word": subject}), about or list(rows.values())
    else:
        note, offered = Note("already_shown"), [*(holding or repeated)[:1], *(about or rows.values())]
    nodes = tuple(JudgedNode(node=hit.node, parts=hit.parts, score=hit.score, status="suggested") for hit in offered)
    if not nodes:
        return replace(contextual, status="declined", reason="not_covered", nodes=())
    ranked = (*nodes, *(hit for hit in contextual.ranked if row_id(hit) not in set(map(row_id, nodes))))
    return replace(contextual, status="suggested", reason=None, nodes=nodes[:SUGGESTIONS], ranked=ranked, note=note)


def _in_question(hit: JudgedNode, words: Sequence[str]) -> bool:
    question = compact(f"{question_of(hit)} {matched_question(hit)}")
    return any(compact(word) in question for word in words)


def _judged(hit: JudgedNode, *, quoted: bool) -> JudgedNode:
    return JudgedNode(node=hit.node, parts=hit.parts, score=hit.score, status="answered", quoted=quoted)


def is_foreign(question: str, contextual: Verdict) -> bool:
    """Whether a message is about something that neither banking nor the row before has a word for."""
    words = follow_up_rules.content_words(question)
    first = contextual.ranked[:1]
    return (
        bool(words)
        and not follow_up_rules.is_about_banking(question)
        and not any(holds_words(hit, words) for hit in first)
    )


def row_wins(rule: DeclineRule, verdict: Verdict, question: str) -> bool:
    """Whether the row that answers is about what the rule saw: it holds most of those words, or asks the same.

    Without that, an order put beside a banking question would be carried out, and a wish for advice answered.
    """
    if verdict.status != "answered":
        return False
    words = follow_up_rules.content_words(rule.matched_text(question))
    held = sum(holds_words(verdict.nodes[0], (word,)) for word in words)
    return is_same_question(question, verdict.nodes[0]) or (bool(words) and held >= MOST_WORDS * len(words))


def shown_before(verdict: Verdict, history: Sequence[Turn]) -> tuple[str, ...]:
    """The rows that the turn before showed, where the verdict would begin with one of them again."""
    last = history[-1] if history else None
    if not last or not verdict.nodes:
        return ()
    shown = last.source_ids[:1] if last.status == "answered" else last.source_ids
    return shown if row_id(verdict.nodes[0]) in shown else ()
