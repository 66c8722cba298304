"""Reads PDFs with two libraries: pdfplumber, which finds lines and tables, and pdfium, which reads the text of each place.

Each page has the text of the reader whose text is less garbled. Quantities that the other reader does not find in the same
place are marked as uncertain.
"""

from __future__ import annotations

import io
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any

from rag.ingestion.documents.blocks import Block, Document, clean_text, table_blocks
from rag.ingestion.documents.pdf_columns import region_at, regions_of
from rag.ingestion.documents.pdf_lines import (
    Line,
    Zone,
    is_running,
    lines_of,
    merge_paragraphs,
    outside,
    raise_digits,
    running_texts,
    within,
    words_in,
    words_of,
)
from rag.ingestion.documents.pdf_pages import garbled_score, to_page_space, with_upright_text
from rag.ingestion.documents.pdf_tables import Grid, is_continued, page_tables, rules_of, tables_between, unruled_tables
from rag.ingestion.documents.second_reading import mark_uncertain_against
from rag.ingestion.messages import UnreadableFile, join_items, reason_of

MAX_PAGES = 400
"""Files with more pages are rejected, because two thousand pages would take an hour."""
_HEADING = 1.1
"""Minimum size of a heading's letters, as a multiple of the body text's size."""


@dataclass(slots=True)
class _Page:
    number: int
    lines: list[Line]
    tables: list[Grid]
    regions: list[Zone]
    second: Mapping[Zone, str]
    """The other reader's text of the zone of each line and cell."""


def read_pdf(file: str, data: bytes) -> Document:
    """Read a PDF. Raises UnreadableFile if it is damaged, encrypted, longer than MAX_PAGES, or without text."""
    import pdfplumber
    import pypdfium2

    document = Document(file)
    logging.getLogger("pdfminer").setLevel(logging.ERROR)  # it warns about each missing glyph
    try:
        with closing(pypdfium2.PdfDocument(data)) as counted:
            if len(counted) > MAX_PAGES:
                raise UnreadableFile("too_long", pages=len(counted), limit=MAX_PAGES)
            document.pages = len(counted)
        data = with_upright_text(data)
        with closing(pypdfium2.PdfDocument(data)) as second, closing(pdfplumber.open(io.BytesIO(data))) as first:
            pages = [_read_page(page, second[at], at + 1, document) for at, page in enumerate(first.pages)]
    except UnreadableFile:
        raise
    except pypdfium2.PdfiumError as exc:
        if "assword" in str(exc):
            raise UnreadableFile("password") from exc
        raise UnreadableFile("damaged", reason=reason_of(exc)) from exc
    # pdfminer raises various exceptions for damaged files.
    except Exception as exc:
        raise UnreadableFile("damaged", reason=reason_of(exc)) from exc
    empty = [page.number for page in pages if not page.lines and not page.tables]
    if len(empty) == len(pages):
        raise UnreadableFile("scanned", pages=len(pages))
    if empty:
        document.note("pages_without_text", pages=join_items(empty))
    _assemble(document, pages)
    return document


def _read_page(page: Any, second: Any, number: int, document: Document) -> _Page:
    text_page = second.get_textpage()
    rotation, size = second.get_rotation(), (float(page.width), float(page.height))

    def zone_text(zone: Zone) -> str:
        left, bottom, right, top = to_page_space(zone, rotation, size)
        return str(text_page.get_text_bounded(left - 1, bottom - 1, right + 1, top + 1))

    try:
        raise_digits(page.chars)
        shown, hidden, slanted = _without_hidden(page)
        if hidden:
            document.note("hidden_on_page", count=hidden, page=number)
        if slanted:
            document.note("watermark", count=slanted, page=number)
        grids = page_tables(shown)
        text = outside(shown, [grid.zone for grid in grids])
        words = words_of(text)
        regions = regions_of(words, [grid.zone for grid in grids], (0.0, 0.0, *size))
        rules = rules_of(shown, [grid.zone for grid in grids])
        for find in (partial(tables_between, rules), unruled_tables):
            if new_grids := [grid for region in regions for grid in find(within(words, region))]:
                grids += new_grids
                text = outside(text, [grid.zone for grid in new_grids])
                words = words_of(text)
        lines = lines_of(text, regions)
        own_text = "\n".join([line.text for line in lines] + [cell.text for grid in grids for cell in grid.cells])
        other_text = str(text_page.get_text_range())
        # With a margin, because pdfplumber's text, which has the tables, is preferred if both are sound.
        if garbled_score(other_text) + 0.02 < garbled_score(own_text):
            document.note("other_reader", page=number)
            # The readers are swapped: pdfplumber's text is now the second reading.
            own_texts = {line.zone: line.text for line in lines} | {
                cell.zone: cell.text for grid in grids for cell in grid.cells
            }
            lines = [replace(line, text=clean_text(zone_text(line.zone)).replace("\n", " ")) for line in lines]
            grids = [grid.with_texts(zone_text) for grid in grids]
            return _Page(number, [line for line in lines if line.text], grids, regions, own_texts)
        zones = {line.zone: zone_text(line.zone) for line in lines}
        zones |= {cell.zone: zone_text(cell.zone) for grid in grids for cell in grid.cells}
        return _Page(number, lines, grids, regions, zones)
    finally:
        text_page.close()
        second.close()
        page.close()


