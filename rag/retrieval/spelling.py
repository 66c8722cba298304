"""A question's misspelled words as the rows found spell them. Pure.

Customers type by ear ("헤지", "결재일", "수익쟈") and slip on a key ("보헙료"). The jamo n-grams find the row all the same, but
its match by words is lost, and much of that by vectors: an embedding cuts such a word into other pieces. So the rows that a
first search found are the dictionary: a word that none of them holds, but one of them holds by its sound or but for one
key, is read as that one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from rag.korean import decompose, normalise

_QUESTION_END = re.compile(r"(?:나요|니까|까요)$")
_HANGUL_RUN = re.compile(r"[가-힣]+")
_NO_FINAL = "_"
# As they sound; a final as before a consonant. Not ㅘ as ㅏ: 상한 is not 상환.
_INITIAL_SOUNDS = str.maketrans("ㄲㄸㅃㅆㅉ", "ㄱㄷㅂㅅㅈ")
_VOWEL_SOUNDS = str.maketrans("ㅐㅒㅖㅙㅞㅝㅢ", "ㅔㅔㅔㅚㅚㅓㅣ")
_VOWEL_SOUNDS_AFTER_J = str.maketrans("ㅑㅕㅛㅠ", "ㅏㅓㅗㅜ")
_FINAL_SOUNDS = str.maketrans("ㄲㅋㄳㄺㅅㅆㅈㅊㅌㅎㅍㅄㄿㄵㄶㄻㄼㄽㄾㅀ", "ㄱㄱㄱㄱㄷㄷㄷㄷㄷㄷㅂㅂㅂㄴㄴㅁㄹㄹㄹㄹ")
_KEYS = ("ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ", "ㅁㄴㅇㄹㅎㅗㅓㅏㅣ", "ㅋㅌㅊㅍㅠㅜㅡ")
_SLIPS = {("ㅘ", "ㅏ"), ("ㅚ", "ㅗ"), ("ㅟ", "ㅜ"), ("ㅛ", "ㅠ"), ("ㅗ", "ㅜ")}
"""Other letters that are easily taken for each other: a key left out, a sign turned round."""
LONG = 3
"""Syllables from which on a word may differ by one key; of two syllables it would be another word (연금, 현금)."""
_ENDINGS = frozenset("은는이가을를의에로도와과만며면고서나라인일된될할한해하되지됩집")
"""Last syllables of what is no noun alone: "카드가" is not what "카드사" was meant to be."""


def respelled(text: str, words: Iterable[str], found: Sequence[str], known: Collection[str] = ()) -> str:
    """The text with those of its `words` respelled that are misspelled ones of the texts `found`; itself where there are none.

    `known`: words of which another key makes another word.
    """
    held = [normalise(each) for each in found]
    for word in dict.fromkeys(words):
        is_noun = _HANGUL_RUN.fullmatch(word) and len(word) > 1 and not _QUESTION_END.search(word)
        if not is_noun or any(word in each for each in held):
            continue
        if right := _meant(word, held, by_key=len(word) >= LONG and word not in known):
            text = text.replace(word, right)
    return text


def _meant(word: str, held: Iterable[str], *, by_key: bool) -> str:
    """The beginning of a word held that sounds like this one, or that differs `by_key`; empty where there is none."""
    starts = [start for each in held for start in _beginnings(each, len(word))]
    starts = [start for start in starts if start[-1] == word[-1] or start[-1] not in _ENDINGS]
    sound = _sound(word)
    if same := next((start for start in starts if _sound(start) == sound), ""):
        return same
    for start in starts if by_key else ():
        letters = [pair for pair in zip(sound, _sound(start), strict=True) if pair[0] != pair[1]]
        if len(letters) == 1 and is_slip(*letters[0]):
            return start
    return ""


@lru_cache(maxsize=8192)
def _beginnings(text: str, size: int) -> tuple[str, ...]:
    """The first syllables, so many, of the words of a text."""
    return tuple(dict.fromkeys(run[:size] for run in _HANGUL_RUN.findall(text) if len(run) >= size))


@lru_cache(maxsize=65536)
def _sound(word: str) -> str:
    """Three letters for each syllable; the same ones for those that sound alike."""
    sounds = []
    for syllable in word:
        initial, vowel, final = decompose(syllable)
        initial = initial.translate(_INITIAL_SOUNDS)
        vowel = vowel.translate(_VOWEL_SOUNDS)
        vowel = vowel.translate(_VOWEL_SOUNDS_AFTER_J) if initial in "ㅈㅊ" else vowel
        sounds.append(initial + vowel + (final.translate(_FINAL_SOUNDS) or _NO_FINAL))
    return "".join(sounds)


@lru_cache(maxsize=1024)
def is_slip(one: str, other: str) -> bool:
    """Whether a finger typed one letter for the other: a key beside it, or a final too many or too few."""
    if _NO_FINAL in (one, other) or (one, other) in _SLIPS or (other, one) in _SLIPS:
        return True
    places = [(row, keys.index(letter)) for letter in (one, other) for row, keys in enumerate(_KEYS) if letter in keys]
    if len(places) < 2:
        return False
    (row, column), (other_row, other_column) = places
    return abs(row - other_row) <= 1 and abs(column - other_column) <= 1
