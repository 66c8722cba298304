"""The order of the rows found, and what is read off it for the confidence. Pure.

What a question pins down decides between neighbours: rows that agree with it move up, rows that differ move down. A row on 2년 is
no answer to a question about 1년, however near it is. Where the nearest row conflicts and none that agrees takes its place, or
where the first row lacks what is asked for, no row may be called the answer; what differs is kept, so that the customer is told.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import zip_longest

from rag.constraints import Agreement, Conflict, compare
from rag.constraints.agreement import BLOCKING_KINDS
from rag.constraints.contrasts import default_contrasts, implied_by, members_of
from rag.constraints.value_agreement import is_on_values
from rag.korean import compact, tokens
from rag.retrieval.hybrid import DENSE, FusedNode, Fusion
from rag.retrieval.query_analysis import expand
from rag.retrieval.rows import (
    bank_of,
    is_passage,
    last_heading,
    matched_question,
    phrasings_of,
    question_of,
    row_text,
    text_of,
    titles_of,
)
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
MOST_WORDS = 6
"""Content words up to which a message names things and tells no story, in which a subject may be mentioned beside the matter."""
COMPARED = 10
"""Rows compared with the question, best first."""
FIRST = 3
"""Rows that are offered: what all of them lack, the customer is offered nothing on."""
AGREES = 0.3
CONFLICTS = 1.2
"""Units of fused score by which a row moves. Any value from .15 and .3 on ranked the development sets alike."""
HOLDS = 0.6
"""Units by which a row moves that states all values of the text, told ones too: "오천원" is rarely said of another row."""
HOLDS_UNNAMED = 0.3
"""The same for a row whose question does not name them, where another row's does: "만기 후 이율" only covers 2년 by a range."""
LACKS = 0.6
"""Units by which a row moves down that lacks what another one holds of the values and things asked for."""
SAME = 0.5
"""Dice coefficient in 0..1 from which on two institutions' rows ask the same."""
ALIKE = 0.6
ALIKE_BUT_ONE = 0.3
"""Dice coefficient in 0..1 from which on two rows' questions are alike that name different members of one contrast set."""
_CASES = ("scope", "state", "channel", "means", "product")
"""Kinds of sets whose members are cases of one matter; what is done is another matter."""
_ABSENT_KINDS = ("action", "product", "means", "scope")


@dataclass(frozen=True, slots=True)
class Ordered:
    """Hits with their scores moved, best first, and why the first may not be given as the answer.

    `conflicts` are of the nearest row; none where the first row may be the answer. `states_values`: the first row states or
    covers all values of the text, of which there is one at least. `lacks_thing`: none of the first rows names a thing that the
    text is about ("법인카드").
    """

    hits: tuple[FusedNode, ...]
    conflicts: tuple[Conflict, ...] = ()
    states_values: bool = False
    lacks_thing: bool = False


def order_by_agreement(text: str, hits: Sequence[FusedNode], *, today: date | None = None) -> Ordered:
    """Reorder fused hits, best first. Institutions are not compared: a search is limited to the one that is named.

    `today`: see `rag.constraints.compare`.
    """
    rows = [
        compare(
            text,
            titles_of(hit),
            text_of(hit),
            institution=bank_of(hit),
            is_passage=is_passage(hit),
            synonyms=_synonyms,
            today=today,
        )
        for hit in hits[:COMPARED]
    ]
    named = [
        row.held == 1.0 and not row.conflicts and is_on_values(text, titles_of(hit))
        for hit, row in zip(hits, rows, strict=False)
    ]
    moved = _moved(hits, rows, named)
    if not moved:
        return Ordered(())
    first = moved[0][1]
    if first and (first.conflicts or (rows[0].conflicts and first.status != "agree")):
        # No row may be the answer: what lies nearest is what the customer is told the difference of.
        kept = _moved(hits, rows, named, down=False)
        conflicts = next(row.conflicts for _, row in kept if row and row.conflicts)
        return Ordered(tuple(hit for hit, _ in kept), conflicts, lacks_thing=_lack_a_thing(kept))
    return Ordered(
        tuple(hit for hit, _ in moved),
        first.lacking if first else (),
        states_values=first is not None and first.held == 1.0,
        lacks_thing=_lack_a_thing(moved),
    )


def _lack_a_thing(moved: Sequence[tuple[FusedNode, Agreement | None]]) -> bool:
    """Whether the FIRST rows all lack one and the same thing that the text names."""
    lacked = [
        {each.asked for each in row.lacking if each.kind in BLOCKING_KINDS} if row else set()
        for _, row in moved[:FIRST]
    ]
    # Of fewer rows it tells nothing: they may be all that an institution has.
    return len(lacked) == FIRST and bool(set.intersection(*lacked))


def subjects_not_in(row: FusedNode, words: Sequence[str], subjects: Collection[str]) -> tuple[str, ...]:
    """Those of a question's content words that name a subject of the index and are not in the row; none of over MOST_WORDS."""
    if len(words) > MOST_WORDS:
        return ()
    named = [word for word in words if len(word) >= 2 and any(each.endswith(compact(word)) for each in subjects)]
    held = compact(row_text(row)) if named else ""
    return tuple(word for word in named if compact(word) not in held)


