"""Does a sentence give a thing another state than its sources: kept or changed, carried over or lost, free or charged?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from rag.synthesis.content_words import content_words
from rag.synthesis.negation import ALLOWS, is_negative
from rag.synthesis.passage_clauses import Finding, Sources, split_clauses, with_conditions
from rag.synthesis.same_meaning import other_words, word_forms

_STATES = (
    (
        r"그대로|유지[되하됩돼]|같[고습은아]|동일|남[아습는]|고정|보존",
        r"높아질 수|달라질 수|(?:자동 )?해제[되돼됩]|바뀌(?!지)|바뀝|바뀐|변경[되돼됩된](?!지)"
        r"|달라|삭제|폐기|소멸|사라|지워|변동[되돼됩될](?!지)|변경될 수",
    ),
    (
        r"초기화|소멸|없어[지집]|사라|(?:넘어가|합산되|이월되|더해지|쌓이)지 않",
        r"이월[되돼됩](?!지)|더해[져집지](?!지)|넘어가(?!지)|합산[되돼됩](?!지)|쌓[여이](?!지)",
    ),
    (
        r"(?:발생하|발생되|붙|부과되|생기|들)지 않|안 (?:붙|들|생)",
        r"발생(?:합|해|하며|하고|됩)|(?<!안 )붙[습어고]|부과(?:됩|돼|되며|되고)|생[깁겨]",
    ),
)
"""States of a thing that exclude each other."""


@lru_cache
def _stated_so(state: str) -> re.Pattern[str]:
    words = r"(?:[가-힣A-Za-z0-9]+(?<![은는이가도])\s){0,4}?"
    return re.compile(rf"([가-힣A-Za-z]{{2,}}?)(?:은|는|이|가|도|까지)\s{words}(?:{state})")


@lru_cache(maxsize=4096)
def _names_state(state: str, text: str) -> bool:
    return re.search(state, text) is not None


_DOES_NOT = re.compile(r"([가-힣]{2,})(?:은|는|이|가|도|에)\s([가-힣]{1,4}?)(?:하|되)?지\s?(?:않|못)")


def check_verbs(text: str, sources: Sources) -> Finding | None:
    """What the passages say a thing does not do, said of the same thing: "이율이 줄어듭니다" beside "이율은 줄지 않습니다"."""
    for match in _denials(sources.text):
        noun, verb = match
        if noun not in text or verb not in text:
            continue
        does = rf"{re.escape(noun)}[은는이가도에]\s(?:[가-힣]+\s)?{re.escape(verb)}(?![가-힣]{{0,2}}지\s?(?:않|못))"
        if re.search(does, sources.text):
            continue
        if any(re.search(does, clause) and not is_negative(clause) for clause in split_clauses(text)):
            return Finding("withheld", "polarity", f"{noun} {verb}")
    return None


@lru_cache(maxsize=256)
def _denials(text: str) -> tuple[tuple[str, str], ...]:
    """Things and the stems of what they do not do, as some passages say; auxiliaries ("있지 않", "하지 않") say nothing."""
    found = (match.groups() for match in _DOES_NOT.finditer(text))
    return tuple((noun[-2:], verb) for noun, verb in found if verb not in ("있", "하", "되", "없", "이"))


def check_states(text: str, sources: Sources) -> Finding | None:
    """The state that a sentence gives right after a thing, where the passages give the other one right after it."""
    for pair in _STATES:
        for own, other in (pair, pair[::-1]):
            # Most sentences and passages name no such state, and to look for what has it takes longest.
            if not (_names_state(own, text) and _names_state(other, sources.text)):
                continue
            for match in _stated_so(own).finditer(text):
                # "번호" of "카드번호".
                name = match[1][-2:] if len(match[1]) > 3 and "가" <= match[1][-1] <= "힣" else match[1]
                if name not in sources.text:
                    continue
                start = rf"{re.escape(name)}[가-힣]{{0,2}},?\s(?:[가-힣A-Za-z0-9]+(?<![며고은는도면]),?\s){{0,6}}?"
                if re.search(rf"{start}(?:{other})", sources.text) and not re.search(
                    rf"{start}(?:{own})", sources.text
                ):
                    return Finding("withheld", "polarity", match[0])
    return None


_DOES = re.compile(r"(?<![가-힣])([가-힣]{2})[가-힣]*(?:\s수(?:도|가)?\s있|해\s(?:줍|줘|드)|야\s(?:하|합|해|한|돼|됩))")


_NOT_SO = re.compile(r"\S+지\s(?:않|못)\S*면\s|\S+\s(?:없는|아닌|없으면|없다면)\s")
"""A denied case: "연체하지 않으셨다면", "대출이 없는"."""


def check_denied(text: str, sources: Sources) -> Finding | None:
    """What is affirmed of a thing that the passages name only to deny the same of it."""
    for clause in with_conditions(text):
        if is_negative(clause) or not ALLOWS.search(clause) or "아니라" in clause:
            continue
        words = content_words(_NOT_SO.sub(" ", clause))
        does = match[1] if (match := _DOES.search(clause)) else ""
        if does and _is_denied_act(does, sources):
            return Finding("withheld", "polarity", does)
        for word in words:
            holding = [each for each in sources.clauses if word.stem in each.text.lower() and " > " not in each.text]
            if (
                not word.is_noun
                or word.stem == does
                or not holding
                or not all(is_negative(each.text) for each in holding)
            ):
                continue
            if does in (names := other_words(word.stem)) and _is_affirmed(names, sources):
                continue
            others = [other.stem for other in words if other != word and other.stem != does]
            if any(_is_same_act(word.stem, does, others, each.text, clause) for each in holding):
                return Finding("withheld", "polarity", word.stem)
    return None


_DENIED = re.compile(r"[가-힣]{0,3}(?:\s수(?:는|가|도)?\s없|지\s않|\s?불가)")


def _is_denied_act(does: str, sources: Sources) -> bool:
    """Whether the passages speak of an act only to deny it: "취소할 수 없으므로"."""
    naming = [each.text for each in sources.clauses if does in each.text and " > " not in each.text]
    return (
        bool(naming)
        and all(_DENIED.match(part, part.find(does) + len(does)) for part in naming)
        and not _is_affirmed(other_words(does), sources)
    )


def _is_affirmed(forms: Sequence[str], sources: Sources) -> bool:
    """Whether a clause of the passages affirms something in one of some words: "바꾸실 수 있으며" of "변경"."""
    return any(
        any(form in each.text for form in forms) and ALLOWS.search(each.text) and not is_negative(each.text)
        for each in sources.clauses
    )


def _is_same_act(noun: str, does: str, others: Sequence[str], denied: str, clause: str) -> bool:
    """Whether a clause that denies something of a noun denies what another clause affirms of it."""
    if does and any(word in denied for word in word_forms(does)):
        return True
    # What no longer exists denies everything of itself, whatever is affirmed.
    if re.search(r"종료(?:되었|됐)|폐지되|중단되", denied):
        return True
    if not others:
        return clause.strip().startswith(noun)
    return len(noun) > 2 and sum(other in denied for other in others) >= max(1, len(others) / 2)
