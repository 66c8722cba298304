"""Builds documents of every format from a list of elements, for tests and the bundled corpus (tests/make_documents.py).

An element is ("h1" to "h3", title), ("p", text), ("article", title) or ("item", text) with automatic numbers, ("note", text,
note) or ("table", rows). In a row "^" merges a cell with the one above, "<" with the one to the left.
"""

from __future__ import annotations

import html
import io
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.ingestion.documents.blocks import Document
from rag.ingestion.documents.reading import read_document
from tests.chromium import chromium_path

Element = tuple[Any, ...]
Rows = Sequence[Sequence[str]]
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩"


def read(folder: Path, name: str, data: bytes | str) -> Document:
    """What is read from a file of this name and content, which is written into `folder`."""
    file = folder / name
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_document(file)


def texts(document: Document) -> list[str]:
    """The text of each block."""
    return [block.text for block in document.blocks]


def spans(rows: Rows) -> Iterator[tuple[int, int, int, int, str]]:
    """Row, column, rows and columns covered, and text of each cell."""
    for row, line in enumerate(rows):
        for column, text in enumerate(line):
            if text in ("^", "<"):
                continue
            down = 1
            while row + down < len(rows) and rows[row + down][column] == "^":
                down += 1
            across = 1
            while column + across < len(line) and line[column + across] == "<":
                across += 1
            yield row, column, down, across, text


def numbered(elements: Sequence[Element]) -> Iterator[Element]:
    """Articles and items as texts with their numbers, for formats that are built without automatic ones."""
    article = item = 0
    for kind, *rest in elements:
        if kind == "article":
            article, item = article + 1, 0
            yield "p", f"제{article}조({rest[0]})"
        elif kind == "item":
            item += 1
            yield "p", f"{CIRCLED[item - 1]} {rest[0]}"
        else:
            yield kind, *rest


