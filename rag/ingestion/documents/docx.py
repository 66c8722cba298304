"""Word documents: paragraphs with their computed numbers, tables with merged cells, notes at their place, changes as final.

No Python reader of .docx gives automatic numbers, and most lose tracked insertions (findings/), so the XML is read here.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from xml.etree import ElementTree as ET

from rag.ingestion.cell_text import raised
from rag.ingestion.documents.blocks import Block, Cell, Document, clean_text, table_blocks
from rag.ingestion.documents.docx_formulas import M, formula_text
from rag.ingestion.documents.docx_numbering import Numbering, Styles, is_on
from rag.ingestion.documents.docx_symbols import symbol, without_private_characters
from rag.ingestion.documents.second_reading import cross_check
from rag.ingestion.messages import PARTS, UnreadableFile, reason_of

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TEXT = {
    f"{W}tab": "\t",
    f"{W}ptab": "\t",
    f"{W}br": "\n",
    f"{W}cr": "\n",
    f"{W}noBreakHyphen": "‑",
    f"{W}softHyphen": "",
}
_REMOVED = {f"{W}del": "deleted", f"{W}moveFrom": "deleted"}
_ADDED = (f"{W}ins", f"{W}moveTo")


@dataclass(slots=True)
class _Reading:
    """State of reading a document. `notes`: texts of foot- and endnotes. `counts`: for the document's notes, by kind.

    `pending`: blocks of notes and text boxes to add after the current paragraph. `page`, `table`: current numbers.
    """

    document: Document
    styles: Styles
    numbering: Numbering
    notes: dict[str, str]
    counts: Counter[str] = field(default_factory=Counter)
    pending: list[Block] = field(default_factory=list)
    page: int = 1
    table: int = 0


def read_docx(file: str, data: bytes) -> Document:
    """Read a .docx file. Raises UnreadableFile if it is damaged."""
    parts = read_parts(
        data, ("word/document.xml", "word/styles.xml", "word/numbering.xml", "word/footnotes.xml", "word/endnotes.xml")
    )
    if "word/document.xml" not in parts:
        raise UnreadableFile("damaged", reason=PARTS["no_text_part"])
    styles = Styles(parts.get("word/styles.xml"))
    reading = _Reading(
        Document(file),
        styles,
        Numbering(parts.get("word/numbering.xml"), styles),
        _note_texts(parts.get("word/footnotes.xml"), "f") | _note_texts(parts.get("word/endnotes.xml"), "e"),
    )
    body = parts["word/document.xml"].find(f"{W}body")
    if body is not None:
        _walk(reading, body)
    # Page breaks are stored only in files that Word itself has saved.
    if reading.page > 1:
        reading.document.pages = reading.page
    else:
        for at, block in enumerate(reading.document.blocks):
            reading.document.blocks[at] = replace(block, page=None)
    for kind, count in reading.counts.items():
        reading.document.note(kind, count=count)
    return cross_check(reading.document, data, ".docx")


def read_parts(data: bytes, names: tuple[str, ...]) -> dict[str, ET.Element]:
    """The parsed XML of an archive's members `names`, without missing ones. Raises UnreadableFile."""
    parts = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = set(archive.namelist())
            for name in names:
                if name in members:
                    # These formats have no entity declarations, which could expand without limit.
                    text = archive.read(name)
                    if b"<!DOCTYPE" in text[:4096] or b"<!ENTITY" in text[:65536]:
                        raise UnreadableFile("damaged", reason=PARTS["entities"].filled({"name": name}))
                    parts[name] = ET.fromstring(text)  # noqa: S314
    except UnreadableFile:
        raise
    # zlib.error, for one, has no base class in common with the errors of zipfile and the parser.
    except Exception as exc:
        raise UnreadableFile("damaged", reason=reason_of(exc)) from exc
    return parts


def _walk(reading: _Reading, parent: ET.Element) -> None:
    for element in parent:
        if element.tag == f"{W}p":
            _paragraph(reading, element)
        elif element.tag == f"{W}tbl":
            reading.table += 1
            reading.document.blocks += table_blocks(_cells(reading, element), table=reading.table, page=reading.page)
            _flush(reading)
        elif element.tag in _REMOVED:
            reading.counts["deleted"] += 1
        elif element.tag not in (f"{W}sectPr", _FALLBACK):
            # The content of content controls, insertions and custom XML is part of the text.
            _walk(reading, element)


def _paragraph(reading: _Reading, element: ET.Element) -> None:
    text = clean_text(_text(reading, element))
    properties = element.find(f"{W}pPr")
    style = reading.styles.style_id(properties)
    number = reading.numbering.next(properties, style) if text else ""
    if text:
        level = reading.styles.heading_level(properties, style)
        whole = f"{number} {text}" if number else text
        reading.document.blocks.append(
            Block(whole, "heading" if level else "paragraph", level=level, page=reading.page, number=number)
        )
    _flush(reading)


def _flush(reading: _Reading) -> None:
    reading.document.blocks += reading.pending
    reading.pending.clear()


def _text(reading: _Reading, element: ET.Element) -> str:
    """The text of a paragraph without deleted, hidden and struck-through text."""
    return "".join(_pieces(reading, element))


