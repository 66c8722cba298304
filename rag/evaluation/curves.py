"""Risk-coverage curve, reliability diagram and expected calibration error of the confidence. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

BINS = 10


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
