"""The confidence that comes with the package: known coefficients come back, every FAQ weighs the same."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

from benchmarks.default_fit.fit import Example, LabelledFaq, ThresholdTargets, build_examples, fit_defaults, regression
from rag.chat import ChatService
from rag.evaluation.datasets import Case
from rag.retrieval.confidence import Calibration, defaults, judge
from rag.retrieval.hybrid import DENSE, FusedNode
from rag.retrieval.ranking import FEATURES
from rag.stores.base import JAMO, TOKENS

START = defaults()


def test_regression_recovers_known_coefficients() -> None:
    generator = np.random.default_rng(7)
    matrix = generator.normal([5.0, -2.0], [3.0, 0.5], size=(20_000, 2))
    log_odds = 0.8 * matrix[:, 0] - 2.0 * matrix[:, 1] - 8.0
    labels = (generator.random(20_000) < 1 / (1 + np.exp(-log_odds))).astype(float)
    found = regression(["a", "b"], matrix, labels)
    assert found.weights["a"] == pytest.approx(0.8, abs=0.05)
    assert found.weights["b"] == pytest.approx(-2.0, abs=0.12)
    assert found.bias == pytest.approx(-8.0, abs=0.5)
    assert found({"a": 10.0, "b": 0.0}) == pytest.approx(0.0, abs=0.3)


@pytest.mark.parametrize("labels", [[0.0] * 20 + [1.0] * 20, [1.0] * 40, [0.0] * 40])
def test_regression_stays_finite_where_labels_are_separable_or_all_alike(labels: list[float]) -> None:
    matrix = np.c_[np.arange(40.0), np.full(40, 3.0)]
    found = regression(["rank", "constant"], matrix, np.array(labels))
    values = [*found.weights.values(), found.bias]
    assert np.isfinite(values).all()
    assert found.weights["constant"] == 0.0
    assert found({"rank": 39.0, "constant": 3.0}) >= found({"rank": 0.0, "constant": 3.0})


def test_a_weight_counts_as_so_many_examples() -> None:
    matrix, labels = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0.0, 1.0, 0.0, 1.0])
    twice = np.array([2.0, 1.0, 1.0, 2.0])
    repeated = [0, 0, 1, 2, 3, 3]
    mean, std = matrix.mean(), matrix.std()
    weighted = regression(["a"], (matrix - mean) / std, labels, sample_weights=twice, ridge=1e-6)
    plain = regression(["a"], ((matrix - mean) / std)[repeated], labels[repeated], ridge=1e-6)
    assert weighted({"a": 0.7}) == pytest.approx(plain({"a": 0.7}), abs=1e-3)


class World:
    """Rankings of a made-up index. "good" questions have their row first and far ahead, "bad" ones have it second and
    close, what comes from outside has none and scores low."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(11)
        self.rankings: dict[str, list[FusedNode]] = {}
        self.queries = [self.query(f"good {number}", first=6.0, rank=0) for number in range(30)]
        self.queries += [self.query(f"bad {number}", first=2.0, rank=1) for number in range(10)]
        self.outside = [Case("ood", text, "other", (text,)) for text in (f"outside {number}" for number in range(40))]
        for item in self.outside:
            self.rank(item.query, first=0.0)

    def query(self, text: str, *, first: float, rank: int) -> Case:
        self.rank(text, first=first)
        return Case("queries", text, "", (text,), (f"{text}/{rank}",))

    def rank(self, text: str, *, first: float) -> None:
        others = self.generator.normal(min(first, 1.5) - 1.5, 0.5, size=9)
        scores = sorted([first + float(self.generator.normal(0, 0.4)), *others], reverse=True)
        self.rankings[text] = [hit(f"{text}/{rank}", score) for rank, score in enumerate(scores)]

    def search(self, text: str) -> list[FusedNode]:
        return self.rankings[text]

    # What `build_examples` asks of a chat service.
    calibration = START

    def hits(self, text: str) -> list[FusedNode]:
        return self.search(text)

    def reading(self, text: str) -> str:
        return text

    def examples(self, name: str, weight: float = 1.0) -> list[Example]:
        return build_examples(LabelledFaq(name, self.queries, self.outside, weight), cast(ChatService, self))


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def examples(world: World) -> list[Example]:
    return world.examples("made up")


@pytest.fixture(scope="module")
def fitted(examples: list[Example]) -> Calibration:
    return fit_defaults(examples, START)


def test_a_fit_tells_the_outcomes_apart(world: World, fitted: Calibration) -> None:
    def statuses(texts: list[str]) -> list[str]:
        return [judge(text, world.search(text), fitted).status for text in texts]

    assert statuses([query.query for query in world.queries[:30]]).count("answered") >= 25
    assert statuses([query.query for query in world.queries[30:]]).count("answered") <= 2
    assert statuses([item.query for item in world.outside]).count("answered") == 0


def test_a_fit_keeps_the_fusion(fitted: Calibration) -> None:
    assert (fitted.origin, fitted.fusion) == ("own rows", START.fusion)
    assert set(fitted.correct.weights) == set(FEATURES)
    assert fitted.gap >= 0
    assert 0 <= fitted.off_topic <= fitted.suggested <= 1
    assert Calibration.from_json(fitted.as_json()) == fitted


def test_a_fit_is_repeatable(examples: list[Example], fitted: Calibration) -> None:
    assert fit_defaults(examples, START) == fitted


def test_a_question_is_an_example_with_and_without_its_rows(world: World, examples: list[Example]) -> None:
    assert [sum(e.kind == kind for e in examples) for kind in ("in_domain", "left_out", "other")] == [40, 40, 40]
    assert not any(e.first_relevant or e.top3_relevant or e.is_real for e in examples if e.kind == "left_out")
    assert sum(e.weight for e in examples) == pytest.approx(1.0)
    assert sum(e.weight for e in world.examples("half", 0.5)) == pytest.approx(0.5)


def test_fewer_near_domain_offers_ask_for_a_higher_threshold(examples: list[Example]) -> None:
    near = [replace(e, kind="near_domain") if e.kind == "other" else e for e in examples]
    strict, free = (fit_defaults(near, START, ThresholdTargets(near_offered=share)).suggested for share in (0.05, 0.6))
    assert strict > free


def test_stricter_precision_answers_less(examples: list[Example]) -> None:
    assert (
        fit_defaults(examples, START, ThresholdTargets(precision=1.0)).answered
        >= fit_defaults(examples, START, ThresholdTargets(precision=0.6)).answered
    )


def hit(row: str, score: float) -> FusedNode:
    node = TextNode(
        id_=row,
        text="답변",
        metadata={"question": "이체한도는 얼마입니까?", "bank": "가온은행"},
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=row)},
    )
    return FusedNode(node=node, score=score, parts={DENSE: 0.87 + score / 100, TOKENS: 0.1 + score / 50, JAMO: 0.1})
