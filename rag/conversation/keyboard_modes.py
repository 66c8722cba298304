"""Converts messages that were typed in the wrong keyboard mode: "dhxlvl 분실" to "오티피 분실", "ㅊㅁㄱㅇ" to "card".

The keys are those of the two-set layout (KS X 5002). Latin words are converted to Hangul only if one of them becomes a word of
banking, of a question or of a greeting, because words like "with" give syllables, too. Hangul is converted to Latin letters only
if it contains single letters and becomes a word of the data files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

from rag.constraints.aspects import ASPECT_OF
from rag.constraints.contrasts import OPEN, default_contrasts, mentions_of
from rag.conversation.word_rules import match_decline_rule, says
from rag.korean import FINALS, INITIALS, VOWELS, compose, decompose, normalise
from rag.retrieval.query_analysis import GLOSSARY, bundled_lexicon, expand

_LETTERS = [chr(code) for code in range(ord("ㄱ"), ord("ㅣ") + 1)]
_KEYS = (
    "r R rt s sw sg e E f fr fa fq ft fx fv fg a q Q qt t T d w W c z x v g"
    " k o i O j p u P h hk ho hl y n nj np nl b m ml l"
)
KEYS_OF = dict(zip(_LETTERS, _KEYS.split(), strict=True))
"""The keys of each letter from ㄱ to ㅣ."""
_LETTER_OF = {keys: letter for letter, keys in KEYS_OF.items()}
MIN_SYLLABLES = 2
"""Syllables of the known word, at least: many short English words give one syllable."""
MAY_BE_MISTYPED = re.compile(r"[A-Za-z]{4}|[ㄱ-ㅎㅏ-ㅣ]")
"""Matches every message that `in_the_other_mode` changes: a fast first check."""


def _keys_of_any(letters: Iterable[str]) -> str:
    return "|".join(sorted((KEYS_OF[letter] for letter in letters if letter), key=len, reverse=True))


# As in an input method, a consonant before a vowel begins a new syllable.
_SYLLABLE = re.compile(
    rf"({_keys_of_any(INITIALS)})({_keys_of_any(VOWELS)})((?:{_keys_of_any(FINALS)})?)(?![hjklmnpuyiobOP])"
)
_LATIN_RUN = re.compile(r"[A-Za-z]+")
_HANGUL_RUN = re.compile(r"[가-힣]*[ㄱ-ㅎㅏ-ㅣ][가-힣ㄱ-ㅎㅏ-ㅣ]*")
_ALONE = re.compile(r"[ㄱ-ㅎㅏ-ㅣ]")
_ALONE_VOWEL = re.compile(r"[ㅏ-ㅣ]")


@lru_cache(maxsize=256)
def in_the_other_mode(message: str) -> str:
    """The message with words of the wrong keyboard mode converted."""
    message = _HANGUL_RUN.sub(lambda run: _in_latin(run[0]), message)
    meant = {word: hangul for word in _LATIN_RUN.findall(message) if (hangul := _in_hangul(word))}
    if not any(len(hangul) >= MIN_SYLLABLES and _is_known(hangul) for hangul in meant.values()):
        return message
    return _LATIN_RUN.sub(lambda run: meant.get(run[0], run[0]), message)


def _in_hangul(word: str) -> str:
    """The syllables that the keys of a Latin word give; empty if keys are left over or it is a word of the data files."""
    if word.lower() in _latin_words():
        return ""
    # With caps lock, the shift key gives small letters.
    keys = word.swapcase() if word.isupper() and len(word) > 1 else word
    keys = re.sub("[^QWERTOP]", lambda key: key[0].lower(), keys)
    syllables = _SYLLABLE.sub(lambda typed: compose(*(_LETTER_OF.get(part, "") for part in typed.groups())), keys)
    return "" if re.search("[A-Za-z]", syllables) else syllables


def _is_known(word: str) -> bool:
    if word in ASPECT_OF or mentions_of(word) or OPEN.search(word) or expand(word) != word:
        return True
    if says(word, "banking word", "back reference", "asks on"):
        return True
    rule = match_decline_rule(word)
    return rule is not None and rule.yields_to == "nothing"


def _in_latin(run: str) -> str:
    """Hangul with its longest part converted that contains a single letter and whose keys are a known word."""
    keys = ["".join(KEYS_OF[letter] for letter in decompose(character) if letter).lower() for character in run]
    # A character has a key at least, so longer parts are no word: a message may be a thousand letters ("ㅋㅋㅋ…").
    for size in range(min(len(run), _longest_latin()), 0, -1):
        for start in range(len(run) - size + 1):
            end = start + size
            part, word = run[start:end], "".join(keys[start:end])
            # Two consonants are usually an abbreviation: "ㅂㄱ" for "반가워".
            is_word = word in _latin_words() and (len(word) > 2 or (len(word) == 2 and _ALONE_VOWEL.search(part)))
            if is_word and _ALONE.search(part):
                return f"{run[:start]}{word}{run[end:]}"
    return run


@cache
def _longest_latin() -> int:
    return max(map(len, _latin_words()))


@cache
def _latin_words() -> frozenset[str]:
    """The words in Latin letters in the glossary, the lexicon and the contrast sets."""
    sets = default_contrasts().sets.values()
    written = [form for each in sets for forms in each.members.values() for form in forms]
    written += [word for entry in bundled_lexicon() for word in (*entry.stems, *entry.terms)]
    words = [*map(normalise, written), *(word for phrase in GLOSSARY for word in phrase.split())]
    return frozenset(word for word in words if word.isascii() and word.isalpha())
