"""Does a sentence drop or reverse a condition of its passages: a requirement, an exemption, or the consequence of a case?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.synthesis.clauses import (
    ALLOWS,
    CHARGED,
    FREE,
    Clause,
    Finding,
    Sources,
    is_negative,
    split_clauses,
    stated_by,
)
from rag.synthesis.occurrences import is_followed
from rag.synthesis.words import all_words, content_words, synonyms, word_forms

_CONCEDED = re.compile(r"(?:더라도|[아어여해돼]도|라도|셔도)$")
_EXCEPTION = re.compile(r"(?:^|[\n.※]\s*)(?:-\s)?(?:다만|단,?)\s([^\n.]+)")
_CONDITION = re.compile(r"(?:면|경우|때|[가-힣] 시)(?:에는|에)?(?:[가-힣]?[,.]?\s|[,.]|$)|한하여|한해|한함")
_EVEN_LATER = re.compile(
    r"(?:지나도|지났어도|지나더라도|경과해도|경과하더라도|넘어도|넘겨도|(?:지난|끝난|된|난|한|생긴)\s?(?:뒤|후|다음)에도|이후에도|후에도)"
)
"""Matches that something still applies after a deadline, which the passages must say themselves."""
_NOT_WITHOUT = re.compile(r"[^.\n]{0,14}(?:없으면|없는 경우|않으면|않으시면|못하면|못하시면)[^.\n]*(?:않|없습|불가|못)")
_WHO_HAS = re.compile(
    r"[이가을를]\s(?:[가-힣]+\s)?(?:있|보유|가지|가진|소지|등록|이용등록)[가-힣]{0,3}\s(?:고객|경우|분|때|회원)"
)
"""Follow a thing that is required: a negative consequence without it, or the persons or cases that have it."""
_THOUGH_THERE = re.compile(r"([가-힣A-Za-z]{2,}?)[이가은는]?\s?(?:남아\s)?있(?:어도|더라도|으셔도|는 경우에도)")
_NONE = re.compile(r"[^.\n]{0,20}?[이가은는]?\s?(?:남아\s있지\s않|없)(?:는|은|어야|으면|을 때|으셔야)")
"""_THOUGH_THERE matches that something applies although there is a thing, _NONE that it applies without one."""
_WITHOUT = re.compile(
    r"([가-힣A-Za-z]{2,}?)(?:이|가|을|를|은|는)?\s?(?:[가-힣]{0,4}지 않(?:더라도|아도|으셔도|았어도|는 경우에도|은 경우에도)"
    r"|[가-힣]{0,3}고 있지 않(?:아도|더라도|으셔도)|없(?:더라도|어도|으셔도|이도))(?!\s?(?:되|됩|돼|괜찮))"
)
_SPARED = re.compile(
    r"없이|없어도|없더라도|않아도|않으셔도|않더라도|생략|불필요|필요하지 않|필요(?:는|가)? ?없|무관"
    r"|(?:관계|상관) ?없|아니어도|제한 ?없"
)
_LACKING = re.compile(r"(?:없는|않은|않는|못한) (?:경우|때|고객|분)")
_EVEN_WHERE = re.compile(
    r"([^,.]{4,40}?)(?:\s(?:경우|때)(?:에도|라도|도)|\s있어도|\s있더라도|(?:이|라)?더라도|이어도|이라도"
    r"|[가-힣](?:[들해]|하셔|[어아여])도(?!\s?(?:되|됩|돼|괜찮)))\s"
)
_TOPIC = re.compile(r"([가-힣A-Za-z]{2,}?)(?:은|는)\s")
_IN_PERSON = re.compile(r"본인이[^.]{0,25}직접|본인만|본인에 한|본인이어야|예금주가 직접|본인이 방문")
_ANOTHER = re.compile(r"대리|대신|가족|배우자|부모|자녀|다른 사람|타인")
_CASE_END = re.compile(
    r"(?:[으하되시이라]면|(?:경우|때|중|상태)(?:에는|에|이면|인)?"
    r"|(?P<even>(?:이|라|하|되)?더라도|이어도|여도|라도|[아어해돼]도|셔도|(?:경우|때|중|상태)(?:에도|라도|이어도)))[,\s]+"
)


@dataclass(frozen=True, slots=True)
class Case:
    """A case and its consequence: "연체가 있으면", "신청할 수 없습니다". `is_even`: the text says "even" in that case."""

    text: str
    then: str
    is_even: bool


@lru_cache(maxsize=1024)
def _cases(text: str) -> tuple[Case, ...]:
    """The cases of a text. Left out are negative cases, and consequences about prices, which have a check of their own."""
    cases, start = [], 0
    for match in _CASE_END.finditer(text):
        case = re.split(r"[,.\n]", text[start : match.start()])[-1]
        start = match.end()
        rest = re.split(r"[.\n]", text[match.end() :])[0]
        then = split_clauses(rest)[0].rstrip(", ") if rest.strip() else ""
        if then and not (is_negative(case) or then.endswith(("면", "도")) or FREE.search(then) or CHARGED.search(then)):
            cases.append(Case(case, then, match["even"] is not None))
    return tuple(cases)


def check_consequence(text: str, sources: Sources) -> Finding | None:
    """Withhold the opposite consequence of a case: "연체가 있어도 신청 가능" where a passage has "연체가 있으면 신청할 수
    없음"."""
    for own in _cases(text):
        words = [word for word in all_words(own.text) if len(word.stem) > 1 or word.stem == "앱"]
        nouns = [word.stem for word in words if word.is_noun and not word.is_common]
        denies = is_negative(own.then)
        # A single word, as in "만기가 되어도 …지 않고", occurs in too many cases.
        if not nouns or (own.is_even and denies and len(words) < 2):
            continue
        topic = match[1] if (match := _TOPIC.match(own.then)) else ""
        verdicts = [
            is_negative(other.then) == denies
            for line in sources.lines
            if _has_all(nouns, line.text)
            for other in _cases(line.text)
            if _has_all(nouns, other.text)
            and topic in line.text
            and not stated_by(other.text).unsupported(own.text)
            and ((own.is_even and not denies) or _share_word(own.then, other.then))
        ]
        if verdicts and not any(verdicts):
            return Finding("withheld", "condition", f"{own.text} {own.then}".strip())
    return None


