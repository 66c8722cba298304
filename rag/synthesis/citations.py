"""Citation markers in a model's text, resolved while it streams. Pure; knows nothing of models and nodes.

A marker is `[n]`, `[n, m]` or the same in full-width brackets, with one to three digits each. It comes out as `[n]`, one
for each number of a source that was given; other numbers are dropped. Everything else comes out as it came in.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_OPEN, _CLOSE = "[［【〔", "]］】〕"
_NUMBERS = r"\s{0,2}\d{1,3}(?:[\s,，、·;/]{1,3}\d{1,3}){0,9}\s{0,2}"
_MARKER = re.compile(rf"[{re.escape(_OPEN)}]({_NUMBERS})[{re.escape(_CLOSE)}]")
_NUMBER = re.compile(r"\d+")
_BEGINNING = re.compile(rf"[{re.escape(_OPEN)}][\s\d,，、·;/]*\Z")
LONGEST = 64
"""Characters a marker may have; a longer beginning of one is text."""


class CitationResolver:
    """Takes a text in pieces cut anywhere, and gives it back with its markers resolved.

    `known` are the sources' numbers. `cited` are those met so far. What `feed` returns joined, and then `end`, is the
    same wherever the text was cut.
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
        return self._resolve(text[:cut])

    def end(self) -> str:
        """The rest: nothing follows that could close a marker."""
        rest, self._pending = self._pending, ""
        return rest

    def _resolve(self, text: str) -> str:
        return _MARKER.sub(self._marker, text)

    def _marker(self, match: re.Match[str]) -> str:
        numbers = [number for text in _NUMBER.findall(match[1]) if (number := int(text)) in self._known]
        self.cited.update(numbers)
        return "".join(f"[{number}]" for number in dict.fromkeys(numbers))


def escape_markers(text: str) -> str:
    """The text with its markers in round brackets: what is quoted to a model must not look like a source of its own."""
    return _MARKER.sub(lambda match: f"({match[1].strip()})", text)
