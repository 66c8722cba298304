"""`rag evaluate` on a user's index: all, gate, compare, history, conversation, latency; `ingest --gate`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.integration.conftest import Run
from tests.small_faq import ROWS, write_faq

GATES = """
[questions]
queries = "queries.jsonl"
out_of_domain = "ood.jsonl"

[[gate]]
name = "what customers see"
measure = "shown"
floor = 0.8
"""

ASKED = {row[0]: row[1] for row in ROWS if row[0] in ("g-002", "g-006", "g-007", "g-008", "n-002", "n-003", "n-004")}
"""Rows of one institution each, by their ids: their questions."""


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """The rows' own questions, two out-of-domain inputs, a conversation with and one without an answering row."""
    lines: dict[str, list[dict[str, object]]] = {
        "queries": [
            {"id": f"q-{row}", "query": question, "relevant": [row], "style": "own"} for row, question in ASKED.items()
        ],
        "ood": [
            {"id": "o1", "query": "오늘 날씨 어때", "kind": "other"},
            {"id": "o2", "query": "고마워", "kind": "thanks"},
        ],
        "multiturn": [
            {"id": "m1", "turns": [ASKED["g-002"], ASKED["n-002"]], "relevant": ["n-002"], "kind": "new"},
            {"id": "m2", "turns": [ASKED["g-002"], "오늘 날씨 어때"], "relevant": [], "kind": "unrelated"},
        ],
    }
    for name, objects in lines.items():
        text = "\n".join(json.dumps(each, ensure_ascii=False) for each in objects)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "gates.toml").write_text(GATES, encoding="utf-8")
    return tmp_path


def all_of(run: Run, *more: str) -> list[str]:
    files = ("--queries", "queries.jsonl", "--out-of-domain", "ood.jsonl", "--multi-turn", "multiturn.jsonl")
    ran = run("evaluate", "all", "--index", "small", *files, *more)
    assert ran.code == 0, ran.err
    return ran.out.splitlines()


def test_a_run_is_reported_kept_and_compared(run: Run, small: Path, questions: Path) -> None:
    lines = all_of(run, "--json", "out.json")
    report = questions / ".fsi" / "report" / "report.html"
    assert any(line.startswith("report: ") for line in lines) and report.is_file()
    assert "100명이 물으면" in report.read_text(encoding="utf-8") and report.with_suffix(".md").is_file()
    assert any(line.startswith("first_text") for line in lines)
    figures = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert figures["suites"]["own"]["multiturn"]["by_kind"]["unrelated"]["counts"]["wrong"] == 0
    assert {"settings_fingerprint", "versions", "data", "seed", "code"} <= set(figures["meta"])
    [kept] = (questions / ".fsi" / "runs").glob("*.json")
    assert not list((questions / ".fsi" / "runs").glob("unfinished-*"))
    shutil.copy(kept, kept.with_name(f"20990101T000000-{kept.stem[-8:]}.json"))
    history = run("evaluate", "history").out.splitlines()
    assert len(history) == 3 and kept.stem in history[1]
    compared = run("evaluate", "compare", "last~1", "last")
    assert compared.code == 0 and "0 of" in compared.out and "**worse**" not in compared.out
    assert "expected two runs" in run("evaluate", "compare", "last").refused()


def test_conversations_and_latency_alone(run: Run, small: Path, questions: Path) -> None:
    ran = run("evaluate", "conversation", "--multi-turn", "multiturn.jsonl", "--index", "small")
    assert ran.code == 0 and "unrelated" in ran.out
    prices = ("--instances", "ml.m5.large,ml.g5.xlarge", "--prices", str(ROOT / "deploy" / "costs.toml"))
    ran = run("evaluate", "latency", "--queries", "queries.jsonl", "--index", "small", *prices)
    assert ran.code == 0 and "8 at once" in ran.out and "USD on ml.m5.large, ml.g5.xlarge" in ran.out
    prices = ("--instances", "ml.none", "--prices", str(ROOT / "deploy" / "costs.toml"))
    assert "ml.none" in run("evaluate", "latency", "--queries", "queries.jsonl", "--index", "small", *prices).refused()


