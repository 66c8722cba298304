"""Reads PowerPoint presentations: the texts and tables of each slide, which counts as a page."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from rag.ingestion.cell_text import raised
from rag.ingestion.documents.blocks import Block, Cell, Document, clean_text, table_blocks
from rag.ingestion.documents.docx import read_parts
from rag.ingestion.documents.second_reading import cross_check

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_SLIDE = re.compile(r"ppt/slides/slide(\d+)\.xml")
_PRESENTATION = "ppt/presentation.xml"
_RELATIONS = "ppt/_rels/presentation.xml.rels"
_RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CHARTS = (
    "http://schemas.openxmlformats.org/drawingml/2006/chart",
    "http://schemas.openxmlformats.org/drawingml/2006/diagram",
)
"""Charts and SmartArt, whose texts are in other parts of the file."""
_TITLES = ("title", "ctrTitle")


def read_slides(file: str, data: bytes) -> Document:
    """Read a .pptx file. Hidden slides are left out and noted. Raises UnreadableFile."""
    document = Document(file)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.namelist()
    stored = sorted((int(match[1]), name) for name in members if (match := _SLIDE.fullmatch(name)))
    parts = read_parts(data, (_PRESENTATION, _RELATIONS, *(name for _, name in stored)))
    names = _in_order(parts, [name for _, name in stored])
    hidden, charts = [], []
    struck = 0
    for number, name in enumerate(names, 1):
        slide = parts[name]
        if slide.get("show") == "0":
            hidden.append(number)
            continue
        if any(element.get("uri") in _CHARTS for element in slide.iter(f"{_A}graphicData")):
            charts.append(number)
        struck += sum(_is_struck(run) for run in slide.iter(f"{_A}r"))
        tables = max((block.table for block in document.blocks), default=0)
        document.blocks += _slide(slide, number, tables)
    document.pages = len(names)
    if hidden:
        document.note("hidden_slides", names=", ".join(map(str, hidden)))
    if charts:
        document.note("charts", pages=", ".join(map(str, charts)))
    if struck:
        document.note("struck_text", count=struck)
    if notes := sum(name.startswith("ppt/notesSlides/notesSlide") for name in members):
        document.note("speaker_notes", count=notes)
    return cross_check(document, data, ".pptx")


def _in_order(parts: Mapping[str, ET.Element], stored: Sequence[str]) -> list[str]:
    """The slides' names in the order in which they are shown, which need not be that of their files' numbers.

    Slides that the presentation does not list, as in files of some other programs, follow.
    """
    listed = []
    if _PRESENTATION in parts and _RELATIONS in parts:
        targets = {each.get("Id"): each.get("Target") or "" for each in parts[_RELATIONS]}
        for slide in parts[_PRESENTATION].iter(f"{_P}sldId"):
            target = targets.get(slide.get(_RELATION_ID), "").removeprefix("/ppt/").removeprefix("../")
            listed.append(f"ppt/{target}")
    listed = [name for name in dict.fromkeys(listed) if name in stored]
    return [*listed, *(name for name in stored if name not in listed)]


def _slide(slide: ET.Element, number: int, tables: int) -> list[Block]:
    blocks: list[Block] = []
    # `iter` also finds shapes within groups.
    for shape in slide.iter():
        if shape.tag == f"{_P}sp":
            placeholder = shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
            is_title = placeholder is not None and placeholder.get("type") in _TITLES
            # Slide numbers, dates and footers repeat on every slide.
            if placeholder is not None and placeholder.get("type") in ("sldNum", "dt", "ftr"):
                continue
            lines = [_paragraph(each) for each in shape.iter(f"{_A}p")]
            if is_title:
                if title := clean_text(" ".join(lines)):
                    # Inserted first: shapes are stored in drawing order, and the title may have been drawn last.
                    blocks.insert(0, Block(title, "heading", level=1, page=number))
            else:
                blocks += [Block(text, page=number) for line in lines if (text := clean_text(line))]
        elif shape.tag == f"{_A}tbl":
            tables += 1
            blocks += table_blocks(_cells(shape), table=tables, page=number)
    return blocks


def _paragraph(paragraph: ET.Element) -> str:
    pieces = []
    for element in paragraph.iter():
        if element.tag == f"{_A}br":
            pieces.append("\n")
        elif element.tag in (f"{_A}r", f"{_A}fld") and not _is_struck(element):
            text = "".join(each.text or "" for each in element.iter(f"{_A}t"))
            properties = element.find(f"{_A}rPr")
            is_raised = properties is not None and (properties.get("baseline") or "0").strip("0%.").isdigit()
            pieces.append(raised(text) if is_raised else text)
    return "".join(pieces)


def _is_struck(run: ET.Element) -> bool:
    properties = run.find(f"{_A}rPr")
    return properties is not None and properties.get("strike") in ("sngStrike", "dblStrike")


def _cells(table: ET.Element) -> list[Cell]:
    return [
        Cell(
            "\n".join(_paragraph(each) for each in cell.iter(f"{_A}p")),
            row,
            column,
            int(cell.get("rowSpan") or 1),
            int(cell.get("gridSpan") or 1),
        )
        for row, line in enumerate(table.iter(f"{_A}tr"))
        for column, cell in enumerate(line.findall(f"{_A}tc"))
        # Cells covered by a merged one are stored too, with the text they had before merging.
        if cell.get("hMerge") != "1" and cell.get("vMerge") != "1"
    ]
