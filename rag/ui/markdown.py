"""Text of customers and of the data as markdown that shows exactly that text, and citations as links.

The chat component renders markdown and leaves forms, fixed boxes and remote images standing when it sanitises. Here
every character that markdown, HTML, LaTeX or a link could be made of becomes a character reference, line ends too:
references are never markup, so a message is one paragraph of plain text (the style sheet keeps its white space).
"""

from __future__ import annotations

import re

_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_REFERENCED = re.compile(r"^\s+|\s+$|\s{2,}|[!-/:-@\[-`{-~\t\n]")
_CITATION = re.compile(r"\[(\d{1,3})\]")


def escape_markdown(text: str) -> str:
    """Markdown whose rendering reads as `text`; control characters and lone surrogates become U+FFFD."""
    shown = _UNSHOWABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _REFERENCED.sub(lambda match: "".join(f"&#{ord(character)};" for character in match[0]), shown)


def cited(text: str, *, turn: int, sources: int) -> str:
    """`escape_markdown`, with each `[n]` of 1..sources as a link to the card `src-<turn>-<n>`; other `[n]` stay text."""
    parts = _CITATION.split(text)
    shown = [escape_markdown(parts[0])]
    for number, after in zip(parts[1::2], parts[2::2], strict=True):
        label = escape_markdown(f"[{number}]")
        known = 1 <= int(number) <= sources
        shown += [f"[{label}](#{card_id(turn, int(number))})" if known else label, escape_markdown(after)]
    return "".join(shown)


def aside(text: str) -> str:
    """A remark of the page itself, set apart from the answer above it."""
    return f"> {escape_markdown(text)}"


def card_id(turn: int, number: int) -> str:
    """The element id of a source's card in the panel."""
    return f"src-{turn}-{number}"
