"""Does a row hold a word, or another name of the same thing?

The other names are passed in, because the lexicon (`rag.retrieval.query_analysis.expand`) is above this package. Rows and names
are compared without spaces (`rag.korean.compact`). Pure.
"""

from __future__ import annotations

from collections.abc import Callable

from rag.korean import compact

Synonyms = Callable[[str], str]
"""Returns a word followed by its other names, separated by spaces; `str` knows none."""
LONG_NAME = 4
"""Characters of another name of a word, at least, for it to identify the thing ("일회용비밀번호" for "otp"). Shorter ones
("발급" for "서류") occur in rows on other things, too."""


def other_names(word: str, synonyms: Synonyms) -> list[str]:
    """The other names of a word, compact."""
    return [compact(name) for name in synonyms(word).split()[1:]]


def holds_name(row: str, word: str, synonyms: Synonyms) -> bool:
    """Whether a compact row holds the word or another name of it."""
    return any(compact(name) in row for name in synonyms(word).split())


def holds_other_name(row: str, word: str, synonyms: Synonyms) -> bool:
    """Whether a compact row holds another name of the word."""
    return any(name in row for name in other_names(word, synonyms))
