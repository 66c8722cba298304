"""How sound a page's text is, so that the better of two readers can be taken. Pure."""

from __future__ import annotations

import re
import unicodedata

_CID = re.compile(r"\(cid:\d+\)")
_DOUBLED = re.compile(r"(\S)\1(\S)\2(\S)\3")
_RUN = re.compile(r"[가-힣]+")
_LONG = 14
"""Syllables: no Korean word with its particles is longer."""
# Text whose font has another code table than the reader takes is fluent-looking Hangul of rare syllables.
_COMMON = frozenset("의이가은는을를에로와과도다고한하지수있습니까요만원년월일자금행")


def badness(text: str) -> float:
    """0 for a sound text, up to about 1 for one that is none.

    Counts control characters, private areas, lone surrogates and glyph numbers; characters drawn twice; Hangul without
    spaces, and Hangul without any of the syllables that every Korean text is full of.
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
    # Fewer tell nothing: a cover page holds a title and a name.
    if syllables > 40:
        strange = max(0.1 - sum(character in _COMMON for character in compact) / syllables, 0.0) * 5
    return (bad + min(doubled, len(compact))) / len(compact) + (glued / syllables / 4 if syllables else 0.0) + strange
