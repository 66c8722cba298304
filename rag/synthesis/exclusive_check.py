"""What a passage allows alone ("적금은 자동해지만 선택", "A가 아닌 B") or denies of a thing, and what a sentence makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.constraints import quantities_of
from rag.constraints.contrasts import mentions_of
from rag.synthesis.content_words import content_words
from rag.synthesis.negation import ALLOWS, is_negative
from rag.synthesis.passage_clauses import Finding, Sources, begins_word, set_kind, split_clauses
from rag.synthesis.value_roles import APP

_ONLY = re.compile(
    r"(?:^|[\n.※,]|\s-)\s*([가-힣A-Za-z0-9()·]+(?:\s[가-힣A-Za-z0-9()·]+){0,2}?)(?:은|는|의 경우)\s"
    r"((?:[가-힣A-Za-z0-9()·]+\s){0,3}?)([가-힣A-Za-z0-9()·]{2,}?)(?:에서|으로|로|에게)?만(?:을|이)?\s([가-힣]{2})"
)
_DENIES = re.compile(r"(?:수|수는|수가|수도) ?없|불가|안 (?:되|됩|돼)|않|못[하 합]|아니|아닌|제외")


_LEFT_TO = re.compile(r"에서만|만 가능|한하여|한해")
_DENIED_THERE = re.compile(
    r"[가-힣A-Za-z]+(?:이나|나|과|와|,)?\s?(?:[가-힣A-Za-z]+)?(?:으로는|로는|에서는|로(?=\s[안못]\s))\s(?:[가-힣]+\s)?(?:안|못|불가|[가-힣]+지\s않|[가-힣]+\s수\s없)"
)


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
    return None


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


_LABEL_DENIES = re.compile(
    r"^\s*(?:[-•·*]\s*)?([^:|]{0,12}(?:제외|불가|비대상|비보호|미적용|미지원)[^:|]{0,8}):\s*(.+)$"
)


@lru_cache(maxsize=64)
def _exceptions(sources: Sources) -> tuple[str, ...]:
    lists = [match[2] for line in sources.lines if (match := _LABEL_DENIES.match(line.text))]
    lists += [line.text for line in sources.lines if re.search(r"제외|불가|비보호", line.heading)]
    return tuple(lists)


def check_excluded(text: str, sources: Sources) -> Finding | None:
    """What a list of exceptions names ("제외 차량: 리스 차량"), affirmed."""
    if not (lists := _exceptions(sources)):
        return None
    for clause in split_clauses(text):
        if is_negative(clause) or not ALLOWS.search(clause):
            continue
        for word in content_words(clause):
            elsewhere = [each for each in sources.clauses if word.stem in each.text and not is_negative(each.text)]
            is_listed = any(begins_word(word.stem, each) for each in lists)
            if (
                word.is_noun
                and is_listed
                and all(any(each.text.strip(" ,.") in a for a in lists) for each in elsewhere)
            ):
                return Finding("withheld", "polarity", word.stem)
    return None


_NOT_BY_ALONE = re.compile(r"([가-힣]{2,})만으로는\s([^.\n]*(?:않|없|불가)[^.\n]*)")


def check_not_by_alone(text: str, sources: Sources) -> Finding | None:
    """What the passages say one thing alone does not do: "완납하면 말소됩니다" beside "완납만으로는 말소되지 않습니다"."""
    if "만으로는" not in sources.text or is_negative(text):
        return None
    for match in _NOT_BY_ALONE.finditer(sources.text):
        acts = [word.stem for word in content_words(match[2])]
        if match[1] in text and acts and acts[-1] in text:
            return Finding("withheld", "condition", match[0].strip())
    return None
