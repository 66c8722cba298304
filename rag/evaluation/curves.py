"""How far the shown confidence can be trusted: risk against coverage, and reliability by bins. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Inputs whose confidence lies in one tenth of 0..1: how many, their mean confidence, and the share that is right."""

    n: int
    confidence: float
    right: float


def risk_coverage(scores: Sequence[float], correct: Sequence[float]) -> list[tuple[float, float]]:
    """(share answered, share of these wrong) for every threshold, the surest first; inputs of one score come together."""
    pairs = sorted(zip(scores, correct, strict=True), key=lambda pair: -pair[0])
    points, errors = [], 0.0
    for n, (score, value) in enumerate(pairs, 1):
        errors += 1 - value
        # No threshold lies between two inputs of one score.
        if n == len(pairs) or pairs[n][0] != score:
            points.append((n / len(pairs), errors / n))
    return points


def reliability(scores: Sequence[float], correct: Sequence[float], bins: int = BINS) -> list[Bin]:
    """The bins that hold an input, lowest first; a score of 1 is in the last."""
    groups: list[list[tuple[float, float]]] = [[] for _ in range(bins)]
    for score, value in zip(scores, correct, strict=True):
        groups[min(bins - 1, int(score * bins))].append((score, value))
    return [
        Bin(len(group), sum(score for score, _ in group) / len(group), sum(value for _, value in group) / len(group))
        for group in groups
        if group
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: the mean distance of confidence and share right, bins weighed by their inputs."""
    total = sum(each.n for each in bins)
    return sum(each.n * abs(each.confidence - each.right) for each in bins) / total if total else math.nan
