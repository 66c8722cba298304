"""Reads Markdown: headings, tables and paragraphs, with the text that a reader of the page sees."""

from __future__ import annotations

import re

from rag.ingestion.cell_text import html_to_text
from rag.ingestion.documents.blocks import Block, Cell, Document, clean_text, table_blocks
from rag.ingestion.documents.plain_text import decode_text

_ATX = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*")
_UNDERLINE = re.compile(r" {0,3}(=+|-{3,})\s*")
_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*")
_PIPE = re.compile(r"(?<!\\)\|")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_FRONT_MATTER = re.compile(r"\s*---\s*\n((?:[\w-]+\s*:.*\n|[ \t]+.*\n|\s*\n|#.*\n)*)---\s*(?:\n|\Z)")
_TITLE = re.compile(r"""^title\s*:\s*["']?(.+?)["']?\s*$""", re.M | re.I)
_NOTE = re.compile(r"^ {0,3}\[\^([^\]\s]+)\]:[ \t]*(.*(?:\n(?: {2,}|\t).*)*)", re.M)
_NOTE_MARK = re.compile(r"\[\^([^\]\s]+)\]")
_STRUCK = re.compile(r"~~(?=\S)(.+?)(?<=\S)~~", re.S)
_LINK = re.compile(r"(!?)\[([^\]\[]*)\]\(\s*<?([^)\s>]*)>?(?:\s+[\"'][^)]*)?\)")
_CODE = re.compile(r"(`+)(.+?)\1")
_STRONG = re.compile(
    r"(?<![\\\w*])(\*{1,3})(?=[^\s*])(.+?)(?<=[^\s*\\])\1(?!\*)|(?<![\\\w])(_{1,3})(?=[^\s_])(.+?)(?<=[^\s_\\])\3(?!\w)",
    re.S,
)
_AFTER_WORD = re.compile(r"(?<!\\)\*\*(?=[^\s*])([^*\n]+?)(?<=[^\s*\\])\*\*")
"""Bold text that follows a word without a space, as Korean authors write it: "우대**0.5%**"."""
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!|~>-])")
_SPECIAL = re.compile(r"([\\`*_\[\]~])")
"""Characters that mean something in Markdown, and nothing in code."""
_QUOTE = re.compile(r"^ {0,3}>+ ?", re.M)
_BOX = re.compile(r"^(\s*(?:[-*+]|\d+[.)])\s+)\[([ xX])\]\s", re.M)


def read_markdown(file: str, data: bytes) -> Document:
    """Read Markdown. Comments, struck-through text and the settings above the text are left out and noted.

    A footnote follows the block with its mark.
    """
    document = Document(file)
    text = decode_text(data)
    if matter := _FRONT_MATTER.match(text):
        text = text[matter.end() :]
        document.note("front_matter", text=" ".join(matter[1].split())[:80])
        if (title := _TITLE.search(matter[1])) and not re.match(r"\s*# ", text):
            document.blocks.append(Block(clean_text(title[1]), "heading", level=1))
    if comments := _COMMENT.findall(text):
        document.note("hidden", count=len(comments))
        text = _COMMENT.sub("", text)
    reading = _Reading(document)
    text = _NOTE.sub(reading.take_note, text)
    lines = text.split("\n")
    paragraph: list[str] = []
    at = tables = 0
    fence = ""
    while at < len(lines):
        line = lines[at]
        at += 1
        if (match := _FENCE.match(line)) and fence in ("", match[1]):
            fence = "" if fence else match[1]
            continue
        heading = _ATX.fullmatch(line)
        if fence:
            paragraph.append(_SPECIAL.sub(r"\\\1", line))
        elif _PIPE.search(line) and at < len(lines) and "|" in lines[at] and _RULE.fullmatch(lines[at]):
            reading.end(paragraph)
            rows = [line]
            at += 1
            while at < len(lines) and _PIPE.search(lines[at]):
                rows.append(lines[at])
                at += 1
            tables += 1
            cells = [
                Cell(reading.visible(cell), row, column, is_header=row == 0)
                for row, each in enumerate(rows)
                for column, cell in enumerate(_cells(each))
            ]
            document.blocks += table_blocks(cells, table=tables)
            reading.add_notes()
        elif heading:
            reading.end(paragraph)
            reading.add(heading[2], level=len(heading[1]))
        elif len(paragraph) == 1 and (match := _UNDERLINE.fullmatch(line)):
            reading.add(paragraph.pop(), level=1 if match[1][0] == "=" else 2)
        elif not line.strip():
            reading.end(paragraph)
        else:
            paragraph.append(line)
    reading.end(paragraph)
    reading.finish()
    return document


