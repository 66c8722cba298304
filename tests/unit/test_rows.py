"""What is read off a row found."""

from __future__ import annotations

from llama_index.core.schema import NodeRelationship, NodeWithScore, RelatedNodeInfo, TextNode

from rag.retrieval.rows import bank_of, holds_words, phrasings_of, row_id, row_text, sources_of
from rag.stores.base import CONTENT_HASH, PHRASING, QUESTION


def hit(node_id: str, **metadata: str) -> NodeWithScore:
    row = RelatedNodeInfo(node_id=node_id.partition("?")[0])
    node = TextNode(
        id_=node_id, text="건당 500원입니다.", metadata=metadata, relationships={NodeRelationship.SOURCE: row}
    )
    return NodeWithScore(node=node, score=0.5)


def test_a_row_is_read_with_the_phrasing_that_was_found() -> None:
    found = hit("fee?1", **{QUESTION: "이체 수수료는 얼마인가요?", PHRASING: "송금할 때 돈 드나요?"})
    assert row_id(found) == "fee"
    assert row_text(found).splitlines() == ["이체 수수료는 얼마인가요?", "송금할 때 돈 드나요?", "건당 500원입니다."]
    assert holds_words(found, ("환율", "돈 드나요")) and not holds_words(found, ("환율",))


def test_a_row_found_by_its_own_question_says_it_once() -> None:
    found = hit("fee", **{QUESTION: "이체 수수료는 얼마인가요?", PHRASING: "이체 수수료는 얼마인가요?"})
    assert phrasings_of(found) == "이체 수수료는 얼마인가요?"


def test_a_row_of_no_institution_has_the_empty_one() -> None:
    assert [bank_of(hit("a", bank="도담저축은행")), bank_of(hit("b")), bank_of(hit("c", bank=""))] == [
        "도담저축은행",
        "",
        "",
    ]


def test_a_source_shows_none_of_the_stores_own_metadata() -> None:
    stored = {QUESTION: "이체 수수료는?", PHRASING: "송금 수수료는?", CONTENT_HASH: "0f", "category": "이체"}
    [source] = sources_of([hit("fee?1", **stored)])
    assert (source.number, source.id, source.question, source.metadata) == (
        1,
        "fee",
        "이체 수수료는?",
        {"category": "이체"},
    )
