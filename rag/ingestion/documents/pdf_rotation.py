"""Rotates pages whose text is sideways, as scanners and spreadsheets write it; readers would take it for columns."""

from __future__ import annotations

import io
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
