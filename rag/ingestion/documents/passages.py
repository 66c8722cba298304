"""Documents to passages: by heading, article and sentence, no character lost, tables cut between rows alone. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.ingestion.chunking import split
from rag.ingestion.documents.blocks import Block, Document
from rag.ingestion.documents.outline import Place, places

TARGET_TOKENS = 256
"""Of a passage's own text. Half a window: a longer one matches many questions a little and none well."""
SEPARATOR = " › "


@dataclass(frozen=True, slots=True)
class Passage:
    """A slice of a document's text (`start`, `end`), and where it stands.

    `heading`: the path of headings, the document's title first. `header`: the columns' names, where a table goes on from
    the passage before. `uncertain`: quantities that must not be quoted as certain.
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
    def shown(self) -> str:
        """The text as a reader needs it: with the columns' names above rows that lost theirs."""
        return f"{self.header}\n{self.text}".strip() if self.header else self.text.strip()


def title_of(document: Document) -> str:
    """The first heading, else a short first line, else the file's name."""
    for block in document.blocks[:5]:
        if block.kind == "heading" or (block.kind == "paragraph" and len(block.text) <= 40 and "\n" not in block.text):
            return " ".join(block.text.split())[:80]
    return Path(document.file).stem


def passages(
    document: Document, *, name: str = "", token_count: Callable[[str], int], max_tokens: int
) -> list[Passage]:
    """The document's passages in order; their slices joined are its text exactly.

    `name`: what the document is called in ids and citations, by default its file's name.
    `token_count` counts as the embedder does; a passage with its headings is at most `max_tokens`.
    """
    title = title_of(document)
    cut: list[Passage] = []
    ids: Counter[str] = Counter()
    for group in _groups(document, min(TARGET_TOKENS, max_tokens // 2), token_count):
        cut += _cut(document.text, name or Path(document.file).name, title, group, ids, token_count, max_tokens)
    return cut


@dataclass(slots=True)
class _Group:
    blocks: list[Block]
    place: Place
    start: int
    end: int


def _groups(document: Document, target: int, token_count: Callable[[str], int]) -> Iterator[_Group]:
    """Runs of blocks that belong together: under one heading, up to the target; a heading goes with what follows it."""
    text = document.text
    at = 0
    group: _Group | None = None
    tokens = 0
    blocks = document.blocks
    for number, (block, place) in enumerate(zip(blocks, places(blocks), strict=True)):
        start, at = at, min(at + len(block.text) + 1, len(text))
        size = token_count(block.text)
        has_body = group is not None and any(each.kind != "heading" for each in group.blocks)
        # What is under another heading is about something else, however short it is: a passage is cited with its path.
        alone = place.starts and has_body
        # A table stays whole where it fits, and begins a passage of its own where it does not fit with what is before it.
        begins_table = block.kind == "row" and (number == 0 or blocks[number - 1].table != block.table)
        table = sum(map(len, (each.text for each in _table(blocks, number)))) if begins_table else 0
        full = group is not None and has_body and tokens + max(size, min(table // 2, target)) > target
        # A note stays with what it restricts, up to twice the target.
        note = block.kind == "footnote" and group is not None and tokens + size <= 2 * target
        if group and (alone or (full and not note)):
            yield group
            group = None
        if group is None:
            group, tokens = _Group([], place, start, at), 0
        group.blocks.append(block)
        # Of a run of headings the last is the one the text stands under.
        if place.starts:
            group.place = place
        group.end = at
        tokens += size
    if group:
        yield group


def _table(blocks: Sequence[Block], number: int) -> Iterator[Block]:
    for block in blocks[number:]:
        if block.table != blocks[number].table:
            return
        yield block


def _cut(
    text: str,
    document: str,
    title: str,
    group: _Group,
    ids: Counter[str],
    token_count: Callable[[str], int],
    max_tokens: int,
) -> Iterator[Passage]:
    """The passages of a group: one, or several of a block that is longer than the window."""
    path = group.place.headings if group.place.headings[:1] == (title,) else (title, *group.place.headings)
    heading = SEPARATOR.join(path)
    first = group.blocks[0]
    # A passage that begins within a table has lost its columns' names.
    header = first.header if first.kind == "row" and first.header else ""
    prefix = f"{heading}\n{header}\n"
    while token_count(prefix) * 2 > max_tokens:
        # Headings as long as a page: what is innermost says most.
        heading, header = heading[len(heading) // 2 :], header[: len(header) // 2]
        prefix = f"{heading}\n{header}\n"

    def fits(start: int, end: int) -> bool:
        return token_count(prefix + text[group.start + start : group.start + end]) <= max_tokens

    pieces = list(split(text[group.start : group.end], fits)) if group.end > group.start else []
    pages = [block.page for block in group.blocks if block.page]
    for start, end in pieces:
        piece = text[group.start + start : group.start + end]
        # By what it holds, not by where it stands: what is inserted before it leaves its id, and so its vector, alone.
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
            group.place.clause,
            pages[0] if pages else None,
            pages[-1] if pages else None,
            tuple(uncertain),
        )