def _share_word(one: str, other: str) -> bool:
    """Whether one consequence contains a word of another or a synonym of it."""
    return any(
        form in other
        for word in all_words(one)
        if len(word.stem) > 1 or not word.is_common
        for form in word_forms(word.stem)
    )


def _has_all(stems: Sequence[str], text: str) -> bool:
    return all(any(form in text for form in word_forms(stem)) for stem in stems)


_THING = r"(?P<thing>[가-힣A-Za-z]{2,}?)(?<![실을])(?:을|를|이|가|은|는|도|에)?\s?(?:절차|과정)?(?:을|를|이|가)?\s?"
_EXEMPTS = re.compile(
    rf"{_THING}(?:없이(?!는)도?|없어도|없더라도|없으셔도|하지 않(?:아도|으셔도|더라도|고도)|생략|불필요"
    r"|필요(?:는|가|도)? ?없|필요하지 않|(?:제한|관계|상관) ?없이)"
)
_REQUIRES = re.compile(
    rf"{_THING}(?:반드시 |꼭 |먼저 |직접 )?(?:필요(?! ?없|하지 않|(?:는|가|도) ?없)|필수"
    r"|(?:하셔|해|하여|받으셔|받아|있어|거쳐|거치셔|내셔|내|제출하셔|제출해|마쳐|마치셔)야)"
)


def check_needed(text: str, sources: Sources) -> Finding | None:
    """Withhold that something is not required which the passages require, and vice versa: "추가 인증 없이", "추가 인증을
    거쳐야"."""
    for own, other in ((_EXEMPTS, _REQUIRES), (_REQUIRES, _EXEMPTS)):
        for match in own.finditer(text):
            thing = match["thing"]
            if _is_said_of(thing, other, sources) and not _is_said_of(thing, own, sources):
                return Finding("withheld", "condition", match[0])
    return None


def _is_said_of(thing: str, pattern: re.Pattern[str], sources: Sources) -> bool:
    """Whether a pattern of requirements or exemptions matches the passages with this thing or a synonym of it."""
    return any(
        thing in held or held in thing or any(form in held for form in synonyms(thing))
        for held in _things(pattern, sources.text)
    )


