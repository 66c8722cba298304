"""Does a row say how to do what a customer wants done, in an everyday verb? "자동매수 잠깐 멈추려면" beside a row on ending it.

No list of pairs: the verb of a wish ("…려면", "…고 싶어요", "… 주세요", "…는 법") must stand in the row, or one of the words by
which a bank says the same (wanted_verbs.tsv). The forms of a verb are made from its dictionary form by the rules of conjugation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import compress
from pathlib import Path

from rag.korean import compact

_FIRST, _VOWELS, _CODAS = 0xAC00, 21, 28
_A, _AE, _EO, _E, _YEO, _O, _WA, _WAE, _OE, _U, _WO, _EU, _I = 0, 1, 4, 5, 6, 8, 9, 10, 11, 13, 14, 18, 20
_N, _L, _SS = 4, 8, 20
"""Codas: ㄴ, ㄹ, ㅆ."""
_CONTRACTED = {_A: _A, _AE: _AE, _EO: _EO, _E: _E, _YEO: _YEO, _O: _WA, _OE: _WAE, _U: _WO, _I: _YEO}
"""A stem's last vowel with the 아/어 that follows it."""
_BRIGHT = (_A, _O)


def _parts(syllable: str) -> tuple[int, int, int]:
    """(first consonant, vowel, coda) of a syllable, as indices of Unicode's order; coda 0 for none."""
    code = ord(syllable) - _FIRST
    return code // (_VOWELS * _CODAS), code // _CODAS % _VOWELS, code % _CODAS


def _syllable(first: int, vowel: int, coda: int = 0) -> str:
    return chr(_FIRST + (first * _VOWELS + vowel) * _CODAS + coda)


@lru_cache(maxsize=1024)
def conjugated(verb: str) -> tuple[str, str, str, str]:
    """A verb's stem before 고, before 는, with ㄹ (을) and with 아 or 어: ("풀", "푸", "풀", "풀어") of 풀다.

    `verb`: its dictionary form, in Hangul; regular verbs, those in ㄹ, ㅡ and 르, and 하다.
    """
    stem = verb.removesuffix("다")
    before, last = stem[:-1], stem[-1]
    first, vowel, coda = _parts(last)
    is_bright = vowel in _BRIGHT
    if coda == _L:
        return stem, before + _syllable(first, vowel), stem, stem + ("아" if is_bright else "어")
    if coda:
        return stem, stem, stem + "을", stem + ("아" if is_bright else "어")
    with_l = before + _syllable(first, vowel, _L)
    if last == "하":
        return stem, stem, with_l, before + "해"
    if vowel == _EU:
        is_bright = bool(before) and _parts(before[-1])[1] in _BRIGHT
        if last == "르" and before:
            doubled = before[:-1] + _syllable(*_parts(before[-1])[:2], _L)
            return stem, stem, with_l, doubled + ("라" if is_bright else "러")
        return stem, stem, with_l, before + _syllable(first, _A if is_bright else _EO)
    if vowel in _CONTRACTED:
        return stem, stem, with_l, before + _syllable(first, _CONTRACTED[vowel])
    return stem, stem, with_l, stem + "어"


def _intended(stem: str) -> str:
    """A stem before 려 and 면: "끊으"."""
    return stem if _parts(stem[-1])[2] in (0, _L) else stem + "으"


def _wish(verb: str) -> str:
    """A pattern of the forms by which a wish ends in a verb."""
    stem, present, future, linked = conjugated(verb)
    intended = _intended(stem)
    return "|".join(
        (
            rf"{stem}고\s?(?:싶|자\s?하)",
            rf"{stem}기(?=\s|$|[?.!])(?!\s?(?:전|때문|위))",
            rf"{stem}게\s?(?:해|하려)",
            rf"{present}는\s?(?:법|방법|메뉴|거\s?(?:어떻|어디|어케|되|돼))",
            rf"{intended}려(?:면|고\s?(?:하|해|합|요|$)|는데|구)",
            rf"{future}\s?(?:수\s?있|래요?|게요?(?=\s|$)|방법)",
            rf"{linked}\s?(?:(?:두|놓|버리)(?:고\s?싶|려면|는\s?(?:법|방법))|주세|주실|주라|줘|달라|야\s?(?:돼|되|해)(?!나)|도\s?[돼되])",
        )
    )


