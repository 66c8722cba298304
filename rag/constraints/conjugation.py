"""The forms of a Korean verb, made from its dictionary form by the rules of conjugation. Pure functions.

Covers regular verbs, verbs whose stem ends in ㄹ, ㅡ or 르, and 하다. Not the irregular classes ㅂ, ㄷ, ㅅ and ㅎ.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rag.korean import compose, decompose

_BRIGHT_VOWELS = ("ㅏ", "ㅗ")
"""Vowels of a stem that take 아; all others take 어."""
_CONTRACTED = {
    "ㅏ": "ㅏ",
    "ㅐ": "ㅐ",
    "ㅓ": "ㅓ",
    "ㅔ": "ㅔ",
    "ㅕ": "ㅕ",
    "ㅗ": "ㅘ",
    "ㅚ": "ㅙ",
    "ㅜ": "ㅝ",
    "ㅣ": "ㅕ",
}
"""The last vowel of a stem without a final consonant, and what it becomes together with 아 or 어."""


class VerbForms(NamedTuple):
    """The stem of a verb as it stands before each kind of ending, here for 풀다."""

    stem: str
    """Before 고, 기, 게: 풀."""
    present: str
    """Before 는: 푸."""
    intention: str
    """Before 려, 면: 풀."""
    future: str
    """With ㄹ or 을: 풀."""
    modifier: str
    """With ㄴ or 은: 푼."""
    connective: str
    """With 아 or 어: 풀어."""
    past: str
    """With 았 or 었: 풀었."""


@lru_cache(maxsize=1024)
def conjugate(verb: str) -> VerbForms:
    """The forms of a verb, given in dictionary form in Hangul ("풀다")."""
    stem = verb.removesuffix("다")
    before, (initial, vowel, final) = stem[:-1], decompose(stem[-1])
    connective = _connective(stem)
    past = connective[:-1] + compose(*decompose(connective[-1])[:2], "ㅆ")
    if final not in ("", "ㄹ"):
        return VerbForms(stem, stem, stem + "으", stem + "을", stem + "은", connective, past)
    return VerbForms(
        stem,
        present=before + compose(initial, vowel),
        intention=stem,
        future=before + compose(initial, vowel, "ㄹ"),
        modifier=before + compose(initial, vowel, "ㄴ"),
        connective=connective,
        past=past,
    )


def _connective(stem: str) -> str:
    """The stem with 아 or 어, contracted where both vowels merge: 꺼 of 끄다, 물러 of 무르다, 낮춰 of 낮추다."""
    before, (initial, vowel, final) = stem[:-1], decompose(stem[-1])
    if stem.endswith("하"):
        return before + "해"
    if vowel == "ㅡ" and not final:
        # The vowel is lost, so that of the syllable before decides; 르 also doubles its ㄹ.
        is_bright = bool(before) and decompose(before[-1])[1] in _BRIGHT_VOWELS
        if stem.endswith("르") and before:
            return before[:-1] + compose(*decompose(before[-1])[:2], "ㄹ") + ("라" if is_bright else "러")
        return before + compose(initial, "ㅏ" if is_bright else "ㅓ")
    if not final and vowel in _CONTRACTED:
        return before + compose(initial, _CONTRACTED[vowel])
    return stem + ("아" if vowel in _BRIGHT_VOWELS else "어")
