"""What a question pins down decides between neighbours: rows that agree with it move up, rows that conflict move down.

A row on 2년 is no answer to a question about 1년, however near it is. Where the nearest row conflicts and none that agrees
takes its place, or where a value asked for stands in neither question nor answer of the first row, no row may be called the
answer; what differs is kept, so that the customer is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.constraints import Agreement, Conflict, compare
from rag.constraints.agreement import concerned_part, guidance
from rag.constraints.asked_values import not_stated, other_period
from rag.constraints.bounds import is_decided
from rag.constraints.compounds import (
    is_on_all_kinds,
    is_reversed,
    other_modifiers,
    other_target,
)
from rag.constraints.contrasts import ANSWERING, default_contrasts, members_of, mentions_of, stands_in
from rag.constraints.exceptions import is_excepted
from rag.constraints.held_values import share_held, values_not_held
from rag.constraints.objects import other_objects, unrequested_certificate
from rag.constraints.passage_scope import lacking_in_passage
from rag.constraints.reversals import is_taken_back
from rag.constraints.substitutions import substituted_nouns
from rag.constraints.verbal_nouns import verbal_noun_not_held
from rag.retrieval.hybrid import FusedNode, is_passage, matched_question, question_of
from rag.retrieval.query_analysis import BANK, expand

COMPARED = 10
"""Rows compared with the question, best first."""
FIRST = 3
"""Rows that are offered: what all of them lack, the customer is offered nothing on."""
AGREES = 0.3
CONFLICTS = 1.2
"""Units of fused score by which a row moves. Any value from .15 and .3 on ranked the development sets alike."""
HOLDS = 0.6
"""Units by which a row moves that states all values of the text, told ones too: "오천원" is rarely said of another row."""
LACKS = 0.6
"""Units by which a row moves down that lacks what another one holds of the values and things asked for."""
_BLOCKING_KINDS = ("product", "means", "scope", "term")
_PASSIVE = re.compile(
    r"(?<!신청하시면 )\S+(?<!시면)\s?(?:됩니다|되며|되고|되므로|될 수 있|되었습니다|됐습니다)"
    r"|\S+(?:하면|하시면)(?!\s?(?:됩니다|돼요))"
)
"""What happens by itself, or on a condition, is no guidance on doing it: "지문을 삭제하시면 자동 해제됩니다"."""
_ABSENT_KINDS = ("action", "product", "means", "scope")


@dataclass(frozen=True, slots=True)
class Ordered:
    """Hits with their scores moved, best first, and why the first may not be given as the answer.

    `conflicts` are of the nearest row; `is_blocked` also where a row answers only one of the values asked for.
    `states_values`: the first row states or covers all values of the text, of which there is one at least. `lacks_thing`:
    none of the first rows names a thing that the text is about ("법인카드").
    """

    hits: tuple[FusedNode, ...]
    conflicts: tuple[Conflict, ...] = ()
    is_blocked: bool = False
    states_values: bool = False
    lacks_thing: bool = False


@dataclass(frozen=True, slots=True)
class _Compared:
    """How a row compares with the question's constraints: `held` is the share of its values that the row states, 0..1.

    `lacking`: what the row does not state or treat, which moves it down. `replaced`: nouns of the question in the place of
    the row's, and what a passage does not state; they do not move the row.
    """

    agreement: Agreement
    held: float
    lacking: tuple[Conflict, ...]
    replaced: tuple[Conflict, ...] = ()


def order_by_agreement(text: str, hits: Sequence[FusedNode]) -> Ordered:
    """Reorder fused hits, best first. Institutions are not compared: a search is limited to the one that is named."""
    rows = [_compared(text, hit) for hit in hits[:COMPARED]]
    moved = _moved(hits, rows)
    if not moved:
        return Ordered(())
    first, nearest = moved[0][1], rows[0].agreement
    status = first.agreement.status if first else "unknown"
    if status == "conflict" or (nearest.status == "conflict" and status != "agree"):
        # In the order of their match: what lies nearest is what the customer is told the difference of.
        kept = _moved(hits, rows, drop=0.0)
        conflicts = next((row.agreement.conflicts for _, row in kept if row and row.agreement.conflicts), ())
        return Ordered(tuple(hit for hit, _ in kept), conflicts, is_blocked=True, lacks_thing=_lack_a_thing(kept))
    ordered, lacks_thing = tuple(hit for hit, _ in moved), _lack_a_thing(moved)
    if first is None:
        return Ordered(ordered)
    if first.agreement.missing:
        return Ordered(ordered, is_blocked=True, lacks_thing=lacks_thing)
    return Ordered(
        ordered,
        (*first.lacking, *first.replaced),
        is_blocked=bool(first.lacking or first.replaced),
        states_values=first.held == 1.0,
        lacks_thing=lacks_thing,
    )


def _lack_a_thing(moved: Sequence[tuple[FusedNode, _Compared | None]]) -> bool:
    """Whether the FIRST rows all lack one and the same thing that the text names."""
    lacked = [
        {conflict.asked for conflict in row.lacking if conflict.kind in _BLOCKING_KINDS} if row else set()
        for _, row in moved[:FIRST]
    ]
    # Of fewer rows it tells nothing: they may be all that an institution has.
    return len(lacked) == FIRST and bool(set.intersection(*lacked))


def _compared(text: str, hit: FusedNode) -> _Compared:
    row = question_of(hit), hit.node.get_content()
    unheld = [
        Conflict(value.dimension, value.text, "", is_decided(text, value, *row, synonyms=_synonyms))
        for value in values_not_held(text, *row)
    ]
    lacking = (*unheld, *_things_not_held(text, hit), *_other_things(text, hit))
    agreement = compare(text, *row)
    replaced = (*_replaced_nouns(text, hit), *_not_in_passage(text, hit))
    return _Compared(agreement, share_held(text, *row), lacking, replaced)


def _not_in_passage(text: str, hit: FusedNode) -> tuple[Conflict, ...]:
    if not is_passage(hit):
        return ()
    passage = f"{hit.node.metadata.get(BANK) or ''}\n{question_of(hit)}\n{hit.node.get_content()}"
    return tuple(Conflict("passage", asked, "") for asked in lacking_in_passage(text, passage, synonyms=_synonyms))


def _replaced_nouns(text: str, hit: FusedNode) -> tuple[Conflict, ...]:
    part = concerned_part(text, question_of(hit))
    # A row is found by its alternative phrasings, too: what one of them names is no other thing.
    answer = f"{matched_question(hit)}\n{hit.node.get_content()}"
    pairs = substituted_nouns(part, question_of(hit), answer, synonyms=_synonyms)
    return tuple(Conflict("product", asked, held) for asked, held in pairs)


def _things_not_held(text: str, hit: FusedNode) -> list[Conflict]:
    """The products, means and scopes asked about that a row names nowhere: "카드론" beside a row on loans in general.

    Of several questions in one message only the part that the row is about counts. Of the actions only those count that
    their set requires, like ending a thing: for others a customer has more words than a contrast set knows.
    """
    sets = default_contrasts()
    answer, own, named = hit.node.get_content(), members_of(question_of(hit)), members_of(text)
    held = own | members_of(answer)
    # A passage states rules ("취소는 전날까지 할 수 있다"), and no steps.
    done = held if is_passage(hit) else own | members_of(_done(answer))
    # The sets of which the row is about a member that the text does not name: that its answer mentions another is no matter.
    elsewhere = {name for name, member in own if member != ANSWERING} - {name for name, _ in own & named}
    lacking = []
    for mention in mentions_of(concerned_part(text, question_of(hit))):
        asked_of, member = sets.sets[mention.set_name], (mention.set_name, mention.member)
        # An answer may tell of an action without being about it ("연체하시면 한도가 감액됩니다"): there only its steps count.
        is_required = asked_of.kind in _BLOCKING_KINDS or mention.member in asked_of.required
        # Of what else excludes each other, a row lacks a member that names others: "유로" beside 달러 and 엔.
        if asked_of.kind == "state":
            is_required = any(name == mention.set_name for name, _ in held)
        about = done if asked_of.kind == "action" else own if mention.set_name in elsewhere else held
        names_any = mention.set_name not in elsewhere and (
            (mention.set_name, ANSWERING) in (done if asked_of.kind == "action" else held)
            # The set's own rules may have hidden the word ("세금" beside "예금"): it stands there all the same.
            or (asked_of.kind != "action" and stands_in(mention.text, f"{question_of(hit)}\n{answer}"))
        )
        is_answered = member in about or names_any or mention.member == ANSWERING
        is_answered |= is_on_all_kinds(question_of(hit), answer, mention.text)
        is_answered |= asked_of.kind in _BLOCKING_KINDS and is_excepted(text, mention.text, answer)
        if is_required and not is_answered:
            lacking.append(Conflict(asked_of.kind, mention.label, ""))
    return lacking


def _other_things(text: str, hit: FusedNode) -> list[Conflict]:
    """What else a row is on than a text: another kind of a compound or another object of an action ("플래티넘 카드" beside
    "해외겸용 카드"), no value of the kind asked for, another verbal noun, period, target, certificate or direction."""
    row_question, answer = question_of(hit), hit.node.get_content()
    part, bank = concerned_part(text, row_question), str(hit.node.metadata.get(BANK) or "")
    pairs = other_modifiers(part, row_question, answer, institution=bank, synonyms=_synonyms)
    pairs += other_objects(part, row_question, answer, synonyms=_synonyms)
    others = [Conflict("product", asked, held) for asked, held in pairs]
    others += [Conflict(value.kind, value.label, "") for value in not_stated(part, row_question, answer)]
    if noun := verbal_noun_not_held(part, row_question, answer, synonyms=_synonyms):
        others.append(Conflict("action", noun, ""))
    if period := other_period(part, row_question, answer):
        others.append(Conflict("count", period, ""))
    if target := other_target(part, row_question, answer, synonyms=_synonyms):
        others.append(Conflict("product", target, ""))
    if paper := unrequested_certificate(part, row_question):
        others.append(Conflict("paper", "", paper))
    if is_reversed(part, row_question) or is_taken_back(part, row_question, lambda: _done(answer)):
        others.append(Conflict("action", part, row_question))
    return others


def absent(text: str, hit: FusedNode) -> bool:
    """Whether the text names an action, a product, a means or a scope that the row names nowhere.

    No conflict, for the row may say it in words that no contrast set knows; but fewer of such rows answer.
    """
    sets = default_contrasts().sets
    asked = {
        (name, member) for name, member in members_of(text) if sets[name].kind in _ABSENT_KINDS and member != ANSWERING
    }
    return bool(asked) and not asked <= members_of(question_of(hit)) | members_of(hit.node.get_content())


def _moved(
    hits: Sequence[FusedNode], rows: Sequence[_Compared], *, drop: float = CONFLICTS
) -> list[tuple[FusedNode, _Compared | None]]:
    # Where every row lacks something, none is the better for it, and their scores mean what they always do.
    lacks = LACKS if drop and any(not row.lacking for row in rows) else 0.0
    moved: list[tuple[float, FusedNode, _Compared | None]] = []
    for index, hit in enumerate(hits):
        row = rows[index] if index < len(rows) else None
        # A row that was not compared is not better than one that was.
        step = -lacks
        if row and row.agreement.status == "conflict":
            step = -drop + HOLDS * row.held
        elif row:
            agreed = AGREES if row.agreement.status == "agree" else 0.0
            step = agreed + HOLDS * row.held - (lacks if row.lacking else 0.0)
        moved.append(((hit.score or 0.0) + step, hit, row))
    moved.sort(key=lambda each: -each[0])
    return [(FusedNode(node=hit.node, parts=hit.parts, score=score), row) for score, hit, row in moved]


@lru_cache(maxsize=4096)
def _synonyms(word: str) -> str:
    return expand(word)


@lru_cache(maxsize=4096)
def _done(answer: str) -> str:
    """The part of an answer that says what to do."""
    return _PASSIVE.sub("", guidance("action", answer))