MAY_WANT = re.compile(
    r"싶|고\s?자|려[면고는구]|기(?=\s|$|[?.!])|게\s?(?:해|하)|는\s?(?:법|방법|메뉴|거)|(?<!할)(?<!할\s)수\s?있|래|게요?(?=\s|$)"
    r"|[ㄱ-힣]\s?방법|주세|주실|주라|줘|달라|야\s?[돼되해]|도\s?[돼되]"
)
"""Stands in every question that wants something done in a verb of wanted_verbs.tsv."""
_REST = 8
"""Characters that may follow the wish that ends a question."""
_VALUE = re.compile(
    r"\d|만\s?원|얼[마만]|언제|몇|며칠|한도|수수료|이율|이자|금리|서류|자격|조건|기준|대상|횟수|혜택|차이|종류|이유|왜|뭐가|무엇이"
    r"|세율|세금|시간|기간|기한"
)
_HOW = re.compile(r"어떻게 (?:하|해|신청|받|등록|변경|이용)|방법|절차|려면|수 있|[을를] 신청|신청은|할 수|가능")


@cache
def wanted_words() -> Mapping[str, tuple[str, ...]]:
    """By verb, the words by which a row may say the same."""
    lines = Path(__file__).with_name("wanted_verbs.tsv").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and line[0] != "#")
    return {verb: tuple(words.split()) for verb, words in pairs}


@cache
def _wishes() -> re.Pattern[str]:
    # The longest first: 앞당기다 is no 당기다.
    verbs = sorted(wanted_words(), key=lambda verb: -len(verb))
    return re.compile(
        rf"(?:(?<![가-힣])|(?<=[을를은는이가도만]))(?:{'|'.join(f'(?P<{verb}>{_wish(verb)})' for verb in verbs)})"
    )


@lru_cache(maxsize=1024)
def wanted(question: str) -> tuple[str, ...]:
    """The everyday verbs in which a question wants something done, in dictionary form and text order.

    Of a question that asks for a value only its end counts: "현금으로 바꿀래 최소 몇점" and "옮기려면 수수료 얼마" ask how much.
    """
    matches = [match for match in _wishes().finditer(question) if match.lastgroup]
    if _VALUE.search(question):
        rests = [question[match.end() :] for match in matches]
        ends = (len(rest) <= _REST and not _VALUE.search(rest) for rest in rests)
        matches = list(compress(matches, ends))
    return tuple(str(match.lastgroup) for match in matches)


def lacks_wanted(question: str, row_question: str, steps: str) -> bool:
    """Whether a question wants something done and a row says it neither in one of the question's verbs nor in other words.

    `steps`: the part of the row's answer that says what to do. A row that asks for a value ("횟수는 어떻게 되나요") is on doing
    no more than its question says, unless a value is asked for.
    """
    if not (verbs := wanted(question)):
        return False
    states_value = _VALUE.search(row_question) and not (_HOW.search(row_question) or _VALUE.search(question))
    row = compact(row_question if states_value else f"{row_question} {steps}")
    return not any(word in row for verb in verbs for word in wanted_words()[verb])


def _any_form(verb: str) -> str:
    """A pattern of all forms of a verb, from the beginning of a word."""
    stem, present, future, linked = conjugated(verb)
    first, vowel, coda = _parts(linked[-1])
    past = linked[:-1] + _syllable(first, vowel, _SS)
    first, vowel, coda = _parts(stem[-1])
    done = stem + "은" if coda not in (0, _L) else stem[:-1] + _syllable(first, vowel, _N)
    return (
        rf"(?<![가-힣])(?:{stem}(?:고\s?싶|기(?=\s|$|[?.])|게\s?(?:해|하)|자마자)|{present}는|{_intended(stem)}(?:려|면)"
        rf"|{future}\s?(?:수|때|땐|래|게요?(?=\s|$)|까|경우)|{linked}(?:주|줘|달|서(?=\s)|야|도|두|둘|놓|놨|버리|지)|{past}|{done}(?=\s|거|것|걸|뒤|후|지|줄))"
    )


@cache
def _opposites() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    lines = Path(__file__).with_name("opposite_verbs.tsv").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and line[0] != "#")
    return tuple((_side(one), _side(other)) for one, other in pairs)


def _side(words: str) -> re.Pattern[str]:
    return re.compile("|".join(_any_form(word) if word.endswith("다") else word for word in words.split()))


@lru_cache(maxsize=4096)
def _sides(text: str) -> frozenset[tuple[int, bool]]:
    """(pair, side) of what a text names of the pairs of opposite_verbs.tsv."""
    return frozenset(
        (pair, bool(side))
        for pair, sides in enumerate(_opposites())
        for side, pattern in enumerate(sides)
        if pattern.search(text)
    )


def is_opposite(question: str, row_question: str, row_answer: str) -> bool:
    """Whether a row asks about what turns round what a question is about, of which it names nothing: 켜다 beside "끄는 법"."""
    if not (asked := _sides(question)):
        return False
    own = _sides(row_question)
    return any(
        (pair, not side) not in asked and (pair, not side) in own and (pair, side) not in own | _sides(row_answer)
        for pair, side in asked
    )