def _pieces(reading: _Reading, parent: ET.Element) -> Iterator[str]:
    for element in parent:
        tag = element.tag
        if tag in _REMOVED:
            reading.counts["deleted"] += 1
        elif tag == f"{W}r":
            yield from _run(reading, element)
        elif tag == f"{W}txbxContent":
            # Read separately, because the text of a floating box must not interrupt its paragraph's sentence.
            inner = _Reading(
                Document(""),
                reading.styles,
                reading.numbering,
                reading.notes,
                reading.counts,
                page=reading.page,
                table=reading.table,
            )
            _walk(inner, element)
            reading.table = inner.table
            reading.pending += inner.document.blocks
        elif tag == f"{W}p":
            yield _text(reading, element) + "\n"
        elif tag == f"{M}oMath":
            yield formula_text(element)
        elif tag not in (_FALLBACK, f"{W}pPr", f"{W}rPr", f"{W}instrText"):
            if tag in _ADDED:
                reading.counts["inserted"] += 1
            yield from _pieces(reading, element)


def _run(reading: _Reading, run: ET.Element) -> Iterator[str]:
    properties = run.find(f"{W}rPr")
    for flag, kind in (("vanish", "hidden"), ("strike", "struck_text"), ("dstrike", "struck_text")):
        if properties is not None and is_on(properties.find(f"{W}{flag}")):
            if any((text.text or "").strip() for text in run.iter(f"{W}t")):
                reading.counts[kind] += 1
            return
    align = properties.find(f"{W}vertAlign") if properties is not None else None
    is_raised = align is not None and align.get(f"{W}val") == "superscript"
    fonts = properties.find(f"{W}rFonts") if properties is not None else None
    font = (fonts.get(f"{W}ascii") or fonts.get(f"{W}hAnsi") or "") if fonts is not None else ""
    for element in run:
        tag = element.tag
        if tag == f"{W}t":
            readable = without_private_characters(element.text or "", font)
            yield raised(readable) if is_raised else readable
        # Page numbers are not stored; Word's page breaks at the last save are the best approximation.
        elif tag == f"{W}lastRenderedPageBreak" or (tag == f"{W}br" and element.get(f"{W}type") == "page"):
            reading.page += 1
        elif tag in _TEXT:
            yield _TEXT[tag]
        elif tag == f"{W}sym":
            yield symbol(element.get(f"{W}font") or "", element.get(f"{W}char") or "")
        elif tag in (f"{W}footnoteReference", f"{W}endnoteReference"):
            # Foot- and endnotes have separate ids.
            key = ("f" if "foot" in tag else "e") + (element.get(f"{W}id") or "")
            if text := reading.notes.get(key):
                reading.pending.append(Block(f"{_mark(reading)} {text}", "footnote", page=reading.page))
                yield _mark(reading, advance=True)
        elif tag not in (f"{W}rPr", f"{W}instrText", f"{W}delText", _FALLBACK):
            yield from _pieces(reading, element)


def _mark(reading: _Reading, *, advance: bool = False) -> str:
    number = reading.counts["footnotes"] + 1
    reading.counts["footnotes"] += advance
    return f"[주{number}]"


def _cells(reading: _Reading, table: ET.Element) -> list[Cell]:
    cells: list[Cell] = []
    # By column, the index of the last cell, which merged cells below it continue.
    above: dict[int, int] = {}
    row_number = 0
    for row in _children(table, f"{W}tr"):
        properties = row.find(f"{W}trPr")
        if properties is not None and properties.find(f"{W}del") is not None:
            reading.counts["deleted"] += 1
            continue
        if properties is not None and is_on(properties.find(f"{W}hidden")):
            reading.counts["hidden"] += 1
            continue
        is_header = properties is not None and is_on(properties.find(f"{W}tblHeader"))
        # A row may skip its first columns.
        column = _number(properties, "gridBefore")
        for cell in _children(row, f"{W}tc"):
            span = max(_number(cell.find(f"{W}tcPr"), "gridSpan"), 1)
            # The file contains the cells that a merged cell covers. Read as separate cells, as some readers do, they would
            # shift the row's values by a column (findings/).
            merge = cell.find(f"{W}tcPr/{W}vMerge")
            continued = merge is not None and merge.get(f"{W}val", "continue") == "continue"
            if continued and column in above:
                at = above[column]
                cells[at] = replace(cells[at], rows=row_number - cells[at].row + 1)
            else:
                parts = list(_children(cell, f"{W}p", f"{W}tbl"))
                text = "\n".join(_text(reading, each) for each in parts if each.tag == f"{W}p")
                inner = tuple(tuple(_cells(reading, each)) for each in parts if each.tag == f"{W}tbl")
                above[column] = len(cells)
                cells.append(Cell(text, row_number, column, 1, span, is_header, inner))
            column += span
        row_number += 1
    return cells


def _children(parent: ET.Element, *tags: str) -> Iterator[ET.Element]:
    """The children with these tags, also within content controls and insertions, but not nested in each other."""
    for element in parent:
        if element.tag in tags:
            yield element
        elif element.tag not in (_FALLBACK, *_REMOVED):
            yield from _children(element, *tags)


def _number(properties: ET.Element | None, name: str) -> int:
    element = properties.find(f"{W}{name}") if properties is not None else None
    value = element.get(f"{W}val", "") if element is not None else ""
    return int(value) if value.isdecimal() else 0


def _note_texts(part: ET.Element | None, prefix: str) -> dict[str, str]:
    """The texts of foot- or endnotes, by `prefix` and id. Word's separators, which have no text, are omitted."""
    if part is None:
        return {}
    texts = {}
    for note in part:
        text = "".join(each.text or "" for each in note.iter(f"{W}t")).strip()
        if text and note.get(f"{W}type") is None:
            texts[prefix + (note.get(f"{W}id") or "")] = clean_text(text)
    return texts
