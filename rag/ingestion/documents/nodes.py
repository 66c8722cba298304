"""Converts passages to nodes: the headings take the place of a row's question, the rest is metadata. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

from rag.ingestion.chunking import content_hash
from rag.ingestion.documents.blocks import Document
from rag.ingestion.documents.passages import Passage
from rag.stores.base import CONTENT_HASH, DOCUMENT, FINGERPRINT, INDEXED_AT, QUESTION

_BOOKKEEPING = [CONTENT_HASH, FINGERPRINT, INDEXED_AT]
_INSTITUTION = re.compile(
    r"(?<![가-힣A-Za-z])[가-힣A-Za-z]{2,10}(?:저축은행|은행|증권|카드|생명|화재|손해보험|캐피탈)(?![가-힣])"
)
# Words that match _INSTITUTION but are no names.
_NOT_NAMES = frozenset(
    {"시중은행", "인터넷은행", "타행은행", "거래은행", "중앙은행", "체크카드", "신용카드", "하이브리드카드", "유가증권"}
)
_FIRST_BLOCKS = 5
"""Number of blocks at the beginning of a document that may name its institution."""


def passage_node(passage: Passage, bank: str) -> TextNode:
    """The node of a passage. `bank`: the institution that the document belongs to, or "" if unknown."""
    metadata: dict[str, Any] = {QUESTION: passage.heading, DOCUMENT: passage.document}
    optional = {
        "bank": bank,
        "page": passage.page,
        "clause": passage.clause,
        "uncertain": ", ".join(passage.uncertain),
    }
    node = TextNode(
        id_=passage.id,
        text=passage.display_text,
        metadata=metadata | {name: value for name, value in optional.items() if value},
        excluded_embed_metadata_keys=_BOOKKEEPING,
        excluded_llm_metadata_keys=_BOOKKEEPING,
        # Each passage is a row of its own, which is retrieved, cited and shown.
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=passage.id)},
    )
    # Offsets are not set, so that text inserted before a passage does not change the hash.
    node.metadata[CONTENT_HASH] = content_hash(node)
    return node


def institution_of(document: Document, known: Collection[str]) -> str:
    """The institution that the document belongs to, or "" if unclear.

    `known`: the institutions of the ingestion. The only institution in the file's name, known or not; otherwise the only one of
    `known` in the document's beginning; if `known` is empty, the only name of an institution there.
    """
    beginning = " ".join(block.text for block in document.blocks[:_FIRST_BLOCKS])
    # The file's name first, because a text may also name other institutions, to compare with them.
    return (
        _only_one(known, document.file)
        or _only_unknown(Path(document.file).stem)
        or _only_one(known, beginning)
        or ("" if known else _only_unknown(beginning))
    )


def _only_one(known: Collection[str], text: str) -> str:
    named = {name for name in known if name in text}
    # "도담은행" is not named by "도담은행카드".
    named = {name for name in named if not any(name != other and name in other for other in named)}
    return named.pop() if len(named) == 1 else ""


def _only_unknown(text: str) -> str:
    named = {match[0] for match in _INSTITUTION.finditer(text)} - _NOT_NAMES
    return named.pop() if len(named) == 1 else ""
