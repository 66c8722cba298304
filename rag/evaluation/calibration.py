"""`python -m rag calibrate`: moves an index's thresholds by labelled questions, and only where nothing gets worse.

The regressions of the package stay: a user's labels are too few for their weights. The threshold for answering moves down as
far as the labels below it, beside PRIOR imagined ones that behave as `_expected` says, leave all that is answered right
about as often as before. What a move gains is measured by cross-validation; a loss is not applied.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.errors import InputError
from rag.evaluation.datasets import OutOfDomain, Query
from rag.retrieval.confidence import SUGGESTIONS, Calibration, Verdict
from rag.retrieval.hybrid import row_id
from rag.retrieval.offering import least_chance

MIN_LABELS = 20
"""Labelled questions and out-of-domain inputs together, below which a fit is refused."""
FOLDS = 5
PRIOR = 6.0
"""Labels that the package's own expectation counts for: `_expected` below the threshold, LEAST_PRECISION above it."""
LEAST_PRECISION = 0.95
"""What is answered already counts as right this often at least: what is wrong there is no leave to answer more of its kind."""
UNDERCONFIDENT = 1.8
"""Log-odds by which an institution's own questions are righter than the regression says, which learned from each question once
more without the rows that answer it: of 154 with a chance of .3 to .6 .85 were right."""
LOSS = 0.005
"""Precision that may be lost, as the labels see it. PRIOR, LEAST_PRECISION, UNDERCONFIDENT, LOSS and LOWEST were chosen by the
other halves of random draws, of the bundled FAQ, its institutions and others beside them (docs/evaluation-log.md)."""
LOWEST = 0.4
"""Chance below which nothing is answered, whatever a few labels say: there only some two of three first rows are right."""
SUGGESTED_STEPS = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0)
"""Log-odds by which the suggestion threshold may move before it is shrunk."""
SHRINK = 30.0
"""Labels that hold the suggestion threshold back: with as many, half of the step is taken."""


@dataclass(frozen=True, slots=True)
class Label:
    """One input as the index judges it. `first_relevant`, `top3_relevant` are false for an out-of-domain input."""

    verdict: Verdict
    in_domain: bool
    first_relevant: bool = False
    top3_relevant: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares of 0..1: `precision` of all that is answered, out-of-domain inputs counted as wrong; the others of their kind.

    `precision` is NaN where nothing is answered.
    """

    precision: float
    share: float
    declined: float
    offered: float

    def __str__(self) -> str:
        return (
            f"answered {self.share:.3f} of the questions, {self.precision:.3f} of the answers right; "
            f"{self.declined:.3f} declined; rows offered to {self.offered:.3f} of the out-of-domain inputs"
        )


@dataclass(frozen=True, slots=True)
class Proposal:
    """Thresholds from labels. `before` and `after` are cross-validated; where there is no gain, `calibration` is the start."""

    calibration: Calibration
    before: Figures
    after: Figures
    has_gain: bool


def judge_labels(
    queries: Sequence[Query], out_of_domain: Sequence[OutOfDomain], rank: Callable[[str], Verdict]
) -> list[Label]:
    """Every input judged by `rank`; leave out of `out_of_domain` what the decline rules match, for it is never ranked.

    Raises InputError for too few labels, and for labels of another index.
    """
    if len(queries) + len(out_of_domain) < MIN_LABELS or not queries:
        raise InputError(
            f"calibration needs at least {MIN_LABELS} labels, some of them questions; got {len(queries)} questions and "
            f"{len(out_of_domain)} out-of-domain inputs"
        )
    labels = []
    for query in queries:
        verdict = rank(query.query)
        relevant = [row_id(hit) in query.relevant for hit in verdict.ranked]
        labels.append(Label(verdict, True, any(relevant[:1]), any(relevant[:SUGGESTIONS])))
    if not any(label.top3_relevant for label in labels):
        raise InputError(
            "no question ranks a row that its `relevant` names; set --index to the index the questions were written for"
        )
    return labels + [Label(rank(item.query), False) for item in out_of_domain]


def propose(labels: Sequence[Label], start: Calibration) -> Proposal:
    """Thresholds that move from those of `start` as far as the labels bear, or `start` where cross-validation shows a loss."""
    before = figures(labels, [start] * len(labels))
    best, after = start, before
    # One after the other: a gain of one must not hide a loss of the other.
    for move in (_move_answered, _move_suggested):
        moved = move(labels, best)
        if moved == best:
            continue
        # Each fold's move is fitted on the labels outside it: what is measured has not been seen.
        folds = [move([each for i, each in enumerate(labels) if i % FOLDS != fold], best) for fold in range(FOLDS)]
        measured = figures(labels, [folds[i % FOLDS] for i in range(len(labels))])
        if _is_gain(after, measured):
            best, after = moved, measured
    has_gain = best != start
    return Proposal(replace(best, origin="labels") if has_gain else start, before, after, has_gain)


def figures(labels: Sequence[Label], calibrations: Sequence[Calibration]) -> Figures:
    """What the labels get, each under its own calibration's thresholds."""
    outcomes = [outcome(label.verdict, calibration) for label, calibration in zip(labels, calibrations, strict=True)]
    pairs = list(zip(labels, outcomes, strict=True))
    answered = [label.first_relevant for label, status in pairs if status == "answered"]
    inside = [status for label, status in pairs if label.in_domain]
    outside = [status for label, status in pairs if not label.in_domain]
    return Figures(
        _share(answered),
        _share([status == "answered" for status in inside]),
        _share([status == "declined" for status in inside]),
        _share([status != "declined" for status in outside]),
    )


