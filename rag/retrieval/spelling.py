"""Corrects misspelled words of a question by the words of the rows that a first search returned. Pure functions.

Customers spell by sound ("헤지", "결재일", "수익쟈") and hit wrong keys ("보헙료"). Jamo n-grams still find the row, but its
match by words is lost, and much of that by vectors, because the tokenizer splits such a word differently. So the rows are the
dictionary: a word that none of them contains is replaced by one of theirs that sounds the same or differs by one key.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from rag.korean import decompose, normalise

_QUESTION_END = re.compile(r"(?:나요|니까|까요)$")
_HANGUL_RUN = re.compile(r"[가-힣]+")
_NO_FINAL = "_"
# Letters that sound alike, finals as before a consonant. Not ㅘ and ㅏ, which distinguish 상환 and 상한.
_INITIAL_SOUNDS = str.maketrans("ㄲㄸㅃㅆㅉ", "ㄱㄷㅂㅅㅈ")
_VOWEL_SOUNDS = str.maketrans("ㅐㅒㅖㅙㅞㅝㅢ", "ㅔㅔㅔㅚㅚㅓㅣ")
_VOWEL_SOUNDS_AFTER_J = str.maketrans("ㅑㅕㅛㅠ", "ㅏㅓㅗㅜ")
_FINAL_SOUNDS = str.maketrans("ㄲㅋㄳㄺㅅㅆㅈㅊㅌㅎㅍㅄㄿㄵㄶㄻㄼㄽㄾㅀ", "ㄱㄱㄱㄱㄷㄷㄷㄷㄷㄷㅂㅂㅂㄴㄴㅁㄹㄹㄹㄹ")
_KEYS = ("ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ", "ㅁㄴㅇㄹㅎㅗㅓㅏㅣ", "ㅋㅌㅊㅍㅠㅜㅡ")
_SLIPS = {("ㅘ", "ㅏ"), ("ㅚ", "ㅗ"), ("ㅟ", "ㅜ"), ("ㅛ", "ㅠ"), ("ㅗ", "ㅜ")}
"""Further pairs of letters that are easily confused: a missing key, or the same sign turned."""
LONG = 3
"""Syllables of a word that may differ by one key, at least: with two it may be another word (연금, 현금)."""
_ENDINGS = frozenset("은는이가을를의에로도와과만며면고서나라인일된될할한해하되지됩집")
"""Last syllables of nouns with a particle: "카드가" is no correction of "카드사"."""


def respelled(text: str, words: Iterable[str], rows: Sequence[str], known: Collection[str] = ()) -> str:
    """The text with those of its `words` corrected that are misspellings of words in the texts of `rows`.

    `known`: words that exist, which are corrected only if they sound the same.
    """
    rows = [normalise(row) for row in rows]
    for word in dict.fromkeys(words):
        is_noun = _HANGUL_RUN.fullmatch(word) and len(word) > 1 and not _QUESTION_END.search(word)
        if not is_noun or any(word in row for row in rows):
            continue
        if correction := _correction(word, rows, by_key=len(word) >= LONG and word not in known):
            text = text.replace(word, correction)
    return text


def _correction(word: str, rows: Iterable[str], *, by_key: bool) -> str:
    """The beginning of a word in the rows that sounds like this one, or, if `by_key`, differs by one key; else empty."""
    sound, starts = _sound(word), [_beginnings(row, len(word)) for row in rows]
    found = [start for by_sound in starts for start in by_sound.get(sound, ())]
    if by_key:
        near = (written for by_sound in starts for other, written in by_sound.items() if _differ_by_key(sound, other))
        found += [start for written in near for start in written]
    return next((start for start in found if start[-1] == word[-1] or start[-1] not in _ENDINGS), "")


def _differ_by_key(one: str, other: str) -> bool:
    letters = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
    return len(letters) == 1 and is_slip(*letters[0])


@lru_cache(maxsize=8192)
def _beginnings(text: str, size: int) -> Mapping[str, Sequence[str]]:
    """The first `size` syllables of each word of a text that has so many, by their sound."""
    by_sound: dict[str, list[str]] = {}
    for start in dict.fromkeys(run[:size] for run in _HANGUL_RUN.findall(text) if len(run) >= size):
        by_sound.setdefault(_sound(start), []).append(start)
    return by_sound


@lru_cache(maxsize=65536)
def _sound(word: str) -> str:
    """Three letters for each syllable, which are the same for syllables that sound alike."""
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
    """Whether one letter may have been typed for the other: a neighbouring key, a missing or additional final."""
    if _NO_FINAL in (one, other) or (one, other) in _SLIPS or (other, one) in _SLIPS:
        return True
    places = [(row, keys.index(letter)) for letter in (one, other) for row, keys in enumerate(_KEYS) if letter in keys]
    if len(places) < 2:
        return False
    (row, column), (other_row, other_column) = places
    return abs(row - other_row) <= 1 and abs(column - other_column) <= 1
