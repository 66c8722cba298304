"""Which noun of a question stands where a row's question has another? "주말 영업시간" is not answered by "평일 영업시간".

No list holds all things that exclude each other. So both questions are aligned word by word: a noun that the row contains
nowhere, in the place of a noun that the customer does not mention, with the same words beside it, asks for something else.
A customer who means the same in other words rarely keeps the words around them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from rag.constraints.compounds import compound_words, is_same_member, tells_no_kind
from rag.constraints.everyday_values import values_of
from rag.korean import compact

_WORD = re.compile(r"[0-9A-Za-z가-힣·%]+")
_PARTICLE = re.compile(
    r"(?:에서는|에서도|에서의|에서|으로는|으로|이랑|이나|하고|까지|부터|에는|에도|이란|은|는|이|가|을|를|에|의|로|도|만|랑|과|와)$"
)
_ASKING_VALUE = re.compile(r"(?:언제|얼마|며칠|몇)")
"""Words that ask for a value: they stand for each other in comparing ("배당금 언제", "출자금은 언제")."""
_ASKING = re.compile(
    r"(?:어떻게|어떡해|어케|어디서|어디에서|어디|방법[은이을]?|무엇|뭐|뭔가|하나요|해요|되나요|돼요|돼|되나|있나요|있어요|알려"
    r"|주세요|줘요|인가요|수|하는|좀|제가|저|혹시|궁금|가능|필요|하려면|받으려면|때|경우|시|최대|건가요|거예요)"
    r"(?:인가요?|예요|에요|이에요|하나요|해요|한가요|까지|나|입니까|인지|죠)?$"
)
"""Words by which anything is asked: they say nothing of what it is asked of."""
_NOT_NOUN = re.compile(
    r"(?:려면|면|데|나요|어요|아요|해요|세요|까요|니까|으니|으며|지만|싶|(?<![신출입창금사광재경잔])고|[된한할될는을던었았했지게여야줘죠네어아때하되받기서인렇엇햇댐됨안못잘더덜또봐와려켜]|[한할된될는은던][거것건걸]|해도|아도|어도)$"
)
_STEM = re.compile(r"(?:[하되나오보주지리두르않있없싶먹쓰사팔내]|어가|들가|나가)$")
"""How a verb's stem ends before 는 or 은."""
_MOST_WORDS = 2
"""Words in the place of others; more is another way to say something."""
_ONE_AND_PARTICLE = 2
"""Syllables of "돈은": a noun of one syllable with its particle, too short to tell one thing from another."""
_LEAST_MISSPELT = 3
_SSANG_SIOS = 20
"""The number of ㅆ among the 28 finals of a syllable."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word without its particle, and whether it is a noun. `is_bare`: it has no particle."""

    text: str
    is_noun: bool
    is_bare: bool = False


def substituted_nouns(
    question: str, row_question: str, row_answer: str, *, synonyms: Callable[[str], str] = str
) -> list[tuple[str, str]]:
    """(asked, held) nouns where the question has another one than the row's question, in text order.

    `synonyms`: returns a word followed by its other names, separated by spaces; it is called for whole questions, too.
    """
    asked, held = question_words(question), question_words(row_question)
    if not asked or not held:
        return []
    row, known = compact(f"{row_question} {row_answer}"), compact(synonyms(question))
    own = compact(question)

    def is_absent(word: Word) -> bool:
        # A term that the question holds beside the word is no other name of it: 변경 of "전화번호 변경".
        names = [name for name in map(compact, synonyms(word.text).split()[1:]) if name not in own]
        return word.is_noun and not any(name in row for name in (compact(word.text), *names))

    pairs = []
    for start, end, row_start, row_end in _replaced(asked, held):
        ours, theirs = asked[start:end], held[row_start:row_end]
        others = [word for word in theirs if compact(word.text) not in known]
        # What is done, and not to what, may be said in other words, unless the words on both sides are the same.
        nouns = [word.text for word in others if word.is_noun or (start and row_start)]
        if len(ours) > _MOST_WORDS or len(theirs) > _MOST_WORDS + 1 or not nouns or not all(map(is_absent, ours)):
            continue
        if any(is_same_member(word.text, noun) or _is_misspelt(word.text, noun) for word in ours for noun in nouns):
            continue
        pairs.append((" ".join(word.text for word in ours), " ".join(nouns)))
    return pairs


def _replaced(asked: tuple[Word, ...], held: tuple[Word, ...]) -> Iterable[tuple[int, int, int, int]]:
    """Places (start, end, row's start, row's end) of words that stand for others, where a word that follows is the same."""
    names = _shared_names([word.text for word in (*asked, *held)])
    ours, theirs = names[: len(asked)], names[len(asked) :]
    if set(ours).isdisjoint(theirs):  # nothing follows that is the same
        return
    for tag, start, end, row_start, row_end in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        # What ends a question is what is to be done, for which customers have many words.
        if tag == "replace" and end < len(asked) and row_end < len(held):
            yield start, end, row_start, row_end


def _shared_names(words: list[str]) -> list[str]:
    """Each word's name for comparing: the first word that it begins with or that begins with it."""
    names: list[str] = []
    for word in words:
        same = (
            name for name in names if len(name) >= 2 <= len(word) and (name.startswith(word) or word.startswith(name))
        )
        names.append(next(same, word))
    return names


@lru_cache(maxsize=8192)
def question_words(text: str) -> tuple[Word, ...]:
    """The words of a question in order, without those by which anything is asked."""
    values = {part for value in values_of(text) for part in value.text.split()}
    found = []
    for written in _WORD.findall(text):
        if _ASKING_VALUE.match(written):
            found.append(Word("?", False))
            continue
        if _ASKING.match(written):
            continue
        match = _PARTICLE.search(written)
        word = written[: match.start()] if match and match.start() >= 2 else written
        particle = written[len(word) :]
        is_value = any(value in written for value in values) or any(c.isdigit() for c in word)
        is_short = len(word) == _ONE_AND_PARTICLE and word[-1] in "은는을를"
        is_noun = len(word) >= 2 and not is_short and not is_value and _is_noun(word, particle)
        found.append(Word(word, is_noun, match is None))
    return tuple(found)


def _is_misspelt(word: str, other: str) -> bool:
    """Whether two words of the same length, three syllables or more, differ in one letter of one syllable."""
    if len(word) != len(other) or len(word) < _LEAST_MISSPELT:
        return False
    letters, others = (unicodedata.normalize("NFD", text) for text in (word, other))
    return len(letters) == len(others) and sum(a != b for a, b in zip(letters, others, strict=True)) == 1


def _is_noun(word: str, particle: str) -> bool:
    words = compound_words()
    if word in words["nouns"]:
        return True
    if tells_no_kind(word) or word in words["no_heads"]:
        return False
    # A past stem ends in ㅆ ("당했").
    if (ord(word[-1]) - ord("가")) % 28 == _SSANG_SIOS or (
        particle in ("은", "는", "이", "가", "") and _STEM.search(word)
    ):
        return False
    return particle in ("을", "를", "의") or not _NOT_NOUN.search(word)
