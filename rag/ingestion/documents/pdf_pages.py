"""Prepares the pages of PDFs: turns sideways ones upright, drops what is not seen, and scores how garbled a text is."""

from __future__ import annotations

import io
import re
import unicodedata
from collections import Counter
from contextlib import closing
from math import degrees
from typing import Any

from rag.ingestion.documents.pdf_lines import Zone

_SAMPLE = 300
"""Maximum number of characters of a page that are checked, roughly."""


def with_upright_text(data: bytes) -> bytes:
    """The file with each page rotated so that most of its letters are upright; the same bytes if no page needs it.

    Raises pypdfium2.PdfiumError for a damaged file.
    """
    import pypdfium2

    with closing(pypdfium2.PdfDocument(data)) as document:
        is_turned = False
        for page in document:
            rotation = page.get_rotation()
            if turn := -(_angle(page) + rotation) % 360:
                page.set_rotation((rotation + turn) % 360)
                is_turned = True
            page.close()
        if not is_turned:
            return data
        output = io.BytesIO()
        document.save(output)
    return output.getvalue()


def _angle(page: Any) -> int:
    """The clockwise rotation of most letters in the unrotated page, in degrees: 0, 90, 180 or 270."""
    from pypdfium2.raw import FPDFText_GetCharAngle

    text_page = page.get_textpage()
    count = text_page.count_chars()
    angles = Counter(
        round(degrees(angle) / 90) * 90 % 360
        for at in range(0, count, count // _SAMPLE + 1)
        # The angle is -1 if unknown.
        if (angle := FPDFText_GetCharAngle(text_page.raw, at)) >= 0
    )
    text_page.close()
    return angles.most_common(1)[0][0] if angles else -page.get_rotation()


def to_page_space(zone: Zone, rotation: int, size: tuple[float, float]) -> Zone:
    """Convert a zone of the rotated page to (left, bottom, right, top) from the lower left corner of the unrotated page.

    `rotation`: in degrees clockwise. `size`: width and height of the rotated page in points.
    """
    left, top, right, bottom = zone
    width, height = size
    if rotation == 90:
        return top, left, bottom, right
    if rotation == 180:
        return width - right, top, width - left, bottom
    if rotation == 270:
        return height - bottom, width - right, height - top, width - left
    return left, height - bottom, right, height - top


_CID = re.compile(r"\(cid:\d+\)")
_DOUBLED = re.compile(r"(\S)\1(\S)\2(\S)\3")
_RUN = re.compile(r"[가-힣]+")
_LONG = 14
"""Maximum syllables of a Korean word with its particles."""
# With a wrong code table of the font, text is read as Hangul of rare syllables.
_COMMON = frozenset("의이가은는을를에로와과도다고한하지수있습니까요만원년월일자금행")


def garbled_score(text: str) -> float:
    """0 for a sound text, about 1 for a completely garbled one.

    Adds the shares of control, private-use and surrogate characters and glyph numbers, of doubled characters, of Hangul
    without spaces, and of Hangul without the most frequent syllables.
    """
    compact = "".join(text.split())
    if not compact:
        return 0.0
    bad = sum(
        unicodedata.category(character) in ("Cc", "Co", "Cs", "Cn") or character == "\ufffd"
        for character in text
        if character not in "\n\r\t"
    )
    bad += sum(len(match[0]) for match in _CID.finditer(text))
    doubled = 6 * len(_DOUBLED.findall(compact))
    runs = _RUN.findall(text)
    syllables = sum(map(len, runs))
    glued = sum(len(run) for run in runs if len(run) > _LONG)
    strange = 0.0
    # Only for longer texts: a cover page has only a title and a name.
    if syllables > 40:
        strange = max(0.1 - sum(character in _COMMON for character in compact) / syllables, 0.0) * 5
    return (bad + min(doubled, len(compact))) / len(compact) + (glued / syllables / 4 if syllables else 0.0) + strange
