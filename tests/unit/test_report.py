"""The report: figures from outcomes, and their lines."""

from __future__ import annotations

import json
import math

import pytest

from rag.errors import InputError
from rag.evaluation.datasets import Case
from rag.evaluation.figures import outcome_report, ranking, refusal_report, retrieval_report, suite_figures
from rag.evaluation.records import Prediction, Record
from rag.evaluation.suite_report import suite_lines
from rag.types import Status


def record(
    kind: str, label: str, relevant: str, ranked: str, status: Status, confidence: float, shown: str | None = None
) -> Record:
    """One letter a row; the rows shown are those ranked unless stated."""
    case = Case(kind, "".join((kind, relevant, ranked)), label, ("질문",), tuple(relevant))
    return Record(case, Prediction(tuple(ranked), status, tuple(ranked if shown is None else shown), confidence))


QUERIES = [
    record("queries", "keywords", "a", "axy", "answered", 0.9),
    record("queries", "keywords", "bc", "xby", "answered", 0.8),
    record("queries", "typos", "d", "xyd", "suggested", 0.4),
    record("queries", "typos", "e", "xyze", "suggested", 0.3, "xyz"),
    record("queries", "typos", "f", "", "declined", 0.0),
]


def outside(kind: str) -> list[Record]:
    return [
        record(kind, "other", "", "x", "declined", 0.1, ""),
        record(kind, "near", "", "x", "answered", 0.7),
        record(kind, "other", "", "x", "suggested", 0.2),
    ]


OUTSIDE = outside("ood")
TALKS = [
    record("multiturn", "follow_up", "a", "axy", "answered", 0.9),
    record("multiturn", "topic_change", "d", "xyd", "suggested", 0.4),
]
ALL = [*QUERIES, *OUTSIDE, *outside("ood_after"), *TALKS]


def test_ranking_ignores_the_outcome() -> None:
    report = ranking(QUERIES)
    assert (report["all"]["n"], report["all"]["hit@1"], report["all"]["hit@3"]) == (5, 0.2, 0.6)
    assert report["all"]["hit@5"] == 0.8
    assert list(report["by_style"]) == ["keywords", "typos"]
    assert report["by_style"]["keywords"]["hit@3"] == 1.0
    low, high = report["all"]["hit@3_ci95"]
    assert low < 0.6 < high


def test_outcomes_by_hand() -> None:
    """Two answered, one rightly; an answered input from outside counts as wrong too."""
    report = outcome_report(QUERIES, OUTSIDE)
    assert report["answered_precision"] == pytest.approx(1 / 3)
    assert report["answered_share"] == 0.4
    assert report["suggested_hit@3"] == 0.5 and report["suggested"] == 2
    assert report["in_domain_declined"] == 0.2
    assert report["refused"] == pytest.approx(2 / 3), "suggesting is not answering"
    assert report["refused_by_kind"] == {"near": 0.0, "other": 1.0}
    assert report["refused_by_kind_n"] == {"near": 1, "other": 2}


def test_nothing_answered_has_no_precision() -> None:
    report = outcome_report(QUERIES[4:], ())
    assert math.isnan(report["answered_precision"]) and math.isnan(report["refused"])
    assert (report["answered_share"], report["in_domain_declined"]) == (0.0, 1.0)


def test_refusal_by_hand() -> None:
    report = refusal_report(QUERIES, OUTSIDE)
    wins = 3 + 3 + 2 + 2 + 0  # inputs from outside below each question's confidence
    assert report["auc"] == pytest.approx(wins / 15)
    assert report["accepted_at_95_refused"] == 0.4
    order = [1, 0, 0, 0, 0, 0, 0, 0]  # only the most confident question ranks its row first
    risks = [1 - sum(order[:n]) / n for n in range(1, 9)]
    assert report["aurc"] == pytest.approx(sum(risks) / 8)


def test_conversations_are_counted_by_kind() -> None:
    report = retrieval_report(ALL)["multi_turn"]
    assert (report["n"], report["hit@1"], report["hit@3"]) == (2, 0.5, 1.0)
    assert report["by_kind"]["topic_change"]["hit@1"] == 0.0


def test_inputs_after_a_question_are_counted_by_kind() -> None:
    report = retrieval_report(ALL)["refusal"]["in_conversation"]
    assert report["n"] == 3
    assert report["refused"] == pytest.approx(2 / 3) and report["declined"] == pytest.approx(1 / 3)
    assert sum(row["n"] for row in report["by_kind"].values()) == 3


def test_the_lines_show_every_figure_with_its_interval() -> None:
    text = "\n".join(suite_lines("own", suite_figures(ALL, {})))
    for part in ("keywords", "typos", "answered_precision", "near", "auc", "after a question", "topic_change"):
        assert part in text
    row = next(line for line in text.splitlines() if line.startswith("all "))
    low, high = retrieval_report(ALL)["retrieval"]["all"]["hit@1_ci95"]
    assert f"0.200 [{low:.3f}, {high:.3f}]" in row


def test_parts_that_were_not_measured_are_left_out() -> None:
    text = "\n".join(suite_lines("own", suite_figures(QUERIES, {})))
    assert "conversations" not in text and "auc" not in text
    assert set(retrieval_report(QUERIES)) == {"retrieval", "outcomes"}
    with pytest.raises(InputError, match="at least one question"):
        retrieval_report(TALKS)


def test_the_report_is_json() -> None:
    assert json.loads(json.dumps(retrieval_report(ALL), allow_nan=False))
