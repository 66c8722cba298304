"""Is the first row the answer? Three outcomes from thresholds kept in the index's manifest.

answered: clear. suggested: the nearest rows are offered. declined: nothing here covers the question. A wrong answer
shown as the approved word is the worst outcome, so the margin to the next row counts as much as the match itself.
Knows nothing of stores and models: it judges what the retriever found.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any

from rag.constraints import Conflict
from rag.data_files import read_text
from rag.retrieval.differences import what_differs
from rag.retrieval.hybrid import DENSE, FusedNode, Fusion, Retrieved, with_a_passage
from rag.retrieval.offering import INQUIRY, Bound, Wording, bound_of, is_one_of_several, least_chance
from rag.retrieval.ranking import Ordered, features, order_by_agreement, same_question, score_of, subjects_not_in
from rag.retrieval.rows import bank_of, is_passage
from rag.retrieval.subjects import other_subject
from rag.types import Note, Reason, Section, Status

SUGGESTIONS = 3
LEAD = 1.0
"""Units by which the first row leads clearly. In an index of few rows its chance rises from there on, in full from two on."""
RELATED = 0.1
"""Chance of answering from which on a further row is shown beside the quoted one."""


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression over named features; calling it gives the log-odds."""

    weights: Mapping[str, float]
    bias: float

    def __call__(self, features: Mapping[str, float]) -> float:
        return self.bias + sum(weight * features.get(name, 0.0) for name, weight in self.weights.items())


