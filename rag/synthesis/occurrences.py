"""Finds the places of a word in a text and checks what is beside it there.

Without regular expressions, because the words differ with every sentence and compiling a pattern for each would take longer than
all checks together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.korean import is_syllable


def places(word: str, text: str) -> Iterator[int]:
    """The offsets of a word in a text, including overlapping ones."""
    start = text.find(word)
    while start >= 0:
        yield start
        start = text.find(word, start + 1)


def begins_word(word: str, text: str) -> bool:
    """Whether a text contains a word without a Hangul syllable before it."""
    return any(_is_beginning(start, text) for start in places(word, text))


def is_followed(word: str, after: re.Pattern[str], text: str) -> bool:
    """Whether a pattern matches directly after a word at one of its places in a text."""
    return any(after.match(text, start + len(word)) for start in places(word, text))


def stands_before(first: str, second: str, text: str) -> bool:
    """Whether a text contains `first` at the beginning of a word, followed by `second` with or without a space."""
    for start in places(first, text):
        end = start + len(first)
        if _is_beginning(start, text) and text.startswith(second, end + text[end : end + 1].isspace()):
            return True
    return False


def _is_beginning(start: int, text: str) -> bool:
    return start == 0 or not is_syllable(text[start - 1])
