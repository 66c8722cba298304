"""Fitting an index's confidence: known coefficients come back, thresholds keep their promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

from rag.errors import InputError
from rag.evaluation.calibration import MIN_QUERIES, Targets, fit_calibration, precision_threshold, regression
from rag.evaluation.datasets import OutOfDomain, Query
from rag.retrieval.confidence import FEATURES, Calibration, defaults, judge
from rag.retrieval.hybrid import DENSE, FusedNode
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


def test_precision_threshold_is_the_lowest_that_keeps_the_promise() -> None:
    scored = [(0.9, True), (0.8, True), (0.7, False), (0.6, True), (0.5, True), (0.4, False)]
    assert precision_threshold(scored, 1.0) == 0.8
    assert precision_threshold(scored, 0.8) == 0.5
    assert precision_threshold(scored, 0.0) == 0.4


def test_no_threshold_keeps_an_impossible_promise() -> None:
    assert precision_threshold([(0.9, False), (0.8, True)], 0.9) == 1.0
    assert precision_threshold([], 0.9) == 1.0


def test_equal_scores_stand_or_fall_together() -> None:
    assert precision_threshold([(0.9, True), (0.9, False), (0.8, False)], 1.0) == 1.0
    assert precision_threshold([(0.9, True), (0.5, True), (0.5, False)], 0.9) == 0.9


GRID = st.integers(0, 10).map(lambda n: n / 10)


@given(st.lists(st.tuples(GRID, st.booleans()), max_size=30), st.sampled_from([0.5, 0.8, 0.9, 1.0]))
def test_what_lies_above_the_threshold_is_precise_enough(scored: list[tuple[float, bool]], precision: float) -> None:
    threshold = precision_threshold(scored, precision)
    above = [good for score, good in scored if score >= threshold]
    if threshold < 1.0:
        assert sum(above) / len(above) >= precision


class World:
    """Rankings of a made-up index. "good" questions have their row first and far ahead, "bad" ones have it second and
    close, what comes from outside has none and scores low."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(11)
        self.rankings: dict[str, list[FusedNode]] = {}
        self.queries = [self.query(f"good {number}", first=6.0, rank=0) for number in range(30)]
        self.queries += [self.query(f"bad {number}", first=2.0, rank=1) for number in range(10)]
        self.outside = [OutOfDomain(text, text, "other") for text in (f"outside {number}" for number in range(40))]
        for item in self.outside:
            self.rank(item.query, first=0.0)

    def query(self, text: str, *, first: float, rank: int) -> Query:
        self.rank(text, first=first)
        return Query(text, text, (f"{text}/{rank}",))

    def rank(self, text: str, *, first: float) -> None:
        others = self.generator.normal(min(first, 1.5) - 1.5, 0.5, size=9)
        scores = sorted([first + float(self.generator.normal(0, 0.4)), *others], reverse=True)
        self.rankings[text] = [hit(f"{text}/{rank}", score) for rank, score in enumerate(scores)]

    def search(self, text: str) -> list[FusedNode]:
        return self.rankings[text]


def hit(row: str, score: float) -> FusedNode:
    node = TextNode(
        id_=row,
        text="답변",
        metadata={"question": "이체한도는 얼마입니까?", "bank": "가온은행"},
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=row)},
    )
    return FusedNode(node=node, score=score, parts={DENSE: 0.87 + score / 100, TOKENS: 0.1 + score / 50, JAMO: 0.1})


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def fitted(world: World) -> Calibration:
    return fit_calibration(world.queries, world.outside, world.search, START)


def test_a_fit_tells_the_outcomes_apart(world: World, fitted: Calibration) -> None:
    def statuses(texts: list[str]) -> list[str]:
        return [judge(text, world.search(text), fitted).status for text in texts]

    good = statuses([query.query for query in world.queries[:30]])
    bad = statuses([query.query for query in world.queries[30:]])
    outside = statuses([item.query for item in world.outside])
    assert good.count("answered") >= 15
    assert bad.count("answered") <= 1 and bad.count("suggested") >= 5
    assert outside.count("answered") == 0 and outside.count("declined") >= 35


def test_a_fit_keeps_the_fusion_and_says_where_it_comes_from(fitted: Calibration) -> None:
    assert fitted.origin == "labels"
    assert fitted.fusion == START.fusion
    assert set(fitted.correct.weights) == set(FEATURES)
    assert fitted.gap >= 0
    assert 0 <= fitted.off_topic <= fitted.suggested <= 1
    assert Calibration.from_json(fitted.as_json()) == fitted


def test_a_fit_is_repeatable(world: World, fitted: Calibration) -> None:
    assert fit_calibration(world.queries, world.outside, world.search, START) == fitted


def test_stricter_targets_answer_less(world: World, fitted: Calibration) -> None:
    strict = fit_calibration(world.queries, world.outside, world.search, START, targets=Targets(answered_share=0.2))
    assert strict.answered > fitted.answered
    assert replace(strict, answered=fitted.answered, suggested=fitted.suggested, off_topic=fitted.off_topic) == fitted


@pytest.mark.parametrize(("queries", "others"), [(MIN_QUERIES - 1, 40), (40, MIN_QUERIES - 1), (0, 0)])
def test_too_few_labels_are_refused(world: World, queries: int, others: int) -> None:
    with pytest.raises(InputError, match=f"at least {MIN_QUERIES} questions .* got {queries} and {others}"):
        fit_calibration(world.queries[:queries], world.outside[:others], world.search, START)


def test_labels_of_another_index_are_refused(world: World) -> None:
    """Fitted all the same, they would leave an index that answers nothing."""
    foreign = [replace(query, relevant=("elsewhere",)) for query in world.queries]
    with pytest.raises(InputError, match="no question ranks a row"):
        fit_calibration(foreign, world.outside, world.search, START)
    with pytest.raises(InputError, match="no question ranks a row"):
        fit_calibration(world.queries, world.outside, lambda _text: [], START)


def test_inputs_that_find_nothing_need_no_fit(world: World) -> None:
    """They are declined whatever the thresholds."""
    blind = {world.queries[0].query, world.outside[0].query}
    found = fit_calibration(
        world.queries, world.outside, lambda text: [] if text in blind else world.search(text), START
    )
    assert found.origin == "labels"
