"""Overlap with a reference, computed by hand, and the choice of units."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chat import ChatService
from rag.errors import ModelUnavailable
from rag.evaluation.answers import evaluate_answer_texts, korean_units, rouge_l, syllables, token_f1
from rag.evaluation.datasets import Case
from rag.types import Answer, SentenceSupport, Source


@pytest.mark.parametrize(
    ("found", "wanted", "f1", "rouge"),
    [
        ("abcd", "abcd", 1.0, 1.0),
        ("abcd", "dcba", 1.0, 0.25),
        ("abxd", "abd", 6 / 7, 6 / 7),
        ("aab", "ab", 4 / 5, 4 / 5),
        ("", "ab", 0.0, 0.0),
        ("xy", "ab", 0.0, 0.0),
    ],
)
def test_overlap(found: str, wanted: str, f1: float, rouge: float) -> None:
    assert token_f1(found, wanted) == pytest.approx(f1)
    assert rouge_l(found, wanted) == pytest.approx(rouge)


@given(st.text("가나다라", max_size=12), st.text("가나다라", max_size=12))
def test_order_only_costs(found: str, wanted: str) -> None:
    assert 0.0 <= rouge_l(found, wanted) <= token_f1(found, wanted) <= 1.0
    assert rouge_l(found, wanted) == pytest.approx(rouge_l(wanted, found))


def test_syllables_know_no_spaces_and_signs() -> None:
    assert list(syllables("이체 한도, 얼마?")) == list("이체한도얼마")


def test_morphemes_part_a_noun_from_its_particle() -> None:
    """Two sentences that differ only in their endings share more morphemes than words."""
    units = korean_units()
    asked, told = units("이체 수수료는 500원입니다."), units("이체 수수료가 500원이에요")
    assert {"이체", "수수료", "500"} <= set(asked) & set(told) and "." not in asked
    assert 0.5 < token_f1(asked, told) < 1.0
    assert token_f1(["이체", "수수료는", "500원입니다."], ["이체", "수수료가", "500원이에요"]) < token_f1(asked, told)


class QuotingChat:
    """A chat service that quotes one row for every question; call number `fails_at` fails."""

    def __init__(self, fails_at: int = 0) -> None:
        self.questions: list[str] = []
        self._fails_at = fails_at

    def ask(self, question: str) -> Answer:
        self.questions.append(question)
        if len(self.questions) == self._fails_at:
            raise ModelUnavailable("the endpoint is gone")
        source = Source(1, "a", "한도는?", "1억원입니다.", 0.9)
        support = (SentenceSupport("1억원입니다.", (1,), "supported"), SentenceSupport("", (), "withheld", "quantity"))
        return Answer(question, "1억원입니다. [1]", "answered", None, None, (source,), (1,), True, support=support)


def test_answers_that_were_ended_go_on(tmp_path: Path) -> None:
    queries = [Case("queries", str(n), "", (f"물음 {n}",), ("a",) if n else ("b",)) for n in range(4)]
    texts = {query.id: ["1억원입니다."] for query in queries}
    checkpoint = tmp_path / "run" / "answers.jsonl"
    with pytest.raises(ModelUnavailable):
        evaluate_answer_texts(
            cast("ChatService", QuotingChat(fails_at=3)), queries, texts, units=syllables, checkpoint=checkpoint
        )
    checkpoint.write_text(checkpoint.read_text(encoding="utf-8")[:-20], encoding="utf-8")  # killed while it wrote
    again, whole = QuotingChat(), QuotingChat()
    found = evaluate_answer_texts(cast("ChatService", again), queries, texts, units=syllables, checkpoint=checkpoint)
    assert again.questions == ["물음 1", "물음 2", "물음 3"]
    assert found == evaluate_answer_texts(cast("ChatService", whole), queries, texts, units=syllables)
    assert found["citations"]["precision"] == 0.75 and found["reference"]["token_f1"] == 1.0
    assert found["sentences"]["unsupported"] == found["sentences"]["unsupported_numbers"] == 0.5
