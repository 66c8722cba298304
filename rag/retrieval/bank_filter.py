"""An institution named in the question limits the search to it, as the customer means it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rag.korean import compact

_KINDS = ("저축은행", "은행", "증권", "카드", "보험", "생명", "화재", "캐피탈", "투자", "금융")
_TELLING_KINDS = ("저축은행", "증권")
_WORDS = ("하나", "우리", "국민", "기업", "산업", "제일")
"""Short names that are everyday words: one, we, citizens, company, industry, first."""


def detect_bank(question: str, banks: Iterable[str]) -> str | None:
    """The one institution whose name, or name without its kind ("은행", "증권" …), occurs; None for none or several.

    A short name is only recognised whole, with its kind, if it has fewer than two syllables, is an everyday word or is
    shared by several institutions. Where no name occurs, a kind does that only one of several institutions is of
    ("증권 계좌"); a plain "은행" says nothing. Spaces, case and width do not matter.
    """
    text = compact(question)
    names = {bank: compact(bank) for bank in banks}
    shared = Counter(map(_short, names.values()))
    found = {
        bank for bank, name in names.items() if (name if shared[_short(name)] > 1 else _short(name)) in text and name
    }
    if not found and len(names) > 1:
        kind = next((kind for kind in _TELLING_KINDS if kind in text), None)
        found = {bank for bank, name in names.items() if kind and name.endswith(kind)}
    return found.pop() if len(found) == 1 else None


def _short(name: str) -> str:
    for kind in _KINDS:
        short = name.removesuffix(kind)
        if short != name and len(short) >= 2:
            return name if short in _WORDS else short
    return name
