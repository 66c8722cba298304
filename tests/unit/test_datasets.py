"""Evaluation files: valid ones are read; a mistake is reported with file, line and key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag.errors import InputError
from rag.evaluation.datasets import (
    Case,
    read_conversations,
    read_out_of_domain,
    read_queries,
)

DATA = Path(__file__).parents[2] / "data" / "evaluation"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to_file(*lines: Any) -> Path:
        path = tmp_path / "mine.jsonl"
        texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
        path.write_text("\n".join(texts), encoding="utf-8")
        return path

    return to_file


def test_queries(write: Callable[..., Path]) -> None:
    path = write(
        {"id": "q1", "query": "이체한도", "relevant": ["a", 2], "style": "keywords"},
        "",
        {"id": 0, "query": "한도", "relevant": ["b"]},
    )
    assert read_queries(path) == [
        Case("queries", "q1", "keywords", ("이체한도",), ("a", "2")),
        Case("queries", "0", "", ("한도",), ("b",)),
    ]


def test_out_of_domain_and_conversations(write: Callable[..., Path]) -> None:
    assert read_out_of_domain(write({"id": "o", "query": "날씨", "kind": "other"})) == [
        Case("ood", "o", "other", ("날씨",))
    ]
    talks = write({"id": "m", "turns": ["이체한도", "늘리려면?"], "relevant": ["a"], "kind": "follow_up"})
    assert read_conversations(talks) == [Case("multiturn", "m", "follow_up", ("이체한도", "늘리려면?"), ("a",))]


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "excel.jsonl"
    path.write_bytes('﻿{"id": "o", "query": "날씨"}\r\n{"id": "p", "query": "점심"}\r\n'.encode())
    assert [item.query for item in read_out_of_domain(path)] == ["날씨", "점심"]


def test_a_line_separator_within_a_question_ends_no_line(write: Callable[..., Path]) -> None:
    """Text pasted from web pages contains line separators, which JSON does not escape."""
    questions = ["한도\u2028얼마", "한도\x85얼마"]
    path = write(*({"id": query, "query": query} for query in questions))
    assert [item.query for item in read_out_of_domain(path)] == questions


GOOD = {"id": "q1", "query": "이체한도", "relevant": ["a"]}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{not json", "line 3: not JSON"),
        ({"id": "q1", "relevant": ["a"]}, "line 3: 'query' missing or empty"),
        ({"id": "", "query": "한도", "relevant": ["a"]}, "line 3: 'id' missing or empty"),
        ({"id": "q1", "query": "한도", "relevant": []}, "line 3: 'relevant' missing or empty"),
        ({"id": "q1", "query": None, "relevant": None}, "line 3: 'query', 'relevant' missing or empty"),
        (["q1", "한도", "a"], "line 3: 'id', 'query', 'relevant' missing or empty"),
        ({"id": "q1", "query": "한도", "relevant": "mrs-018"}, "line 3: 'relevant' is not a list"),
    ],
)
def test_a_wrong_line_is_named(write: Callable[..., Path], line: Any, problem: str) -> None:
    with pytest.raises(InputError, match=rf"mine\.jsonl, {problem}"):
        read_queries(write(GOOD, GOOD, line))


def test_turns_given_as_one_text_are_refused(write: Callable[..., Path]) -> None:
    """A string is a sequence too: each of its characters would count as a message."""
    with pytest.raises(InputError, match=r"mine\.jsonl, line 1: 'turns' is not a list"):
        read_conversations(write({"id": "m", "turns": "이체한도", "relevant": ["a"]}))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jsonl: cannot be read"):
        read_queries(tmp_path / "gone.jsonl")
    with pytest.raises(InputError, match="cannot be read"):
        read_queries(tmp_path)
    (tmp_path / "cp949.jsonl").write_bytes('{"id": "o", "query": "날씨"}'.encode("cp949"))
    with pytest.raises(InputError, match=r"cp949\.jsonl: is not UTF-8"):
        read_out_of_domain(tmp_path / "cp949.jsonl")


@pytest.mark.parametrize("half", ["dev", "test"])
def test_the_bundled_files_are_read_whole(half: str) -> None:
    queries = read_queries(DATA / f"queries.{half}.jsonl")
    assert len(queries) == 224 and len({query.label for query in queries}) == 8
    assert len(read_out_of_domain(DATA / f"ood.{half}.jsonl")) == 122
    assert {len(talk.turns) for talk in read_conversations(DATA / f"multiturn.{half}.jsonl")} >= {2}
