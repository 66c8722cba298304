"""Risk, coverage and reliability, computed by hand."""

from __future__ import annotations

import math

import pytest

from rag.evaluation.curves import expected_calibration_error, reliability, risk_coverage
from rag.evaluation.metrics import aurc


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
