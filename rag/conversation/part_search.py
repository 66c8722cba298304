"""The questions of one message, each ranked: a part in the reading that is answered, or as it goes on with those before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.conversation import follow_up_rules
from rag.conversation.question_parts import Part
from rag.retrieval.confidence import Verdict
from rag.types import Turn

Rank = Callable[[str, Sequence[Turn]], Verdict]
"""The outcome of a text, said after earlier turns."""


def rank_parts(asked: Sequence[Part], rank: Rank, is_about_banking: Callable[[str], bool]) -> list[Verdict]:
    """The outcome of each part. One that is declined is off topic only if it neither `is_about_banking` nor asks on."""
    parts, before = [], list[Turn]()
    for part in asked:
        verdict = _likeliest(part, rank)
        if before and verdict.status != "answered":
            followed = _followed(part, before, rank)
            is_asked = part.joined or is_about_banking(part.readings[0]) or follow_up_rules.asks_on(part.readings[0])
            if followed.status == "answered":
                verdict = followed
            elif is_asked and verdict.status == "declined":
                verdict = replace(verdict, reason="not_covered")
        parts.append(verdict)
        before.append(Turn(part.readings[0]))
    return parts


def _likeliest(part: Part, rank: Rank) -> Verdict:
    """The outcome of the first reading that is answered; of none, the most confident one."""
    verdicts: list[Verdict] = []
    for text in part.readings:
        verdicts.append(rank(text, ()))
        if verdicts[-1].status == "answered":
            return verdicts[-1]
    return max(verdicts, key=lambda verdict: (verdict.status != "declined", verdict.confidence))


def _followed(part: Part, before: Sequence[Turn], rank: Rank) -> Verdict:
    """A part that goes on with those before it: "해외송금 수수료 얼마예요? 한도는요?"."""
    text = part.readings[0]
    joined = rank(text, before)
    if joined.status == "answered" or part.joined or follow_up_rules.names_product(text):
        return joined
    # "오토론 얼마까지 되고 뭐 준비해야 해요": the first clause asks for something else, and only what it is about is shared.
    subject = " ".join(follow_up_rules.topic_words(before[0].question))
    return rank(f"{subject} {text}".strip(), ())
