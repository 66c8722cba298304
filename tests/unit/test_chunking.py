"""Chunking: answers are split, never cut; what a node's vector and hash are made of."""

from __future__ import annotations

import dataclasses
import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from llama_index.core.schema import MetadataMode

from rag.errors import ModelError, RowErrors
from rag.ingestion.chunking import TEXT_WEIGHTS, combine_vectors, embedded_texts, nodes
from rag.ingestion.faq_row import FaqRow

ROW = FaqRow(
    id="a-1",
    question="이체한도를 늘리려면?",
    answer="영업점에 오시면 됩니다.",
    bank="새나래은행",
    file="faq.csv",
    row=2,
)
SENTENCES = "첫 문장입니다. 둘째 문장은 조금 더 깁니다.\n셋째는 짧습니다. 넷째 문장도 그렇습니다."


def test_a_usual_row_is_one_node() -> None:
    [node] = nodes(dataclasses.replace(ROW, extra={"priority": 2}), token_count=len, max_tokens=512)
    assert (node.node_id, node.ref_doc_id, node.text) == ("a-1", "a-1", ROW.answer)
    assert (node.start_char_idx, node.end_char_idx) == (0, len(ROW.answer))
    content = {name: value for name, value in node.metadata.items() if name != "content_hash"}
    assert content == {"question": ROW.question, "bank": "새나래은행", "priority": 2}
    assert "content_hash" not in node.get_content(MetadataMode.LLM)


def test_a_long_answer_is_split_after_sentences() -> None:
    row = dataclasses.replace(ROW, question="질문", answer=SENTENCES)
    found = nodes(row, token_count=len, max_tokens=33)
    assert [node.text for node in found] == [
        "첫 문장입니다. 둘째 문장은 조금 더 깁니다.\n",
        "셋째는 짧습니다. 넷째 문장도 그렇습니다.",
    ]
    assert [node.node_id for node in found] == ["a-1#0", "a-1#1"]
    assert {node.ref_doc_id for node in found} == {"a-1"}


def test_an_overlong_sentence_is_split_after_spaces_then_anywhere() -> None:
    row = dataclasses.replace(ROW, question="질문", answer="하나 둘 셋 넷다섯여섯일곱여덟아홉열")
    assert [node.text for node in nodes(row, token_count=len, max_tokens=11)] == [
        "하나 둘 셋 ",
        "넷다섯여섯일곱여",
        "덟아홉열",
    ]


@pytest.mark.parametrize("between", [",", "/", "·", "→"])
def test_a_text_without_spaces_is_not_split_in_a_number(between: str) -> None:
    values = [
        f"잔액{number},000,000원{between}연{1 + number / 20:.2f}%{between}우대{number / 10:.1f}%p"
        for number in range(1, 60)
    ]
    answer = between.join(values)
    for window in range(20, 60):
        found = nodes(dataclasses.replace(ROW, question="질문", answer=answer), token_count=len, max_tokens=window)
        whole = re.findall(r"[\d.,]*\d(?:원|%p?)", answer)
        assert [value for node in found for value in re.findall(r"[\d.,]*\d(?:원|%p?)", node.text)] == whole


@given(
    st.text(st.characters(codec="utf-8") | st.sampled_from("다. \n요?👨‍👩‍👧🏳️‍🌈가각"), min_size=1, max_size=300),
    st.integers(8, 60),
)
@example("👨‍👩‍👧 가족입니다. " * 10, 12)
@example("\n" * 50, 9)
def test_pieces_fit_and_joined_are_the_answer(answer: str, max_tokens: int) -> None:
    def token_count(text: str) -> int:  # bytes, as a tokenizer falls back to for emoji
        return len(text.encode()) // 3

    found = nodes(
        dataclasses.replace(ROW, question="질문", answer=answer), token_count=token_count, max_tokens=max_tokens
    )
    assert "".join(node.text for node in found) == answer
    assert all(node.text == answer[node.start_char_idx : node.end_char_idx] for node in found)
    assert all(max(map(token_count, embedded_texts(node))) <= max_tokens for node in found)
    assert len({node.metadata["content_hash"] for node in found}) == len({node.node_id for node in found}) == len(found)


