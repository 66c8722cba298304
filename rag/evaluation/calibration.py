"""`python -m rag calibrate`: fits an index's thresholds to labelled questions.

The package's regressions are not refitted: a user has too few labels for their weights. The threshold for answering is
lowered as long as the precision of all answers stays about the same. Precision below the threshold is estimated from the
labels there and from PRIOR pseudo-labels that follow `_expected`. Each change is measured by
cross-validation, and applied only where no figure gets worse.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from rag.errors import InputError
from rag.evaluation.datasets import Case
from rag.evaluation.metrics import mean
from rag.retrieval.confidence import SUGGESTIONS, Calibration, Verdict
from rag.retrieval.offering import least_chance
from rag.retrieval.rows import row_id

MIN_LABELS = 20
"""Fewest labels (questions and out-of-domain inputs together) for which thresholds are fitted."""
FOLDS = 5
PRIOR = 4.0
"""Weight, in labels, of the prior precision: `_expected` below the threshold, MIN_PRECISION above it."""
MIN_PRECISION = 0.95
"""Lower bound of the precision assumed above the present threshold, so that errors there do not lower it further."""
UNDERCONFIDENT = 1.8
"""Log-odds by which the regression underestimates an institution's own questions, because it was also fitted on questions whose
relevant rows were removed: of 154 questions with a confidence of 0.3 to 0.6, a share of 0.85 was right."""
MAX_LOSS = 0.01
"""Precision on the labels that a lower threshold may cost. PRIOR, MIN_PRECISION, UNDERCONFIDENT, MAX_LOSS, MIN_BAND and
FLOORS were chosen by repeated random splits of the bundled FAQ and others (docs/evaluation-log.md)."""
MIN_BAND = 3
"""Fewest labels between a lower answer threshold and the present one: of fewer, one wrong answer may be missing by chance."""
FLOORS = (0.5, 0.3)
"""Lower limits of the answer threshold, tried in this order. Below the first four of five first rows are right; on FAQs with few
first rows above it only the second moves anything (docs/evaluation-log.md)."""
SUGGESTED_STEPS = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0)
"""Log-odds by which the suggestion threshold may move, before shrinkage."""
SHRINKAGE = 30.0
"""Labels at which half of the chosen step is taken: step * n / (n + SHRINKAGE)."""


@dataclass(frozen=True, slots=True)
class Label:
    """A labelled input and the index's verdict. `first_relevant` and `top3_relevant` are false for an out-of-domain input."""

    verdict: Verdict
    in_domain: bool
    first_relevant: bool = False
    top3_relevant: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares in 0..1.

    `precision`: right answers among all answers, NaN without any; an answered out-of-domain input counts as wrong.
    `share`, `declined`: share of the questions that are answered or declined. `offered`: share of the out-of-domain inputs
    that are answered or shown suggestions.
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
    """Thresholds fitted to labels, with cross-validated figures. Without a gain, `calibration` is the one it started from."""

    calibration: Calibration
    before: Figures
    after: Figures
    has_gain: bool


