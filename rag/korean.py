"""The one analyzer: Korean text to tokens, jamo n-grams and sentences. Pure functions, no models.

Both stores index these tokens as they are, so lexical search means the same in process and on a server without plugins.
Changing what a function here returns changes ANALYZER, and with it every index must be built again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

ANALYZER = "syllable2-jamo3to5/1"
MAX_QUERY_TOKENS = 900
"""Below OpenSearch's limit of 1,024 clauses, the same on both stores."""

_RUN = re.compile(r"[가-힣ㄱ-ㅎㅏ-ㅣ]+|[a-z]+|[0-9]+")
# A full stop counts only before white space: "3.5%" and "2026.03.01" hold none. Rows end sentences with a line break alone,
# too.
_SENTENCE_END = re.compile(r"(?<=[.!?。])(?=\s)|(?<=[다요죠까])(?=\n)|\n+")
_LABEL = re.compile(r"\[[^\[\]]*\]")
_HANGUL = re.compile(r"[가-힣ㄱ-ㅎㅏ-ㅣ]")


def normalise(text: str) -> str:
    """NFKC, lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def text_length(text: str) -> int:
    """Characters of the text in NFKC: a syllable typed as three letters counts once, a sign that stands for words as those."""
    return len(unicodedata.normalize("NFKC", text))


def compact(text: str) -> str:
    """Normalised, without white space."""
    return "".join(normalise(text).split())


def tokens(text: str) -> list[str]:
    """Syllable bigrams of Hangul runs, whole Latin and digit runs; a lone syllable stays as it is. In text order."""
    pieces: list[str] = []
    for run in _RUN.findall(normalise(text)):
        if len(run) > 1 and _HANGUL.match(run):
            pieces.extend(map("".join, pairwise(run)))
        else:
            pieces.append(run)
    return pieces


def jamo_ngrams(text: str) -> list[str]:
    """3- to 5-grams over decomposed Hangul, spaces dropped: close for typos and missing spaces. In text order."""
    # A slip of a finger changes one jamo: some n-grams of the word stay, where both its syllable bigrams are gone.
    jamo = unicodedata.normalize("NFKD", "".join(_RUN.findall(normalise(text))))
    return [jamo[i : i + n] for n in (3, 4, 5) for i in range(len(jamo) - n + 1)]


def query_terms(terms: list[str]) -> list[str]:
    """Distinct terms in order of first appearance, capped at MAX_QUERY_TOKENS: what a store searches for."""
    return list(dict.fromkeys(terms))[:MAX_QUERY_TOKENS]


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) offsets of sentences; joined, the slices are `text` itself."""
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.end() > start:
            yield start, match.end()
            start = match.end()
    if start < len(text):
        yield start, len(text)


def answering_sentence(question: str, text: str, *, ignored: str = "") -> tuple[int, int]:
    """Where the sentence of the text stands that shares most with the question; of equals the first.

    `ignored`: words that say nothing of what is asked, such as the institution's name. A label alone ("[재발급]") is no
    sentence, and a list's marker no part of one.
    """
    asked = set(tokens(question)) - set(tokens(ignored))
    spans = []
    for start, end in sentences(text):
        sentence = text[start:end].strip().lstrip("-*•·※ ")
        if sentence and not _LABEL.fullmatch(sentence):
            begin = text.index(sentence, start)
            spans.append((begin, begin + len(sentence)))
    if not spans:
        return 0, len(text)
    # By the share of the question's own words: a long sentence does not win by its length.
    return max(spans, key=lambda span: len(asked & set(tokens(text[span[0] : span[1]]))))
