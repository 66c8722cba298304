"""Splits documents into passages, by heading, article and sentence, and tables between rows; and makes nodes of them. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

from rag.ingestion.chunking import content_hash, split
from rag.ingestion.documents.blocks import Block, Document
from rag.ingestion.documents.outline import OutlinePosition, outline_positions
from rag.stores.base import CONTENT_HASH, DOCUMENT, FINGERPRINT, INDEXED_AT, QUESTION

TARGET_TOKENS = 256
"""Target size of a passage's text, about half an embedder's window. Longer passages match many questions, but none well."""
SEPARATOR = " › "
_UNIT = re.compile(r"[(\[<〔]?\s*(?:금액\s*)?단위\s*[:：]?\s*[^\n]{1,20}", re.I)
"""The unit of a table's amounts above it ("(단위: 천원)"), without which an amount of the table is wrong."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A slice of a document's text (offsets `start`, `end`) and its position.

    `heading`: the headings from the document's title on, joined with SEPARATOR. `header`: the column names, if the passage
    begins within a table. `page`, `last_page`: None if the format has no pages. `uncertain`: quantities on which two readers
    disagree.
    """

    id: str
    document: str
    text: str
    start: int
    end: int
    heading: str
    header: str = ""
    clause: str = ""
    page: int | None = None
    last_page: int | None = None
    uncertain: tuple[str, ...] = ()

    @property
    def display_text(self) -> str:
        """The text with the column names above it, if it begins within a table."""
        return f"{self.header}\n{self.text}".strip() if self.header else self.text.strip()


def title_of(document: Document) -> str:
    """The first heading or short paragraph among the first five blocks, else the file's name without extension."""
    for block in document.blocks[:5]:
        if block.kind == "heading" or (block.kind == "paragraph" and len(block.text) <= 40 and "\n" not in block.text):
            return " ".join(block.text.split())[:80]
    return Path(document.file).stem


def passages(
    document: Document, *, name: str = "", token_count: Callable[[str], int], max_tokens: int
) -> list[Passage]:
    """The document's passages in order. Their joined texts are exactly the document's text.

    `name`: the document's name in ids and citations; default: the file's name. `token_count`: counts tokens as the embedder
    does. `max_tokens`: limit of a passage with its heading and header.
    """
    title = title_of(document)
    result: list[Passage] = []
    ids: Counter[str] = Counter()
    for group in _groups(document, min(TARGET_TOKENS, max_tokens // 2), token_count):
        result += _split_group(
            document.text, name or Path(document.file).name, title, group, ids, token_count, max_tokens
        )
    return result


@dataclass(slots=True)
class _Group:
    blocks: list[Block]
    position: OutlinePosition
    start: int
    end: int
    unit: str = ""


def _groups(document: Document, target: int, token_count: Callable[[str], int]) -> Iterator[_Group]:
    """Group consecutive blocks of one section, up to `target` tokens. A heading is grouped with the text that follows it."""
    text = document.text
    at = 0
    group: _Group | None = None
    tokens = 0
    unit = ""
    blocks = document.blocks
    for number, (block, position) in enumerate(zip(blocks, outline_positions(blocks), strict=True)):
        start, at = at, min(at + len(block.text) + 1, len(text))
        size = token_count(block.text)
        has_body = group is not None and any(each.kind != "heading" for each in group.blocks)
        # Sections are not joined, however short they are, because a passage is cited with its headings.
        is_new_section = position.starts_section and has_body
        # A table that fits into a passage is not split; it begins a new one if it does not fit into the current one.
        begins_table = block.kind == "row" and (number == 0 or blocks[number - 1].table != block.table)
        if begins_table:
            before = blocks[number - 1].text if number else ""
            unit = before if _UNIT.fullmatch(before) else ""
        table = sum(map(len, (each.text for each in _table(blocks, number)))) if begins_table else 0
        is_full = group is not None and has_body and tokens + max(size, min(table // 2, target)) > target
        # A footnote stays with the text that it restricts, up to twice the target.
        note = block.kind == "footnote" and group is not None and tokens + size <= 2 * target
        if group and (is_new_section or (is_full and not note)):
            yield group
            group = None
        if group is None:
            group, tokens = _Group([], position, start, at, unit if block.kind == "row" else ""), 0
        group.blocks.append(block)
        # After several headings in a row, the text belongs to the last one.
        if position.starts_section:
            group.position = position
        group.end = at
        tokens += size
    if group:
        yield group


def _table(blocks: Sequence[Block], number: int) -> Iterator[Block]:
    for block in blocks[number:]:
        if block.table != blocks[number].table:
            return
        yield block


def _split_group(
    text: str,
    document: str,
    title: str,
    group: _Group,
    ids: Counter[str],
    token_count: Callable[[str], int],
    max_tokens: int,
) -> Iterator[Passage]:
    """The passages of a group: one, or several if it is longer than the window."""
    path = group.position.headings if group.position.headings[:1] == (title,) else (title, *group.position.headings)
    heading = SEPARATOR.join(path)
    first = group.blocks[0]
    # A passage that begins within a table needs the column names and the unit above the table.
    header = "\n".join(filter(None, (group.unit, first.header if first.kind == "row" else "")))
    prefix = f"{heading}\n{header}\n"
    while token_count(prefix) * 2 > max_tokens:
        # Extremely long headings are shortened from the left, because the innermost is the most specific.
        heading, header = heading[len(heading) // 2 :], header[: len(header) // 2]
        prefix = f"{heading}\n{header}\n"

    def fits(start: int, end: int) -> bool:
        return token_count(prefix + text[group.start + start : group.start + end]) <= max_tokens

    pieces = list(split(text[group.start : group.end], fits)) if group.end > group.start else []
    pages = [block.page for block in group.blocks if block.page]
    for start, end in pieces:
        piece = text[group.start + start : group.start + end]
        # By content and not by position, so that text inserted before the passage does not change its id.
        name = hashlib.sha256(f"{heading}\0{header}\0{piece.strip()}".encode()).hexdigest()[:10]
        ids[name] += 1
        number = f"-{ids[name]}" if ids[name] > 1 else ""
        uncertain = dict.fromkeys(
            quantity
            for block in group.blocks
            for quantity in block.uncertain
            if len(pieces) == 1 or quantity in "".join(piece.split())
        )
        yield Passage(
            f"{document}:{name}{number}",
            document,
            piece,
            group.start + start,
            group.start + end,
            heading,
            header,
            group.position.clause,
            pages[0] if pages else None,
            pages[-1] if pages else None,
            tuple(uncertain),
        )


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
