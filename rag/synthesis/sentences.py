"""Sentences of an answer that is still being written: where each ends, its citations included.

Not broken within "연 3.5%", "2026.03.01.", "2026. 3. 1.부터", "Ⅰ. ", "1. " or "[경로]": a full stop ends a sentence only
after a letter and before white space. A line break always ends one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.synthesis.prompt_builder import MARKER, MARKER_BRACKETS

_MARKERS = rf"(?:\s{{0,2}}{MARKER.pattern.replace('(', '(?:', 1)})*"
_END = re.compile(
    rf"(?:(?<![\d\s.ⅠⅡⅢⅣⅤⅥ])(?<!\b[A-Za-z])[.。]+|[!?！？…]+)[\"'”’」』)]*{_MARKERS}(?=\s|\Z)|{_MARKERS}[ \t]*(?:\n|\Z)\s*"
)
_LIST_SIGN = re.compile(r"\s*(?:[\-*•·※]|\d{1,2}[.)]|[가-하][.)]|[ⅠⅡⅢⅣⅤⅥ]\.?|[①-⑳])\s*")
_SAYS = re.compile(r"[가-힣]{2,}|[A-Za-z]{3,}")


def split_sentences(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) offsets of the sentences of a whole text, each with the citations after it; joined they are the text."""
    start = 0
    for end in _ends(text):
        if end > start:
            yield start, end
            start = end
    if start < len(text):
        yield start, len(text)


def complete_until(text: str) -> int:
    """How far a text that goes on consists of whole sentences: what may follow changes nothing before this offset.

    A sentence that has no citation yet is whole only once something else than a citation follows it.
    """
    whole = 0
    for end in _ends(text):
        following = text[end:].lstrip(" ")
        if end < len(text) and ((following and following[0] not in MARKER_BRACKETS[0]) or text[end - 1] == "]"):
            whole = end
    return whole


def says_something(sentence: str) -> bool:
    """Whether a sentence holds a word beside its citations and list signs: a heading does, "[1]" or "1." does not."""
    return _SAYS.search(_LIST_SIGN.sub("", MARKER.sub("", sentence), count=1)) is not None


def _ends(text: str) -> Iterator[int]:
    for match in _END.finditer(text):
        if match.end() > match.start():
            yield match.end()
