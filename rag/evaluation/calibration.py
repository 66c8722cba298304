"""`python -m rag calibrate`: fits an index's confidence from labelled questions.

Logistic regressions (Newton's method, ridge) over the features of `rag.retrieval.confidence`. Negatives are the
out-of-domain inputs, the wrongly ranked questions, and every question once more with its answering rows taken out of
the ranking: what a question looks like that the FAQ nearly covers. Thresholds are chosen on the real inputs alone, each
scored by regressions fitted on the other folds.
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
"""Labelled questions, and out-of-domain inputs, below which a fit is refused."""
FOLDS = 10


@dataclass(frozen=True, slots=True)
class Targets:
    """What the thresholds are chosen for, as shares of 0..1.

    `answered` is as strict as leaves `answered_share` of the labelled questions answered, and stricter where that misses
    `answered_precision`; `suggested` keeps `suggested_hit3` of the rest, and `off_topic` separates `off_topic_recall` of
    the inputs of other domains.
    """

    # Above what is promised (.93 and .90): labels are few, and thresholds chosen on them look better than they are.

    answered_share: float = 0.5
    answered_precision: float = 0.94
    suggested_hit3: float = 0.965
    off_topic_recall: float = 0.9


@dataclass(frozen=True, slots=True)
class Example:
    """One ranking's features, whether its first row and one of its first three are relevant, and its fold, 0 to FOLDS - 1.

    `is_real`: an input as customers send it, not one with its answering rows taken out. `kind`: "in_domain", or that of
    an out-of-domain input.
    """

    features: Mapping[str, float]
    first_relevant: bool
    top3_relevant: bool
    is_real: bool
    kind: str
    fold: int


def fit_calibration(
    queries: Sequence[Query],
    out_of_domain: Sequence[OutOfDomain],
    search: Search,
    start: Calibration,
    *,
    targets: Targets | None = None,
) -> Calibration:
    """A calibration for the index behind `search`, which ranks ten rows of a text, best first; `start` gives the fusion.

    Leave out of `out_of_domain` what the decline rules match: it is never ranked. Raises InputError for too few labels,
    and for labels of another index.
    """
    if len(queries) < MIN_QUERIES or len(out_of_domain) < MIN_QUERIES:
        raise InputError(
            f"calibration needs at least {MIN_QUERIES} questions and {MIN_QUERIES} out-of-domain inputs, "
            f"got {len(queries)} and {len(out_of_domain)}"
        )
    examples: list[Example] = []
    gaps: list[tuple[float, bool]] = []
    for number, query in enumerate(queries):
        if not (hits := search(query.query)):
            continue  # an empty ranking is declined whatever the calibration
        examples.append(_example(query.query, hits, query.relevant, start, "in_domain", number))
        if rest := [hit for hit in hits if row_id(hit) not in query.relevant]:
            # Nearly covered: the same words, and no row that answers them. Real inputs of that kind are too few to learn from.
            examples.append(replace(_example(query.query, rest, (), start, "left_out", number), is_real=False))
        best = hits[0].score or 0
        gaps += [(best - (hit.score or 0), row_id(hit) in query.relevant) for hit in hits]
    if not any(is_relevant for _, is_relevant in gaps):
        raise InputError(
            "no question ranks a row that its `relevant` names; set --index to the index the questions were written for"
        )
    examples += [
        _example(item.query, hits, (), start, item.kind, number)
        for number, item in enumerate(out_of_domain)
        if (hits := search(item.query))
    ]
    return _calibrate(examples, gaps, start, targets or Targets())


def _example(
    question: str, hits: Sequence[FusedNode], relevant: Sequence[str], start: Calibration, kind: str, number: int
) -> Example:
    top3 = [row_id(hit) in relevant for hit in hits[:3]]
    return Example(features(question, hits, start.fusion), top3[0], any(top3), True, kind, number % FOLDS)


def _calibrate(
    examples: Sequence[Example], gaps: Sequence[tuple[float, bool]], start: Calibration, targets: Targets
) -> Calibration:
    """The regressions, then one threshold after the other: each looks only at the inputs that the one before leaves."""
    correct, p_first = _cross_fit(examples, [example.first_relevant for example in examples])
    covered, p_covered = _cross_fit(examples, [example.top3_relevant for example in examples])
    real = [i for i, example in enumerate(examples) if example.is_real]
    precise = precision_threshold([(p_first[i], examples[i].first_relevant) for i in real], targets.answered_precision)
    inside = sorted((p_first[i] for i in real if examples[i].kind == "in_domain"), reverse=True)
    answered = max(precise, round(float(inside[int(targets.answered_share * (len(inside) - 1))]), 4))
    unanswered = [i for i in real if p_first[i] < answered and examples[i].kind == "in_domain"]
    scored = [(p_covered[i], examples[i].top3_relevant) for i in unanswered]
    suggested = precision_threshold(scored, targets.suggested_hit3)
    # Questions about banking that this FAQ does not cover are "not covered": they are not what off topic means.
    off_domain = sorted(p_covered[i] for i in real if examples[i].kind not in ("in_domain", "near_domain"))
    off_topic = off_domain[int(targets.off_topic_recall * (len(off_domain) - 1))] if off_domain else start.off_topic
    distances = np.array([[gap] for gap, _ in gaps])
    is_relevant = np.array([label for _, label in gaps], dtype=float)
    return replace(
        start,
        correct=correct,
        covered=covered,
        # Never negative: a row behind the first one is never the likelier answer.
        gap=max(0.0, round(-regression(["gap"], distances, is_relevant).weights["gap"], 5)),
        answered=answered,
        suggested=suggested,
        off_topic=min(off_topic, suggested),
        origin="labels",
    )


def regression(
    names: Sequence[str], matrix: NDArray[np.float64], labels: NDArray[np.float64], *, ridge: float = 1.0
) -> Logistic:
    """Maximum likelihood with an L2 penalty on standardised features, by Newton's method.

    `matrix`: (n, len(names)) features, `labels`: (n,) of 0 and 1. The weights are in the features' own units, rounded to
    five digits, as a manifest keeps them.
    """
    mean, std = matrix.mean(axis=0), matrix.std(axis=0) + 1e-9
    design = np.c_[(matrix - mean) / std, np.ones(len(matrix))]
    # The bias is hardly penalised: it only sets how many are positive. The rest keeps separable labels finite.
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
    """The lowest score from which on the share of correct ones is at least `precision`; 1.0 if there is none."""
    correct = count = 0
    threshold = 1.0
    # Equal scores in one step: a threshold cannot tell them apart.
    for score, equals in groupby(sorted(scored, reverse=True), key=itemgetter(0)):
        labels = [label for _, label in equals]
        correct, count = correct + sum(labels), count + len(labels)
        if correct / count >= precision:
            threshold = score
    return round(threshold, 4)


def _cross_fit(examples: Sequence[Example], labels: Sequence[bool]) -> tuple[Logistic, NDArray[np.float64]]:
    """The regression over all examples, and (n,) probabilities from regressions that did not see the example's fold."""
    names = [name for name in FEATURES if name in examples[0].features]
    matrix = np.array([[example.features[name] for name in names] for example in examples])
    targets = np.array(labels, dtype=float)
    folds = np.array([example.fold for example in examples])
    probabilities = np.zeros(len(examples))
    for fold in range(FOLDS):
        model = regression(names, matrix[folds != fold], targets[folds != fold])
        weights = np.array([model.weights[name] for name in names])
        probabilities[folds == fold] = 1 / (1 + np.exp(-(matrix[folds == fold] @ weights + model.bias)))
    return regression(names, matrix, targets), probabilities
