"""A row found: what its best node says of it, and the row as a whole, as an answer shows it.

A row may be stored as several nodes: pieces of a text too long for the embedder, and other phrasings of its question. A hit is
one of them; these functions read the row off it.

A passage of a document has headings in the place of a question, from the document's title on. What it is about is the last of
them: the title and the chapters are about all passages of the document, and would make "인터넷뱅킹 이용 안내 › 정기 점검" a row
on 인터넷뱅킹, which differs from a question on 앱.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import BaseNode, NodeWithScore, QueryBundle, TextNode

from rag.korean import compact, polite
from rag.stores.base import DOCUMENT, HEADINGS, INTERNAL_METADATA, PHRASING, QUESTION, PassageStore
from rag.stores.filters import BANK
from rag.types import Source

PIECES = 64
"""Nodes of a split row fetched in one call of the store."""

_NUMBER = re.compile(
    r"^(?:제\s?\d+\s?[조절관항장](?:의\s?\d+)?\s*|(?:\d+(?:[.-]\d+)+[.)]?|\d+[.)]|[가-하][.)]|[①-⑳])\s+)(?=\S)"
)
_BRACKETS = re.compile(r"^[(\[【<](?P<inside>[^()\[\]【】<>]+)[)\]】>]$")


def row_id(hit: NodeWithScore) -> str:
    """The corpus row a node belongs to."""
    return str(hit.node.ref_doc_id or hit.node.node_id)


def bank_of(hit: NodeWithScore) -> str:
    """The institution of a row; empty where it names none."""
    return str(hit.node.metadata.get(BANK) or "")


def question_of(hit: NodeWithScore) -> str:
    """The question of the row a node belongs to; empty where it has none."""
    return str(hit.node.metadata.get(QUESTION) or "")


def matched_question(hit: NodeWithScore) -> str:
    """The phrasing of the row's question that was found; its own question where it has no other."""
    return str(hit.node.metadata.get(PHRASING) or question_of(hit))


def phrasings_of(hit: NodeWithScore) -> str:
    """The question of a node's row and the phrasing of it that was found, a line each; once where they are the same."""
    return "\n".join(dict.fromkeys((question_of(hit), matched_question(hit))))


def row_text(hit: NodeWithScore) -> str:
    """The question of a row, the phrasing of it that was found, and the answer, a line each."""
    return f"{phrasings_of(hit)}\n{hit.node.get_content()}"


def holds_words(hit: NodeWithScore, words: Sequence[str]) -> bool:
    """Whether one of the words occurs in a row's question or answer."""
    return _holds(row_text(hit), words)


def in_question(hit: NodeWithScore, words: Sequence[str]) -> bool:
    """Whether one of the words occurs in a row's question, or in the phrasing of it that was found."""
    return _holds(phrasings_of(hit), words)


def is_passage(hit: NodeWithScore) -> bool:
    """Whether it is of a document, and no approved answer of an FAQ."""
    return bool(hit.node.metadata.get(DOCUMENT))


def last_heading(headings: str) -> str:
    """The last of a passage's headings, without number and brackets: "대출 한도" of "여신거래 약관 › 제2조(대출 한도)"."""
    last = headings.rpartition(HEADINGS)[2].strip()
    heading = _NUMBER.sub("", last)
    return _BRACKETS.sub(r"\g<inside>", heading)


def titles_of(hit: NodeWithScore) -> str:
    """What a hit says it is about: its row's question and the phrasing of it that was found, or its last heading."""
    return last_heading(question_of(hit)) if is_passage(hit) else phrasings_of(hit)


def text_of(hit: NodeWithScore) -> str:
    """What a hit says: its row's answer, or all its headings, which name what the text is of, and its text, in an FAQ's style."""
    text = hit.node.get_content()
    return f"{question_of(hit)}\n{polite(text)}" if is_passage(hit) else text


def is_phrasing(node_id: str, row: str) -> bool:
    """Whether a node of this row is another phrasing of its question: `<row>?1`, `<row>?1#0` …"""
    return node_id.startswith(f"{row}?")


def sources_of(nodes: Iterable[NodeWithScore]) -> tuple[Source, ...]:
    """Rows as an answer shows them: numbered from 1, as its citations count, and without the metadata that is the stores' own."""
    sources = []
    for number, hit in enumerate(nodes, 1):
        metadata = {key: value for key, value in hit.node.metadata.items() if key not in INTERNAL_METADATA}
        question = str(metadata.pop(QUESTION, ""))
        sources.append(Source(number, row_id(hit), question, hit.node.get_content(), hit.score or 0.0, metadata))
    return tuple(sources)


def whole_rows(store: PassageStore, hits: Iterable[NodeWithScore]) -> list[NodeWithScore]:
    """The hits, of whatever class, with the text of a split row joined again; the others as they are.

    The approved text is never cut: what was split for the embedder's window is shown and quoted whole.
    """
    return [hit.model_copy(update={"node": _whole_node(store, hit)}) for hit in hits]


class WholeRows(BaseNodePostprocessor):
    """`whole_rows` as a LlamaIndex node postprocessor."""

    store: Any

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        return whole_rows(self.store, nodes)


def _holds(text: str, words: Sequence[str]) -> bool:
    squeezed = compact(text)
    return any(compact(word) in squeezed for word in words)


def _whole_node(store: PassageStore, hit: NodeWithScore) -> BaseNode:
    row = row_id(hit)
    if hit.node.node_id == row:
        return hit.node
    assert isinstance(hit.node, TextNode)
    # `<row>#0` is a piece of the row, `<row>?1` the whole of it under another phrasing, `<row>?1#0` a piece of that.
    phrasing, is_piece, _ = hit.node.node_id.removeprefix(row).partition("#")
    if not is_piece:
        return hit.node.model_copy(update={"id_": row})
    texts: list[str] = []
    # How many pieces a row has is not stored: they are numbered from 0, and the first call without any ends them.
    while pieces := store.get_nodes([f"{row}{phrasing}#{number}" for number in range(len(texts), len(texts) + PIECES)]):
        texts += [piece.get_content() for piece in pieces]
    return hit.node.model_copy(update={"id_": row, "text": "".join(texts)})
