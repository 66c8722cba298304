"""Citation markers of a text that comes in pieces, resolved against the sources that were given."""

from __future__ import annotations

import re
from collections.abc import Collection

from rag.synthesis.prompt_builder import MARKER, MARKER_BRACKETS

LONGEST = 64
"""Characters a marker may have; a longer beginning of one is text."""
_NUMBER = re.compile(r"\d+")
_BEGINNING = re.compile(rf"[{re.escape(MARKER_BRACKETS[0])}][\s\d,，、·;/]*\Z")


def cited_numbers(text: str) -> tuple[int, ...]:
    """The numbers of a text's markers, each once, in text order."""
    numbers = (int(number) for marker in MARKER.findall(text) for number in _NUMBER.findall(marker))
    return tuple(dict.fromkeys(numbers))


class CitationResolver:
    """Takes a text in pieces cut anywhere, and gives it back with its markers resolved.

    A marker comes out as `[n]`, one for each number of a source that was given; other numbers are dropped, and everything
    else comes out as it came in. `known` are the sources' numbers, `cited` those met so far. What `feed` returns joined,
    and then `end`, is the same wherever the text was cut.
    """

    def __init__(self, known: Collection[int]) -> None:
        self._known = frozenset(known)
        self._pending = ""
        self.cited: set[int] = set()

    def feed(self, piece: str) -> str:
        """What can be said so far; the beginning of a possible marker is kept until the next piece."""
        text = self._pending + piece
        beginning = _BEGINNING.search(text)
        cut = beginning.start() if beginning and len(text) - beginning.start() <= LONGEST else len(text)
        self._pending = text[cut:]
        return MARKER.sub(self._marker, text[:cut])

    def end(self) -> str:
        """The rest: nothing follows that could close a marker."""
        rest, self._pending = self._pending, ""
        return rest

    def _marker(self, match: re.Match[str]) -> str:
        numbers = [number for text in _NUMBER.findall(match[1]) if (number := int(text)) in self._known]
        self.cited.update(numbers)
        return "".join(f"[{number}]" for number in dict.fromkeys(numbers))
