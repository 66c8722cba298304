"""Scores how garbled a page's text is, to choose the better of two readers. Pure functions."""

from __future__ import annotations

import re
import unicodedata

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