@lru_cache(maxsize=512)
def _things(pattern: re.Pattern[str], text: str) -> frozenset[str]:
    return frozenset(match["thing"] for match in pattern.finditer(text))


def check_conceded(text: str, sources: Sources) -> Finding | None:
    """Withhold that a condition of the passages ("다만 계약서를 내면") makes no difference ("계약서를 내더라도")."""
    late = _EVEN_LATER.search(text)
    if late and ALLOWS.search(text) and not _EVEN_LATER.search(sources.text):
        return Finding("withheld", "condition", late[0])
    for match in _THOUGH_THERE.finditer(text):
        if is_followed(match[1], _NONE, sources.text) and not is_negative(text[match.end() :]):
            return Finding("withheld", "condition", match[0])
    for clause in split_clauses(text):
        is_spared = any(_is_said_of(match["thing"], _EXEMPTS, sources) for match in _EXEMPTS.finditer(clause))
        if is_spared or not _CONCEDED.search(clause.rstrip(", ")):
            continue
        nouns = [word.stem for word in content_words(clause) if word.is_noun]
        # A single noun occurs in too many conditions.
        if len(nouns) < 2 or any(
            _CONCEDED.search(each.text.rstrip(", ")) and nouns[-1] in each.text for each in sources.clauses
        ):
            continue
        conditions = [match[1] for match in _EXCEPTION.finditer(sources.text)]
        conditions += [each.text for each in sources.clauses if _CONDITION.search(each.text)]
        if any(all(noun in part for noun in nouns) and _CONDITION.search(part) for part in conditions):
            return Finding("withheld", "condition", clause.strip())
    return None


def check_even_without(text: str, sources: Sources) -> Finding | None:
    """Withhold that something applies "even without" a thing that the passages name and never exempt from."""
    for match in _WITHOUT.finditer(text):
        forms = word_forms(match[1])
        if not is_negative(text[match.end() :]) and any(
            is_followed(form, needed, sources.text) for form in forms for needed in (_NOT_WITHOUT, _WHO_HAS)
        ):
            return Finding("withheld", "condition", match[0])
        naming = [line for line in sources.text.split("\n") if any(form in line for form in forms)]
        if not naming:
            continue
        is_exempt = any(
            _SPARED.search(line) or (_LACKING.search(line) and not is_negative(_LACKING.sub(" ", line)))
            for line in naming
        )
        if not is_exempt:
            return Finding("withheld", "condition", match[0])
    return None


def check_conceded_case(text: str, sources: Sources) -> Finding | None:
    """Withhold that something applies "even in" a case for which the passages deny it."""
    for match in _EVEN_WHERE.finditer(text):
        words = [word.stem for word in content_words(match[1]) if len(word.stem) > 1]
        if len(words) < 2 or is_negative(text[match.end() :]):
            continue
        # If the consequence has a topic ("적금은 가입하실 수 있습니다"), only clauses with that topic count.
        topic = after[1] if (after := _TOPIC.match(text, match.end())) else ""
        naming = [
            each for each in sources.clauses if _share(words, each) == 1 and topic in f"{each.context} {each.text}"
        ]
        if naming and all(each.denies or is_negative(each.context) for each in naming):
            return Finding("withheld", "condition", match[0])
    return None


def check_in_person(text: str, sources: Sources) -> Finding | None:
    """Withhold that another person can do what the passages require the customer to do in person."""
    if not (other := _ANOTHER.search(text)) or is_negative(text) or not ALLOWS.search(text):
        return None
    nouns = [word.stem for word in content_words(text) if word.is_noun and not _ANOTHER.search(word.stem)]
    for each in sources.clauses:
        if _IN_PERSON.search(each.text) and nouns and _share(nouns, each) >= 0.5:
            return Finding("withheld", "entity", other[0])
    return None


def _share(stems: Sequence[str], clause: Clause) -> float:
    """The share of the words that a clause or its context contains, including synonyms, 0..1."""
    text = f"{clause.context} {clause.text}"
    return sum(any(form in text for form in word_forms(stem)) for stem in stems) / len(stems)
