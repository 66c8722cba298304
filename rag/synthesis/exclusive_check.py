"""Does a sentence claim more than its passages: without exception, or for another thing than the only one that they name?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.constraints import quantities_of
from rag.constraints.contrasts import mentions_of
from rag.korean import tokens
from rag.synthesis.clauses import (
    Finding,
    Sources,
    aligned,
    is_negative,
    set_kind,
    split_clauses,
)
from rag.synthesis.occurrences import begins_word
from rag.synthesis.values import APP
from rag.synthesis.words import content_words

_ABSOLUTE = re.compile(
    r"누구나|누구든|(?:모두|전부|몽땅|고스란히)(?= ?(?:보상|지급|돌려|반환|환급|신청|이용|가입|등록|무료|면제|받))|모든"
    r"|무조건|항상|언제나|언제(?:이?든|라도|건)지?|"
    r"(?:무엇|어느 [가-힣]{1,4}|몇 [가-힣]{1,3})이?(?:든|건)지?|어디서나|어디서든지?|아무(?:나| ?때)"
    r"|어떤 [가-힣]{1,6}?(?:에|으로|로|에서|에게)?도(?= )"
    r"|예외 ?없이|어떤 [가-힣]{1,6}(?:든|이든|라도)|몇 (?:번|개|회)이라도|자유롭게|전액|100%"
    r"|(?:횟수|금액|한도|조건|종류|나이|기간|시간)\s?(?:의 |에 )?(?:제한 ?없이|상관없이|무제한)"
    r"|(?<![가-힣])혼자(?:서)?(?= [가-힣]+(?:을|를|이|가|도)? )|단독으로"
    r"|얼마(?:나|가|를)?\s?[가-힣]*(?:든|[아어여해]도)(?![가-힣])|아무리 [가-힣]+(?:[아어여해]도|든|더라도)"
    r"|[가-힣]+ 제한 없이|(?:[가-힣]+(?:이든|든)지? ){2}|여러 (?:기기|개|번|대)|(?:이|가|라)도 (?:무료|가능)"
)
_SAME_ABSOLUTES = tuple(re.compile(each) for each in (
    r"언제(?:나|이?든지?|라도|건)|아무 ?때|24시간|연중무휴|항상|상시|수시", r"누구나|누구든|아무나", r"어디서(?:나|든지?)",
    r"모두|전부|전액|전체", r"모든|모두|전부|전체|(?<![가-힣])전\s(?=[가-힣])|타",
    r"어떤 .*도|예외 ?없|모든|모두|무조건|항상", r"전액|100%|전부",
    r"여러 |몇 번|횟수(?:의|에)? ?제한[은이]? ?없|\d회까지|나누어|나눠",
    r"(?:관계|상관) ?없|무관|[가-힣]+든(?![가-힣])|얼마|아무리|횟수(?:의|에)? ?제한|수시",
    r"혼자|단독|스스로|직접", r"무제한|제한 ?없이|제한[이은]? ?없|제한 ?대상이 아니|제한(?:되|하)지 않",
))  # fmt: skip


def check_absolutes(text: str, sources: Sources) -> Finding | None:
    """Withhold words that allow no exception, unless the passages and the aligned clauses contain the same."""
    for match in _ABSOLUTE.finditer(text):
        word = match[0]
        # "천 원부터 50만 원까지 자유롭게" states limits.
        if word == "자유롭게" and any(not each.is_point for each in quantities_of(text)):
            continue
        if word.strip().endswith(("든", "든지")) and re.search(r"(?:관계|상관|제한) ?없|무관", sources.text):
            continue
        # "100%" as a rate is covered by the check of quantities.
        if word == "100%" and word in sources.text:
            continue
        # "앱이나 전화, 지점 어디서든" lists the places.
        if word.startswith("어디") and len([each for each in mentions_of(text) if set_kind(each) == "channel"]) > 1:
            continue
        same = next((each for each in _SAME_ABSOLUTES if each.search(word)), None)
        if not _is_said(word, same, sources.text):
            return Finding("withheld", "condition", word)
        near = aligned(text, sources)
        if near and not any(_is_said(word, same, clause.text) for clause in near):
            return Finding("withheld", "condition", word)
    return None


def _is_said(word: str, same: re.Pattern[str] | None, text: str) -> bool:
    """Whether a text contains a word that allows no exception, or one of the words of `same` if there are any."""
    return word in text if same is None else same.search(text) is not None


_ONLY = re.compile(
    r"(?:^|[\n.※,]|\s-)\s*([가-힣A-Za-z0-9()·]+(?:\s[가-힣A-Za-z0-9()·]+){0,2}?)(?:은|는|의 경우)\s"
    r"((?:[가-힣A-Za-z0-9()·]+\s){0,3}?)([가-힣A-Za-z0-9()·]{2,}?)(?:에서|으로|로|에게)?만(?:을|이)?\s([가-힣]{2})"
)
_DENIES = re.compile(r"(?:수|수는|수가|수도) ?없|불가|안 (?:되|됩|돼)|않|못[하 합]|아니|아닌|제외")
_LEFT_TO = re.compile(r"에서만|만 가능|한하여|한해")
_DENIED_THERE = re.compile(
    r"[가-힣A-Za-z]+(?:이나|나|과|와|,)?\s?(?:[가-힣A-Za-z]+)?(?:으로는|로는|에서는|로(?=\s[안못]\s))\s"
    r"(?:[가-힣]+\s)?(?:안|못|불가|[가-힣]+지\s않|[가-힣]+\s수\s없)"
)


@dataclass(frozen=True, slots=True)
class Only:
    """A statement that something applies only to `thing`: `topic`, the words before it (`kind`), and the first two syllables of
    the action (`does`: "선택", "가입")."""

    kind: str
    topic: str
    thing: tuple[str, ...]
    does: str


@lru_cache(maxsize=256)
def _only(text: str) -> tuple[Only, ...]:
    return tuple(
        Only(
            " ".join(match[1].split()[:-1]),
            match[1].split()[-1],
            tuple(word.stem for word in content_words(f"{match[2]}{match[3]}")),
            match[4],
        )
        for match in _ONLY.finditer(text)
    )


def denies_other(text: str, position: int, sources: Sources) -> bool:
    """Whether the clause at a position of a text denies something for another thing than the only one that the passages allow."""
    # "앱이나 전화로는 안 되고": whether the passages deny the same is checked by `check_polarity`.
    if _DENIED_THERE.match(text, position) and (_DENIES.search(sources.text) or _LEFT_TO.search(sources.text)):
        return True
    end = 0
    for clause in split_clauses(text):
        end = text.find(clause, end) + len(clause)
        if position < end:
            return _DENIES.search(clause) is not None and any(
                begins_word(each.topic, text) and not any(word in clause.lower() for word in each.thing)
                for each in _only(sources.text)
            )
    return False


def check_exclusive(text: str, sources: Sources) -> Finding | None:
    """Withhold that something applies to another thing than the only one that the passages allow."""
    for clause in split_clauses(text):
        # To deny it for another thing agrees with the passages.
        if _DENIES.search(clause):
            continue
        for each in _only(sources.text):
            # Of the same kind only: "앱 OTP는 기기 1대에만" does not concern other OTPs.
            is_topic = begins_word(each.topic, clause) and each.kind in text
            is_claimed = is_topic and each.does in clause.split(each.topic, 1)[-1]
            if each.thing and is_claimed and max(each.thing, key=len) not in text.lower():
                return Finding("withheld", "condition", f"{each.topic}: {', '.join(sorted(each.thing))}")
    return None


_ONLY_THERE = re.compile(r"([가-힣A-Za-z·, ]{2,12})(?:\([^)]*\))?에서만")


def _same_limit(clause: str, only: str) -> bool:
    """Whether a clause has the same threshold as a clause on what can be done in one place only: "1억원을 넘게"."""
    thresholds = quantities_of(only)
    return any(
        each.dimension == other.dimension and not each.is_point and (each.low, each.high) == (other.low, other.high)
        for each in quantities_of(clause)
        for other in thresholds
    )


def check_only_there(text: str, sources: Sources) -> Finding | None:
    """Withhold that something can be done elsewhere than in the only place: "앱에서 해제" for "해제는 영업점에서만
    가능합니다"."""
    for part in sources.clauses if "에서만" in sources.text else ():
        if not (match := _ONLY_THERE.search(part.text)):
            continue
        places = {each.member for each in mentions_of(match[1]) if set_kind(each) == "channel"}
        acts = {word.stem for word in content_words(re.sub(r"\S+에서만", " ", part.text)) if word.is_noun}
        for clause in split_clauses(text):
            named = {each.member for each in mentions_of(clause) if set_kind(each) == "channel"}
            about = sum(act.removeprefix("재") in clause for act in acts)
            if _same_limit(clause, part.text):
                about += len(acts)
                named |= {"앱"} if APP.search(clause) else set()
            is_elsewhere = places and named and not named & places
            if is_elsewhere and about >= max(1, len(acts) / 2) and not _DENIES.search(clause):
                return Finding("withheld", "condition", match[0].strip())
    return None


