"""`python -m rag calibrate`: fits an index's confidence from labelled questions.

Logistic regressions (Newton's method, ridge) over the signals of `rag.retrieval.confidence`. Negatives are the
out-of-domain inputs, the wrongly ranked questions, and every question once more with its answering rows taken out of
the ranking: what a question looks like that the FAQ nearly covers. Thresholds are chosen on the real inputs alone, each
judged by regressions fitted on the other folds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from rag.errors import InputError
from rag.evaluation.datasets import OutOfDomain, Query
from rag.retrieval.confidence import FEATURES, Calibration, Logistic, features
from rag.retrieval.hybrid import FusedNode, row_id

Search = Callable[[str], Sequence[FusedNode]]
MIN_QUERIES = 20
FOLDS = 10


@dataclass(frozen=True, slots=True)
class Targets:
    """What the thresholds are chosen for, as shares of 0..1.

    As strict as leaves `answered_share` of the labelled questions answered; stricter where that is not precise enough.
    The aims lie above what is promised (.93 and .90), for labels are few and a fit flatters itself.
    """

    answered_share: float = 0.5
    answered_precision: float = 0.94
    suggested_hit3: float = 0.965
    off_topic_recall: float = 0.9


@dataclass(frozen=True, slots=True)
class Example:
    """One ranking's signals, whether its first row and one of its first three are right, and if it is a real input."""

    signals: Mapping[str, float]
    first: bool
    among3: bool
    real: bool
    kind: str
    fold: int


def fit(
    queries: Sequence[Query],
    out_of_domain: Sequence[OutOfDomain],
    search: Search,
    start: Calibration,
    *,
    targets: Targets | None = None,
) -> Calibration:
    """A calibration for the index behind `search` (which ranks at least ten rows).

    Raises InputError for too few labels, and for labels of another index.
    """
    if len(queries) < MIN_QUERIES or len(out_of_domain) < MIN_QUERIES:
        raise InputError(
            f"calibration needs at least {MIN_QUERIES} questions and {MIN_QUERIES} out-of-domain inputs, "
            f"got {len(queries)} and {len(out_of_domain)}"
        )
    examples: list[Example] = []
    gaps: list[tuple[float, float, bool]] = []
    for number, query in enumerate(queries):
        if not (hits := search(query.query)):
            continue  # nothing found is declined without a fit
        examples.append(_example(query.query, hits, query.relevant, start, "in_domain", number))
        if rest := [hit for hit in hits if row_id(hit) not in query.relevant]:
            examples.append(replace(_example(query.query, rest, (), start, "left_out", number), real=False))
        gaps += [
            (i, (hits[0].score or 0) - (hit.score or 0), row_id(hit) in query.relevant) for i, hit in enumerate(hits)
        ]
    if not any(right for *_, right in gaps):
        raise InputError("the questions find none of the rows they name: were they written for another index?")
    examples += [
        _example(item.query, hits, (), start, item.kind, number)
        for number, item in enumerate(out_of_domain)
        if (hits := search(item.query))
    ]
    return _calibrate(examples, gaps, start, targets or Targets())


def _example(
    question: str, hits: Sequence[FusedNode], relevant: Sequence[str], start: Calibration, kind: str, number: int
) -> Example:
    right = [row_id(hit) in relevant for hit in hits[:3]]
    return Example(features(question, hits, start.fusion), right[0], any(right), True, kind, number % FOLDS)


def _calibrate(
    examples: Sequence[Example], gaps: Sequence[tuple[float, float, bool]], start: Calibration, targets: Targets
) -> Calibration:
    correct, p_first = _cross_fit(examples, [example.first for example in examples])
    covered, p_covered = _cross_fit(examples, [example.among3 for example in examples])
    real = [i for i, example in enumerate(examples) if example.real]
    precise = precision_threshold([(p_first[i], examples[i].first) for i in real], targets.answered_precision)
    inside = sorted((p_first[i] for i in real if examples[i].kind == "in_domain"), reverse=True)
    answered = max(precise, round(float(inside[int(targets.answered_share * (len(inside) - 1))]), 4))
    unanswered = [i for i in real if p_first[i] < answered and examples[i].kind == "in_domain"]
    suggested = precision_threshold([(p_covered[i], examples[i].among3) for i in unanswered], targets.suggested_hit3)
    aside = sorted(p_covered[i] for i in real if examples[i].kind not in ("in_domain", "near_domain"))
    off_topic = aside[int(targets.off_topic_recall * (len(aside) - 1))] if aside else start.off_topic
    return replace(
        start,
        correct=correct,
        covered=covered,
        gap=_gap(gaps),
        answered=answered,
        suggested=suggested,
        off_topic=min(off_topic, suggested),
        origin="labels",
    )


def regression(
    names: Sequence[str], matrix: NDArray[np.float64], labels: NDArray[np.float64], *, ridge: float = 1.0
) -> Logistic:
    """Maximum likelihood with an L2 penalty on standardised features, weights given back in the features' own units."""
    mean, std = matrix.mean(axis=0), matrix.std(axis=0) + 1e-9
    design = np.c_[(matrix - mean) / std, np.ones(len(matrix))]
    penalty = ridge * np.diag([*([1.0] * len(names)), 1e-6])
    beta = np.zeros(len(names) + 1)
    for _ in range(100):
        p = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (labels - p) - penalty @ beta
        step = np.linalg.solve((design * (p * (1 - p))[:, None]).T @ design + penalty, gradient)
        beta = beta + step
        if np.abs(step).max() < 1e-8:
            break
    weights = beta[:-1] / std
    bias = float(beta[-1] - (weights * mean).sum())
    return Logistic({name: round(float(w), 5) for name, w in zip(names, weights, strict=True)}, round(bias, 5))


def precision_threshold(scored: Sequence[tuple[float, bool]], precision: float) -> float:
    """The lowest score from which on the share of right ones is at least `precision`; above all scores if there is none."""
    right = count = 0
    threshold = 1.0
    for score, equals in groupby(sorted(scored, reverse=True), key=itemgetter(0)):
        found = [good for _, good in equals]
        right, count = right + sum(found), count + len(found)
        if right / count >= precision:
            threshold = score
    return round(threshold, 4)


def _cross_fit(examples: Sequence[Example], labels: Sequence[bool]) -> tuple[Logistic, NDArray[np.float64]]:
    """The regression over all examples, and (n,) probabilities from regressions that did not see the example's fold."""
    names = [name for name in FEATURES if name in examples[0].signals]
    matrix = np.array([[example.signals[name] for name in names] for example in examples])
    wanted = np.array(labels, dtype=float)
    folds = np.array([example.fold for example in examples])
    found = np.zeros(len(examples))
    for fold in range(FOLDS):
        model = regression(names, matrix[folds != fold], wanted[folds != fold])
        weights = np.array([model.weights[name] for name in names])
        found[folds == fold] = 1 / (1 + np.exp(-(matrix[folds == fold] @ weights + model.bias)))
    return regression(names, matrix, wanted), found


def _gap(gaps: Sequence[tuple[float, float, bool]]) -> float:
    """Log-odds lost per unit of fused score behind the first row, over every row of every ranking."""
    matrix = np.array([[gap] for _, gap, _ in gaps])
    labels = np.array([good for _, _, good in gaps], dtype=float)
    return max(0.0, round(-regression(["gap"], matrix, labels).weights["gap"], 5))
