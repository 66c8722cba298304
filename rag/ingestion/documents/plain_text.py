"""Reads Markdown and plain text. Inline Markdown in paragraphs is kept as written."""

from __future__ import annotations

import re

from rag.ingestion.documents.blocks import Block, Cell, Document, clean_text, is_title, table_blocks
from rag.ingestion.encodings import decode
from rag.ingestion.messages import UnreadableFile

_ATX = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*")
_UNDERLINE = re.compile(r" {0,3}(=+|-{3,})\s*")
_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*")
_PIPE = re.compile(r"(?<!\\)\|")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_ESCAPED = re.compile("[\udc80-\udcff]")


def read_text(file: str, data: bytes) -> Document:
    """Read plain text. Paragraphs are separated by blank lines; those that look like titles become headings."""
    document = Document(file)
    for part in filter(None, map(clean_text, re.split(r"\n\s*\n", _text(data)))):
        level = (2 if document.blocks else 1) if is_title(part) else 0
        document.blocks.append(Block(part, "heading" if level else "paragraph", level=level))
    return document


def read_markdown(file: str, data: bytes) -> Document:
    """Read Markdown: headings, tables and paragraphs. HTML comments are left out and noted, because readers do not see them."""
    document = Document(file)
    text = _text(data)
    if comments := _COMMENT.findall(text):
        document.note("hidden", count=len(comments))
        text = _COMMENT.sub("", text)
    lines = text.split("\n")
    paragraph: list[str] = []
    at = tables = 0
    fence = ""
    while at < len(lines):
        line = lines[at]
        at += 1
        if match := _FENCE.match(line):
            fence = "" if fence == match[1] else fence or match[1]
        heading = _ATX.fullmatch(line)
        if not fence and _PIPE.search(line) and at < len(lines) and "|" in lines[at] and _RULE.fullmatch(lines[at]):
            _end(document, paragraph)
            rows = [line]
            at += 1
            while at < len(lines) and _PIPE.search(lines[at]):
                rows.append(lines[at])
                at += 1
            tables += 1
            cells = [
                Cell(cell, row, column, is_header=row == 0)
                for row, each in enumerate(rows)
                for column, cell in enumerate(_cells(each))
            ]
            document.blocks += table_blocks(cells, table=tables)
        elif not fence and heading:
            _end(document, paragraph)
            if title := clean_text(heading[2]):
                document.blocks.append(Block(title, "heading", level=len(heading[1])))
        elif not fence and len(paragraph) == 1 and (match := _UNDERLINE.fullmatch(line)):
            title = clean_text(paragraph.pop())
            document.blocks.append(Block(title, "heading", level=1 if match[1][0] == "=" else 2))
        elif not line.strip() and not fence:
            _end(document, paragraph)
        else:
            paragraph.append(line)
    _end(document, paragraph)
    return document


def _end(document: Document, paragraph: list[str]) -> None:
    if text := clean_text("\n".join(paragraph)):
        document.blocks.append(Block(text))
    paragraph.clear()


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in _PIPE.split(line.strip().removeprefix("|").removesuffix("|"))]


def _text(data: bytes) -> str:
    text = decode(data).rstrip("\x1a")
    if not text.strip("\0 \t\r\n"):
        raise UnreadableFile("empty")
    if "\0" in text or _ESCAPED.search(text):
        raise UnreadableFile("damaged", reason="it is neither UTF-8 nor CP949 text")
    return text.replace("\r\n", "\n").replace("\r", "\n")
