"""Splits documents into passages, by heading, article and sentence, and tables between rows; and makes nodes of them. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

from rag.ingestion.chunking import content_hash, split
from rag.ingestion.documents.blocks import Block, Document
from rag.ingestion.documents.outline import OutlinePosition, outline_positions
from rag.stores.base import CONTENT_HASH, DOCUMENT, FINGERPRINT, HEADINGS, INDEXED_AT, QUESTION

TARGET_TOKENS = 256
"""Target size of a passage's text, about half an embedder's window. Longer passages match many questions, but none well."""
_UNIT = re.compile(r"[(\[<〔]?\s*(?:금액\s*)?단위\s*[:：]?\s*[^\n]{1,20}", re.I)
"""The unit of a table's amounts above it ("(단위: 천원)"), without which an amount of the table is wrong."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A slice of a document's text (offsets `start`, `end`) and its position.

    `heading`: the headings from the document's title on, joined with HEADINGS. `header`: the column names, if the passage
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
    splitter = _Splitter(name or Path(document.file).name, title_of(document), document.text, token_count, max_tokens)
    groups = _groups(document, min(TARGET_TOKENS, max_tokens // 2), token_count)
    return [passage for group in groups for passage in splitter.split(group)]


@dataclass(slots=True)
class _Group:
    """Blocks of one section, with their offsets in the document's text. `unit`: the line above a table that names it."""

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
        # Two characters a token: counting those of each table would take as long as embedding it.
        table_size = sum(len(each.text) for each in _rows_of_table(blocks, number)) // 2 if begins_table else 0
        is_full = group is not None and has_body and tokens + max(size, min(table_size, target)) > target
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


def _rows_of_table(blocks: Sequence[Block], first: int) -> Iterator[Block]:
    return takewhile(lambda block: block.table == blocks[first].table, blocks[first:])


@dataclass(slots=True)
class _Splitter:
    """Makes passages of the groups of one document. `ids`: how often each hash of a passage's content was used."""

    document: str
    title: str
    text: str
    token_count: Callable[[str], int]
    max_tokens: int
    ids: Counter[str] = field(default_factory=Counter)

    def split(self, group: _Group) -> Iterator[Passage]:
        """The passages of a group: one, or several if it is longer than the window."""
        heading, header = self._above(group)
        text = self.text[group.start : group.end]
        prefix = f"{heading}\n{header}\n"
        pieces = list(split(text, lambda start, end: self.token_count(prefix + text[start:end]) <= self.max_tokens))
        pages = [block.page for block in group.blocks if block.page]
        for start, end in pieces if text else ():
            piece = text[start:end]
            uncertain = dict.fromkeys(
                quantity
                for block in group.blocks
                for quantity in block.uncertain
                if len(pieces) == 1 or quantity in "".join(piece.split())
            )
            name = self._name("\0".join((heading, header, piece.strip())))
            yield Passage(
                f"{self.document}:{name}",
                self.document,
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

    def _above(self, group: _Group) -> tuple[str, str]:
        """The headings of a group, and the unit and the column names if it begins within a table: half a window at most."""
        headings = group.position.headings
        heading = HEADINGS.join(headings if headings[:1] == (self.title,) else (self.title, *headings))
        first = group.blocks[0]
        header = "\n".join(filter(None, (group.unit, first.header if first.kind == "row" else "")))
        while self.token_count(f"{heading}\n{header}\n") * 2 > self.max_tokens:
            # Extremely long headings are shortened from the left, because the innermost is the most specific.
            heading, header = heading[len(heading) // 2 :], header[: len(header) // 2]
        return heading, header

    def _name(self, content: str) -> str:
        """A passage's name by its content and not by its position, so that text inserted before it does not change it."""
        name = hashlib.sha256(content.encode()).hexdigest()[:10]
        self.ids[name] += 1
        return f"{name}-{self.ids[name]}" if self.ids[name] > 1 else name


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