def judge_labels(queries: Sequence[Case], out_of_domain: Sequence[Case], rank: Callable[[str], Verdict]) -> list[Label]:
    """Rank every input and compare the result with its label.

    `out_of_domain` must not hold inputs that a decline rule matches, because they are never ranked. Raises InputError for
    fewer than MIN_LABELS labels, and for labels written for another index.
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
    """Thresholds fitted to the labels, starting from `start`; a change that loses by cross-validation is not made."""
    before = figures(labels, [start] * len(labels))
    best, after = start, before
    # One after the other: a gain of one must not hide a loss of the other.
    moves: list[Callable[[Sequence[Label], Calibration], Calibration]] = [
        *(partial(_move_answered, floor=floor) for floor in FLOORS),
        _move_suggested,
    ]
    for move in moves:
        moved = move(labels, best)
        if moved == best:
            continue
        # Each fold is measured with thresholds fitted on the other folds.
        folds = [move([each for i, each in enumerate(labels) if i % FOLDS != fold], best) for fold in range(FOLDS)]
        measured = figures(labels, [folds[i % FOLDS] for i in range(len(labels))])
        # A gain: answers are neither worse nor fewer, and more is answered or fewer are declined for the rows offered.
        worse_answers = measured.precision < after.precision or measured.share < after.share
        fewer_declined = 2 * (after.declined - measured.declined) > measured.offered - after.offered
        if not worse_answers and (measured.share > after.share or fewer_declined):
            best, after = moved, measured
    has_gain = best != start
    return Proposal(replace(best, origin="labels") if has_gain else start, before, after, has_gain)


def figures(labels: Sequence[Label], calibrations: Sequence[Calibration]) -> Figures:
    """Figures over all labels, `labels[i]` decided by the thresholds of `calibrations[i]`."""
    outcomes = [outcome(label.verdict, calibration) for label, calibration in zip(labels, calibrations, strict=True)]
    pairs = list(zip(labels, outcomes, strict=True))
    answered = [label.first_relevant for label, status in pairs if status == "answered"]
    inside = [status for label, status in pairs if label.in_domain]
    outside = [status for label, status in pairs if not label.in_domain]
    return Figures(
        mean(answered),
        mean([status == "answered" for status in inside]),
        mean([status == "declined" for status in inside]),
        mean([status != "declined" for status in outside]),
    )


def outcome(verdict: Verdict, calibration: Calibration) -> str:
    """The status that a verdict would have under the thresholds of `calibration`."""
    if verdict.confidence >= calibration.answered and not verdict.is_blocked:
        return "answered"
    limit = least_chance(calibration.suggested, calibration.off_topic, verdict.bound)
    # `covered` is 0 where no row was found.
    return "suggested" if verdict.covered and verdict.covered >= limit else "declined"


def _move_answered(labels: Sequence[Label], start: Calibration, *, floor: float) -> Calibration:
    """`start` with the lowest answer threshold from `floor` at which the precision drops by no more than MAX_LOSS."""
    free = sorted(
        (label for label in labels if not label.verdict.is_blocked), key=lambda each: -each.verdict.confidence
    )
    kept = [label.first_relevant for label in free if label.verdict.confidence >= start.answered]
    weight = len(kept) + PRIOR
    present = max(MIN_PRECISION, (sum(kept) + PRIOR * MIN_PRECISION) / weight)
    lowest, band = start.answered, []
    for label in free:
        if label.verdict.confidence >= start.answered:
            continue
        if label.verdict.confidence < floor:
            break
        band.append(label)
        expected = sum(_expected(each.verdict.confidence) for each in band) / len(band)
        right = (sum(each.first_relevant for each in band) + PRIOR * expected) / (len(band) + PRIOR)
        together = (present * weight + right * len(band)) / (weight + len(band))
        if label.first_relevant and len(band) >= MIN_BAND and together >= present - MAX_LOSS:
            lowest = label.verdict.confidence
    return replace(start, answered=lowest)


def _expected(confidence: float) -> float:
    """Expected share of right first rows at this confidence: the regression's, corrected by UNDERCONFIDENT."""
    odds = confidence / (1 - confidence) * math.exp(UNDERCONFIDENT)
    return odds / (1 + odds)


def _move_suggested(labels: Sequence[Label], start: Calibration) -> Calibration:
    """`start` with the suggestion threshold moved by the step of lowest cost, shrunk for few labels.

    The cost counts questions declined although a right row is in the first three, and out-of-domain inputs shown rows.
    """

    def cost(step: float) -> float:
        statuses = [outcome(label.verdict, _shifted(start, step)) for label in labels]
        lost = [status == "declined" for label, status in zip(labels, statuses, strict=True) if label.top3_relevant]
        offered = [status != "declined" for label, status in zip(labels, statuses, strict=True) if not label.in_domain]
        # Declining an answerable question costs twice a useless suggestion. The last term breaks ties for the smaller step.
        return 2 * mean(lost or [0.0]) + mean(offered or [0.0]) + 1e-6 * abs(step)

    step = min(SUGGESTED_STEPS, key=cost)
    return _shifted(start, step * len(labels) / (len(labels) + SHRINKAGE)) if step else start


def _shifted(calibration: Calibration, step: float) -> Calibration:
    log_odds = math.log(calibration.suggested / (1 - calibration.suggested)) + step
    suggested = 1 / (1 + math.exp(-log_odds))
    return replace(calibration, suggested=suggested, off_topic=min(calibration.off_topic, suggested))