def test_few_tokens_are_counted_for_a_huge_answer() -> None:
    """Boundaries are found by doubling and halving: the characters counted stay a small multiple of the answer."""
    counted = 0

    def token_count(text: str) -> int:
        nonlocal counted
        counted += len(text)
        return len(text)

    answer = "영업점에 오시면 됩니다. " * 4000
    found = nodes(dataclasses.replace(ROW, answer=answer), token_count=token_count, max_tokens=5000)
    assert "".join(node.text for node in found) == answer
    assert counted < 30 * len(answer)


def test_a_question_that_leaves_no_room_is_refused_with_its_row() -> None:
    with pytest.raises(RowErrors, match=r"faq.csv, row 2, column 'question'"):
        nodes(ROW, token_count=len, max_tokens=20)


def content_hash(row: FaqRow) -> object:
    return nodes(row, token_count=len, max_tokens=512)[0].metadata["content_hash"]


@pytest.mark.parametrize(
    "change",
    [
        {"question": "다른 질문"},
        {"answer": "다른 답변"},
        {"bank": "다른 은행"},
        {"effective_until": "2026-01-01"},
        {"extra": {"priority": 1}},
    ],
)
def test_content_changes_the_hash(change: dict[str, object]) -> None:
    assert content_hash(dataclasses.replace(ROW, **change)) != content_hash(ROW)  # type: ignore[arg-type]


def test_place_and_order_do_not_change_the_hash() -> None:
    first = dataclasses.replace(ROW, extra={"a": 1, "b": 2})
    second = dataclasses.replace(ROW, extra={"b": 2, "a": 1}, file="moved.csv", row=99)
    assert content_hash(first) == content_hash(second)


def test_view_weights_change_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    before = content_hash(ROW)
    monkeypatch.setattr("rag.ingestion.chunking.TEXT_WEIGHTS", (0.5, 0.5))
    assert content_hash(ROW) != before


def test_views() -> None:
    [node] = nodes(ROW, token_count=len, max_tokens=512)
    assert embedded_texts(node) == (ROW.question, f"{ROW.question}\n{ROW.answer}")
    assert len(embedded_texts(node)) == len(TEXT_WEIGHTS)


def test_combine_weighs_unit_vectors() -> None:
    """Lengths do not count: a model that gives long vectors for long texts would drown the question."""
    combined = combine_vectors([[2.0, 0.0], [0.0, 50.0]], (0.6, 0.8))
    assert combined == pytest.approx([0.6, 0.8])
    assert math.hypot(*combined) == pytest.approx(1.0)


@pytest.mark.parametrize("vectors", [[[0.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [-1.0, 0.0]]])
def test_combine_refuses_what_has_no_direction(vectors: list[list[float]]) -> None:
    with pytest.raises(ModelError):
        combine_vectors(vectors, (0.5, 0.5))


def test_each_further_phrasing_is_a_node_of_the_row() -> None:
    row = dataclasses.replace(ROW, alternatives=("한도 올리기", "이체 더 많이 하고 싶어요"))
    own, *others = nodes(row, token_count=len, max_tokens=512)
    assert own == nodes(ROW, token_count=len, max_tokens=512)[0]
    assert [node.node_id for node in others] == ["a-1?1", "a-1?2"]
    assert [node.metadata["phrasing"] for node in others] == list(row.alternatives)
    for node in others:
        assert (node.ref_doc_id, node.text, node.metadata["question"]) == ("a-1", ROW.answer, ROW.question)
        assert node.metadata["content_hash"] != own.metadata["content_hash"]
        assert "phrasing" not in node.get_content(MetadataMode.LLM)
    assert embedded_texts(others[0]) == ("한도 올리기", f"한도 올리기\n{ROW.answer}")


def test_a_phrasing_of_a_long_row_is_split_by_its_own_length() -> None:
    row = dataclasses.replace(ROW, question="질문", answer=SENTENCES, alternatives=("조금 더 긴 질문",))
    found = nodes(row, token_count=len, max_tokens=33)
    own, others = (
        [node for node in found if node.node_id.startswith("a-1?1#") is is_other] for is_other in (False, True)
    )
    assert len(others) > 1
    assert "".join(node.text for node in own) == "".join(node.text for node in others) == SENTENCES


def test_a_phrasing_longer_than_half_the_window_is_refused_by_its_column() -> None:
    with pytest.raises(RowErrors, match=r"alternatives.*phrasing is longer than half"):
        nodes(dataclasses.replace(ROW, alternatives=("가" * 40,)), token_count=len, max_tokens=60)
