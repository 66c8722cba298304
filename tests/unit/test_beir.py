"""Questions and judgements in BEIR's layout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.errors import InputError
from rag.evaluation.datasets import Case, read_beir


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    lines = [{"_id": "1", "text": "한도"}, {"_id": "2", "text": "수수료"}, {"_id": "3", "text": "날씨"}]
    path = tmp_path / "queries.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "query-id\tcorpus-id\tscore\n1\ta\t1\n1\tb\t2\n2\tc\t1\n2\td\t0\n3\te\t0\n",
        "1\t0\ta\t1\n1\t0\tb\t2\n2\t0\tc\t1\n",
    ],
)
def test_judgements_above_0_are_relevant(queries: Path, tmp_path: Path, text: str) -> None:
    qrels = tmp_path / "test.tsv"
    qrels.write_text(text, encoding="utf-8")
    assert read_beir(queries, qrels) == [
        Case("queries", "1", "", ("한도",), ("a", "b")),
        Case("queries", "2", "", ("수수료",), ("c",)),
    ]


@pytest.mark.parametrize(
    ("text", "part"),
    [("1\ta\t1\n2\tb\n", "line 2"), ("9\ta\t1\n", "expected judgements above 0"), ("a b c\n1 2 3\n", "line 2")],
)
def test_what_cannot_be_read_is_named(queries: Path, tmp_path: Path, text: str, part: str) -> None:
    qrels = tmp_path / "test.tsv"
    qrels.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=part):
        read_beir(queries, qrels)
    with pytest.raises(InputError, match="cannot be read"):
        read_beir(queries, tmp_path / "missing.tsv")