def outcome(verdict: Verdict, calibration: Calibration) -> str:
    """The status of a verdict under other thresholds."""
    if verdict.confidence >= calibration.answered and not verdict.is_blocked:
        return "answered"
    limit = least_chance(calibration.suggested, calibration.off_topic, verdict.bound)
    # Where nothing was found, nothing is covered.
    return "suggested" if verdict.covered and verdict.covered >= limit else "declined"


def _move_answered(labels: Sequence[Label], start: Calibration) -> Calibration:
    """The lowest threshold down to which all that is answered is right about as often as above the present one."""
    free = sorted(
        (label for label in labels if not label.verdict.is_blocked), key=lambda each: -each.verdict.confidence
    )
    kept = [label.first_relevant for label in free if label.verdict.confidence >= start.answered]
    weight = len(kept) + PRIOR
    present = max(LEAST_PRECISION, (sum(kept) + PRIOR * LEAST_PRECISION) / weight)
    lowest, band = start.answered, []
    for label in free:
        if label.verdict.confidence >= start.answered:
            continue
        if label.verdict.confidence < LOWEST:
            break
        band.append(label)
        expected = sum(_expected(each.verdict.confidence) for each in band) / len(band)
        right = (sum(each.first_relevant for each in band) + PRIOR * expected) / (len(band) + PRIOR)
        together = (present * weight + right * len(band)) / (weight + len(band))
        if label.first_relevant and together >= present - LOSS:
            lowest = label.verdict.confidence
    return replace(start, answered=lowest)


def _expected(confidence: float) -> float:
    """How often first rows of that confidence are right."""
    odds = confidence / (1 - confidence) * math.exp(UNDERCONFIDENT)
    return odds / (1 + odds)


def _move_suggested(labels: Sequence[Label], start: Calibration) -> Calibration:
    """The step that loses the fewest covered questions and offers rows to the fewest others, shrunk by their number."""

    def cost(step: float) -> float:
        statuses = [outcome(label.verdict, _shifted(start, step)) for label in labels]
        lost = [status == "declined" for label, status in zip(labels, statuses, strict=True) if label.top3_relevant]
        offered = [status != "declined" for label, status in zip(labels, statuses, strict=True) if not label.in_domain]
        # A customer turned away costs twice a row offered in vain. The last term takes the smaller of two steps that cost the
        # same.
        return 2 * _share(lost, nothing=0.0) + _share(offered, nothing=0.0) + 1e-6 * abs(step)

    step = min(SUGGESTED_STEPS, key=cost)
    return _shifted(start, step * len(labels) / (len(labels) + SHRINK)) if step else start


def _shifted(calibration: Calibration, step: float) -> Calibration:
    log_odds = math.log(calibration.suggested / (1 - calibration.suggested)) + step
    suggested = 1 / (1 + math.exp(-log_odds))
    return replace(calibration, suggested=suggested, off_topic=min(calibration.off_topic, suggested))


def _is_gain(before: Figures, after: Figures) -> bool:
    """Nothing answered worse or less, and something better: more answered, or fewer declined for the rows offered."""
    worse_answers = after.precision < before.precision or after.share < before.share
    fewer_lost = 2 * (before.declined - after.declined) > after.offered - before.offered
    return not worse_answers and (after.share > before.share or fewer_lost)


def _share(values: Sequence[bool], *, nothing: float = math.nan) -> float:
    return sum(values) / len(values) if values else nothing
