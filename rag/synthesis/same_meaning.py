"""Which words of a sentence do some passages hold: themselves, in most of their syllables, or in words of the same meaning?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from rag.korean import compact
from rag.synthesis.content_words import ContentWord

_SAME = tuple(
    tuple(compact(form) for form in line.split())
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)
"""The beginnings of words of one meaning."""
_COVERED_PAIRS = 0.66
"""Share of a noun's syllable pairs that a passage must hold: "사고신고접수" beside "사고신고를 접수"."""
_GENERIC_END = re.compile(
    r"([가-힣a-z]{2,})(?:제품|상품|비용|금액|고객|회원|계좌|통장|서류|절차|기관|회사|업무|내역|기간|기준|대상|신청|방법|수단|항목|서비스|혜택|당|별)$"
)
"""What names only the kind of the thing before it: "가전제품" beside "가전"; "도난당하다" beside "도난"."""


def _by_first() -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """The forms that begin with a syllable, each with its group: hundreds of them are looked up for each word of a sentence."""
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for forms in _SAME:
        for form in forms:
            found.setdefault(form[0], []).append((form, forms))
    return found


_BY_FIRST = _by_first()


@lru_cache(maxsize=4096)
def other_words(stem: str) -> tuple[str, ...]:
    """What else a word may be called, of two syllables at least: "공짜" gives "무상", "무료", "면제"."""
    groups = [
        forms
        for form, forms in _BY_FIRST.get(stem[:1], ())
        if stem == form or (len(form) > 1 and stem.startswith(form))
    ]
    return tuple(
        dict.fromkeys(form for forms in groups for form in forms if len(form) > 1 and not stem.startswith(form))
    )


def word_forms(stem: str) -> tuple[str, ...]:
    """A word, then its `other_words`."""
    return stem, *other_words(stem)


class PassageWords:
    """What some passages hold, prepared once for many sentences."""

    def __init__(self, passages: Iterable[str]) -> None:
        self._text = compact("\n".join(passages))
        # Over the text without spaces: "사고 신고" and "사고신고" have the same pairs.
        self._pairs = frozenset(map("".join, pairwise(self._text)))

    def holds(self, word: ContentWord) -> bool:
        """Whether the passages have the word, or one that means the same."""
        stem = compact(word.stem)
        if stem in self._text:
            return True
        pairs = list(map("".join, pairwise(stem)))
        if len(pairs) >= 2 and sum(pair in self._pairs for pair in pairs) / len(pairs) >= _COVERED_PAIRS:
            return True
        if (match := _GENERIC_END.match(stem)) and match[1] in self._text:
            return True
        # "대출금" beside "대출", "접수일" beside "접수".
        if len(stem) >= 3 and stem[-1] in "금액비료일자서증률율용형식권분건" and stem[:-1] in self._text:
            return True
        if any(
            self._begins(word, stem, form) and any(other in self._text for other in forms)
            for form, forms in _BY_FIRST.get(stem[:1], ())
        ):
            return True
        # A verb's own stem changes with its ending: its first syllable is what stays.
        return not word.is_noun and len(stem) >= 2 and stem[:2] in self._text

    def _begins(self, word: ContentWord, stem: str, form: str) -> bool:
        """Whether a word begins with a form and goes on with nothing that the passages lack: "우대금리" with "우대", "금리"."""
        if form == stem:
            return True
        # "가" is the stem of "가려면" and not the beginning of "가족".
        if not stem.startswith(form) or (word.is_noun and len(form) < 2):
            return False
        rest = stem[len(form) :]
        return not word.is_noun or len(rest) < 2 or rest in self._text
