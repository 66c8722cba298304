"""Reads HTML pages: headings, paragraphs, tables with spans. Scripts, forms and hidden elements are left out.

Hidden panels that a visible heading or button opens are read (`rag.ingestion.documents.html_panels`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from rag.ingestion.cell_text import raised
from rag.ingestion.documents.blocks import Block, Cell, Document, clean_text, table_blocks
from rag.ingestion.documents.html_panels import Element, Shown, parse_page
from rag.ingestion.files import decode

_SKIPPED = {"script", "style", "template", "noscript", "iframe", "object", "svg", "nav", "select", "textarea"}
_STRUCK = {"del", "s", "strike"}
_MOST_SPANNED = 100
_LINES = {
    "address", "article", "aside", "blockquote", "body", "button", "caption", "dd", "div", "dl", "dt", "fieldset", "figcaption",
    "details", "figure", "footer", "header", "hr", "html", "li", "main", "ol", "p", "pre", "section", "summary", "ul",
}  # fmt: skip
# In a tag's style attribute, or in the page's style sheet for its class or id. Other rules are not applied.
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?!\.?\d*[1-9])|opacity\s*:\s*0(?:[;\s]|$)", re.I
)
_STRUCK_STYLE = re.compile(r"text-decoration(?:-line)?\s*:[^;]*line-through", re.I)
_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style>", re.I | re.S)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SELECTOR = re.compile(r"[a-z0-9]*([.#][\w-]+)", re.I)
"""Selectors of a single class or id."""
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w-]+)", re.I)


def read_html(file: str, data: bytes) -> Document:
    """Read an HTML page. Malformed markup is accepted."""
    text = _decode(data)
    reading = _Reading(Document(file))
    reading.read(parse_page(text, partial(_shown, _hidden_names(text))))
    reading.end_block()
    if reading.hidden:
        reading.document.note("hidden", count=reading.hidden)
    if reading.struck:
        reading.document.note("struck_text", count=reading.struck)
    return reading.document


def _decode(data: bytes) -> str:
    # The bytes are detected before the declared charset is used: Korean pages converted to UTF-8 often still declare euc-kr.
    match = _CHARSET.search(data[:4096])
    if match and match[1].lower() not in (b"utf-8", b"euc-kr", b"ks_c_5601-1987", b"cp949"):
        try:
            return data.decode(match[1].decode())
        except (LookupError, UnicodeDecodeError):
            pass
    return decode(data)


def _hidden_names(text: str) -> frozenset[str]:
    """The classes (".name") and ids ("#name") that the page's own style sheets hide."""
    names = set()
    for sheet in _STYLE.findall(text):
        for selectors, rules in _RULE.findall(re.sub(r"/\*.*?\*/", "", sheet, flags=re.S)):
            if _HIDDEN.search(rules):
                names |= {match[1] for each in selectors.split(",") if (match := _SELECTOR.fullmatch(each.strip()))}
    return frozenset(names)


def _shown(hidden_names: frozenset[str], tag: str, values: Mapping[str, str]) -> Shown:
    if tag in _SKIPPED or tag in _STRUCK or _STRUCK_STYLE.search(values.get("style", "")):
        return "skipped"
    names = {*(f".{name}" for name in values.get("class", "").split()), f"#{values.get('id', '')}"}
    is_hidden = "hidden" in values or _HIDDEN.search(values.get("style", "")) or not hidden_names.isdisjoint(names)
    return "hidden" if is_hidden else "form" if tag == "form" else "shown"


class _Table:
    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self.inner: list[tuple[Cell, ...]] = []
        self.occupied: set[tuple[int, int]] = set()
        self.row = -1
        self.column = 0
        self.text: list[str] | None = None
        self.spans = (1, 1, False)
        self.in_head = False