def zipped(parts: dict[str, str | bytes]) -> bytes:
    """A zip archive of these parts, reproducible byte for byte."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def docx(elements: Sequence[Element], *, body: str = "") -> bytes:
    """A Word document. `body`: XML appended unchanged after the elements."""
    notes: list[str] = []
    content = "".join(_word(element, notes) for element in elements) + body
    levels = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for at, (form, text) in enumerate((("decimal", "제%1조"), ("decimalEnclosedCircle", "%2")))
    )
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="H{at}"><w:name w:val="heading {at}"/></w:style>' for at in (1, 2, 3)
    )
    footnotes = "".join(
        f'<w:footnote w:id="{at}"><w:p><w:r><w:t>{html.escape(text)}</w:t></w:r></w:p></w:footnote>'
        for at, text in enumerate(notes, 2)
    )
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    kinds = {"document": "document.main", "styles": "styles", "numbering": "numbering", "footnotes": "footnotes"}
    return zipped(
        {
            "[Content_Types].xml": f'{head}<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            + "".join(
                f'<Override PartName="/word/{name}.xml" '
                f'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.{kind}+xml"/>'
                for name, kind in kinds.items()
            )
            + "</Types>",
            "_rels/.rels": f'{head}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{_OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>',
            "word/_rels/document.xml.rels": f'{head}<Relationships xmlns="{_PACKAGE}/relationships">'
            + "".join(
                f'<Relationship Id="r{at}" Type="{_OFFICE}/{name}" Target="{name}.xml"/>'
                for at, name in enumerate(("styles", "numbering", "footnotes"))
            )
            + "</Relationships>",
            "word/document.xml": f'{head}<w:document xmlns:w="{WORD}"><w:body>{content}</w:body></w:document>',
            "word/styles.xml": f'{head}<w:styles xmlns:w="{WORD}">{styles}</w:styles>',
            "word/numbering.xml": f'{head}<w:numbering xmlns:w="{WORD}"><w:abstractNum w:abstractNumId="0">{levels}'
            '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>',
            "word/footnotes.xml": f'{head}<w:footnotes xmlns:w="{WORD}">{footnotes}</w:footnotes>',
        }
    )


def _word(element: Element, notes: list[str]) -> str:
    kind, *rest = element
    if kind == "table":
        return _word_table(rest[0])
    properties = {
        "article": '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>',
        "item": '<w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr>',
    }.get(kind, f'<w:pStyle w:val="H{kind[1]}"/>' if kind[0] == "h" else "")
    text = f"({rest[0]})" if kind == "article" else rest[0]
    mark = ""
    if kind == "note":
        notes.append(rest[1])
        mark = f'<w:r><w:footnoteReference w:id="{len(notes) + 1}"/></w:r>'
    return f"<w:p><w:pPr>{properties}</w:pPr>{word_run(text)}{mark}</w:p>"


def word_run(text: str, properties: str = "") -> str:
    """A run of text as XML."""
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{html.escape(text)}</w:t></w:r>'


def _word_table(rows: Rows) -> str:
    placed = {(row, column): (down, across, text) for row, column, down, across, text in spans(rows)}
    lines = []
    for row, line in enumerate(rows):
        cells = []
        for column in range(len(line)):
            if (row, column) in placed:
                down, across, text = placed[row, column]
                merge = '<w:vMerge w:val="restart"/>' if down > 1 else ""
                span = f'<w:gridSpan w:val="{across}"/>' if across > 1 else ""
                cells.append(f"<w:tc><w:tcPr>{span}{merge}</w:tcPr><w:p>{word_run(text)}</w:p></w:tc>")
            elif line[column] == "^":
                cells.append("<w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc>")
        lines.append(f"<w:tr>{''.join(cells)}</w:tr>")
    return f"<w:tbl>{''.join(lines)}</w:tbl><w:p/>"


def hangul(elements: Sequence[Element], suffix: str = ".hwpx") -> bytes:
    """A Hangul document, .hwpx or .hwp, by python-hwpx."""
    from hwpx import HwpxDocument

    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        document = HwpxDocument.new()
        for kind, *rest in numbered(elements):
            if kind == "table":
                rows = rest[0]
                table = document.add_table(len(rows), len(rows[0]))
                for row, column, down, across, text in spans(rows):
                    table.set_cell_text(row, column, text)
                    if down > 1 or across > 1:
                        table.merge_cells(row, column, row + down - 1, column + across - 1)
            elif kind[0] == "h":
                document.add_heading(rest[0], level=int(kind[1]))
            else:
                paragraph = document.add_paragraph(rest[0], inherit_style=False)
                if kind == "note":
                    document.add_footnote(rest[1], paragraph)
        path = Path(folder, f"document{suffix}")
        document.save_to_path(path)
        return path.read_bytes()


def page(elements: Sequence[Element], *, style: str = "") -> str:
    """An HTML page."""
    parts = []
    for kind, *rest in numbered(elements):
        if kind == "table":
            lines: dict[int, list[str]] = {}
            for row, _, down, across, text in spans(rest[0]):
                tag = "th" if row == 0 else "td"
                span = (f' rowspan="{down}"' if down > 1 else "") + (f' colspan="{across}"' if across > 1 else "")
                lines.setdefault(row, []).append(f"<{tag}{span}>{html.escape(text)}</{tag}>")
            parts.append("<table>" + "".join(f"<tr>{''.join(cells)}</tr>\n" for cells in lines.values()) + "</table>")
        elif kind == "note":
            parts.append(f"<p>{html.escape(rest[0])}</p>\n<p>※ {html.escape(rest[1])}</p>")
        else:
            tag = kind if kind[0] == "h" else "p"
            parts.append(f"<{tag}>{html.escape(rest[0])}</{tag}>")
    return (
        f'<!DOCTYPE html>\n<html lang="ko"><head><meta charset="utf-8"><style>{style}</style></head>\n<body>\n'
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


PRINT = (
    "@page{size:A4;margin:22mm} body{font:10.5pt/1.5 'Noto Sans CJK KR'} table{border-collapse:collapse;margin:6pt 0} "
    "td,th{border:.8pt solid #333;padding:2pt 7pt} th{background:#345;color:#fff} "
    "h1{font-size:18pt} h2{font-size:14pt} h3{font-size:12pt}"
)


def pdf(elements: Sequence[Element], *, style: str = "") -> bytes:
    """A PDF, printed by Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path())
        sheet = browser.new_page()
        sheet.set_content(page(elements, style=PRINT + style))
        data = sheet.pdf(prefer_css_page_size=True, print_background=True)
        browser.close()
    return data


def markdown(elements: Sequence[Element]) -> str:
    """Markdown, which has no merged cells: their text is repeated."""
    parts = []
    for kind, *rest in numbered(elements):
        if kind == "table":
            grid = [["" for _ in line] for line in rest[0]]
            for row, column, down, across, text in spans(rest[0]):
                for y in range(row, row + down):
                    for x in range(column, column + across):
                        grid[y][x] = text
            lines = ["| " + " | ".join(line) + " |" for line in grid]
            lines.insert(1, "|" + " --- |" * len(grid[0]))
            parts.append("\n".join(lines))
        elif kind == "note":
            parts += [rest[0], f"※ {rest[1]}"]
        else:
            parts.append(f"{'#' * int(kind[1])} {rest[0]}" if kind[0] == "h" else rest[0])
    return "\n\n".join(parts) + "\n"


