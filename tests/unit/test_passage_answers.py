"""A passage of a document is shown as one: under its heading, with its place, and never as an approved answer."""

from __future__ import annotations

from llama_index.core.schema import NodeWithScore, TextNode

from rag.cli.terminal import source_line
from rag.constraints import Conflict
from rag.retrieval.confidence import JudgedNode, Verdict
from rag.synthesis import texts
from rag.synthesis.verbatim import passages
from rag.types import Answer, Source, Status, place_in_document
from rag.ui.conversation import Exchange
from rag.ui.rendering import sources_html
from rag.ui.texts import KOREAN

METADATA = {
    "question": "수수료 안내 › 송금",
    "document": "안내.pdf",
    "page": 3,
    "clause": "제2조 ①",
    "bank": "새솔은행",
}
TEXT = "구분 | 수수료\n창구 | 600원"


def judged(status: Status, **further: object) -> JudgedNode:
    node = TextNode(id_="안내.pdf:0123456789", text=TEXT, metadata={**METADATA, **further})
    return JudgedNode(node=node, score=0.9, parts={}, status=status, quoted=status == "answered")


def verdict(
    status: Status, nodes: tuple[JudgedNode, ...], question: str = "송금 수수료?", *conflicts: Conflict
) -> Verdict:
    return Verdict(status, None, nodes, nodes, 0.9, 0.9, question, conflicts=conflicts)


def test_an_answered_passage_is_labelled_and_stands_under_its_heading() -> None:
    nodes = (judged("answered"),)
    outcome = passages(nodes, verdict=verdict("answered", nodes))
    assert outcome.text == f"{texts.frame('passage')}\n[안내.pdf, 3쪽, 제2조 ①]\n수수료 안내 › 송금\n{TEXT} [1]"
    assert outcome.cited == (1,)
    english = passages(nodes, verdict=verdict("answered", nodes, "transfer fee please"))
    assert english.text.startswith(texts.frame("passage", english=True))


def test_an_uncertain_value_is_named_beside_the_passage() -> None:
    nodes = (judged("answered", uncertain="600원"),)
    assert passages(nodes, verdict=verdict("answered", nodes)).text.endswith(texts.frame("uncertain", values="600원"))


def test_a_suggested_passage_is_shown_unless_it_holds_something_else_than_asked() -> None:
    nodes = (judged("suggested"), judged("suggested"))
    shown = passages(nodes, verdict=verdict("suggested", nodes))
    assert shown.text.startswith(f"{texts.frame('suggested')}\n\n{texts.frame('passage')}") and TEXT in shown.text
    assert shown.cited == (1,)
    other = passages(nodes, verdict=verdict("suggested", nodes, "적금은?", Conflict("product", "적금", "송금")))
    assert TEXT not in other.text and other.cited == ()


def test_rows_are_quoted_as_before() -> None:
    node = NodeWithScore(node=TextNode(text="앱에서 됩니다.", metadata={"question": "되나요?"}), score=1.0)
    assert passages([node]).text == "앱에서 됩니다. [1]"


def test_sources_say_where_a_passage_stands() -> None:
    metadata = {key: value for key, value in METADATA.items() if key != "question"}
    source = Source(1, "안내.pdf:0123456789", "수수료 안내 › 송금", TEXT, 0.9, metadata)
    assert place_in_document(metadata) == "안내.pdf, 3쪽, 제2조 ①" and place_in_document({"bank": "새솔은행"}) == ""
    assert source_line(source) == "[1] 0.90  안내.pdf, 3쪽, 제2조 ①  새솔은행  수수료 안내 › 송금"
    assert "새솔은행 · 안내.pdf, 3쪽, 제2조 ①" in sources_html(1, "송금 수수료?", [source], KOREAN, "off")


def test_the_page_calls_no_passage_approved() -> None:
    metadata = {key: value for key, value in METADATA.items() if key != "question"}
    for further, label in ((metadata, KOREAN.passage), ({"bank": "새솔은행"}, KOREAN.approved)):
        source = Source(1, "1", "송금", TEXT, 0.9, further)
        answer = Answer("송금 수수료?", f"{TEXT} [1]", "answered", sources=(source,), cited=(1,))
        exchange = Exchange(1, "송금 수수료?", answer.text, (source,), answer)
        assert exchange.label(KOREAN) == label
        assert exchange.is_approved is (label == KOREAN.approved)
