"""The READMEs' table of figures is generated from docs/quality.json, which `make eval` writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rag.errors import InputError
from rag.evaluation.datasets import Case
from rag.evaluation.quality import (
    SUITES,
    are_defaults,
    publish,
    quality_figures,
    quality_table,
    read_quality,
    record_quality,
    with_table,
)
from rag.evaluation.records import Prediction, Record
from rag.evaluation.runs import Run, SuiteRun
from rag.evaluation.suites import bundled_suites
from rag.settings import RetrievalSettings, Settings, StoreSettings
from tests.conftest import ROOT

QUALITY = ROOT / "docs" / "quality.json"


@pytest.mark.parametrize("page", ["README.md", "README.ko.md"])
def test_the_table_is_the_last_measurements(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert with_table(text, read_quality(QUALITY), korean=".ko." in page) == text, "run make eval"
    assert text.count("<!-- figures -->") == 1


def test_every_corpus_both_halves_and_both_stores_are_in_it() -> None:
    quality = read_quality(QUALITY)
    for store in ("faiss", "opensearch"):
        assert {"bundled dev", "bundled test", "insurance", "card"} <= set(quality[store]) <= set(SUITES)
    assert all("apart" in measured for measured in quality["opensearch"].values()), "by the program that FAISS had"
    asked = {suite.name for suite in bundled_suites(ROOT / "data" / "evaluation", ("dev", "test"))}
    assert asked == set(SUITES)
    table = quality_table(quality)
    assert "real language model" in table and "| dev | test | insurance | card |" in table


def records(*outcomes: tuple[str, str, str]) -> tuple[Record, ...]:
    return tuple(
        Record(
            Case(name, str(n), "near_domain", ("물음",), ("a",) if name == "queries" else ()),
            Prediction((first,), status, () if status == "declined" else (first,), 0.5),  # type: ignore[arg-type]
        )
        for n, (name, status, first) in enumerate(outcomes)
    )


def a_run(store: str, found: tuple[Record, ...], name: str = "bundled dev") -> Run:
    meta: dict[str, Any] = {"settings": {"store": {"backend": store}}, "as_of": "2026-11-28", "code": "c"}
    return Run(meta, (SuiteRun(name, "", found, {}, {}),))


FOUND = records(
    ("queries", "answered", "a"), ("queries", "answered", "b"), ("queries", "suggested", "a"), ("ood", "answered", "a")
)


def test_shares_by_hand() -> None:
    figures = quality_figures(FOUND)
    assert figures["first"][0::3] == [0.6667, 3] and figures["precise"][0::3] == [0.3333, 3]
    assert figures["suggested"][0::3] == [1.0, 1] and figures["near"][0::3] == [1.0, 1]
    assert "talks" not in figures and "contrast" not in figures


def test_what_was_not_measured_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "quality.json"
    record_quality(a_run("faiss", FOUND, "bundled test"), path)
    record_quality(a_run("faiss", FOUND), path)
    quality = record_quality(a_run("opensearch", FOUND[1:]), path)
    assert read_quality(path) == quality == json.loads(path.read_text(encoding="utf-8"))
    assert set(quality["faiss"]) == {"bundled dev", "bundled test"} and set(quality["opensearch"]) == {"bundled dev"}
    assert "2026-11-28: .333 |" in quality_table(quality) and "2026-11-28: .333 |" in quality_table(
        quality, korean=True
    )
    assert ".667, OpenSearch .500 of 3<br>[" in quality_table(quality), "the figure of each store where they differ"
    newer = a_run("faiss", FOUND)
    record_quality(Run({**newer.meta, "code": "d"}, newer.suites), path)
    assert read_quality(path)["opensearch"] == quality["opensearch"], (
        "another program's figures say nothing of the stores"
    )
    newest = quality_table(read_quality(path))
    assert "OpenSearch ." not in newest and "2026-11-28: .333 |" in newest
    assert "any figure | 2026-11-28; – | 2026-11-28; – |" in quality_table({"faiss": quality["faiss"]})
    path.write_text("nothing", encoding="utf-8")
    with pytest.raises(InputError, match="make eval"):
        read_quality(path)


def test_only_what_stands_between_the_marks_changes() -> None:
    text = "before\n<!-- figures -->\n\nold\n\n<!-- /figures -->\nafter\n"
    quality = {"faiss": {"card": {"on": "2026-11-28", "code": "c", "figures": quality_figures(FOUND)}}}
    changed = with_table(text, quality)
    assert changed.startswith("before\n<!-- figures -->\n\n| | card |") and changed.endswith(
        "<!-- /figures -->\nafter\n"
    )
    assert with_table(changed, quality) == changed and "\nold\n" not in changed


def test_where_the_other_half_was_opened_the_log_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    publish(a_run("faiss", FOUND))
    assert list(tmp_path.iterdir()) == [], "not in the project's folder: nothing to write to"
    (tmp_path / "docs").mkdir()
    for name, text in (("README.md", "<!-- figures -->\n<!-- /figures -->"), ("docs/evaluation-log.md", "# Log\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    publish(a_run("faiss", FOUND))
    assert "| right row first (hit@1) | .667" in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert (tmp_path / "docs/evaluation-log.md").read_text(encoding="utf-8") == "# Log\n"
    publish(a_run("faiss", FOUND, "bundled test"))
    line = "- 2026-11-28, faiss, program c: hit@1 0.667 of 3\n"
    log = tmp_path / "docs/evaluation-log.md"
    assert log.read_text(encoding="utf-8") == f"# Log\n\n## Measurements of `test`\n\n{line}"
    log.write_text(log.read_text(encoding="utf-8") + "\n## More\n", encoding="utf-8")
    publish(a_run("faiss", FOUND, "bundled test"))
    assert log.read_text(encoding="utf-8").endswith(f"{line}{line}\n## More\n"), "under its heading, not at the end"


def test_figures_of_other_settings_are_not_published() -> None:
    assert are_defaults(Settings()) and are_defaults(Settings(store=StoreSettings(backend="faiss", index="mine")))
    assert not are_defaults(Settings(retrieval=RetrievalSettings(top_k=3)))
