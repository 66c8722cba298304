"""Extracts the lines and words of PDF pages, removes headers and footers, and merges lines to paragraphs and cell texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from rag.ingestion.cell_text import raised
from rag.ingestion.documents.blocks import clean_text

Zone = tuple[float, float, float, float]
"""A rectangle: left, top, right and bottom, in points from the page's upper left corner."""

_ITEM = re.compile(
    r"\s*(?:제\s?\d+\s?[조장절편]|[①-⑳㉠-㉭]|[-–•·ㆍ▪■□○●◦▶▷※*◆◇☞]|\(?\d{1,2}[.)]\s|[가-하][.)]\s|\[주?\d*\]|[ⅠⅡⅢⅣⅤⅥ])"
)
_ENDS = re.compile(r"[.!?:;]$|다$")
_PARTICLE = re.compile(
    r"(?:[은는이가을를의에로와과도며고서면만한된할는및등중후전시내]|에서|으로|까지|부터|하여|또는|이며|는지|은지|려면|거나|아서|어서|므로)$"
)
_PAGE_NUMBER = re.compile(r"[-–—\s]*(?:page\s*)?\d{1,4}(?:\s*/\s*\d{1,4})?[-–—\s]*", re.I)
GAP = 1.1
"""Minimum gap between two cells, as a multiple of the letters' height; a space between words is about a quarter."""
_RAISED_SIZE = 0.9
"""Maximum size of raised letters, as a multiple of that of the letter before them."""
_RAISED_BY = 0.15
"""Minimum height of their lower edge above it, as a share of the letter's size."""
_MARGIN = 0.09
"""Share of the page's height, at its top and bottom, that may contain headers and footers."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its zone."""

    text: str
    zone: Zone


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text. `size`: of most of its letters, in points. `height`: position on the page, from 0 (top) to 1 (bottom).

    `region`: number of the page's region in reading order (`rag.ingestion.documents.pdf_columns`). `is_parted`: it contains
    wide gaps, as between the cells of a table.
    """

    text: str
    zone: Zone
    size: float
    height: float
    region: int = 0
    is_parted: bool = False


def lines_of(page: Any, regions: Sequence[Zone]) -> list[Line]:
    """The lines of a page without tables, by region, from top to bottom."""
    lines = []
    for number, region in enumerate(regions):
        part = page.filter(partial(_contains, region)) if len(regions) > 1 else page
        for line in part.extract_text_lines(return_chars=True, x_tolerance_ratio=0.2):
            if text := clean_text(line["text"]).replace("\n", " "):
                # Rounded to half a point, because rounding in the file makes equal sizes differ slightly.
                sizes = Counter(round(char["size"] * 2) / 2 for char in line["chars"])
                zone = (line["x0"], line["top"], line["x1"], line["bottom"])
                height = line["top"] / float(page.height)
                size = sizes.most_common(1)[0][0]
                gaps = sum(after["x0"] - before["x1"] > GAP * size for before, after in pairwise(line["chars"]))
                # A list item has one gap after its number.
                is_parted = gaps > bool(_ITEM.match(text))
                lines.append(Line(text, zone, size, height, number, is_parted))
    return lines


def raise_digits(chars: Iterable[dict[str, Any]]) -> None:
    """Change digits that are smaller and higher than the letter before them to raised ones: marks, and no part of an amount."""
    base: dict[str, Any] | None = None
    end = 0.0
    for char in chars:
        is_raised = (
            base is not None
            and char["size"] <= _RAISED_SIZE * base["size"]
            and base["top"] < char["bottom"] <= base["bottom"] - _RAISED_BY * base["size"]
            and 0 <= char["x0"] - end + 1 <= base["size"]
        )
        if is_raised:
            char["text"] = raised(char["text"])
        elif char["text"].strip():
            base = char
        end = char["x1"]


def outside(page: Any, tables: Sequence[Zone]) -> Any:
    """The page with only the characters outside all `tables`."""

    def is_kept(item: dict[str, Any]) -> bool:
        return item.get("object_type") == "char" and not any(_contains(zone, item) for zone in tables)

    return page.filter(is_kept)


def words_of(page: Any) -> list[Word]:
    """The words of a page."""
    return to_words(page.extract_words(x_tolerance_ratio=0.2))


def to_words(words: Iterable[Mapping[str, Any]]) -> list[Word]:
    """Convert pdfplumber's words."""
    return [Word(word["text"], (word["x0"], word["top"], word["x1"], word["bottom"])) for word in words]


def within(words: Iterable[Word], region: Zone) -> list[Word]:
    """The words whose centres are in the region."""
    return [word for word in words if is_in(word.zone, region)]


def is_in(zone: Zone, region: Zone) -> bool:
    """Whether the centre of a zone is in the region."""
    x, y = (zone[0] + zone[2]) / 2, (zone[1] + zone[3]) / 2
    return region[0] <= x <= region[2] and region[1] <= y <= region[3]


def rows_of(words: Iterable[Word]) -> Iterator[list[Word]]:
    """Group words by lines of the page, each from left to right. A word is on a line if its centre is above the line's bottom."""
    row: list[Word] = []
    for word in sorted(words, key=lambda word: word.zone[1] + word.zone[3]):
        if row and (word.zone[1] + word.zone[3]) / 2 > row[0].zone[3]:
            yield sorted(row, key=lambda each: each.zone)
            row = []
        row.append(word)
    if row:
        yield sorted(row, key=lambda each: each.zone)


