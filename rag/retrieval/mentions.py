"""An institution named in the question limits the search to it, as the customer means it."""

from __future__ import annotations

from collections.abc import Iterable

_KINDS = ("저축은행", "은행", "증권", "카드", "보험", "생명", "화재", "캐피탈", "투자", "금융")
_TELLING_KINDS = ("저축은행", "증권")


def mentioned(question: str, banks: Iterable[str]) -> str | None:
    """The one institution whose name, or name without its kind ("은행", "증권" …), occurs; None for none or several.

    Names of fewer than two syllables without their kind are only recognised whole. Where no name occurs, a kind does
    that only one of several institutions is of ("증권 계좌"); a plain "은행" says nothing.
    """
    text = question.replace(" ", "")
    names = list(banks)
    found = {bank for bank in names if _short(bank) in text}
    if not found and len(names) > 1:
        kind = next((kind for kind in _TELLING_KINDS if kind in text), None)
        found = {bank for bank in names if kind and bank.replace(" ", "").endswith(kind)}
    return found.pop() if len(found) == 1 else None


def _short(bank: str) -> str:
    name = bank.replace(" ", "")
    for kind in _KINDS:
        if name.endswith(kind) and len(name) - len(kind) >= 2:
            return name[: -len(kind)]
    return name