class _Reading:
    """A document that is being read, and the footnotes whose marks are still to come."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._notes: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._pending: list[str] = []
        self._struck = 0
        self._hidden = 0

    def take_note(self, match: re.Match[str]) -> str:
        """Keep a footnote's text until its mark is read. Returns what remains at its place: nothing."""
        self._notes.setdefault(match[1], match[2])
        return ""

    def visible(self, text: str) -> str:
        """A text without the marks of Markdown and HTML; footnotes' marks become "[주1]"."""
        self._struck += len(_STRUCK.findall(text))
        text = _STRUCK.sub("", text)
        text = _QUOTE.sub("", text)
        text = _BOX.sub(lambda box: box[1] + ("☐ " if box[2] == " " else "☑ "), text)
        text = _NOTE_MARK.sub(self._mark, text)
        text = _LINK.sub(lambda link: link[2] + (f" ({link[3]})" if _is_address(link) else ""), text)
        text = _CODE.sub(lambda code: _SPECIAL.sub(r"\\\1", code[2]), text)
        for _ in range(2):  # bold within italic
            text = _STRONG.sub(lambda strong: strong[2] or strong[4] or "", text)
        text = _AFTER_WORD.sub(r"\1", text)
        if "<" in text or "&" in text:
            text, hides = html_to_text(text)
            self._hidden += hides
        return _ESCAPE.sub(r"\1", text)

    def _mark(self, match: re.Match[str]) -> str:
        name = match[1]
        if name not in self._notes:
            return match[0]
        if name not in self._numbers:
            self._numbers[name] = len(self._numbers) + 1
            self._pending.append(name)
        return f"[주{self._numbers[name]}]"

    def add(self, text: str, *, level: int = 0) -> None:
        """Add a heading (`level` from 1) or a paragraph, and the footnotes that it mentions."""
        if text := clean_text(self.visible(text)):
            self._document.blocks.append(Block(text, "heading" if level else "paragraph", level=level))
        self.add_notes()

    def add_notes(self) -> None:
        """Add the footnotes whose marks were read."""
        while self._pending:
            name = self._pending.pop(0)
            text = clean_text(self.visible(self._notes[name]))
            self._document.blocks.append(Block(f"[주{self._numbers[name]}] {text}", "footnote"))

    def end(self, paragraph: list[str]) -> None:
        """Add the lines of a paragraph, and empty the list."""
        self.add("\n".join(paragraph))
        paragraph.clear()

    def finish(self) -> None:
        """Add footnotes without a mark, and the notes on what was left out."""
        for name in [name for name in self._notes if name not in self._numbers]:
            self.add(self._notes[name])
        if self._numbers:
            self._document.note("footnotes", count=len(self._numbers))
        if self._struck:
            self._document.note("struck_text", count=self._struck)
        if self._hidden:
            self._document.note("hidden", count=self._hidden)


def _is_address(link: re.Match[str]) -> bool:
    return not link[1] and link[3].startswith(("http://", "https://")) and link[3] != link[2]


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in _PIPE.split(line.strip().removeprefix("|").removesuffix("|"))]
