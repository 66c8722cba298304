"""What a passage allows alone ("적금은 자동해지만 선택", "A가 아닌 B") or denies of a thing, and what a sentence makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.constraints import quantities_of
from rag.constraints.contrasts import mentions_of
from rag.synthesis.content_words import content_words
from rag.synthesis.passage_clauses import Finding, Sources, begins_word, set_kind, split_clauses
from rag.synthesis.same_meaning import word_forms
from rag.synthesis.value_roles import APP

_ONLY = re.compile(
    r"(?:^|[\n.※,]|\s-)\s*([가-힣A-Za-z0-9()·]+(?:\s[가-힣A-Za-z0-9()·]+){0,2}?)(?:은|는|의 경우)\s"
    r"((?:[가-힣A-Za-z0-9()·]+\s){0,3}?)([가-힣A-Za-z0-9()·]{2,}?)(?:에서|으로|로|에게)?만(?:을|이)?\s([가-힣]{2})"
)
_BARE_DENIAL = re.compile(
    r"(?:^|[\n.※])\s*((?:[가-힣A-Za-z0-9()·]+(?:[과와]|,|\s및)?\s?){1,3}?)(?:은|는)\s(?:모두 )?(?:불가(?:능|합|하)|제외(?:됩|합))"
)
"""What a passage denies of a thing without saying what: that which the passage is about."""
_THAT_ALONE = re.compile(r"([가-힣]{2,})만\s([가-힣]{2})")
_ALLOWS = re.compile(r"가능|(?<!밖에 )수(?:도|가)? 있|됩니다|돼요")
_INSTEAD = re.compile(r"([가-힣A-Za-z]{3,})(?:이|가)\s?(?:아닌|아니라)\s")
_DENIES = re.compile(r"(?:수|수는|수가|수도) ?없|불가|안 (?:되|됩|돼)|않|못[하 합]|아니|아닌|제외")


_LEFT_TO = re.compile(r"에서만|만 가능|한하여|한해")
_DENIED_THERE = re.compile(
    r"[가-힣A-Za-z]+(?:이나|나|과|와|,)?\s?(?:[가-힣A-Za-z]+)?(?:으로는|로는|에서는)\s(?:[가-힣]+\s)?(?:안|못|불가|[가-힣]+지\s않|[가-힣]+\s수\s없)"
)


@lru_cache(maxsize=1024)
def _all(pattern: re.Pattern[str], text: str) -> tuple[re.Match[str], ...]:
    """Every match in some passages, kept for the sentences about them."""
    return tuple(pattern.finditer(text))


@dataclass(frozen=True, slots=True)
class Only:
    """`topic` of a `kind` is so with `thing` alone; `does`: the first syllables of what it does so ("선택", "가입")."""

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
    """Whether the clause of a text at a position denies of a topic what the passages leave to another thing alone."""
    # "앱이나 전화로는 안 되고": the passages deny something too, and `check_polarity` sees whether it is the same.
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
    """What the passages leave to one thing alone, said of another; and what applies in the place of another, said of that."""
    for clause in split_clauses(text):
        # What denies it of another says what the passage says.
        if _DENIES.search(clause):
            continue
        for each in _only(sources.text):
            # "앱 OTP는 기기 1대에만" says nothing of another OTP.
            is_said = (
                begins_word(each.topic, clause) and each.kind in text and each.does in clause.split(each.topic, 1)[-1]
            )
            if each.thing and is_said and max(each.thing, key=len) not in text.lower():
                return Finding("withheld", "condition", f"{each.topic}: {', '.join(sorted(each.thing))}")
        for match in _all(_BARE_DENIAL, sources.text):
            for word in content_words(match[1]):
                if (
                    word.stem in clause
                    and re.search(rf"(?<![가-힣]){re.escape(word.stem)}(?:도|은|는|이|가)\s", clause)
                    and _ALLOWS.search(clause)
                ):
                    return Finding("withheld", "polarity", word.stem)
        for match in _all(_THAT_ALONE, sources.text):
            if match[1] in clause and re.search(rf"(?<![가-힣]){match[1]}(?:도|이라도)\s.*{match[2]}", clause):
                return Finding("withheld", "condition", match[0])
        for match in _all(_INSTEAD, sources.text):
            rest = sources.text[match.end() : match.end() + 40].split(".")[0]
            named = [word.stem for word in content_words(rest) if word.is_noun and word.stem != match[1]]
            if (
                match[1] in clause
                and re.search(rf"{match[1]}(?:이|가|을|를|으로|로)\s", clause)
                and not any(word in text for word in named[:2])
            ):
                return Finding("withheld", "polarity", match[1])
    return None


_ANOTHER = re.compile(r"다른 ([가-힣]{2,})에서(?:도|는)\s")
_ONLY_THERE = re.compile(r"([가-힣A-Za-z·, ]{2,12})(?:\([^)]*\))?에서만")


def _same_limit(clause: str, only: str) -> bool:
    """Whether a clause names a quantity of what can be done in one place alone: "1억원을 넘게"."""
    held = quantities_of(only)
    return any(
        each.dimension == other.dimension and not each.is_point and (each.low, each.high) == (other.low, other.high)
        for each in quantities_of(clause)
        for other in held
    )


def check_only_there(text: str, sources: Sources) -> Finding | None:
    """What can be done in one place alone, said of another: "앱에서 해제" beside "해제는 영업점에서만 가능합니다"."""
    if (other := _ANOTHER.search(text)) and re.search(rf"{other[1]}에서만", sources.text):
        return Finding("withheld", "condition", other[0])
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
            if (
                places
                and named
                and not named & places
                and about >= max(1, len(acts) / 2)
                and not _DENIES.search(clause)
            ):
                return Finding("withheld", "condition", match[0].strip())
    return None


_PLACES = tuple(
    map(
        re.compile,
        (
            r"(?<![가-힣])앱|모바일|스마트폰|휴대폰에서",
            r"전화|고객센터|콜센터|상담센터|ARS",
            r"영업점|지점|창구|내점|방문",
            r"홈페이지|인터넷|누리집|웹|PC",
            r"우편|등기",
            r"ATM|자동화기기|현금지급기",
            r"팩스|이메일",
        ),
    )
)
"""Where and how a thing is done, each way by the words for it."""
_RESTRICTS = re.compile(
    r"(?:에서|으로|로)?만(?:을|이)?\s(?:가능|하실|받|이용|신청|접수|됩)|셔?야(?:만)?\s(?:하|합|해|한|됩|돼)"
)
_RESTRICTED = re.compile(r"([가-힣A-Za-z]{2,})(?:은|는)(?=\s)")


def check_place(text: str, sources: Sources) -> Finding | None:
    """What is to be done in one place, said to be possible in another: "전화로도 실행" beside "실행은 영업점에서 하셔야"."""
    for clause in split_clauses(text):
        if not (places := places_of(clause)) or _DENIES.search(clause) or not _ALLOWS.search(clause):
            continue
        for topic, held in _restricted(sources):
            if held & places or not _is_said(topic, clause):
                continue
            # What another clause allows there for the same thing is no restriction.
            if not any(places_of(other.text) & places and _is_said(topic, other.text) for other in sources.clauses):
                return Finding("withheld", "condition", topic)
    return None


@lru_cache(maxsize=64)
def _restricted(sources: Sources) -> tuple[tuple[str, frozenset[int]], ...]:
    """What the passages leave to some places, and these places."""
    found = []
    for part in sources.clauses:
        if _RESTRICTS.search(part.text) and (held := places_of(part.text)):
            match = _RESTRICTED.search(part.text)
            if match and not places_of(match[1]):
                found.append((match[1], held))
    return tuple(found)


@lru_cache(maxsize=2048)
def places_of(clause: str) -> frozenset[int]:
    """Which of the places where things are done a clause names, by their numbers."""
    return frozenset(number for number, pattern in enumerate(_PLACES) if pattern.search(clause))


def _is_said(topic: str, clause: str) -> bool:
    return any(form in clause for form in word_forms(topic))
