"""Lines of a PDF page to paragraphs: what repeats on every page, where a line goes on, and whether a space was at its end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rag.ingestion.documents.blocks import clean_text

Zone = tuple[float, float, float, float]
"""Left, top, right and bottom in points from the upper left corner."""

_ITEM = re.compile(
    r"\s*(?:제\s?\d+\s?[조장절편]|[①-⑳㉠-㉭]|[-–•·ㆍ▪■□○●◦▶▷※*◆◇☞]|\(?\d{1,2}[.)]\s|[가-하][.)]\s|\[주?\d*\]|[ⅠⅡⅢⅣⅤⅥ])"
)
_ENDS = re.compile(r"[.!?:;]$|다$")
_PARTICLE = re.compile(
    r"(?:[은는이가을를의에로와과도며고서면만한된할는및등중후전시내]|에서|으로|까지|부터|하여|또는|이며)$"
)
_PAGE_NUMBER = re.compile(r"[-–—\s]*(?:page\s*)?\d{1,4}(?:\s*/\s*\d{1,4})?[-–—\s]*", re.I)
_MARGIN = 0.09
"""Share of a page's height in which headers and footers stand."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text, its place, its letters' size in points, and where it lies on the page (0 top, 1 bottom)."""

    text: str
    zone: Zone
    size: float
    height: float


def lines_of(page: Any, tables: Sequence[Zone]) -> list[Line]:
    """The lines of a page outside its tables, top to bottom."""

    def outside(item: dict[str, Any]) -> bool:
        if item.get("object_type") != "char":
            return False
        x, y = (item["x0"] + item["x1"]) / 2, (item["top"] + item["bottom"]) / 2
        return not any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in tables)

    lines = []
    for line in page.filter(outside).extract_text_lines(return_chars=True, x_tolerance_ratio=0.2):
        if text := clean_text(line["text"]).replace("\n", " "):
            # To half a point: what a file's rounding makes of one size is no other size.
            sizes = Counter(round(char["size"] * 2) / 2 for char in line["chars"])
            zone = (line["x0"], line["top"], line["x1"], line["bottom"])
            lines.append(Line(text, zone, sizes.most_common(1)[0][0], line["top"] / float(page.height)))
    return lines


def running_texts(pages: Sequence[Sequence[Line]]) -> frozenset[str]:
    """Headers and footers: texts that stand in the margin of half of the pages and of at least three, numbers aside."""
    counts = Counter(text for lines in pages for text in {_masked(line) for line in lines if _in_margin(line)})
    return frozenset(text for text, count in counts.items() if count >= max(3, len(pages) / 2))


def is_running(line: Line, running: frozenset[str]) -> bool:
    """Whether a line is a header, a footer or a page's number."""
    return _in_margin(line) and (_masked(line) in running or bool(_PAGE_NUMBER.fullmatch(line.text)))


def _in_margin(line: Line) -> bool:
    return line.height < _MARGIN or line.height > 1 - _MARGIN


def _masked(line: Line) -> str:
    return re.sub(r"\d+", "#", line.text)


def merge_lines(lines: Sequence[Line], vocabulary: Mapping[str, int]) -> Iterator[tuple[str, list[Zone], float]]:
    """Paragraphs of lines: their text, the places of their lines and their size. Lines are put together where one goes on."""
    if not lines:
        return
    right = max(line.zone[2] for line in lines)
    text, zones, size = lines[0].text, [lines[0].zone], lines[0].size
    for before, line in pairwise(lines):
        gap = line.zone[1] - before.zone[3]
        goes_on = (
            abs(line.size - size) < 0.6
            and gap < line.size * 1.1
            # A line that ends well before the margin was ended by its author.
            and before.zone[2] > right - 2.5 * line.size
            and not _ITEM.match(line.text)
        )
        if goes_on:
            text += joint(text, line.text, vocabulary) + line.text
            zones.append(line.zone)
        else:
            yield text, zones, size
            text, zones, size = line.text, [line.zone], line.size
    yield text, zones, size


def joint(before: str, after: str, vocabulary: Mapping[str, int]) -> str:
    """A space, or nothing, between two lines: no PDF says which. By the words that the document holds elsewhere."""
    last, first = before.split()[-1], after.split()[0]
    if _ENDS.search(last) or not re.search(r"[가-힣]$", last) or not re.match(r"[가-힣]", first):
        return " " if not re.search(r"[\d(\[,.~-]$", last) or not re.match(r"[\d%원)\],.~-]", first) else ""
    # Each half counts itself once: it is the word that the line's end made.
    if vocabulary.get(last + first, 0) > 0:
        return ""
    if vocabulary.get(last, 0) > 1:
        return " "
    return " " if _PARTICLE.search(last) and len(last) > 1 else ""
