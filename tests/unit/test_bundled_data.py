"""The bundled FAQ and evaluation questions are as data/README.md describes, and hard enough."""

import csv
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import pytest

DATA = Path(__file__).parents[2] / "data"
COLUMNS = ["id", "question", "answer", "category", "bank", "source_url", "effective_from", "effective_until"]
HALVES = ("dev", "test")


def faq() -> dict[str, dict[str, str]]:
    rows: dict[str, dict[str, str]] = {}
    for path in sorted((DATA / "faq").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                assert list(row) == COLUMNS
                assert row["id"] not in rows
                rows[row["id"]] = row
    return rows


def lines(name: str) -> list[dict[str, Any]]:
    text = (DATA / "evaluation" / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_faq_is_whole_and_plausible() -> None:
    rows = faq()
    assert len(rows) >= 240
    assert len({row["bank"] for row in rows.values()}) == 3
    assert len({row["category"] for row in rows.values()}) >= 12
    assert len({(row["bank"], row["question"]) for row in rows.values()}) == len(rows)
    for row in rows.values():
        assert 80 <= len(row["answer"]) <= 900, row["id"]
        assert re.match(r"https://[a-z.]+\.example/", row["source_url"]), row["id"]
        start = date.fromisoformat(row["effective_from"])
        assert not row["effective_until"] or date.fromisoformat(row["effective_until"]) > start, row["id"]


def test_evaluation_has_the_promised_counts() -> None:
    queries = [line for half in HALVES for line in lines(f"queries.{half}.jsonl")]
    inputs = [line for half in HALVES for line in lines(f"ood.{half}.jsonl")]
    talks = [line for half in HALVES for line in lines(f"multiturn.{half}.jsonl")]
    assert len(queries) >= 240
    assert len(inputs) >= 160
    assert sum(line["kind"] == "near_domain" for line in inputs) >= 80
    assert len(talks) >= 40
    assert sum(line["kind"] == "topic_change" for line in talks) >= 12
    for group, key in ((queries, "query"), (inputs, "query")):
        assert len({line[key] for line in group}) == len(group)


def test_labels_are_rows_in_force() -> None:
    rows = faq()
    for half in HALVES:
        for line in [*lines(f"queries.{half}.jsonl"), *lines(f"multiturn.{half}.jsonl")]:
            assert line["relevant"], line["id"]
            for row in line["relevant"]:
                assert not rows[row]["effective_until"], (line["id"], row)


def bigrams(text: str) -> list[str]:
    found: list[str] = []
    for run in re.findall(r"[가-힣]+|[a-z]+|[0-9]+", text.lower()):
        found += [run] if len(run) == 1 or run.isascii() else [run[i : i + 2] for i in range(len(run) - 1)]
    return found


@pytest.mark.parametrize("half", HALVES)
def test_bm25_alone_is_not_enough(half: str) -> None:
    rows = [row for row in faq().values() if not row["effective_until"]]
    index = bm25s.BM25(k1=1.2, b=0.75, method="lucene")
    index.index([bigrams(row["question"] + "\n" + row["answer"]) for row in rows], show_progress=False)
    hits = []
    for line in lines(f"queries.{half}.jsonl"):
        known = [term for term in bigrams(line["query"]) if term in index.vocab_dict]
        best = int(np.argmax(index.get_scores(known))) if known else 0
        hits.append(rows[best]["id"] in line["relevant"])
    assert 0.3 < np.mean(hits) <= 0.62


@pytest.mark.parametrize("half", HALVES)
def test_questions_are_not_copied_from_the_faq(half: str) -> None:
    rows = faq()
    queries = lines(f"queries.{half}.jsonl")
    own_words = 0
    for line in queries:
        runs = {line["query"][i : i + 6] for i in range(len(line["query"]) - 5)}
        own_words += not any(run in rows[row]["question"] for row in line["relevant"] for run in runs)
    assert own_words / len(queries) >= 0.8