def absent(text: str, hit: FusedNode) -> bool:
    """Whether the text names an action, a product, a means or a scope that the row names nowhere.

    No conflict, for the row may say it in words that no contrast set knows; but fewer of such rows answer.
    """
    sets = default_contrasts().sets
    asked = {(name, member) for name, member in members_of(text) if sets[name].kind in _ABSENT_KINDS}
    if not asked:
        return False
    question, answer = phrasings_of(hit), hit.node.get_content()
    held = members_of(question) | members_of(answer) | implied_by(f"{question} {answer}")
    named = {name for name, _ in held}
    return any(member not in sets[name].default or name in named for name, member in asked - held)


def _moved(
    hits: Sequence[FusedNode], rows: Sequence[Agreement], named: Sequence[bool], *, down: bool = True
) -> list[tuple[FusedNode, Agreement | None]]:
    """The hits in their new order, each with its comparison, which those after the first COMPARED lack.

    `named`: whether the row's question names all values of the text. `down`: whether a conflict and what a row lacks move it
    down.
    """
    conflicts = CONFLICTS if down else 0.0
    # Where every row lacks something, none is the better for it, and their scores mean what they always do.
    lacks = LACKS if down and not all(row.lacking for row in rows) else 0.0
    unnamed = HOLDS_UNNAMED if any(named) else HOLDS
    moved: list[tuple[FusedNode, Agreement | None]] = []
    for hit, row, is_named in zip_longest(hits, rows, named):
        if row is None:
            step = -lacks  # a row that was not compared is not better than one that was
        else:
            step = (HOLDS if is_named else unnamed) * row.held
            step += -conflicts if row.conflicts else (AGREES if row.agreed else 0.0) - (lacks if row.lacking else 0.0)
        moved.append((FusedNode(node=hit.node, parts=hit.parts, score=score_of(hit) + step), row))
    return sorted(moved, key=lambda each: -score_of(each[0]))


@lru_cache(maxsize=4096)
def _synonyms(word: str) -> str:
    return expand(word)


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
    bank = bank_of(first)
    own = [hit for hit in others if bank_of(hit) == bank]
    title = _subject(last_heading(matched_question(first)) if is_passage(first) else matched_question(first))
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
    """Whether two rows ask the same: their questions' tokens have a Dice coefficient of SAME at least.

    Without the words that any question has: "…은 어떻게 하나요?" alone would make short questions alike.
    """
    return _likeness(*(_subject(question_of(hit)) for hit in (one, other))) >= SAME


def shares_subject(one: FusedNode, other: FusedNode) -> bool:
    """Whether the questions of two rows have a token in common that not any question has."""
    return bool(_subject(question_of(one)) & _subject(question_of(other)))


def leaves_open(question: str, one: FusedNode, other: FusedNode) -> bool:
    """Whether two rows of one institution differ by a condition of which a question names neither side ("카드 분실").

    Their questions' tokens have a Dice coefficient of ALIKE at least, or of ALIKE_BUT_ONE where they name different members of a
    contrast set of which the question names none; each has some of its own, and the question none of those, nor have the bank's
    words for what only the customer says.
    """
    if bank_of(one) != bank_of(other) or one.node.get_content() == other.node.get_content():
        return False
    a, b = (_subject(question_of(hit)) for hit in (one, other))
    alike = _likeness(a, b)
    if not (a - b and b - a) or alike < ALIKE_BUT_ONE:
        return False
    if alike < ALIKE and not _differ_by_case(question, question_of(one), question_of(other)):
        return False
    # A word that both hold needs no other word for it: "취소" adds "퇴결", which is of one of the cases alone.
    others = " ".join(word for word in question.split() if not (a & b).issuperset(tokens(word)[:1]))
    return not (a ^ b) & {*tokens(question), *tokens(expand(others))}


def has_open_case(question: str, ranked: Sequence[FusedNode]) -> bool:
    """Whether a question leaves open if the first of the rows found is meant, or another one of its institution."""
    return any(leaves_open(question, ranked[0], hit) for hit in ranked[1:])


def _differ_by_case(question: str, one: str, other: str) -> bool:
    sets, (a, b, asked) = default_contrasts().sets, (_members(text) for text in (one, other, question))
    return any(sets[name].kind in _CASES and not a[name] & b[name] for name in a.keys() & b.keys() if name not in asked)


def _members(text: str) -> dict[str, set[str]]:
    members: dict[str, set[str]] = {}
    for name, member in members_of(text):
        members.setdefault(name, set()).add(member)
    return members


def _likeness(a: frozenset[str], b: frozenset[str]) -> float:
    """The Dice coefficient of two questions' tokens; 0 where both have none."""
    return 2 * len(a & b) / max(1, len(a) + len(b))


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
    bank = bank_of(first)
    # Rows repeat an answer under several questions: whichever is shown, the customer reads the same.
    answers = {first.node.get_content()}
    rivals = []
    for hit in hits[1:]:
        is_counterpart = bank_of(hit) != bank and same_question(first, hit)
        if hit.node.get_content() not in answers and not is_counterpart:
            answers.add(hit.node.get_content())
            rivals.append(hit)
    return rivals


def score_of(hit: FusedNode) -> float:
    """The fused score; 0 where there is none."""
    return hit.score or 0.0
