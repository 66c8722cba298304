"""Everyday words of a message that are no other product, action, means or scope than a row's, and words that are.

The messages and rows are invented; both lists were written before the results were looked at.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.constraints import compare
from rag.retrieval.query_analysis import expand

LINES = [
    line.split("\t")
    for line in Path(__file__).with_name("constraints_everyday_words.tsv").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def differences(question: str, row_question: str, row_answer: str) -> list[tuple[str, str, str]]:
    agreement = compare(question, row_question, row_answer, synonyms=expand)
    return [(each.kind, each.asked, each.held) for each in (*agreement.conflicts, *agreement.lacking)]


@pytest.mark.parametrize(("question", "row", "answer"), [each[1:] for each in LINES if each[0] == "same"])
def test_a_row_answers_a_message_in_everyday_words(question: str, row: str, answer: str) -> None:
    assert differences(question, row, answer) == []


@pytest.mark.parametrize(("question", "row", "answer"), [each[1:] for each in LINES if each[0] == "other"])
def test_a_row_on_something_else_does_not(question: str, row: str, answer: str) -> None:
    assert differences(question, row, answer)
