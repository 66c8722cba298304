"""What customers say to what banks write: words appended to a question before it is searched.

The list (`lexicon.tsv`) is plain data that a bank can read and extend. Stems are matched as substrings of the question
without its spaces, so endings, particles and missing spaces do not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from rag.errors import InputError
from rag.korean import compact


@dataclass(frozen=True, slots=True)
class Entry:
    """Any of `stems` in a question appends `terms`."""

    stems: tuple[str, ...]
    terms: tuple[str, ...]


def parse(lines: Iterable[str], *, name: str = "lexicon") -> tuple[Entry, ...]:
    """Lines of `stem|stem<TAB>term term`; `#` begins a comment. Raises InputError naming the line."""
    entries = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        stems, tab, terms = line.partition("\t")
        if not tab or not terms.strip() or not all(stem.strip() for stem in stems.split("|")):
            raise InputError(f"{name}, line {number}: expected `stem|stem<TAB>term term`")
        entries.append(Entry(tuple(compact(stem) for stem in stems.split("|")), tuple(terms.split())))
    return tuple(entries)


@cache
def bundled() -> tuple[Entry, ...]:
    """The lexicon that comes with the package."""
    text = resources.files("rag.retrieval").joinpath("lexicon.tsv").read_text(encoding="utf-8")
    return parse(text.splitlines(), name="lexicon.tsv")


def expand(question: str, entries: Sequence[Entry] | None = None) -> str:
    """The question followed by the terms it calls for, each once and none it already holds; `entries` None: bundled."""
    text = compact(question)
    lexicon, starts = (bundled(), _bundled_starts()) if entries is None else (entries, _starts(entries))
    matches = {
        number
        for at in range(len(text))
        for head in (text[at], text[at : at + 2])  # a stem of one character stands under that character alone
        for stem, number in starts.get(head, ())
        if text.startswith(stem, at)
    }
    terms = dict.fromkeys(term for number in sorted(matches) for term in lexicon[number].terms)
    added = [term for term in terms if compact(term) not in text]
    return " ".join([question, *added]) if added else question


def _starts(entries: Sequence[Entry]) -> dict[str, list[tuple[str, int]]]:
    """Stems and their entries' numbers by their first two characters: thousands of stems cost a question .1 ms."""
    starts: dict[str, list[tuple[str, int]]] = {}
    for number, entry in enumerate(entries):
        for stem in entry.stems:
            starts.setdefault(stem[:2], []).append((stem, number))
    return starts


@cache
def _bundled_starts() -> dict[str, list[tuple[str, int]]]:
    return _starts(bundled())
