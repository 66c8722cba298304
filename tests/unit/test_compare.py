"""Comparison of two runs, and gates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from rag.errors import InputError
from rag.evaluation.compare import MEASURES, CaseResult, comparison_lines, difference, paired_interval
from rag.evaluation.datasets import Case
from rag.evaluation.gates import Gate, check_gates, failure_lines, read_baseline, read_gates, write_baseline
from rag.evaluation.records import OutcomeKind, Prediction, Record

RIGHT, WRONG = CaseResult("queries", "", True, "right", 1), CaseResult("queries", "", True, "wrong", 2)
OUTSIDE: Mapping[OutcomeKind, CaseResult] = {
    kind: CaseResult("ood", "near", False, kind, 0) for kind in ("wrong", "declined")
}


def marks(right: int, wrong: int) -> dict[str, CaseResult]:
    return {str(number): RIGHT if number < right else WRONG for number in range(right + wrong)}


def test_a_difference_by_hand() -> None:
    found = difference(marks(6, 4), marks(8, 2), MEASURES["answered_right"])
    assert found and (found.n, found.before, found.after) == (10, 0.6, 0.8)
    assert (found.better, found.worse) == (("6", "7"), ())
    assert found.interval[0] >= 0.0 and not found.is_significantly_worse


def test_only_shared_cases_count() -> None:
    found = difference(marks(2, 0), marks(2, 50), MEASURES["first_row"])
    assert found and (found.n, found.after) == (2, 1.0)
    assert difference(marks(1, 0), {"other": RIGHT}, MEASURES["first_row"]) is None
    assert difference(marks(1, 0), marks(1, 0), MEASURES["refused"]) is None


@pytest.mark.parametrize(("worse", "is_significantly_worse"), [(0, False), (3, False), (4, True), (20, True)])
def test_four_questions_and_none_for_the_better_are_more_than_chance(worse: int, is_significantly_worse: bool) -> None:
    found = difference(marks(200, 0), marks(200 - worse, worse), MEASURES["not_wrong"])
    assert found and found.is_significantly_worse is is_significantly_worse


def test_as_many_better_as_worse_is_chance() -> None:
    changes = [1.0] * 10 + [-1.0] * 10 + [0.0] * 200
    low, high = paired_interval(changes)
    assert low < 0 < high
    assert paired_interval(changes) == (low, high)
    assert paired_interval([0.0] * 50) == (0.0, 0.0)


def test_a_gate_fails_by_a_drop_or_under_its_floor() -> None:
    drop, floor = Gate("drop", "answered_right"), Gate("floor", "answered_right", ("queries",), 0.9)
    before, after = marks(100, 0), marks(85, 15)
    assert [failure.gate.name for failure in check_gates([drop, floor], before, after)] == ["drop", "floor"]
    [alone] = check_gates([drop, floor], {}, after)
    assert alone.gate.name == "floor" and len(alone.broken) == 15, "without a baseline only floors count"
    assert check_gates([drop, floor], before, before) == []
    assert check_gates([Gate("elsewhere", "refused", ("ood",), 1.0)], before, after) == []


def test_a_failing_gate_names_twenty_questions_at_most() -> None:
    before, after = marks(100, 0), marks(70, 30)
    lines = list(failure_lines(check_gates([Gate("g", "first_row")], before, after), {"99": "한도가 얼마예요"}, after))
    assert len(lines) == 22 and lines[-1] == "  and 10 more"
    assert "1.000 -> 0.700" in lines[0]


def test_a_baseline_survives_its_file(tmp_path: Path) -> None:
    kept = {"queries/1": RIGHT, "ood/2": OUTSIDE["wrong"], "ood/3": OUTSIDE["declined"]}
    meta = {"at": "2026-11-28T00:00:00+00:00", "key": "k", "code": "c", "embedding": "e"}
    write_baseline(tmp_path / "baseline.json", meta, kept)
    assert read_baseline(tmp_path / "baseline.json") == kept
    (tmp_path / "baseline.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="not a baseline"):
        read_baseline(tmp_path / "baseline.json")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("gate = 1", "expected"),
        ('[questions]\n[[gate]]\nname = "a"\nmeasure = "beauty"', "unknown names"),
        ('[questions]\npoems = "p.jsonl"\n[[gate]]\nname = "a"\nmeasure = "shown"', "poems"),
        ('[questions]\n[[gate]]\nname = "a"\nmeasure = "shown"\ncolour = 1', "colour"),
        ('[questions]\nqueries = "missing.jsonl"\n[[gate]]\nname = "a"\nmeasure = "shown"', "missing.jsonl"),
    ],
)
def test_a_wrong_gates_file_is_refused(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "gates.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=part):
        read_gates(path)


def test_the_comparison_names_every_question_whose_outcome_changed() -> None:
    def records(*outcomes: tuple[str, tuple[str, ...]]) -> dict[str, Record]:
        made = [
            Record(Case("queries", str(n), "typos", (f"물음 {n}",), ("a",)), Prediction(shown, status, shown, 0.5))  # type: ignore[arg-type]
            for n, (status, shown) in enumerate(outcomes)
        ]
        return {each.case.key: each for each in made}

    before = records(("answered", ("a",)), ("answered", ("a",)), ("declined", ()))
    after = records(("answered", ("b",)), ("answered", ("a",)), ("suggested", ("a",)))
    text = "\n".join(comparison_lines("own", before, after))
    assert "2 of 3 outcomes changed" in text
    assert "queries/0 (typos): right → wrong: 물음 0" in text and "queries/2 (typos): declined → offered" in text
    assert "물음 1" not in text and "| not answered wrongly | 3 | 1.000 | 0.667 |" in text
