"""From which chance on rows are offered to a customer who gets no answer: a word or two are let through, doubts are not.

Offering the right row among three is worth much more than turning the customer away, so the bound is low; but what no row can
be about is not offered three rows for one shared word ("법인카드 한도", "미용실 몇시까지 해").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.constraints import default_contrasts
from rag.constraints.asked_values import asked_values
from rag.constraints.aspects import ASPECT, ASPECT_OF
from rag.constraints.contrasts import mentions_of
from rag.korean import compact
from rag.retrieval.hybrid import FusedNode
from rag.retrieval.query_analysis import expand
from rag.retrieval.ranking import FIRST, Ordered, rivals
from rag.retrieval.rows import question_of, row_text

Bound = Literal["off_topic", "suggested", "doubtful", "unknown_words"]
SHORT = 8
"""Characters without spaces up to which a question gets suggestions unless it is off topic."""
DOUBTFUL = 0.15
"""Chance that a row answers from which on rows are offered in spite of a doubt. Of the questions that a row answers 1 of 9 with a
thing lacking in all rows offered lies below, of the near-domain inputs 60 of 64 (docs/evaluation-log.md)."""
PARTICLE = 2
"""Characters that may follow a lone word: "인증서요"."""
_PUNCTUATION = re.compile(r"[\s?!.,~]+$")
_OF_A_TOPIC = re.compile(rf"(?:{ASPECT}|연회비|보험료|보증금)$")
"""An aspect in one word with its topic ("중도상환수수료"): other rows may mention it, and the row about it answers."""
_CHANGED = r"[을를의]?(?:증액|상향|올리|늘리|높이|감액|하향|줄이|낮추|변경|바꾸|바꿀|조정|인하|연장|단축|면제)"
"""Follows an aspect in a row's question on changing it."""
INQUIRY = re.compile(
    r"(?<=\S)\s?(?:관련(?:해서|하여|된|으로)?|에\s?(?:대해서?|대한|관해|관한))?\s?(?:문의|질문|궁금)\S*[\s.?!~]*$"
)
"""Announces a question and asks none: "통장 관련 문의"."""
UNDIVIDED = 10
"""Characters from which on a word is several without spaces, and says nothing by being unknown."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What a question's words are: its content words without endings, and whether one of them is a word of banking.

    `unheld`: terms of the lexicon that the index has no row about; a word that stands for them alone is none it knows.
    """

    words: tuple[str, ...]
    about_banking: bool
    unheld: Collection[str] = frozenset()


def bound_of(question: str, ordered: Ordered, wording: Wording | None) -> Bound:
    """Which bound a question's chance has to reach.

    doubtful: no row offered names the thing it is about. unknown_words: none holds any of its words, none of which is of banking.
    off_topic: a word or two ("환전", "비번 까먹음") that are known here, or values that the first row states: too little to be
    sure of, and too little to turn a customer away.
    """
    known = [_is_known(word, ordered.hits, wording.unheld) for word in wording.words] if wording else []
    is_beyond_banking = wording is not None and not wording.about_banking
    if is_beyond_banking and not any(known):
        return "unknown_words"
    if ordered.lacks_thing:
        return "doubtful"
    if (is_short(question) and (all(known) or not is_beyond_banking)) or ordered.states_values:
        return "off_topic"
    return "suggested"


def least_chance(suggested: float, off_topic: float, bound: Bound) -> float:
    """The bound as a chance in 0..1, with the thresholds of a calibration."""
    if bound in ("doubtful", "unknown_words"):
        return max(DOUBTFUL, suggested)
    return off_topic if bound == "off_topic" else suggested


def is_short(question: str) -> bool:
    """A word or two say too little to be sure of, and too little to turn a customer away."""
    return len(compact(question)) <= SHORT


def is_one_of_several(question: str, wording: Wording, hits: Sequence[FusedNode]) -> bool:
    """Whether a question is one word that leaves open what is meant: a topic that several rows' questions hold ("환전").

    An aspect with its topic alone ("이체한도") leaves it open beside a row on changing it.
    Where the word is the whole message, also a topic that other rows' answers mention, and an action or an aspect without what
    it is of ("해지", "한도"). One that asks for a value ("환전 얼마까지") says which of them is meant. A word of which a question
    is only announced ("통장 관련 문의") leaves it open, too.
    """
    announced = INQUIRY.sub("", question.strip())
    if announced != question.strip() and len(announced.split()) == 1:
        return True
    topic = _PUNCTUATION.sub("", question.strip())
    if _OF_A_TOPIC.search(topic) and hits and re.search(re.escape(topic) + _CHANGED, compact(question_of(hits[0]))):
        return True
    if len(wording.words) != 1 or asked_values(question):
        return False
    word = compact(wording.words[0])
    if any(word in compact(question_of(hit)) for hit in rivals(hits)):
        return True
    if len(compact(question)) > len(word) + PARTICLE:
        return False
    sets = default_contrasts().sets
    if any(sets[each.set_name].kind == "action" and each.text == word for each in mentions_of(word)):
        return True
    if _OF_A_TOPIC.search(word):
        return word in ASPECT_OF
    return any(word in compact(hit.node.get_content()) for hit in rivals(hits))


def _is_known(word: str, hits: Sequence[FusedNode], unheld: Collection[str]) -> bool:
    """Whether one of the rows that would be offered holds a word, or the lexicon knows it."""
    text = compact(word)
    return (
        len(text) >= UNDIVIDED
        or compact(expand(word, without=unheld)) != text
        or any(text in compact(row_text(hit)) for hit in hits[:FIRST])
    )
