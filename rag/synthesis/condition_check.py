"""What a sentence turns: the day, what is left to one thing alone, what makes an exception, what is denied of a thing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.constraints import quantities_of
from rag.synthesis.content_words import content_words
from rag.synthesis.passage_clauses import Finding, Sources, split_clauses, stated_by
from rag.synthesis.polarity_check import is_negative
from rag.synthesis.quantity_check import with_conditions
from rag.synthesis.same_meaning import other_words, word_forms

_DAYS = tuple(
    map(
        re.compile,
        (
            r"당일|즉시|바로|곧|실시간|같은 날|그날|동시에|자마자",
            r"다음 ?날|익일|이튿날",
            r"전날|전일|하루 전|1일 전|[전앞] ?영업일",
            r"다음 ?영업일|익영업일|\+ ?1일",
        ),
    )
)
_SAID_DAYS = (re.compile(r"(?<![가-힣])(?:당일|즉시|실시간)(?!\s?\d)"), *_DAYS[1:])
"""The days beside each other, as passages say them; "바로" and "그날" of a sentence are often no more than courtesy."""
_ONLY = re.compile(r"([가-힣A-Za-z]{2,}?)(?:에서|으로|로|에게|한테)만(?![가-힣])")
_ONLY_ONE = re.compile(r"([가-힣]{2,})만 [가-힣]{2,}면 (?:돼|됩|되)")
_EACH = re.compile(r"각각|모두|두 분|함께")
_LEFT_ALONE = re.compile(
    r"[가-힣)]만(?:\s|을|이|은)|한하|한해|한함|한정|전용|이외|외에는|밖에|불가|(?:수|지) ?(?:없|않)"
)
_CONCEDED = re.compile(r"(?:더라도|[아어여해돼]도|라도|셔도)$")
_EXCEPTION = re.compile(r"(?:^|[\n.※]\s*)(?:-\s)?(?:다만|단,?)\s([^\n.]+)")
_DOES = re.compile(r"(?<![가-힣])([가-힣]{2})[가-힣]*(?:\s수(?:도|가)?\s있|해\s(?:줍|줘|드)|야\s(?:하|합|해|한|돼|됩))")
_ALLOWS = re.compile(
    r"(?<!밖에 )수(?:도|가)? 있|가능|됩니다|돼요|되며|되고|드려요|드립니다|받아요|받습니다|야 (?:하|합|해|한|돼|됩)"
    r"|나가요|나갑니다|줍니다|줘요|들어와요|들어옵니다"
)


def check_days(text: str, sources: Sources) -> Finding | None:
    """A day that no passage names, where they name another: "당일" beside "다음 날" alone."""
    held = [pattern.search(sources.text) is not None for pattern in _DAYS]
    for number, pattern in enumerate(_SAID_DAYS):
        match = pattern.search(text)
        # Where the passages name no day at all, a day is an addition, which other checks look at.
        if match and not held[number] and any(held):
            return Finding("withheld", "quantity", match[0])
    return None


def check_only(text: str, sources: Sources) -> Finding | None:
    """ "영업점에서만", where the passages leave nothing to one thing alone."""
    match = _ONLY.search(text) or _ONLY_ONE.search(text)
    if match and not _LEFT_ALONE.search(sources.text) and (match.re is _ONLY or _EACH.search(sources.text)):
        return Finding("withheld", "condition", match[0])
    return None


def check_conceded(text: str, sources: Sources) -> Finding | None:
    """What the passages make a condition ("다만 계약서를 내면"), said to make none ("계약서를 내더라도")."""
    late = _EVEN_LATER.search(text)
    if late and _ALLOWS.search(text) and not _EVEN_LATER.search(sources.text):
        return Finding("withheld", "condition", late[0])
    for clause in split_clauses(text):
        if not _CONCEDED.search(clause.rstrip(", ")):
            continue
        nouns = [word.stem for word in content_words(clause) if word.is_noun]
        if len(nouns) == 1 and _is_state(nouns[0], clause, sources):
            return Finding("withheld", "condition", clause.strip())
        # One noun alone is in too many conditions to tell which of them is meant.
        if len(nouns) < 2 or any(
            _CONCEDED.search(each.text.rstrip(", ")) and nouns[-1] in each.text for each in sources.clauses
        ):
            continue
        conditions = [match[1] for match in _EXCEPTION.finditer(sources.text)]
        conditions += [each.text for each in sources.clauses if _CONDITION.search(each.text)]
        if any(all(noun in part for noun in nouns) and _CONDITION.search(part) for part in conditions):
            return Finding("withheld", "condition", clause.strip())
    return None


_EVEN_IN_STATE = re.compile(r"(?: 중| 상태)?(?:이어도|이라도|여도|라도|이더라도)")


def _is_state(noun: str, clause: str, sources: Sources) -> bool:
    """Whether a state is conceded that the passages make a hindrance: "연체 중이어도" beside "연체 중이면 제한됩니다"."""
    if not any(map(_EVEN_IN_STATE.match, clause.split(noun)[1:])):
        return False
    return any(noun in each.text and re.search(r"중이|중인|경우|상태|제한|불가", each.text) for each in sources.clauses)


_CONDITION = re.compile(r"(?:면|경우|때|[가-힣] 시)(?:에는|에)?(?:[가-힣]?[,.]?\s|[,.]|$)|한하여|한해|한함")
_EVEN_LATER = re.compile(
    r"(?:지나도|지났어도|지나더라도|경과해도|경과하더라도|넘어도|넘겨도|(?:지난|끝난|된|난|한|생긴)\s?(?:뒤|후|다음)에도|이후에도|후에도)"
)
"""What is so even after a limit, as passages have to say themselves."""


def check_denied(text: str, sources: Sources) -> Finding | None:
    """What is affirmed of a thing that the passages name only to deny the same of it."""
    for clause in with_conditions(text):
        if is_negative(clause) or not _ALLOWS.search(clause):
            continue
        words = content_words(clause)
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
        any(form in each.text for form in forms) and _ALLOWS.search(each.text) and not is_negative(each.text)
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


def check_affirmed(text: str, sources: Sources) -> Finding | None:
    """What is denied from a value on, of which the passages affirm the same: "1년 이상 미접속한 경우에도 조회 가능"."""
    for clause in with_conditions(text):
        match = _DOES_NOT.search(clause)
        quantities = quantities_of(clause)
        if not match or _AFTER_LIMIT.search(clause):
            continue
        for word in content_words(clause):
            naming = [each.text for each in sources.clauses if word.stem in each.text and " > " not in each.text]
            same = [part for part in naming if match[1] in part and word.stem != match[1]]
            listed = [each.context for each in sources.clauses if word.stem in each.text]
            if word.is_noun and any(map(_ALLOWS.search, same)) and not any(map(is_negative, (*naming, *listed))):
                return Finding("withheld", "polarity", word.stem)
        if not quantities:
            continue
        holding = [
            each.text for each in sources.clauses
            if match[1] in each.text and not stated_by(each.text).unsupported(" ".join(each.text for each in quantities))
        ]  # fmt: skip
        if (
            holding
            and not _AFTER_LIMIT.search(clause)
            and all(_ALLOWS.search(part) and not is_negative(part) for part in holding)
        ):
            return Finding("withheld", "polarity", match[1])
    return None


_AFTER_LIMIT = re.compile(r"(?:이후|지나|지난|넘[으는어]|초과|뒤|후에)")
_DOES_NOT = re.compile(r"(?<![가-힣])([가-힣]{2})[가-힣]*\s수(?:는|가|도)?\s없")


def check_not_needed(text: str, sources: Sources) -> Finding | None:
    """What need not be done, where the passages ask for it: "돌려주지 않아도 됩니다" beside "반환하셔야"."""
    match = _NEED_NOT.search(text)
    if not match or re.search(r"않(?:아도|으셔도|고)|필요(?:는|가)? ?없|불필요|필요하지 않|생략|면제", sources.text):
        return None
    # A sentence often says in an everyday word what the passages ask for in the institution's.
    acts = (match[1][:2], *other_words(match[1]))
    if any(re.search(rf"{re.escape(act)}[가-힣]{{0,2}}야", sources.text) for act in acts):
        return Finding("withheld", "condition", match[0])
    return None


_NEED_NOT = re.compile(r"([가-힣]{2,})지 (?:않아도|않으셔도) (?:됩|돼|되)")
