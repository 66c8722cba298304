"""Does a row hold a word, another name of the same thing, or the two parts of the name apart from each other?

The other names are passed in, because the lexicon (`rag.retrieval.query_analysis.expand`) is above this package. Rows and names
are compared without spaces (`rag.korean.compact`), parts in the text as it is: customers write "실손 중지" where a row has
"실손보험료 납입을 중지할 수 있나요", and "이륜차보험" where it has "이륜차(오토바이) 보험". Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from rag.korean import compact

Synonyms = Callable[[str], str]
"""Returns a word followed by its other names, separated by spaces; `str` knows none."""
LONG_NAME = 4
"""Characters of another name of a word, at least, for it to identify the thing ("일회용비밀번호" for "otp"). Shorter ones
("발급" for "서류") occur in rows on other things, too."""
_PARTICLE = re.compile(r"(?<=[가-힣]{2})(?:에서|으로|[을를은는이가에의로도])$")
_GAP = 14
"""Characters between the parts, at most. No sentence ends there, and a particle, a space or the rest of a word stands there."""
_LIST = r"(?:[·/,、(][가-힣A-Za-z·/,、)]{1,20}\s?)"
"""The rest of a list between the first part and what all its items share: "풍수해·지진재해보험", "이륜차(오토바이) 보험"."""
_SHORTEST = 2
_BETWEEN = rf"[^.!?\n]{{1,{_GAP}}}?(?<![가-힣A-Za-z])"


def other_names(word: str, synonyms: Synonyms) -> list[str]:
    """The other names of a word, compact."""
    return [compact(name) for name in synonyms(word).split()[1:]]


def holds_name(row: str, word: str, synonyms: Synonyms) -> bool:
    """Whether a compact row holds the word or another name of it."""
    return any(compact(name) in row for name in synonyms(word).split())


def holds_other_name(row: str, word: str, synonyms: Synonyms) -> bool:
    """Whether a compact row holds another name of the word."""
    return any(name in row for name in other_names(word, synonyms))


@lru_cache(maxsize=4096)
def is_written_apart(name: str, text: str, *, in_any_order: bool = True) -> bool:
    """Whether a text holds both parts of a name in one sentence, in either order or in that of the name alone.

    The later part begins a word, so that another word before it makes it another thing ("판매되는 펀드의 환매수수료" is no
    판매수수료), or ends the word that the first part begins ("주금납입보관증명서" is a 납입증명).
    """
    return any(
        _apart(*parts).search(text) or (in_any_order and _reversed(*parts).search(text))
        for parts in _parts_within(name, text)
    )


@lru_cache(maxsize=4096)
def is_in_a_list(name: str, text: str) -> bool:
    """Whether a text names a thing in a list of its kinds: 풍수해보험 in "풍수해·지진재해보험"."""
    return any(
        re.search(f"{re.escape(first)}{_LIST}{re.escape(last)}", text) for first, last in _parts_within(name, text)
    )


def _parts_within(name: str, text: str) -> Iterator[tuple[str, str]]:
    """The `_parts` of which a text holds both: a pattern is compiled for these alone."""
    return ((first, last) for first, last in _parts(name) if first in text and last in text)


def _parts(name: str) -> Iterator[tuple[str, str]]:
    """The ways to read a name as two parts: at its space, or else anywhere."""
    words = name.split()
    if len(words) == 1:
        yield from ((name[:place], name[place:]) for place in range(_SHORTEST, len(name) - _SHORTEST + 1))
    elif len(words) == 2 and len(words[1]) >= _SHORTEST:
        first = _PARTICLE.sub("", words[0])
        if len(first) >= _SHORTEST:
            yield first, words[1]


@lru_cache(maxsize=4096)
def _apart(first: str, last: str) -> re.Pattern[str]:
    one, other = re.escape(first), re.escape(last)
    return re.compile(rf"{one}{_BETWEEN}{other}|{one}[가-힣·/()]{{1,5}}{other}")


@lru_cache(maxsize=4096)
def _reversed(first: str, last: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![가-힣A-Za-z]){re.escape(last)}{_BETWEEN}{re.escape(first)}")
