"""Ranking and outcome metrics over plain data, with confidence intervals. Pure functions.

`run` is the ranked row ids of one query, best first; `relevant` the ids of the rows that answer it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

BOOTSTRAP_SAMPLES = 2000
SEED = 20261122
"""Seed of all resampling, fixed so that equal results have equal intervals."""
BINS = 10
"""Bins of a reliability diagram."""


def hit(run: Sequence[str], relevant: Sequence[str], k: int) -> float:
    """1.0 if one of the first k rows is relevant, else 0.0; 0.0 for an empty run."""
    return float(any(row in relevant for row in run[:k]))


def reciprocal_rank(run: Sequence[str], relevant: Sequence[str], k: int = 10) -> float:
    """1/rank of the first relevant row among the first k, else 0."""
    return next((1 / rank for rank, row in enumerate(run[:k], 1) if row in relevant), 0.0)


def ndcg(run: Sequence[str], relevant: Sequence[str], k: int = 10) -> float:
    """Normalised discounted cumulative gain of the first k rows with binary gains, in [0, 1]."""
    rows = set(relevant)  # a row that is labelled twice must not raise the ideal gain
    gain = sum(1 / math.log2(rank + 1) for rank, row in enumerate(run[:k], 1) if row in rows)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(rows), k) + 1))
    return gain / ideal if ideal else 0.0


def recall(run: Sequence[str], relevant: Sequence[str], k: int = 10) -> float:
    """Share of the relevant rows that are among the first k, in [0, 1]; 0 if no row is relevant."""
    rows = set(relevant)
    return len(rows & set(run[:k])) / len(rows) if rows else 0.0


MEASURES: Mapping[str, Callable[[Sequence[str], Sequence[str]], float]] = {
    "hit@1": lambda run, rows: hit(run, rows, 1),
    "hit@3": lambda run, rows: hit(run, rows, 3),
    "hit@5": lambda run, rows: hit(run, rows, 5),
    "mrr@10": reciprocal_rank,
    "ndcg@10": ndcg,
    "recall@10": recall,
}
"""Measures of one query, each in [0, 1]. tests/unit/test_metrics_peer.py compares them with trec_eval (docs/adr/0018)."""


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean; NaN for no values."""
    return fmean(values) if values else math.nan


def bootstrap(values: Sequence[float]) -> tuple[float, float]:
    """95 % percentile interval of the mean by bootstrap with a fixed seed (Efron 1979); (nan, nan) for no values."""
    if not values:
        return math.nan, math.nan
    drawn = np.random.default_rng(SEED).integers(len(values), size=(BOOTSTRAP_SAMPLES, len(values)))
    means = np.sort(np.asarray(values, dtype=float)[drawn].mean(axis=1))
    return float(means[int(0.025 * BOOTSTRAP_SAMPLES)]), float(means[int(0.975 * BOOTSTRAP_SAMPLES) - 1])


def wilson(successes: int, n: int, *, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); (nan, nan) for n = 0."""
    if not n:
        return math.nan, math.nan
    share = successes / n
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # Rounding errors may leave the range by 1e-17.
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Area under the ROC curve: the probability that a random positive scores above a random negative; ties count half.

    NaN if either is empty.
    """
    if not positive or not negative:
        return math.nan
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


def accepted_at_refused(positive: Sequence[float], negative: Sequence[float], *, refused: float = 0.95) -> float:
    """Share of positives above the lowest threshold that refuses the share `refused` of the negatives; NaN if either is empty.

    This is the true positive rate at a false positive rate of 1 - `refused`.
    """
    if not positive or not negative:
        return math.nan
    # Accepted means strictly above the threshold.
    ordered = sorted(negative)
    threshold = ordered[min(len(ordered) - 1, math.ceil(refused * len(ordered)) - 1)]
    return mean([float(score > threshold) for score in positive])


def aurc(scores: Sequence[float], correct: Sequence[float]) -> float:
    """Area under the risk-coverage curve in [0, 1], lower is better: error rate of the n most confident, averaged over n."""
    ordered = [value for _, value in sorted(zip(scores, correct, strict=True), key=lambda pair: -pair[0])]
    errors, risks = 0.0, []
    for n, value in enumerate(ordered, 1):
        errors += 1 - value
        risks.append(errors / n)
    return mean(risks)


@dataclass(frozen=True, slots=True)
class Bin:
    """Inputs whose confidence lies in one bin: their number, mean confidence (0..1) and share that is right (0..1)."""

    n: int
    confidence: float
    right: float


def risk_coverage(scores: Sequence[float], correct: Sequence[float]) -> list[tuple[float, float]]:
    """(coverage, risk) at every threshold, highest first: the share answered, and the share of those that is wrong.

    `correct[i]` is 1.0 where input i is right, else 0.0. Inputs with equal scores share one point.
    """
    pairs = sorted(zip(scores, correct, strict=True), key=lambda pair: -pair[0])
    points, errors = [], 0.0
    for n, (score, value) in enumerate(pairs, 1):
        errors += 1 - value
        # No threshold lies between two inputs of one score.
        if n == len(pairs) or pairs[n][0] != score:
            points.append((n / len(pairs), errors / n))
    return points


def reliability(scores: Sequence[float], correct: Sequence[float]) -> list[Bin]:
    """The bins of a reliability diagram, lowest first, without empty ones; BINS of equal width over 0..1.

    A score of 1 falls into the last bin.
    """
    groups: list[list[tuple[float, float]]] = [[] for _ in range(BINS)]
    for score, value in zip(scores, correct, strict=True):
        groups[min(BINS - 1, int(score * BINS))].append((score, value))
    return [
        Bin(len(group), sum(score for score, _ in group) / len(group), sum(value for _, value in group) / len(group))
        for group in groups
        if group
    ]


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error (ECE): mean distance of confidence and share right, weighted by the inputs of each bin."""
    total = sum(each.n for each in bins)
    return sum(each.n * abs(each.confidence - each.right) for each in bins) / total if total else math.nan