_ALSO = re.compile(
    r"(?<![가-힣A-Za-z])([가-힣A-Za-z]+?)(?:에서|으로|로|에|에게|께|까지|때)?도(?=\s)"
    r"(?<![가-힣][아어여해셔라려져와쳐돼래]도)(?<![수한정제매별연것만그]도)(?<!아무도)"
)
"""Matches a noun with the particle 도 ("too"), but not "해도" or "한도"."""
_LIMITS = re.compile(
    r"[가-힣A-Za-z)]만(?:을|이|으로)?\s|만 가능|한하여|한해|제외|불가|지\s않|수(?:는|가)? 없|안 됩|못합|아닙|아닌"
)
_NEAR = 0.3
"""Share of a clause's syllable pairs, without those of the noun before 도, from which on another clause is about the same."""


def check_extended(text: str, sources: Sources) -> Finding | None:
    """Withhold that something applies to a thing "too" if the passages limit or deny it: "앱에서도" for "영업점에서만"."""
    for clause in split_clauses(text):
        if is_negative(clause) or not (match := _ALSO.search(clause)):
            continue
        pairs = frozenset(tokens(clause.replace(match[1], " ")))
        shares = sorted(
            ((len(pairs & each.pairs) / max(1, len(pairs)), each.text) for each in sources.clauses), reverse=True
        )
        near = [part for share, part in shares[:2] if share > _NEAR]
        is_stated = any(match[1] in part and not _LIMITS.search(part) for part in near)
        if not is_stated and any(map(_LIMITS.search, near)):
            return Finding("withheld", "condition", match[0])
    return None


_NOT_BY_ALONE = re.compile(r"([가-힣]{2,})만으로는\s([^.\n]*(?:않|없|불가)[^.\n]*)")


def check_not_by_alone(text: str, sources: Sources) -> Finding | None:
    """Withhold that one thing is sufficient if the passages deny it: "완납하면 말소됩니다" for "완납만으로는 말소되지
    않습니다"."""
    if "만으로는" not in sources.text or is_negative(text):
        return None
    for match in _NOT_BY_ALONE.finditer(sources.text):
        acts = [word.stem for word in content_words(match[2])]
        if match[1] in text and acts and acts[-1] in text:
            return Finding("withheld", "condition", match[0].strip())
    return None
