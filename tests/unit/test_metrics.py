"""Metrics compared with values computed by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.datasets import Case
from rag.evaluation.figures import ranking_row
from rag.evaluation.metrics import (
    MEASURES,
    accepted_at_refused,
    auc,
    aurc,
    bootstrap,
    expected_calibration_error,
    hit,
    mean,
    ndcg,
    reciprocal_rank,
    reliability,
    risk_coverage,
    wilson,
)
from rag.evaluation.records import Prediction, Record

RUN = ["a", "b", "c", "d"]


def ranking(runs: Sequence[Sequence[str]], relevant: Sequence[str]) -> dict[str, Any]:
    """The figures of questions with these rankings, all answered by the same rows."""
    case = Case("queries", "q", "", ("질문",), tuple(relevant))
    return ranking_row([Record(case, Prediction(tuple(run), "declined", (), 0.0)) for run in runs])


def test_hit_counts_the_first_k_alone() -> None:
    assert [hit(RUN, ["c", "x"], k) for k in (1, 2, 3, 5)] == [0.0, 0.0, 1.0, 1.0]
    assert hit(RUN, ["a"], 1) == 1.0


def test_reciprocal_rank_is_that_of_the_first_relevant_row() -> None:
    assert reciprocal_rank(RUN, ["d", "b"]) == 1 / 2
    assert reciprocal_rank(RUN, ["d"], k=3) == 0.0


def test_ndcg_by_hand() -> None:
    """Gains at ranks 2 and 4 of an ideal with 1 and 2."""
    found = 1 / math.log2(3) + 1 / math.log2(5)
    ideal = 1 / math.log2(2) + 1 / math.log2(3)
    assert ndcg(RUN, ["b", "d"]) == pytest.approx(found / ideal)
    assert ndcg(RUN, ["a", "b"]) == 1.0
    assert ndcg(RUN, ["a", "x", "y"], k=1) == 1.0, "the ideal has no more rows than k"


def test_an_empty_run_is_a_miss_and_no_error() -> None:
    assert (hit([], ["a"], 3), reciprocal_rank([], ["a"]), ndcg([], ["a"])) == (0.0, 0.0, 0.0)
    assert ranking([[], ["a"]], ["a"])["hit@1"] == 0.5


def test_ranking_gives_means_over_queries() -> None:
    found = ranking([["a"], ["x", "a"], ["x", "y", "z", "a"]], ["a"])
    assert found["n"] == 3
    assert found["hit@1"] == pytest.approx(1 / 3)
    assert found["hit@3"] == pytest.approx(2 / 3)
    assert found["hit@5"] == 1.0
    assert found["mrr@10"] == pytest.approx((1 + 1 / 2 + 1 / 4) / 3)
    assert found["ndcg@10"] == pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(5)) / 3)


def test_ranking_of_no_queries_is_unknown_rather_than_zero() -> None:
    found = ranking([], ["a"])
    assert found["n"] == 0
    assert all(math.isnan(found[name]) for name in MEASURES)


@given(st.lists(st.sampled_from("abcdefgh"), unique=True), st.sets(st.sampled_from("abcdefgh"), min_size=1))
def test_measures_lie_between_0_and_1_and_agree(run: list[str], relevant: set[str]) -> None:
    wanted = sorted(relevant)
    assert 0.0 <= reciprocal_rank(run, wanted) <= hit(run, wanted, 10) <= 1.0
    assert 0.0 <= ndcg(run, wanted) <= 1.0
    assert (ndcg(run, wanted) > 0) == (reciprocal_rank(run, wanted) > 0) == bool(relevant & set(run))


def test_mean_of_nothing_is_unknown() -> None:
    assert mean([1.0, 0.0]) == 0.5
    assert math.isnan(mean([]))


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_against_published_values(successes: int, n: int, low: float, high: float) -> None:
    """The last is the example of Newcombe, Statistics in Medicine 17 (1998), table I."""
    assert wilson(successes, n) == pytest.approx((low, high), abs=1e-4)


def test_intervals_of_nothing_are_unknown() -> None:
    assert all(map(math.isnan, (*wilson(0, 0), *bootstrap([]))))


def test_bootstrap_is_repeatable_and_near_the_normal_interval() -> None:
    values = [1.0] * 60 + [0.0] * 40
    low, high = bootstrap(values)
    assert (low, high) == bootstrap(values)
    spread = 1.96 * math.sqrt(0.6 * 0.4 / 100)
    assert (low, high) == pytest.approx((0.6 - spread, 0.6 + spread), abs=0.015)
    assert bootstrap([1.0] * 5) == (1.0, 1.0)


def test_auc_counts_pairs_and_ties_half() -> None:
    assert auc([0.9, 0.4], [0.1, 0.4]) == (2 + 1 + 0.5) / 4
    assert auc([1.0], [0.0]) == 1.0
    assert auc([0.5, 0.5], [0.5]) == 0.5
    assert math.isnan(auc([], [0.1])) and math.isnan(auc([0.1], []))


def test_accepted_at_refused_takes_the_lowest_threshold_that_refuses_enough() -> None:
    negative = [i / 100 for i in range(100)]
    assert accepted_at_refused([0.94, 0.941, 0.5, 1.0], negative) == 0.5, "95 of 100 lie at or below .94"
    assert accepted_at_refused([0.2, 0.8], [0.1, 0.9], refused=0.5) == 1.0
    assert accepted_at_refused([0.2, 0.95], [0.1, 0.9]) == 0.5
    assert accepted_at_refused([0.9], [0.9]) == 0.0, "a score equal to a refused one is refused"
    assert math.isnan(accepted_at_refused([], [0.1]))


def test_aurc_by_hand() -> None:
    """Most confident right, then wrong, then right: risks 0, 1/2, 1/3."""
    assert aurc([0.9, 0.5, 0.7], [1.0, 1.0, 0.0]) == pytest.approx((0 + 1 / 2 + 1 / 3) / 3)
    assert aurc([0.9, 0.1], [1.0, 0.0]) < aurc([0.1, 0.9], [1.0, 0.0])


def test_risk_at_each_coverage() -> None:
    assert risk_coverage([0.9, 0.8, 0.8, 0.1], [1, 1, 0, 0]) == [(0.25, 0.0), (0.75, pytest.approx(1 / 3)), (1.0, 0.5)]
    assert risk_coverage([], []) == []


def test_the_area_is_the_mean_of_the_risks() -> None:
    scores, correct = [0.9, 0.7, 0.5, 0.3], [1.0, 0.0, 1.0, 0.0]
    assert aurc(scores, correct) == pytest.approx(sum(risk for _, risk in risk_coverage(scores, correct)) / 4)


def test_reliability_by_bins() -> None:
    bins = reliability([0.05, 0.06, 0.95, 1.0], [0, 1, 1, 1])
    assert [(each.n, each.right) for each in bins] == [(2, 0.5), (2, 1.0)]
    assert [each.confidence for each in bins] == pytest.approx([0.055, 0.975])
    assert expected_calibration_error(bins) == pytest.approx((0.445 + 0.025) / 2)
    assert math.isnan(expected_calibration_error([]))
