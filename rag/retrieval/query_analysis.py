"""What a question's words say before it is searched: the institution it is limited to, and the words that banks would use.

`limit_to_bank` narrows the filters to an institution that the question names, as the customer means it. `expand` appends
the banks' words for the customer's: the list (`lexicon.tsv`) is plain data that a bank can read and extend. Names and stems
are matched as substrings of the question without its spaces, so endings, particles and missing spaces do not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from rag.errors import InputError
from rag.korean import compact
from rag.types import Filters

BANK = "bank"
"""The metadata key of a row's institution."""
_KINDS = ("저축은행", "은행", "증권", "카드", "보험", "생명", "화재", "캐피탈", "투자", "금융")
_DISTINCTIVE_KINDS = ("저축은행", "증권")
_EVERYDAY_WORDS = ("하나", "우리", "국민", "기업", "산업", "제일")
"""Short names that are everyday words: one, we, citizens, company, industry, first."""


def limit_to_bank(filters: Filters, text: str, banks: Iterable[str]) -> Filters:
    """The filters, limited to the one of `banks` that the text names; one that was chosen already stays."""
    if BANK in filters.equals or not (bank := detect_bank(text, banks)):
        return filters
    return replace(filters, equals={**filters.equals, BANK: bank})


def detect_bank(question: str, banks: Iterable[str]) -> str | None:
    """The one institution whose name, or name without its kind ("은행", "증권" …), occurs; None for none or several.

    A short name is only recognised whole, with its kind, if it has fewer than two syllables, is an everyday word or is
    shared by several institutions. Where no name occurs, a kind does that only one of several institutions is of
    ("증권 계좌"); a plain "은행" says nothing. Spaces, case and width do not matter.
    """
    text = compact(question)
    names = {bank: compact(bank) for bank in banks}
    short_names = Counter(map(_short_name, names.values()))
    # What the text has to hold: the short name, unless several institutions share it.
    keys = {
        bank: name if short_names[_short_name(name)] > 1 else _short_name(name) for bank, name in names.items() if name
    }
    matches = {bank for bank, key in keys.items() if key in text}
    # Of one institution alone, a kind says nothing that its only filter value would not say already.
    if not matches and len(names) > 1:
        kind = next((kind for kind in _DISTINCTIVE_KINDS if kind in text), None)
        matches = {bank for bank, name in names.items() if kind and name.endswith(kind)}
    return matches.pop() if len(matches) == 1 else None


@dataclass(frozen=True, slots=True)
class LexiconEntry:
    """Any of `stems` in a question appends `terms`."""

    stems: tuple[str, ...]
    terms: tuple[str, ...]


def parse_lexicon(lines: Iterable[str], *, name: str = "lexicon") -> tuple[LexiconEntry, ...]:
    """Lines of `stem|stem<TAB>term term`; `#` begins a comment. Raises InputError naming the line."""
    entries = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        stems, tab, terms = line.partition("\t")
        if not tab or not terms.strip() or not all(stem.strip() for stem in stems.split("|")):
            raise InputError(f"{name}, line {number}: expected `stem|stem<TAB>term term`")
        entries.append(LexiconEntry(tuple(compact(stem) for stem in stems.split("|")), tuple(terms.split())))
    return tuple(entries)


@cache
def bundled_lexicon() -> tuple[LexiconEntry, ...]:
    """The lexicon that comes with the package."""
    text = resources.files("rag.retrieval").joinpath("lexicon.tsv").read_text(encoding="utf-8")
    return parse_lexicon(text.splitlines(), name="lexicon.tsv")


def expand(question: str, entries: Sequence[LexiconEntry] | None = None) -> str:
    """The question followed by the terms it calls for, each once and none it already holds; `entries` None: bundled."""
    text = compact(question)
    lexicon, starts = (bundled_lexicon(), _bundled_starts()) if entries is None else (entries, _starts(entries))
    matches = {
        number
        for at in range(len(text))
        for head in (text[at], text[at : at + 2])  # a stem of one character stands under that character alone
        for stem, number in starts.get(head, ())
        if text.startswith(stem, at)
    }
    # In the lexicon's order, whatever the order in the question: the same words give the same text and vector.
    terms = dict.fromkeys(term for number in sorted(matches) for term in lexicon[number].terms)
    added = [term for term in terms if compact(term) not in text]
    return " ".join([question, *added]) if added else question


def _starts(entries: Sequence[LexiconEntry]) -> dict[str, list[tuple[str, int]]]:
    """Stems and their entries' numbers by their first two characters: thousands of stems cost a question .1 ms."""
    starts: dict[str, list[tuple[str, int]]] = {}
    for number, entry in enumerate(entries):
        for stem in entry.stems:
            starts.setdefault(stem[:2], []).append((stem, number))
    return starts


@cache
def _bundled_starts() -> dict[str, list[tuple[str, int]]]:
    return _starts(bundled_lexicon())


def _short_name(name: str) -> str:
    for kind in _KINDS:
        short = name.removesuffix(kind)
        if short != name and len(short) >= 2:
            return name if short in _EVERYDAY_WORDS else short
    return name