@dataclass(frozen=True, slots=True)
class Calibration:
    """All that is fitted for one index; kept in its manifest.

    `correct`: log-odds that the first row answers. `covered`: that one of the first three does. `gap`: log-odds lost per
    unit of fused score behind the first row. `answered`, `suggested`: probabilities from which on that outcome is given.
    `off_topic`: covered-probability below which a declined question counts as no banking question at all.
    `same_gap`: fused score within which another institution's row of the same question matches equally.
    `lead`: log-odds between a first row that leads by nothing and one that leads clearly, beside what `correct` says: that is
    linear in the lead, of which the first unit tells most. `few_rows`: log-odds added in an index of few rows
    (`rag.retrieval.score_scales`) to the chance of the first three, and to the first row's where it leads clearly. `origin`:
    "own rows" or "labels". `unheld`: terms of the lexicon that none of the rows holds; `lexicon`: the
    `lexicon_version` that they are terms of. `subjects`: those of the rows (`rag.retrieval.subjects`).
    """

    fusion: Fusion
    correct: Logistic
    covered: Logistic
    gap: float
    answered: float
    suggested: float
    off_topic: float
    same_gap: float = 0.8
    lead: float = 0.0
    few_rows: float = 0.0
    origin: str = "own rows"
    unheld: frozenset[str] = frozenset()
    lexicon: str = ""
    subjects: frozenset[str] = frozenset()

    def first_answers(self, features: Mapping[str, float], hits: Sequence[FusedNode]) -> float:
        """Log-odds that the first of `hits` answers; `features` are of this ranking."""
        # It cannot be likelier to answer than one of the first three.
        log_odds = min(self.correct(features), self.covered(features))
        # Of two rows that match alike either may be meant, however few there are.
        lead = features["margin"]
        log_odds += self.lead * (min(1.0, lead / LEAD) - 0.5)
        return log_odds if is_passage(hits[0]) else log_odds + self.few_rows * min(1.0, max(0.0, lead - LEAD))

    def as_json(self) -> dict[str, Any]:
        # One line of words, for there are some thousand.
        return {**asdict(self), **{name: " ".join(sorted(getattr(self, name))) for name in ("unheld", "subjects")}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibration:
        return cls(
            **{
                **data,
                "fusion": Fusion.from_json(data["fusion"]),
                "correct": Logistic(**data["correct"]),
                "covered": Logistic(**data["covered"]),
                "unheld": frozenset(data.get("unheld", "").split()),
                "subjects": frozenset(data.get("subjects", "").split()),
                # An index of before it had subjects reads its rows again.
                "lexicon": data.get("lexicon", "") if "subjects" in data else "",
            }
        )


@cache
def defaults(*, dense: bool = True) -> Calibration:
    """The calibration an index starts with, fitted on several FAQs (`benchmarks.default_fit`); another without vectors.

    Its features are in units of the index's own scales, so it carries over; `rag calibrate` with labels replaces it.
    """
    calibrations = json.loads(read_text(__package__, "calibration.json"))
    return Calibration.from_json(calibrations["hybrid" if dense else "lexical"])


def lexical_only_calibration(calibration: Calibration) -> Calibration:
    """The one for what was found in the same index by words alone: on the index's scales, the thresholds of `defaults`."""
    start = defaults(dense=False)
    fusion = Fusion(start.fusion.weights, calibration.fusion.scales)
    return replace(start, fusion=fusion, unheld=calibration.unheld, subjects=calibration.subjects)


class JudgedNode(FusedNode):
    """A row with the outcome it belongs to. `score` is calibrated: the chance in 0..1 that this row answers."""

    status: Status
    quoted: bool = False

    def judged(self, status: Status, *, quoted: bool = False) -> JudgedNode:
        """The same row with another outcome."""
        return JudgedNode(node=self.node, parts=self.parts, score=self.score, status=status, quoted=quoted)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one question.

    `nodes` are what the customer is shown (none when declined), `ranked` all rows found, best first, with calibrated scores;
    `confidence` is the chance in 0..1 that the first row answers. `query` is the text that was searched for; `lexical_only`:
    without the embedding, which failed. `note`: what the text says beside or instead of the usual sentence. `sections`: the
    parts of several questions or institutions, each with its rows. `names_banks`: an answer begins with its institution's name,
    for the index holds several. `conflicts`: what the question pins down and the nearest row holds differently, which kept it
    from being answered, as does `is_blocked` without any, where it holds one of several values asked for or is one of several
    rows about a lone word. `bound`: which of the calibration's bounds `covered` had to reach for its rows to be offered, where
    it is not answered. `is_chosen`: the customer chose the row, so that its own question is asked. `features`: FEATURES of the
    ranking. `retrieved`: all that the search found, also rows of which no outcome is made; None where nothing was searched.
    """

    status: Status
    reason: Reason | None
    nodes: tuple[JudgedNode, ...]
    ranked: tuple[JudgedNode, ...]
    confidence: float
    covered: float
    query: str = ""
    lexical_only: bool = False
    note: Note | None = None
    sections: tuple[Section, ...] = ()
    names_banks: bool = False
    conflicts: tuple[Conflict, ...] = ()
    is_blocked: bool = False
    bound: Bound = "suggested"
    is_chosen: bool = False
    features: Mapping[str, float] = field(default_factory=dict)
    retrieved: Retrieved | None = field(default=None, repr=False, compare=False)


def judge(
    question: str,
    hits: Sequence[FusedNode],
    calibration: Calibration,
    *,
    top_k: int = 5,
    wording: Wording | None = None,
    today: date | None = None,
) -> Verdict:
    """Decide the outcome for `hits`, best first; hits without a dense part are judged by the calibration's lexical-only
    thresholds. `wording`: the question's words, where they are to count beside the scores. `today`: as in `compare`."""
    if not hits:
        return Verdict("declined", "not_covered", (), (), 0.0, 0.0, question)
    ranking = _ranked(question, hits, calibration, wording, today)
    ordered, hits, calibration = ranking.ordered, ranking.hits, ranking.calibration
    confidence, covered = ranking.chance, _sigmoid(calibration.covered(ranking.features))
    status: Status = "answered"
    bound: Bound = "suggested"
    if not ranking.answers:
        bound = bound_of(question, ordered, wording)
        few_rows = calibration.few_rows * (bound == "suggested" and not is_passage(hits[0]))
        chance = _sigmoid(calibration.covered(ranking.features) + few_rows)
        is_covered = chance >= least_chance(calibration.suggested, calibration.off_topic, bound)
        status = "suggested" if is_covered else "declined"
    chances = [_sigmoid(ranking.log_odds - calibration.gap * (score_of(hits[0]) - score_of(hit))) for hit in hits]
    equals = _equals(hits, chances, calibration) if status == "answered" else ()
    ranked = tuple(
        JudgedNode(node=hit.node, parts=hit.parts, score=chances[index], status=status, quoted=index in equals)
        for index, hit in enumerate(hits)
    )
    verdict = Verdict(status, None, (), ranked, confidence, covered, question)
    verdict = replace(verdict, is_blocked=ranking.is_blocked, bound=bound, features=ranking.features)
    if status == "declined":
        reason: Reason = "off_topic" if bound == "unknown_words" or covered < calibration.off_topic else "not_covered"
        return replace(verdict, reason=reason)
    shown = ranked[:SUGGESTIONS]
    if status == "answered":
        # Quoted rows first, so that the answer's citations count from 1; then related ones, at most top_k in all.
        quoted = [hit for hit in ranked if hit.quoted]
        related = [hit for hit in ranked if not hit.quoted and score_of(hit) >= RELATED]
        shown = tuple([*quoted, *related][: max(top_k, len(quoted))])
    note = what_differs(ordered.conflicts, shown) if ordered.conflicts else None
    return replace(verdict, nodes=shown, conflicts=ordered.conflicts, note=note)


def answering_row(
    question: str,
    hits: Sequence[FusedNode],
    calibration: Calibration,
    *,
    wording: Wording | None = None,
    today: date | None = None,
) -> JudgedNode | None:
    """The row of `hits` that `judge` would give as the answer; None where it would give none."""
    ranking = _ranked(question, hits, calibration, wording, today) if hits else None
    if ranking is None or not ranking.answers:
        return None
    first = ranking.hits[0]
    return JudgedNode(node=first.node, parts=first.parts, score=ranking.chance, status="answered", quoted=True)


@dataclass(frozen=True, slots=True)
class _Ranking:
    """Hits in order, with all that decides whether the first is the answer. `log_odds`: that it is."""

    ordered: Ordered
    hits: Sequence[FusedNode]
    calibration: Calibration
    features: Mapping[str, float]
    log_odds: float
    is_blocked: bool

    @property
    def chance(self) -> float:
        return _sigmoid(self.log_odds)

    @property
    def answers(self) -> bool:
        return not self.is_blocked and self.chance >= self.calibration.answered


def _ranked(
    question: str,
    hits: Sequence[FusedNode],
    calibration: Calibration,
    wording: Wording | None,
    today: date | None,
) -> _Ranking:
    # The embedding failed, and the thresholds of both lists would mean another thing.
    if DENSE not in hits[0].parts and calibration.fusion.weights[DENSE]:
        calibration = lexical_only_calibration(calibration)
    ordered = _rank_rows(question, hits, calibration, today)
    hits = with_a_passage(ordered.hits, first=SUGGESTIONS)
    signals = features(question, hits, calibration.fusion)
    if wording and not ordered.conflicts and (named := subjects_not_in(hits[0], wording.words, calibration.subjects)):
        other, hits = other_subject(question, named, hits, calibration.subjects)
        ordered = replace(ordered, conflicts=(other,) if other else ())
    # A lone word is about every row whose question holds it: the first of them is no answer.
    is_blocked = bool(ordered.conflicts) or (
        wording is not None
        and (len(wording.words) == 1 or INQUIRY.search(question) is not None)
        and is_one_of_several(question, wording, hits)
    )
    return _Ranking(ordered, hits, calibration, signals, calibration.first_answers(signals, hits), is_blocked)


def _rank_rows(question: str, hits: Sequence[FusedNode], calibration: Calibration, today: date | None) -> Ordered:
    """Orders the hits so that a row of an FAQ is judged as it would be if there were no documents: it is the approved answer.

    The rows are compared with the question and with each other alone. The best is before all passages where it would be
    answered, or where no passage matches better.
    """
    ordered = order_by_agreement(question, hits, today=today)
    rows = [hit for hit in hits if not is_passage(hit)]
    if len(rows) in (0, len(hits)):
        return ordered
    alone = order_by_agreement(question, rows, today=today)
    if is_passage(ordered.hits[0]):
        signals = features(question, alone.hits, calibration.fusion)
        log_odds = calibration.first_answers(signals, alone.hits)
        if alone.conflicts or _sigmoid(log_odds) < calibration.answered:
            return ordered
    others = [*alone.hits[1:], *filter(is_passage, ordered.hits)]
    return replace(alone, hits=(alone.hits[0], *sorted(others, key=score_of, reverse=True)))


def _equals(hits: Sequence[FusedNode], chances: Sequence[float], calibration: Calibration) -> tuple[int, ...]:
    """Indices of the first row and of other institutions' rows that answer as well, one each.

    Those are rows that ask the same and match about equally, and rows that would be answered if they came first: a customer
    who names no institution may be any one's, and the first row alone would pass for the rule of all.
    """
    others: dict[str, int] = {}
    own = bank_of(hits[0])
    for index, hit in enumerate(hits[1:], 1):
        bank = bank_of(hit)
        close = score_of(hits[0]) - score_of(hit) <= calibration.same_gap and same_question(hits[0], hit)
        if not bank or bank == own or not (close or chances[index] >= calibration.answered):
            continue
        # Of an institution's rows the one that asks the same, else its best.
        if bank not in others or (close and not same_question(hits[0], hits[others[bank]])):
            others[bank] = index
    return (0, *sorted(others.values()))


def _sigmoid(log_odds: float) -> float:
    # Beyond 60 the chance is 0 or 1 in float64, and exp would overflow at 710.
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, log_odds))))
