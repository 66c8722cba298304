"""The confidence that every index starts with: fitted on several labelled FAQs, each of which weighs the same.

Two logistic regressions (Newton's method, ridge) over the features of `rag.retrieval.confidence`. Negatives are the
out-of-domain inputs, the wrongly ranked questions, and every question once more with its answering rows taken out of the
ranking: what a question looks like that the FAQ nearly covers. Thresholds are chosen on the real inputs alone, scored by
regressions fitted on other folds. `benchmarks.default_fit` runs it; docs/evaluation-log.md says on what it was run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from rag.chat import ChatService
from rag.conversation.decline_rules import match_decline_rule
from rag.evaluation.datasets import OutOfDomain, Query
from rag.retrieval.confidence import Calibration, Logistic, judge
from rag.retrieval.hybrid import FusedNode, row_id
from rag.retrieval.ranking_features import FEATURES

FOLDS = 10
OFF_TOPIC = 0.75
"""Of the suggestion threshold: what is declined is called off topic only well below it."""
CONTRASTS = ("number", "product", "opposite", "institution")
"""Kinds of out-of-domain inputs that constraints decide (`rag.retrieval.constraint_order`); no threshold is to."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What the thresholds are chosen for, as shares of 0..1.

    `answered`: the lowest threshold that keeps `precision` on every FAQ. `suggested`: the lowest that no more than
    `near_offered` of all near-domain inputs reach; about a third of these are offered nothing all the same, for a doubt
    (`rag.retrieval.offering`). `off_topic` separates
    `off_topic_recall` of the inputs of other domains, and is OFF_TOPIC of `suggested` at most. `least_answered`: no threshold
    lies lower, whatever the labels of a fit bear: they hold no questions of another number or product, which come through there.
    """

    precision: float = 0.95
    near_offered: float = 0.45
    off_topic_recall: float = 0.95
    least_answered: float = 0.55


@dataclass(frozen=True, slots=True)
class Labelled:
    """A FAQ behind a chat service, and its labels.

    `weight`: how much all its examples count together; `sets_thresholds`: whether thresholds are chosen on it. Parts of a
    FAQ teach the regressions other sizes, but nearly all questions are out of their domain.
    """

    name: str
    chat: ChatService
    queries: Sequence[Query]
    out_of_domain: Sequence[OutOfDomain]
    weight: float = 1.0
    sets_thresholds: bool = True


@dataclass(frozen=True, slots=True)
class Example:
    """One ranking's features, whether its first row and one of its first three are relevant, and its fold.

    `is_real`: an input as customers send it. `is_blocked`: constraints keep it from being answered. `kind`: "in_domain", or
    that of an out-of-domain input. `gaps`: each row's distance to the first, and if it is relevant.
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


def examples_of(labelled: Labelled) -> list[Example]:
    """The examples of one FAQ; inputs that the decline rules match are left out, for they are never ranked."""
    examples: list[Example] = []
    for number, query in enumerate(labelled.queries):
        text, hits = labelled.chat.reading(query.query), labelled.chat.hits(query.query)
        if hits:
            examples.append(_example(labelled, text, hits, query.relevant, "in_domain", number))
        if rest := [hit for hit in hits if row_id(hit) not in query.relevant]:
            examples.append(replace(_example(labelled, text, rest, (), "left_out", number), is_real=False, gaps=()))
    for number, item in enumerate(labelled.out_of_domain):
        if match_decline_rule(item.query) is None and (hits := labelled.chat.hits(item.query)):
            examples.append(_example(labelled, labelled.chat.reading(item.query), hits, (), item.kind, number))
    return [replace(example, weight=labelled.weight / len(examples)) for example in examples]