class _Reading:
    """A page that is being read. `hidden`, `struck`: numbers of elements that are left out."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.hidden = 0
        self.struck = 0
        self._text: list[str] = []
        self._tables: list[_Table] = []
        self._count = 0
        self._level = 0
        self._preformatted = 0
        self._raised = 0

    def read(self, root: Element) -> None:
        """Read an element with all that is in it."""
        # No recursion: old pages nest thousands of elements without end tags.
        open_elements = [(root, iter(root.content))]
        while open_elements:
            element, rest = open_elements[-1]
            part = next(rest, None)
            if part is None:
                open_elements.pop()
                self._end(element.tag)
            elif isinstance(part, str):
                text = part if self._preformatted else re.sub(r"\s+", " ", part)
                self._add(raised(text) if self._raised else text)
            elif part.tag == "br":
                self._add("\n")
            elif self._is_read(part):
                self._start(part)
                open_elements.append((part, iter(part.content)))

    def _is_read(self, element: Element) -> bool:
        never_shown = element.tag in ("button", "head", "title")
        if element.is_opened or (element.shown == "shown" and not never_shown):
            return True
        self.struck += element.shown == "skipped" and element.tag not in _SKIPPED
        self.hidden += element.shown == "hidden" and not never_shown
        return False

    def _start(self, element: Element) -> None:
        tag, values = element.tag, element.values
        self._preformatted += tag == "pre"
        self._raised += tag == "sup"
        if tag == "table":
            self.end_block()
            self._tables.append(_Table())
        elif self._tables and tag in ("thead", "tbody", "tfoot"):
            self._tables[-1].in_head = tag == "thead"
        elif self._tables and tag == "tr":
            self._end_cell()
            self._tables[-1].row += 1
            self._tables[-1].column = 0
        elif self._tables and tag in ("td", "th"):
            self._end_cell()
            table = self._tables[-1]
            table.row = max(table.row, 0)
            table.spans = (
                _span(values.get("rowspan")) or _MOST_SPANNED,
                _span(values.get("colspan")) or 1,
                table.in_head,
            )
            table.text = []
        elif re.fullmatch("h[1-6]", tag):
            self.end_block()
            self._level = int(tag[1])
        elif tag in _LINES:
            self._break()

    def _end(self, tag: str) -> None:
        self._preformatted -= tag == "pre"
        self._raised -= tag == "sup"
        if tag == "table" and self._tables:
            self._end_cell()
            table = self._tables.pop()
            # A browser shows no rows that only a rowspan promises.
            table.cells = [replace(cell, rows=min(cell.rows, table.row + 1 - cell.row)) for cell in table.cells]
            if self._tables and self._tables[-1].text is not None:
                self._tables[-1].inner.append(tuple(table.cells))
            else:
                self._add_table(table.cells)
        elif tag in ("td", "th"):
            self._end_cell()
        elif re.fullmatch("h[1-6]", tag):
            self.end_block()
            self._level = 0
        elif tag in _LINES:
            self._break()

    def _add_table(self, cells: Sequence[Cell]) -> None:
        is_layout = any(cell.inner for cell in cells) and all(cell.row == 0 for cell in cells)
        if not is_layout:
            self._count += 1
            self.document.blocks += table_blocks(cells, table=self._count)
            return
        # Old pages place a menu beside the text with a table of one row: its cells are parts of the page, not labels.
        for cell in cells:
            if text := clean_text(cell.text):
                self.document.blocks.append(Block(text))
            for inner in cell.inner:
                self._add_table(inner)

    def _break(self) -> None:
        if self._tables and self._tables[-1].text is not None:
            self._tables[-1].text.append("\n")
        elif not self._level:
            self.end_block()

    def _add(self, text: str) -> None:
        if self._tables and self._tables[-1].text is not None:
            self._tables[-1].text.append(text)
        elif not self._tables:
            self._text.append(text)
        elif text.strip():  # a caption, or misplaced text between cells
            self._text.append(text + "\n")

    def _end_cell(self) -> None:
        if not self._tables or self._tables[-1].text is None:
            return
        table = self._tables[-1]
        # Positions that are covered by a cell spanning from above have no tag.
        while (table.row, table.column) in table.occupied:
            table.column += 1
        rows, columns, is_header = table.spans
        text, inner = "".join(table.text or ()), tuple(table.inner)
        table.cells.append(Cell(text, table.row, table.column, rows, columns, is_header, inner))
        table.inner.clear()
        table.occupied |= {
            (row, column)
            for row in range(table.row, table.row + rows)
            for column in range(table.column, table.column + columns)
        }
        table.column += columns
        table.text = None

    def end_block(self) -> None:
        """End the current block and add it to the document."""
        if text := clean_text("".join(self._text)):
            self.document.blocks.append(Block(text, "heading" if self._level else "paragraph", level=self._level))
        self._text = []


def _span(value: str | None) -> int:
    """A rowspan or colspan, limited because a page may state any number. A rowspan of 0 is one to the table's end."""
    return min(int(value), _MOST_SPANNED) if value and value.strip().isdecimal() else 1
