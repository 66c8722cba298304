"""Splits documents into passages, by heading, article and sentence, and tables between rows. Pure functions."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.ingestion.chunking import split
from rag.ingestion.documents.blocks import Block, Document
from rag.ingestion.documents.outline import OutlinePosition, outline_positions

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
