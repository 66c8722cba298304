"""Reads Hangul documents (HWP 5, HWPX) with dochan; hwp2markdown computes automatic numbers and is the second reader."""

from __future__ import annotations

import re
import tempfile
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.ingestion.documents.blocks import Block, Cell, Document, clean_text, comparable_text, table_blocks
from rag.ingestion.documents.second_reading import (
    SecondReading,
    final_elements,
    mark_uncertain,
    paragraph_text,
    plain_text,
    split_cell_content,
)
from rag.ingestion.messages import UnreadableFile


def read_hangul(file: str, data: bytes) -> Document:
    """Read a .hwp or .hwpx file. Raises UnreadableFile if dochan cannot read it, or finds no text in it."""
    document = Document(file)
    suffix = Path(file).suffix.lower()
    # Both libraries accept paths only.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"document{suffix}")
        path.write_bytes(data)
        elements = final_elements(path)
        second, labels = _second(path)
    blocks: list[Block] = []
    for element in elements:
        blocks += _blocks(element, table=1 + max((block.table for block in blocks), default=0))
    blocks = _with_labels(blocks, labels)
    if not blocks:
        raise UnreadableFile("no_text")
    document.blocks = mark_uncertain(blocks, second) if second else blocks
    if second is None:
        document.note("one_reader", reader="hwp2markdown")
    return document


def _blocks(element: Any, *, table: int) -> list[Block]:
    kind = type(element).__name__
    if kind == "Table":
        caption = clean_text(element.caption_text)
        return [*([Block(caption)] if caption else []), *table_blocks(_cells(element), table=table)]
    if kind == "Footnote":
        text = clean_text(plain_text(element.paragraphs))
        return [Block(f"[주{element.number}] {text}" if element.number else text, "footnote")] if text else []
    if kind == "Paragraph":
        text = clean_text(paragraph_text(element))
        # A long paragraph with a heading's style is body text.
        level = element.heading_level if len(text) <= 80 else 0
        return [Block(text, "heading" if level else "paragraph", level=level)] if text else []
    # Headers, footers and comments are left out; text boxes and other elements may contain paragraphs.
    inner = (
        []
        if kind in ("HeaderFooter", "Comment", "Image")
        else getattr(element, "elements", None) or getattr(element, "paragraphs", None) or []
    )
    return [block for each in inner for block in _blocks(each, table=table)]


def _cells(table: Any) -> tuple[Cell, ...]:
    cells = []
    for row, line in enumerate(table.rows):
        for at, cell in enumerate(line):
            if cell.is_merged_away:
                continue
            texts, tables = split_cell_content(cell)
            column = cell.col if cell.col is not None else at
            rows, columns = max(cell.row_span, 1), max(cell.col_span, 1)
            inner = tuple(_cells(each) for each in tables)
            cells.append(Cell(plain_text(texts), row, column, rows, columns, inner=inner))
    return tuple(cells)


def _second(path: Path) -> tuple[SecondReading | None, list[tuple[str, str]]]:
    """The text as hwp2markdown reads it, and automatic numbers as (number, text of the paragraph); None if it fails."""
    from hwp2md.blocks import Note, Paragraph, Table
    from hwp2md.convert import read_blocks

    try:
        blocks = read_blocks(path)
    except Exception:  # noqa: BLE001
        # The file may still be sound; a note says that only one reader was used.
        return None, []
    rows = [[str(cell) for cell in row] for block in blocks if isinstance(block, Table) for row in block.rows]
    paragraphs = [block for block in blocks if isinstance(block, Paragraph)]
    paragraphs += [each for block in blocks if isinstance(block, Note) for each in block.paragraphs]
    labels = [
        (each.list_info.label, comparable_text(each.text))
        for each in paragraphs
        if each.list_info and each.list_info.label
    ]
    return SecondReading(rows, "\n".join(each.text for each in paragraphs)), labels


def _with_labels(blocks: list[Block], labels: list[tuple[str, str]]) -> list[Block]:
    """The blocks, with automatic numbers prefixed, which dochan does not compute. `labels`: in the order of the paragraphs."""
    remaining = deque(labels)
    numbered = []
    for block in blocks:
        if remaining and block.kind in ("paragraph", "heading") and comparable_text(block.text) == remaining[0][1]:
            label, _ = remaining.popleft()
            # hwp2markdown writes "①." for "①".
            label = re.sub(r"(?<=[①-⑳㉮-㉻])\.$", "", label)
            block = replace(block, text=f"{label} {block.text}")
        numbered.append(block)
    return numbered