def test_judgements_in_beirs_layout(run: Run, small: Path, questions: Path) -> None:
    lines = [json.loads(line) for line in (questions / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    (questions / "beir.jsonl").write_text(
        "\n".join(json.dumps({"_id": line["id"], "text": line["query"]}) for line in lines), encoding="utf-8"
    )
    qrels = "".join(f"{line['id']}\t{line['relevant'][0]}\t1\n" for line in lines)
    (questions / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{qrels}", encoding="utf-8")
    found = []
    for options in (("--queries", "queries.jsonl"), ("--queries", "beir.jsonl", "--qrels", "qrels.tsv")):
        assert run("evaluate", "retrieval", *options, "--index", "small", "--json", "out.json").code == 0
        found.append(json.loads(Path("out.json").read_text(encoding="utf-8"))["retrieval"]["all"])
    assert found[0] == found[1]


def test_answers_are_held_to_their_rows_and_to_references(run: Run, small: Path, questions: Path) -> None:
    """A quoted answer cites only its row, and its text equals the row's."""
    files = ("--queries", "queries.jsonl", "--index", "small", "--json", "out.json")
    assert run("evaluate", "answers", *files).code == 0
    report = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert report["answered"] == report["n"] == len(ASKED) and report["generated"] == 0
    assert report["citations"]["precision"] == report["citations"]["recall"] == 1.0
    assert report["reference"]["n"] == len(ASKED) and report["reference"]["rouge_l"] > 0.7
    line = json.dumps({"id": "q-n-002", "answer": "전혀 다른 이야기"}, ensure_ascii=False)
    (questions / "references.jsonl").write_text(line, encoding="utf-8")
    assert run("evaluate", "answers", *files, "--references", "references.jsonl").code == 0
    other = json.loads(Path("out.json").read_text(encoding="utf-8"))["reference"]
    assert other["n"] == 1 and other["token_f1"] < report["reference"]["token_f1"]


def test_gates_of_a_user(run: Run, small: Path, questions: Path) -> None:
    passed = run("evaluate", "gate", "--gates", "gates.toml", "--index", "small", "--accept")
    assert passed.code == 0 and "1 gates passed" in passed.out and (questions / "baseline.json").is_file()
    (questions / "gates.toml").write_text(GATES.replace("0.8", "1.01"), encoding="utf-8")
    failed = run("evaluate", "gate", "--gates", "gates.toml", "--index", "small")
    assert failed.code == 1 and "below the floor" in failed.out


def test_gates_are_run_on_the_present_rows(run: Run, small: Path, questions: Path) -> None:
    """What an earlier run of the same questions found in other rows is not taken again."""
    (questions / "gates.toml").write_text(GATES.replace("0.8", "1.0"), encoding="utf-8")
    assert run("evaluate", "gate", "--gates", "gates.toml", "--index", "small").code == 0
    rows = write_faq(questions / "reworded.csv").read_text(encoding="utf-8")
    (questions / "reworded.csv").write_text(rows.replace(ASKED["n-002"], "다른 것을 묻는 행"), encoding="utf-8")
    assert run("ingest", "reworded.csv", "--index", "small").code == 0
    assert run("evaluate", "gate", "--gates", "gates.toml", "--index", "small").code == 1


def test_an_ingestion_that_breaks_questions_writes_nothing(run: Run, small: Path, questions: Path) -> None:
    fewer = str(write_faq(questions / "fewer.csv", without=tuple(ASKED)[:5]))
    before = {path: path.read_bytes() for path in small.iterdir() if path.suffix != ".npz"}
    refused = run("ingest", fewer, "--index", "small", "--gate", "gates.toml")
    assert refused.code == 1 and "nothing was published" in refused.err and "a significant drop" in refused.err
    assert all(ASKED[row] in refused.err for row in tuple(ASKED)[:5])
    assert {path: path.read_bytes() for path in before} == before, "searching may only write a cache"
    whole = str(write_faq(questions / "whole.csv"))
    assert "unchanged" in run("ingest", whole, "--index", "small", "--gate", "gates.toml").out
    assert run("ingest", whole, "--index", "new", "--gate", "gates.toml").code == 0, (
        "only the floor, where nothing is there"
    )