def bounding_zone(zones: Iterable[Zone]) -> Zone:
    """The smallest zone that contains all of them."""
    lefts, tops, rights, bottoms = zip(*zones, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _contains(region: Zone, item: Mapping[str, Any]) -> bool:
    return is_in((item["x0"], item["top"], item["x1"], item["bottom"]), region)


def running_texts(pages: Sequence[Sequence[Line]]) -> frozenset[str]:
    """Headers and footers: texts in the margins of at least three and half of the pages, with digits replaced by "#"."""
    counts = Counter(text for lines in pages for text in {_masked(line) for line in lines if _in_margin(line)})
    return frozenset(text for text, count in counts.items() if count >= max(3, len(pages) / 2))


def is_running(line: Line, running: frozenset[str]) -> bool:
    """Whether a line is a header, a footer or a page number. `running`: from `running_texts`."""
    return _in_margin(line) and (_masked(line) in running or bool(_PAGE_NUMBER.fullmatch(line.text)))


def _in_margin(line: Line) -> bool:
    return line.height < _MARGIN or line.height > 1 - _MARGIN


def _masked(line: Line) -> str:
    return re.sub(r"\d+", "#", line.text)


def merge_paragraphs(lines: Sequence[Line], vocabulary: Mapping[str, int]) -> Iterator[tuple[str, list[Zone], float]]:
    """Merge consecutive lines to paragraphs: their text, the zones of their lines, and their letters' size in points."""
    if not lines:
        return
    right: dict[int, float] = {}
    for line in lines:
        right[line.region] = max(line.zone[2], right.get(line.region, 0.0))
    text, zones, size = lines[0].text, [lines[0].zone], lines[0].size
    for before, line in pairwise(lines):
        gap = line.zone[1] - before.zone[3]
        continues = (
            abs(line.size - size) < 0.6
            # In another region only a line of the next column continues it, which begins higher up.
            and gap < (line.size * 1.1 if line.region == before.region else 0)
            # A line that ends well before the right margin ends a paragraph.
            and before.zone[2] > right[before.region] - 2.5 * line.size
            and not _ITEM.match(line.text)
            # Rows of an undetected table are not merged, because a name would be followed by the next row's amount.
            and not (line.is_parted or before.is_parted)
        )
        if continues:
            text += line_separator(text, line.text, vocabulary) + line.text
            zones.append(line.zone)
        else:
            yield text, zones, size
            text, zones, size = line.text, [line.zone], line.size
    yield text, zones, size


def words_in(lines: Iterable[str]) -> dict[str, int]:
    """The lines' words: 2 for a word inside a line, 1 for one only at the start or end of lines, where it may be a part."""
    found: dict[str, int] = {}
    for words in map(str.split, lines):
        found |= {word: 1 for word in (*words[:1], *words[-1:]) if word not in found}
        found |= dict.fromkeys(words[1:-1], 2)
    return found


def cell_texts(cells: Sequence[tuple[Zone, Sequence[Word]]]) -> list[str]:
    """The texts of a table's cells. Words that were broken at the end of a full line are joined."""
    lines = [[" ".join(word.text for word in row) for row in rows_of(words)] for _, words in cells]
    # Cells with one line have no broken words.
    vocabulary = words_in(line if len(each) > 1 else f". {line} ." for each in lines for line in each)
    return [_cell_text(words, zone, vocabulary) for zone, words in cells]


def _cell_text(words: Sequence[Word], zone: Zone, vocabulary: Mapping[str, int]) -> str:
    lines = list(rows_of(words))
    if not lines:
        return ""
    zones = [bounding_zone(word.zone for word in line) for line in lines]
    padding = max(min(min(line_zone[0] - zone[0], zone[2] - line_zone[2]) for line_zone in zones), 0)
    texts = [clean_text(" ".join(word.text for word in line)) for line in lines]
    text = texts[0]
    for line_zone, after in zip(zones, texts[1:], strict=False):
        is_full = (line_zone[2] - line_zone[0]) + (line_zone[3] - line_zone[1]) > zone[2] - zone[0] - 2 * padding
        text += (line_separator(text, after, vocabulary) if is_full and text and after else " ") + after
    return text.strip()


def line_separator(before: str, after: str, vocabulary: Mapping[str, int]) -> str:
    """The separator between two lines of a paragraph, a space or "", which PDFs do not store.

    Decided by whether the words at the break, or their concatenation, occur elsewhere in the document (`vocabulary`), then by
    particles.
    """
    last, first = before.split()[-1], after.split()[0]
    if _ENDS.search(last) or not re.search(r"[가-힣]$", last) or not re.match(r"[가-힣]", first):
        return " " if not re.search(r"[\d(\[,.~-]$", last) or not re.match(r"[\d%원)\],.~-]", first) else ""
    if vocabulary.get(last + first, 0) > 0:
        return ""
    if vocabulary.get(last, 0) > 1:
        return " "
    return " " if _PARTICLE.search(last) and len(last) > 1 else ""
