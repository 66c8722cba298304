"""Fits the default calibration of every index on several labelled FAQs of equal weight.

Two logistic regressions (Newton's method, ridge) over the features of `rag.retrieval.confidence`. Negatives are the
out-of-domain inputs, the wrongly ranked questions, and a copy of every question with its relevant rows removed from the
ranking, which stands for a question that the FAQ nearly covers. Thresholds are chosen on the real inputs only, scored by
regressions fitted on the other folds. docs/evaluation-log.md names the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from rag.chat import ChatService
from rag.conversation.word_rules import match_decline_rule
from rag.evaluation.datasets import Case
from rag.retrieval.confidence import LEAD, Calibration, Logistic, judge
from rag.retrieval.hybrid import FusedNode
from rag.retrieval.ranking import FEATURES
from rag.retrieval.rows import row_id

FOLDS = 10
OFF_TOPIC = 0.75
"""Upper limit of the `off_topic` threshold, as a share of the suggestion threshold."""
CONTRASTS = ("number", "product", "opposite", "institution")
"""Kinds of out-of-domain inputs that are left to constraints (`rag.retrieval.ranking`), not to thresholds."""


@dataclass(frozen=True, slots=True)
class ThresholdTargets:
    """The figures that thresholds are chosen to reach, as shares in 0..1.

    `precision`: the `answered` threshold is the lowest with at least this precision on every FAQ, but not below
    `least_answered`, because the labels have no questions about another number or product, which would be answered there.
    `near_offered`: the `suggested` threshold is the lowest that at most this share of all near-domain inputs reaches; about a
    third of these is offered nothing all the same (`rag.retrieval.offering`). `off_topic_recall`: the `off_topic` threshold is
    this quantile of the inputs of other domains, and at most OFF_TOPIC * `suggested`.
    """

    precision: float = 0.95
    near_offered: float = 0.32
    off_topic_recall: float = 0.95
    least_answered: float = 0.62


@dataclass(frozen=True, slots=True)
class LabelledFaq:
    """The labels of one FAQ, and its share in the fit.

    `weight`: total weight of its examples. `sets_thresholds`: whether thresholds are chosen on it. Subsets of a FAQ show the
    regressions indexes of other sizes, but thresholds are not chosen on them: nearly all questions are out of their domain.
    """

    name: str
    queries: Sequence[Case]
    out_of_domain: Sequence[Case]
    weight: float = 1.0
    sets_thresholds: bool = True


@dataclass(frozen=True, slots=True)
class Example:
    """The features and labels of one ranking.

    `first_relevant`, `top3_relevant`: whether the first row, or one of the first three, is relevant. `is_real`: false for a
    question whose relevant rows were removed. `is_blocked`: constraints keep it from being answered. `kind`: "in_domain",
    "left_out", or the kind of an out-of-domain input. `gaps`: for each row, its score distance to the first row and whether
    it is relevant.
    """

    faq: str
    features: Mapping[str, float]
    first_relevant: bool
    top3_relevant: bool
    is_real: bool
    sets_thresholds: bool
    is_blocked: bool
    kind: str
    fold: int
    weight: float
    gaps: Sequence[tuple[float, bool]] = ()


def build_examples(faq: LabelledFaq, chat: ChatService) -> list[Example]:
    """Build the examples of the FAQ that `chat` answers from.

    Without the inputs that decline rules match: those are never ranked.
    """
    examples: list[Example] = []
    for number, query in enumerate(faq.queries):
        text, hits = chat.reading(query.query), chat.hits(query.query)
        if hits:
            examples.append(_example(faq, chat.calibration, text, hits, query.relevant, "in_domain", number))
        if rest := [hit for hit in hits if row_id(hit) not in query.relevant]:
            left_out = _example(faq, chat.calibration, text, rest, (), "left_out", number)
            examples.append(replace(left_out, is_real=False, gaps=()))
    for number, item in enumerate(faq.out_of_domain):
        if match_decline_rule(item.query) is None and (hits := chat.hits(item.query)):
            text = chat.reading(item.query)
            examples.append(_example(faq, chat.calibration, text, hits, (), item.label, number))
    return [replace(example, weight=faq.weight / len(examples)) for example in examples]


def fit_defaults(
    examples: Sequence[Example], start: Calibration, targets: ThresholdTargets | None = None
) -> Calibration:
    """Fit regressions and thresholds; fusion weights, `same_gap` and `lead` are taken from `start`."""
    targets = targets or ThresholdTargets()
    correct, p_first = _cross_fit(examples, [example.first_relevant for example in examples])
    covered, p_covered = _cross_fit(examples, [example.top3_relevant for example in examples])
    # As `Calibration.first_answers` makes the chance that is compared with the threshold.
    p_first = np.minimum(p_first, p_covered)
    leads = np.array([min(1.0, example.features["margin"] / LEAD) - 0.5 for example in examples])
    p_first = 1 / (1 + (1 / p_first - 1) * np.exp(-start.lead * leads))
    real = [
        i
        for i, example in enumerate(examples)
        if example.is_real and example.sets_thresholds and example.kind not in CONTRASTS
    ]
    free = [i for i in real if not examples[i].is_blocked]

    def precision(threshold: float) -> float:
        return min(
            _shares_by_faq((examples[i].faq, examples[i].first_relevant) for i in free if p_first[i] >= threshold)
        )

    near = [i for i in real if examples[i].kind == "near_domain"]

    def near_offered(threshold: float) -> float:
        return fmean(float(p_covered[i] >= threshold) for i in near)

    # Precision of the worst FAQ, not the mean: every bank uses the package's thresholds with a FAQ of its own.
    answered = min((p for p in p_first[free] if precision(p) >= targets.precision), default=1.0)
    suggested = min((p for p in p_covered[near] if near_offered(p) <= targets.near_offered), default=1.0)
    others = sorted(p_covered[i] for i in real if examples[i].kind not in ("in_domain", "near_domain"))
    off_topic = others[int(targets.off_topic_recall * (len(others) - 1))] if others else start.off_topic
    return replace(
        start,
        correct=correct,
        covered=covered,
        gap=_gap_weight(examples),
        answered=round(max(answered, targets.least_answered), 4),
        suggested=round(suggested, 4),
        off_topic=round(min(off_topic, OFF_TOPIC * suggested), 4),
        origin="own rows",
    )


def regression(
    names: Sequence[str],
    matrix: NDArray[np.float64],
    labels: NDArray[np.float64],
    *,
    sample_weights: NDArray[np.float64] | None = None,
    ridge: float = 1.0,
) -> Logistic:
    """Fit a logistic regression by Newton's method, with an L2 penalty on the standardised features.

    `matrix`: (n, len(names)) features; `labels`: (n,) of 0 and 1; `sample_weights`: (n,), all 1 if None. The returned
    weights are in the features' own units, rounded to five digits as manifests store them.
    """
    counts = np.ones(len(matrix)) if sample_weights is None else sample_weights
    mean, std = matrix.mean(axis=0), matrix.std(axis=0) + 1e-9
    design = np.c_[(matrix - mean) / std, np.ones(len(matrix))]
    # The bias is hardly penalised, because it only sets the base rate. The ridge keeps weights finite on separable labels.
    penalty = ridge * np.diag([*([1.0] * len(names)), 1e-6])
    beta = np.zeros(len(names) + 1)
    for _ in range(100):
        p = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (counts * (labels - p)) - penalty @ beta
        step = np.linalg.solve((design * (counts * p * (1 - p))[:, None]).T @ design + penalty, gradient)
        beta = beta + step
        if np.abs(step).max() < 1e-8:
            break
    weights = beta[:-1] / std
    bias = float(beta[-1] - (weights * mean).sum())
    return Logistic({name: round(float(w), 5) for name, w in zip(names, weights, strict=True)}, round(bias, 5))


def _example(
    faq: LabelledFaq,
    calibration: Calibration,
    text: str,
    hits: Sequence[FusedNode],
    relevant: Sequence[str],
    kind: str,
    number: int,
) -> Example:
    verdict = judge(text, hits, calibration)
    top3 = [row_id(hit) in relevant for hit in verdict.ranked[:3]]
    best = hits[0].score or 0.0
    gaps = [(best - (hit.score or 0.0), row_id(hit) in relevant) for hit in hits] if relevant else []
    return Example(
        faq=faq.name,
        features=verdict.features,
        first_relevant=top3[0],
        top3_relevant=any(top3),
        is_real=True,
        sets_thresholds=faq.sets_thresholds,
        is_blocked=verdict.is_blocked,
        kind=kind,
        # A question and its copy without relevant rows share a fold, so that neither is scored by a fit on the other.
        fold=number % FOLDS,
        weight=1.0,
        gaps=gaps,
    )


def _cross_fit(examples: Sequence[Example], labels: Sequence[bool]) -> tuple[Logistic, NDArray[np.float64]]:
    """The regression over all examples, and (n,) probabilities, each from a regression fitted on the other folds."""
    names = [name for name in FEATURES if name in examples[0].features]
    matrix = np.array([[example.features[name] for name in names] for example in examples])
    targets = np.array(labels, dtype=float)
    folds = np.array([example.fold for example in examples])
    counts = np.array([example.weight for example in examples])
    # Normalised to a mean of 1, so that the ridge has the same strength as for unweighted examples.
    counts *= len(counts) / counts.sum()
    probabilities = np.zeros(len(examples))
    for fold in range(FOLDS):
        seen = folds != fold
        model = regression(names, matrix[seen], targets[seen], sample_weights=counts[seen])
        weights = np.array([model.weights[name] for name in names])
        probabilities[~seen] = 1 / (1 + np.exp(-(matrix[~seen] @ weights + model.bias)))
    return regression(names, matrix, targets, sample_weights=counts), probabilities


def _shares_by_faq(values: Iterable[tuple[str, bool]]) -> list[float]:
    """The share of true values (0..1) of each FAQ. `values`: FAQ name and value."""
    by_faq: dict[str, list[float]] = {}
    for faq, value in values:
        by_faq.setdefault(faq, []).append(float(value))
    return [fmean(each) for each in by_faq.values()]


def _gap_weight(examples: Sequence[Example]) -> float:
    """Log-odds of relevance lost per unit of fused-score distance to the first row, fitted over all ranked rows; >= 0."""
    gaps = [pair for example in examples for pair in example.gaps]
    matrix = np.array([[gap] for gap, _ in gaps])
    labels = np.array([is_relevant for _, is_relevant in gaps], dtype=float)
    return max(0.0, round(-regression(["gap"], matrix, labels).weights["gap"], 5))
