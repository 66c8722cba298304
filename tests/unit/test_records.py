"""Cases, what became of them, and how a run that was ended goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest

from rag.chat import ChatService
from rag.evaluation import records
from rag.evaluation.figures import SEVERAL, suite_figures
from rag.evaluation.records import Record, measure
from rag.evaluation.retrieval import Judged
from rag.evaluation.suite_report import suite_lines
from rag.evaluation.suites import Case, Suite, bundled_suites, corpus_suite
from tests.conftest import ROOT

DATA = ROOT / "data" / "evaluation"
NOBODY = cast("ChatService", None)


def record(
    status: str, shown: tuple[str, ...], relevant: tuple[str, ...], name: str = "1", set_: str = "queries"
) -> Record:
    return Record(
        Case(set_, name, "kind", ("물음",), relevant),
        Judged(shown or ("x",), status, shown, 0.5),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("status", "shown", "relevant", "outcome"),
    [
        ("answered", ("a", "b"), ("a",), "right"),
        ("answered", ("b", "a"), ("a",), "wrong"),
        ("answered", (), ("a",), "wrong"),
        ("answered", ("b",), (), "wrong"),
        ("suggested", ("b", "c", "a"), ("a",), "offered"),
        ("suggested", ("b", "c", "d", "a"), ("a",), "missed"),
        ("suggested", ("b",), (), "missed"),
        ("declined", (), ("a",), "declined"),
        ("declined", (), (), "declined"),
    ],
)
def test_outcomes(status: str, shown: tuple[str, ...], relevant: tuple[str, ...], outcome: str) -> None:
    assert record(status, shown, relevant).outcome == outcome


def test_a_record_survives_its_json() -> None:
    kept = record("suggested", ("b", "a"), ("a", "c"))
    assert Record.from_json(json.loads(json.dumps(kept.as_json()))) == kept
    assert kept.rank == 2


def test_a_run_that_was_ended_asks_only_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [Case("queries", str(number), "", (f"물음 {number}",)) for number in range(5)]
    asked: list[str] = []

    def answer(_chat: ChatService, text: str, _history: object) -> Judged:
        asked.append(text)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return Judged(("a",), "declined", (), 0.1)

    monkeypatch.setattr(records, "judged", answer)
    kept = tmp_path / "kept.jsonl"
    with pytest.raises(KeyboardInterrupt):
        measure(NOBODY, cases, kept=kept)
    done = len(kept.read_text(encoding="utf-8").splitlines())
    kept.write_text(kept.read_text(encoding="utf-8") + '{"set": "que', encoding="utf-8")
    asked[:] = [""] * 4
    assert [each.case for each in measure(NOBODY, cases, kept=kept)] == cases
    assert len(asked) - 4 == len(cases) - done


def test_every_bundled_line_is_asked() -> None:
    """Also those that had no reader: contrast, contrast_queries, afterquestion, and conversations that mean no row."""
    suites = bundled_suites(DATA, ("dev",))
    assert [suite.name for suite in suites] == ["bundled dev", "insurance", "card"]
    for suite, folder, half in zip(
        suites, (DATA, DATA / "corpora/insurance", DATA / "corpora/card"), (".dev", "", ""), strict=True
    ):
        for path in folder.glob(f"*{half}.jsonl"):
            name = path.name.split(".")[0]
            if name != "claims":
                lines = path.read_text(encoding="utf-8").splitlines()
                assert len([case for case in suite.cases if case.set == name]) == len(lines), path
    after = [case for case in suites[0].cases if case.set == "ood_after"]
    assert len(after) == 122 and all(len(case.turns) == 2 for case in after)


def test_another_label_or_row_is_other_data(tmp_path: Path) -> None:
    case = Case("queries", "1", "", ("물음",), ("a",))
    other = Case("queries", "1", "", ("물음",), ("b",))
    assert Suite("one", (case,)).digest() == Suite("two", (case,)).digest() != Suite("one", (other,)).digest()
    assert corpus_suite(DATA / "corpora" / "card").digest() != corpus_suite(DATA / "corpora" / "insurance").digest()


def test_figures_of_every_set() -> None:
    kept = [
        record("answered", ("a",), ("a",), "1"),
        record("declined", (), ("a", "b"), "2"),
        record("answered", ("c",), (), "3", "ood"),
        record("declined", (), (), "3", "ood_after"),
        record("suggested", ("c",), (), "4", "contrast"),
        record("suggested", ("c", "a"), ("a",), "5", "contrast_queries"),
        record("declined", (), (), "6", "multiturn"),
        record("declined", (), (), "7", "afterquestion"),
        record("suggested", ("x",), ("a",), "1:no_spaces", "perturbed"),
    ]
    figures = suite_figures(kept, {"a": "가온은행", "b": "나루증권"})
    assert list(figures["outcomes"]["by_bank"]) == [SEVERAL, "가온은행"]
    assert figures["outcomes"]["counts"]["right"] == 1 and figures["outcomes"]["answered_precision"] == 0.5
    assert figures["refusal"]["by_kind"]["kind"]["wrong"] == 1.0
    assert figures["perturbations"]["kind"]["lost"] == ["1"]
    text = "\n".join(suite_lines("own", figures))
    for part in (
        "가온은행",
        "ranking, the same",
        "a similar row",
        "what follows",
        "changed by rule",
        "calibration error",
    ):
        assert part in text
