"""Reads plain text: paragraphs, questions with their answers, and tables that are aligned with spaces or drawn with lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from rag.ingestion.documents.blocks import Block, Cell, Document, clean_text, is_title, table_blocks
from rag.ingestion.files import decode
from rag.ingestion.messages import PARTS, UnreadableFile
from rag.ingestion.question_pairs import starts_question

_ESCAPED = re.compile("[\udc80-\udcff]")
_DRAWN = re.compile(r"[\s=\-_~*+|─━═│┃┌┐└┘├┤┬┴┼┏┓┗┛┣┫┳┻╋╔╗╚╝╠╣╦╩╬]{3,}")
"""A line that is drawn: a rule, or the border of a table."""
_BAR = re.compile(r"[│┃║|]")
_SPACES = re.compile(r"\t+| {2,}|\u3000+")
_ROWS = 3
"""Lines with the same number of cells that make a table; two may be aligned by chance."""
_CELL = 40
"""Most characters of a cell that is aligned with spaces; longer ones are sentences with two spaces between them."""


def read_text(file: str, data: bytes) -> Document:
    """Read plain text. Paragraphs end at blank lines and before questions; those that look like titles become headings."""
    document = Document(file)
    tables = 0
    for lines in _paragraphs(decode_text(data).split("\n")):
        for is_table, rows in _tables(lines):
            if is_table:
                tables += 1
                cells = [Cell(cell, at, column) for at, row in enumerate(rows) for column, cell in enumerate(row)]
                document.blocks += table_blocks(cells, table=tables)
            elif text := clean_text("\n".join(row[0] for row in rows)):
                level = (2 if document.blocks else 1) if is_title(text) else 0
                document.blocks.append(Block(text, "heading" if level else "paragraph", level=level))
    return document


def decode_text(data: bytes) -> str:
    """The text of a file with line feeds as line breaks. Raises UnreadableFile if it is empty or no text."""
    text = decode(data).rstrip("\x1a")
    if not text.strip("\0 \t\r\n"):
        raise UnreadableFile("empty")
    if "\0" in text or _ESCAPED.search(text):
        raise UnreadableFile("damaged", reason=PARTS["no_encoding"])
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _paragraphs(lines: Sequence[str]) -> Iterator[list[str]]:
    paragraph: list[str] = []
    for line in lines:
        if not line.strip() or starts_question(line.strip()):
            if paragraph:
                yield paragraph
            paragraph = []
        if line.strip():
            paragraph.append(line)
    if paragraph:
        yield paragraph


def _tables(lines: Sequence[str]) -> Iterator[tuple[bool, list[list[str]]]]:
    """The lines of a paragraph as tables (True), each a list of rows of cells, and as other text, a cell for each line."""
    kept = [line for line in lines if not _DRAWN.fullmatch(line)]
    for width, run in groupby(zip(kept, map(_split, kept), strict=True), key=lambda pair: len(pair[1])):
        part = list(run)
        if width > 1 and len(part) >= _ROWS:
            yield True, [cells for _, cells in part]
        else:
            yield False, [[line] for line, _ in part]


def _split(line: str) -> list[str]:
    """The cells of a line; a single one if it is not a table's."""
    text = line.strip()
    if len(_BAR.findall(text)) > 1 and _BAR.match(text) and _BAR.match(text[-1]):
        return [cell.strip() for cell in _BAR.split(text[1:-1])]
    cells = _SPACES.split(text)
    return cells if all(len(cell) <= _CELL for cell in cells) else [text]