def _without_hidden(page: Any) -> tuple[Any, int, int]:
    """The page without hidden characters (white on white, tiny, or outside the page) and slanted ones; the number of each.

    Text that runs across the page at an angle is a watermark ("대외비").
    """
    fills = [rect for rect in page.rects if rect.get("fill") and not _is_white(rect.get("non_stroking_color"))]
    pictures = page.images
    hidden = slanted = 0

    def is_shown(item: dict[str, Any]) -> bool:
        nonlocal hidden, slanted
        if item.get("object_type") != "char":
            return True
        if _is_slanted(item.get("matrix")):
            slanted += bool(item["text"].strip())
            return False
        x, y = (item["x0"] + item["x1"]) / 2, (item["top"] + item["bottom"]) / 2
        unseen = item["size"] < 1.5 or not (0 <= x <= page.width and 0 <= y <= page.height)
        # White letters on a coloured area are visible, as in table headers.
        if not unseen and _is_white(item.get("non_stroking_color")):
            unseen = not any(
                each["x0"] <= x <= each["x1"] and each["top"] <= y <= each["bottom"] for each in (*fills, *pictures)
            )
        hidden += unseen and bool(item["text"].strip())
        return not unseen

    # Some programs draw bold letters twice, which would be read as "11..2255%%".
    return page.dedupe_chars(tolerance=1).filter(is_shown), hidden, slanted


def _is_slanted(matrix: Sequence[float] | None) -> bool:
    """Whether a character's line runs at more than 6 degrees from both edges of the page."""
    if not matrix:
        return False
    along, across = abs(matrix[0]), abs(matrix[1])
    return min(along, across) > 0.1 * max(along, across)


def _is_white(colour: Any) -> bool:
    if colour is None:
        return False
    parts = tuple(colour) if isinstance(colour, list | tuple) else (colour,)
    if not all(isinstance(part, int | float) for part in parts):
        return False
    return (
        all(part <= 0.02 for part in parts) if len(parts) == 4 else bool(parts) and all(part >= 0.98 for part in parts)
    )


def _assemble(document: Document, pages: Sequence[_Page]) -> None:
    running = running_texts([page.lines for page in pages])
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            sizes[line.size] += len(line.text)
    # The size of most letters and not of most lines, because a list of short titles has many lines.
    body = max(sizes, key=lambda size: sizes[size], default=10.0)
    # PDFs do not mark headings; their level is the rank of their size.
    larger = sorted({size for size in sizes if size >= body * _HEADING}, reverse=True)
    vocabulary = words_in(line.text for page in pages for line in page.lines)
    left_out = 0
    before: Grid | None = None
    header = ""
    for page in pages:
        kept = [line for line in page.lines if not is_running(line, running)]
        left_out += len(page.lines) - len(kept)
        for part in _parts(kept, page):
            if isinstance(part, Grid):
                number = 1 + max((block.table for block in document.blocks), default=0)
                continues = before is not None and is_continued(before, part)
                if continues and before is not None:
                    part = part.continued_from(before)
                rows = table_blocks(part.as_cells(), table=number, page=page.number)
                if continues:
                    # The header is printed again on each page.
                    rows = [row for row in rows if row.text != header]
                    rows = [replace(row, header=header) for row in rows]
                else:
                    header = rows[0].text if rows and not rows[0].header and len(rows) > 1 and rows[1].header else ""
                document.blocks += [_mark_uncertain_row(row, part, page.second) for row in rows]
                before = part
            else:
                before = None
                for text, zones, size in merge_paragraphs(part, vocabulary):
                    # A long text in large letters is a notice and not a heading.
                    level = larger.index(size) + 1 if size in larger and len(text) <= 120 else 0
                    block = Block(text, "heading" if level else "paragraph", level=min(level, 6), page=page.number)
                    document.blocks.append(
                        mark_uncertain_against(block, ["\n".join(page.second.get(zone, "") for zone in zones)])
                    )
    if left_out:
        document.note("running_lines", count=left_out)


def _parts(lines: Sequence[Line], page: _Page) -> Iterator[list[Line] | Grid]:
    """The page's tables and the runs of lines between them, in reading order."""
    items: list[tuple[int, float, Line | Grid]] = [(line.region, line.zone[1], line) for line in lines]
    items += [(region_at(grid.zone, page.regions), grid.zone[1], grid) for grid in page.tables]
    for is_table, run in groupby(sorted(items, key=lambda item: item[:2]), key=lambda item: isinstance(item[2], Grid)):
        parts = [part for _, _, part in run]
        if is_table:
            yield from (part for part in parts if isinstance(part, Grid))
        else:
            yield [part for part in parts if isinstance(part, Line)]


def _mark_uncertain_row(row: Block, grid: Grid, second: Mapping[Zone, str]) -> Block:
    """The row, with quantities marked as uncertain that the other reader does not find in its cells."""
    own_cells = [
        cell
        for cell in grid.cells
        if clean_text(cell.text) and " ".join(clean_text(cell.text).split()) in row.own_cells
    ]
    return mark_uncertain_against(row, [second.get(cell.zone, "") for cell in own_cells])
