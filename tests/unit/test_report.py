"""The report: figures from outcomes, and their lines."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from rag.evaluation.datasets import Conversation, OutOfDomain, Query
from rag.evaluation.report import report_lines
from rag.evaluation.retrieval import (
    Prediction,
    in_conversation_report,
    multi_turn_report,
    outcome_report,
    ranking_report,
    refusal_report,
)

QUERIES = [
    Query("q1", "한도", ("a",), "keywords"),
    Query("q2", "수수료", ("b", "c"), "keywords"),
    Query("q3", "분실", ("d",), "typos"),
    Query("q4", "해지", ("e",), "typos"),
    Query("q5", "이자", ("f",), "typos"),
]
RESULTS = [
    Prediction(("a", "x", "y"), "answered", ("a", "x", "y"), 0.9),
    Prediction(("x", "b", "y"), "answered", ("x", "b", "y"), 0.8),
    Prediction(("x", "y", "d"), "suggested", ("x", "y", "d"), 0.4),
    Prediction(("x", "y", "z", "e"), "suggested", ("x", "y", "z"), 0.3),
    Prediction((), "declined", (), 0.0),
]
OUTSIDE = [OutOfDomain("o1", "날씨", "other"), OutOfDomain("o2", "보험", "near"), OutOfDomain("o3", "점심", "other")]
REFUSED = [
    Prediction(("x",), "declined", (), 0.1),
    Prediction(("x",), "answered", ("x",), 0.7),
    Prediction(("x",), "suggested", ("x",), 0.2),
]


def test_ranking_ignores_the_outcome() -> None:
    report = ranking_report(QUERIES, RESULTS)
    assert (report["all"]["n"], report["all"]["hit@1"], report["all"]["hit@3"]) == (5, 0.2, 0.6)
    assert report["all"]["hit@5"] == 0.8
    assert list(report["by_style"]) == ["keywords", "typos"]
    assert report["by_style"]["keywords"]["hit@3"] == 1.0
    low, high = report["all"]["hit@3_ci95"]
    assert low < 0.6 < high


def test_outcomes_by_hand() -> None:
    """Two answered, one rightly; an answered input from outside counts as wrong too."""
    report = outcome_report(QUERIES, RESULTS, OUTSIDE, REFUSED)
    assert report["answered_precision"] == pytest.approx(1 / 3)
    assert report["answered_share"] == 0.4
    assert report["suggested_hit@3"] == 0.5 and report["suggested"] == 2
    assert report["in_domain_declined"] == 0.2
    assert report["refused"] == pytest.approx(2 / 3), "suggesting is not answering"
    assert report["refused_by_kind"] == {"near": 0.0, "other": 1.0}
    assert report["refused_by_kind_n"] == {"near": 1, "other": 2}


def test_nothing_answered_has_no_precision() -> None:
    report = outcome_report(QUERIES[4:], RESULTS[4:], (), ())
    assert math.isnan(report["answered_precision"]) and math.isnan(report["refused"])
    assert (report["answered_share"], report["in_domain_declined"]) == (0.0, 1.0)


def test_refusal_by_hand() -> None:
    report = refusal_report(QUERIES, RESULTS, REFUSED)
    wins = 3 + 3 + 2 + 2 + 0  # inputs from outside below each question's confidence
    assert report["auc"] == pytest.approx(wins / 15)
    assert report["accepted_at_95_refused"] == 0.4
    order = [1, 0, 0, 0, 0, 0, 0, 0]  # only the most confident question ranks its row first
    risks = [1 - sum(order[:n]) / n for n in range(1, 9)]
    assert report["aurc"] == pytest.approx(sum(risks) / 8)


TALKS = [
    Conversation("m1", ("가", "나"), ("a",), "follow_up"),
    Conversation("m2", ("가", "나"), ("d",), "topic_change"),
]


def test_conversations_are_counted_by_kind() -> None:
    report = multi_turn_report(TALKS, [RESULTS[0], RESULTS[2]])
    assert (report["n"], report["hit@1"], report["hit@3"]) == (2, 0.5, 1.0)
    assert report["by_kind"]["topic_change"]["hit@1"] == 0.0


def test_inputs_after_a_question_are_counted_by_kind() -> None:
    report = in_conversation_report(OUTSIDE, REFUSED)
    statuses = [result.status for result in REFUSED]
    assert report["n"] == len(statuses)
    assert report["refused"] == pytest.approx(1 - statuses.count("answered") / len(statuses))
    assert report["declined"] == pytest.approx(statuses.count("declined") / len(statuses))
    assert sum(row["n"] for row in report["by_kind"].values()) == len(statuses)


def full_report(*, outside: bool = True) -> dict[str, Any]:
    items, refused = (OUTSIDE, REFUSED) if outside else ([], [])
    report: dict[str, Any] = {
        "retrieval": ranking_report(QUERIES, RESULTS),
        "outcomes": outcome_report(QUERIES, RESULTS, items, refused),
        "settings": {},
    }
    if outside:
        asides = in_conversation_report(OUTSIDE, REFUSED)
        report["refusal"] = {**refusal_report(QUERIES, RESULTS, REFUSED), "in_conversation": asides}
        report["multi_turn"] = multi_turn_report(TALKS, [RESULTS[0], RESULTS[2]])
    return report


def test_the_lines_show_every_figure_with_its_interval() -> None:
    text = "\n".join(report_lines(full_report()))
    for part in (
        "keywords",
        "typos",
        "answered_precision",
        "refused near",
        "auc",
        "after a question",
        "two turns",
        "topic_change",
    ):
        assert part in text
    [row] = [line for line in text.splitlines() if line.startswith("all ")]
    low, high = full_report()["retrieval"]["all"]["hit@1_ci95"]
    assert f"0.200 [{low:.3f}, {high:.3f}]" in row


def test_parts_that_were_not_measured_are_left_out() -> None:
    text = "\n".join(report_lines(full_report(outside=False)))
    assert "two turns" not in text and "auc" not in text


def test_the_report_is_json() -> None:
    assert json.loads(json.dumps(full_report(), allow_nan=False))