def fit_defaults(examples: Sequence[Example], start: Calibration, targets: Targets | None = None) -> Calibration:
    """Regressions and thresholds; fusion and `same_gap` are those of `start`."""
    targets = targets or Targets()
    correct, p_first = _cross_fit(examples, [example.first_relevant for example in examples])
    covered, p_covered = _cross_fit(examples, [example.top3_relevant for example in examples])
    # As `rag.retrieval.confidence.judge` does it: a threshold fits only what is compared with it.
    p_first = np.minimum(p_first, p_covered)
    real = [
        i
        for i, example in enumerate(examples)
        if example.is_real and example.sets_thresholds and example.kind not in CONTRASTS
    ]
    free = [i for i in real if not examples[i].is_blocked]

    def precision(threshold: float) -> float:
        return min(_by_faq((examples[i].faq, examples[i].first_relevant) for i in free if p_first[i] >= threshold))

    near = [i for i in real if examples[i].kind == "near_domain"]

    def near_offered(threshold: float) -> float:
        return fmean(float(p_covered[i] >= threshold) for i in near)

    # Of the worst FAQ, not of the mean: every bank meets the package's thresholds with a FAQ of its own.
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
    """Maximum likelihood with an L2 penalty on standardised features, by Newton's method.

    `matrix`: (n, len(names)) features, `labels`: (n,) of 0 and 1, `sample_weights`: (n,), one each if None. The weights are
    in the features' own units, rounded to five digits, as a manifest keeps them.
    """
    counts = np.ones(len(matrix)) if sample_weights is None else sample_weights
    mean, std = matrix.mean(axis=0), matrix.std(axis=0) + 1e-9
    design = np.c_[(matrix - mean) / std, np.ones(len(matrix))]
    # The bias is hardly penalised: it only sets how many are positive. The rest keeps separable labels finite.
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
    labelled: Labelled, text: str, hits: Sequence[FusedNode], relevant: Sequence[str], kind: str, number: int
) -> Example:
    verdict = judge(text, hits, labelled.chat.calibration)
    top3 = [row_id(hit) in relevant for hit in verdict.ranked[:3]]
    best = hits[0].score or 0.0
    gaps = [(best - (hit.score or 0.0), row_id(hit) in relevant) for hit in hits] if relevant else []
    return Example(
        labelled.name,
        verdict.features,
        top3[0],
        any(top3),
        True,
        labelled.sets_thresholds,
        verdict.is_blocked,
        kind,
        # A question and what is made of it by taking its rows out lie in one fold: else the one would tell of the other.
        number % FOLDS,
        1.0,
        gaps,
    )


def _cross_fit(examples: Sequence[Example], labels: Sequence[bool]) -> tuple[Logistic, NDArray[np.float64]]:
    """The regression over all examples, and (n,) probabilities from regressions that did not see the example's fold."""
    names = [name for name in FEATURES if name in examples[0].features]
    matrix = np.array([[example.features[name] for name in names] for example in examples])
    targets = np.array(labels, dtype=float)
    folds = np.array([example.fold for example in examples])
    counts = np.array([example.weight for example in examples])
    # So that the ridge weighs as much as if each example counted once.
    counts *= len(counts) / counts.sum()
    probabilities = np.zeros(len(examples))
    for fold in range(FOLDS):
        seen = folds != fold
        model = regression(names, matrix[seen], targets[seen], sample_weights=counts[seen])
        weights = np.array([model.weights[name] for name in names])
        probabilities[~seen] = 1 / (1 + np.exp(-(matrix[~seen] @ weights + model.bias)))
    return regression(names, matrix, targets, sample_weights=counts), probabilities


def _by_faq(values: Iterable[tuple[str, bool]]) -> list[float]:
    """The share of true values of each FAQ."""
    by_faq: dict[str, list[float]] = {}
    for faq, value in values:
        by_faq.setdefault(faq, []).append(float(value))
    return [fmean(each) for each in by_faq.values()]


def _gap_weight(examples: Sequence[Example]) -> float:
    """Log-odds lost per unit of fused score behind the first row, over every row of every ranking; never negative."""
    gaps = [pair for example in examples for pair in example.gaps]
    matrix = np.array([[gap] for gap, _ in gaps])
    labels = np.array([is_relevant for _, is_relevant in gaps], dtype=float)
    return max(0.0, round(-regression(["gap"], matrix, labels).weights["gap"], 5))
