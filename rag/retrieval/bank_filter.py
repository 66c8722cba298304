"""An institution named in the question limits the search to it, as the customer means it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

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
    if not matches and len(names) > 1:
        kind = next((kind for kind in _DISTINCTIVE_KINDS if kind in text), None)
        matches = {bank for bank, name in names.items() if kind and name.endswith(kind)}
    return matches.pop() if len(matches) == 1 else None


def _short_name(name: str) -> str:
    for kind in _KINDS:
        short = name.removesuffix(kind)
        if short != name and len(short) >= 2:
            return name if short in _EVERYDAY_WORDS else short
    return name
