"""Turned pages: scanners and spreadsheets turn a page or draw its text sideways, and readers take either for columns."""

from __future__ import annotations

import io
from collections import Counter
from contextlib import closing
from math import degrees
from typing import Any

from rag.ingestion.documents.pdf_lines import Zone

_SAMPLE = 300
"""Letters of a page that are looked at."""


def with_upright_text(data: bytes) -> bytes:
    """The same file with each page turned so that most of its letters stand upright; the same bytes where all do.

    Raises pypdfium2.PdfiumError for what is no PDF.
    """
    import pypdfium2

    with closing(pypdfium2.PdfDocument(data)) as document:
        is_turned = False
        for page in document:
            turned = page.get_rotation()
            if turn := -(_angle(page) + turned) % 360:
                page.set_rotation((turned + turn) % 360)
                is_turned = True
            page.close()
        if not is_turned:
            return data
        out = io.BytesIO()
        document.save(out)
    return out.getvalue()


def _angle(page: Any) -> int:
    """The degrees by which most letters are turned to the right in the page's own space: 0, 90, 180 or 270."""
    from pypdfium2.raw import FPDFText_GetCharAngle

    text_page = page.get_textpage()
    count = text_page.count_chars()
    angles = Counter(
        round(degrees(angle) / 90) * 90 % 360
        for at in range(0, count, count // _SAMPLE + 1)
        # -1 where it is not known.
        if (angle := FPDFText_GetCharAngle(text_page.raw, at)) >= 0
    )
    text_page.close()
    return angles.most_common(1)[0][0] if angles else -page.get_rotation()


def in_page_space(zone: Zone, turned: int, size: tuple[float, float]) -> Zone:
    """A zone of the page as it is shown (left, top, right, bottom from the upper left corner), in the page's own space.

    That space counts from the lower left corner of the page before it is turned: left, bottom, right, top. `size` is the width
    and height as shown, `turned` the degrees clockwise.
    """
    left, top, right, bottom = zone
    width, height = size
    if turned == 90:
        return top, left, bottom, right
    if turned == 180:
        return width - right, top, width - left, bottom
    if turned == 270:
        return height - bottom, width - right, height - top, width - left
    return left, height - bottom, right, height - top
