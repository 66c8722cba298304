"""What is read off a ranking: how high the first row is, how far ahead, how it matched. The confidence is judged by it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from rag.korean import tokens
from rag.retrieval.constraint_order import absent
from rag.retrieval.hybrid import DENSE, FusedNode, Fusion, is_passage, matched_question, question_of
from rag.retrieval.query_analysis import expand
from rag.stores.base import TOKENS

FEATURES = ("top", "margin", "margin10", "dense", "tokens", "title", "length", "absent")
MOST_TOKENS = 4.0
"""Units from which on a better match by words tells no more: two words that a row holds reach ten of them."""
_QUESTION_WORDS = frozenset(
    tokens(
        "어떻게 하나요 되나요 해야 하려면 무엇인가요 얼마인가요 언제인가요 어디에서 방법은 알려 주세요 궁금합니다 있나요"
    )
)
"""Tokens that any question has, whatever it is about: the rows of one bank end in them, those of another do not."""


def features(question: str, hits: Sequence[FusedNode], fusion: Fusion) -> dict[str, float]:
    """FEATURES of a ranking: how high the first row is, how far ahead, and how it matched.

    `top`: its fused score. `margin`: its lead over the next row of the same institution; `margin10`: over the tenth row of any.
    What a FAQ covers stands out from its crowd, what it does not lies level with it. Other institutions' rows of the same
    question, other phrasings of the same answer, and passages beside a row are no reason for doubt: they do not count. `dense`:
    its match by vectors, missing where there are none; `tokens`: its match by words, MOST_TOKENS at most. These five are in
    units of the index's scales.
    `title`: the share of the first row's question (the phrasing that was found, without "…은 어떻게 하나요?") that the
    expanded question accounts for, 0..1. `length`: the natural log of the question's tokens. `absent`: 1 where the question
    names an action or a product that the first row does not, else 0.
    """
    first = hits[0]
    top = score_of(first)
    others = rivals(hits)
    last = next(hit for hit in reversed(hits) if is_passage(hit) == is_passage(first))
    bank = first.node.metadata.get("bank")
    own = [hit for hit in others if hit.node.metadata.get("bank") == bank]
    title = _subject(matched_question(first))
    values = {
        "top": top,
        "margin": top - score_of(own[0] if own else last),
        "margin10": top - score_of(others[9] if len(others) > 9 else last),
        "tokens": min(MOST_TOKENS, fusion.scales[TOKENS](first.parts[TOKENS])),
        "title": len(title & set(tokens(expand(question)))) / max(1, len(title)),
        "length": math.log(len(set(tokens(question))) + 1),
        "absent": float(absent(question, first)),
    }
    if DENSE in first.parts:
        values["dense"] = fusion.scales[DENSE](first.parts[DENSE])
    return values


def same_question(one: FusedNode, other: FusedNode) -> bool:
    """Whether two rows ask the same: the Dice coefficient of their questions' tokens is at least .5.

    Without the words that any question has: "…은 어떻게 하나요?" alone would make short questions alike.
    """
    a, b = (_subject(question_of(hit)) for hit in (one, other))
    return bool(a and b) and 2 * len(a & b) / (len(a) + len(b)) >= 0.5


@lru_cache(maxsize=4096)
def _subject(question: str) -> frozenset[str]:
    return frozenset(tokens(question)) - _QUESTION_WORDS


def rivals(hits: Sequence[FusedNode]) -> list[FusedNode]:
    """The rows with other answers than the first and each other, without other institutions' rows of the first's question.

    Passages of documents are no rivals of a row of an FAQ, which is the approved answer whatever else says it.
    """
    first = hits[0]
    if not is_passage(first):
        hits = [hit for hit in hits if not is_passage(hit)]
    bank = first.node.metadata.get("bank")
    # Rows repeat an answer under several questions: whichever is shown, the customer reads the same.
    answers = {first.node.get_content()}
    rivals = []
    for hit in hits[1:]:
        is_counterpart = hit.node.metadata.get("bank") != bank and same_question(first, hit)
        if hit.node.get_content() not in answers and not is_counterpart:
            answers.add(hit.node.get_content())
            rivals.append(hit)
    return rivals


def score_of(hit: FusedNode) -> float:
    """The fused score; 0 where there is none."""
    return hit.score or 0.0
