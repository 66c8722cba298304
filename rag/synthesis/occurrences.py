"""Where a word stands in a text, and what stands beside it there.

Most of these words come from a sentence, and a pattern made of one would have to be compiled: that takes longer than all checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator


def places(word: str, text: str) -> Iterator[int]:
    """The offsets of a word in a text, overlapping ones too."""
    start = text.find(word)
    while start >= 0:
        yield start
        start = text.find(word, start + 1)


def begins_word(word: str, text: str) -> bool:
    """Whether a word stands in a text with no letter of Hangul before it."""
    return any(_is_beginning(start, text) for start in places(word, text))


def is_followed(word: str, after: re.Pattern[str], text: str) -> bool:
    """Whether a pattern matches right after a word somewhere in a text."""
    return any(after.match(text, start + len(word)) for start in places(word, text))


def stands_before(first: str, second: str, text: str) -> bool:
    """Whether a word begins a word of a text and another comes next, with or without a space between them."""
    for start in places(first, text):
        end = start + len(first)
        if _is_beginning(start, text) and text.startswith(second, end + text[end : end + 1].isspace()):
            return True
    return False


def _is_beginning(start: int, text: str) -> bool:
    return not start or not "가" <= text[start - 1] <= "힣"