def slides(elements: Sequence[Element]) -> bytes:
    """A presentation; each "h1" starts a slide."""
    decks: list[list[str]] = []
    for kind, *rest in numbered(elements):
        if kind == "h1" or not decks:
            decks.append([])
        if kind == "table":
            decks[-1].append(_slide_table(rest[0]))
        else:
            place = '<p:nvPr><p:ph type="title"/></p:nvPr>' if kind == "h1" else "<p:nvPr/>"
            texts = [rest[0], f"※ {rest[1]}"] if kind == "note" else [rest[0]]
            lines = "".join(f"<a:p><a:r><a:t>{html.escape(text)}</a:t></a:r></a:p>" for text in texts)
            decks[-1].append(f"<p:sp><p:nvSpPr>{place}</p:nvSpPr><p:txBody>{lines}</p:txBody></p:sp>")
    names = {
        "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
        "p": "http://schemas.openxmlformats.org/presentationml/2006/main",
    }
    spaces = " ".join(f'xmlns:{short}="{name}"' for short, name in names.items())
    office = "application/vnd.openxmlformats-officedocument.presentationml"
    numbers = range(1, len(decks) + 1)
    overrides = "".join(
        f'<Override PartName="/ppt/slides/slide{at}.xml" ContentType="{office}.slide+xml"/>' for at in numbers
    )
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/ppt/presentation.xml" ContentType="{office}.presentation.main+xml"/>{overrides}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{_OFFICE}/officeDocument" Target="ppt/presentation.xml"/></Relationships>',
        "ppt/presentation.xml": f'<p:presentation {spaces} xmlns:r="{_OFFICE}"><p:sldIdLst>'
        + "".join(f'<p:sldId id="{255 + at}" r:id="r{at}"/>' for at in numbers)
        + "</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(f'<Relationship Id="r{at}" Type="{_OFFICE}/slide" Target="slides/slide{at}.xml"/>' for at in numbers)
        + "</Relationships>",
    }
    for number, shapes in enumerate(decks, 1):
        parts[f"ppt/slides/slide{number}.xml"] = (
            f"<p:sld {spaces}><p:cSld><p:spTree>{''.join(shapes)}</p:spTree></p:cSld></p:sld>"
        )
    return zipped(parts)


def _slide_table(rows: Rows) -> str:
    placed = {(row, column): (down, across, text) for row, column, down, across, text in spans(rows)}
    lines = []
    for row, line in enumerate(rows):
        cells = []
        for column, text in enumerate(line):
            down, across, shown = placed.get((row, column), (1, 1, ""))
            flags = (f' rowSpan="{down}"' if down > 1 else "") + (f' gridSpan="{across}"' if across > 1 else "")
            flags += ' vMerge="1"' if text == "^" else ' hMerge="1"' if text == "<" else ""
            cells.append(
                f"<a:tc{flags}><a:txBody><a:p><a:r><a:t>{html.escape(shown)}</a:t></a:r></a:p></a:txBody></a:tc>"
            )
        lines.append(f"<a:tr>{''.join(cells)}</a:tr>")
    table = f"<a:tbl>{''.join(lines)}</a:tbl>"
    return f"<p:graphicFrame><a:graphic><a:graphicData>{table}</a:graphicData></a:graphic></p:graphicFrame>"


def workbook(elements: Sequence[Element]) -> bytes:
    """An Excel workbook; each "h1" starts a sheet, merged cells are merged, and texts are in the first column."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    sheet: Any = None
    for kind, *rest in numbered(elements):
        if kind == "h1" or sheet is None:
            sheet = book.create_sheet(rest[0][:31])
        elif kind == "table":
            top = sheet.max_row + 2
            for row, column, down, across, text in spans(rest[0]):
                cell = sheet.cell(top + row, column + 1, text)
                if down > 1 or across > 1:
                    sheet.merge_cells(
                        start_row=cell.row,
                        start_column=cell.column,
                        end_row=cell.row + down - 1,
                        end_column=cell.column + across - 1,
                    )
        else:
            sheet.cell(sheet.max_row + 2, 1, rest[0])
            if kind == "note":
                sheet.cell(sheet.max_row + 1, 1, f"※ {rest[1]}")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def build(name: str, elements: Sequence[Element]) -> bytes:
    """The document in the format of its name."""
    suffix = Path(name).suffix
    if suffix in (".html", ".htm"):
        return page(elements).encode()
    if suffix == ".md":
        return markdown(elements).encode()
    if suffix == ".txt":
        return "\n\n".join(rest[0] for _, *rest in numbered(elements)).encode() + b"\n"
    made: bytes = {
        ".docx": docx, ".hwpx": hangul, ".hwp": lambda each: hangul(each, ".hwp"),
        ".pdf": pdf, ".pptx": slides, ".xlsx": workbook,
    }[suffix](elements)  # fmt: skip
    return made
