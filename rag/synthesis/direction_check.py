"""Does a sentence turn a direction that its sources give: up or down, before or after, unchanged or set anew, each or in all?"""

from __future__ import annotations

import re
from functools import lru_cache

from rag.constraints import quantities_of
from rag.synthesis.content_words import content_words
from rag.synthesis.passage_clauses import Clause, Finding, Sources, split_clauses
from rag.synthesis.same_meaning import word_forms

_UP = (
    r"높아|높[이여]|올라|오르|오릅|올려|올리|올립|늘[어려리립]|많아[지집진]|커[지집진]|길어[지집진]|좋아[지졌집진]"
    r"|인상|상향|증액|상승|증가|초과|넘(?!어[가오])|상회"
)
_DOWN = (
    r"낮아|낮[추춰출]|내려(?!받)|내리|내립|줄[어여이]|떨어[지졌집진]|나빠[지졌집진]|적어[지집진]|작아[지집진]|짧아[지집진]"
    r"|인하|하향|감액|하락|감소|미만|부족|모자라|밑돌|하회|깎"
)
_NOT = r"(?![가-힣]{0,3}지\s?(?:않|못)|[가-힣]{0,2}\s?(?:수 없|불가|없))"
_DIRECTIONS = tuple(re.compile(rf"(?<!안 )(?<!못 )(?:{words}){_NOT}") for words in (_UP, _DOWN))
_MOVED = re.compile(rf"([가-힣A-Za-z]{{3,}}?)(?:이|가|은|는|을|를|도|보다)\s(?:[^\s,.]+\s){{0,2}}?(?:{_UP}|{_DOWN})")
"""What goes up or down, of three syllables at least: "한도" or "금리" is said of too many things to tell which is meant."""


def check_directions(text: str, sources: Sources) -> Finding | None:
    """What goes down or lies below, where the passages only say of it that it goes up or lies above; and the other way round."""
    for clause in split_clauses(text):
        own = _direction(clause)
        if own is None:
            continue
        named = {match[1] for match in _MOVED.finditer(clause)}
        quantities = {(each.dimension, each.low, each.high) for each in quantities_of(clause)}
        about = [
            each
            for each in sources.clauses
            if any(name in each.text for name in named)
            or any((other.dimension, other.low, other.high) in quantities for other in each.quantities)
        ]
        stated = [direction for each in about if (direction := _direction(each.text)) is not None]
        if stated and own not in stated and any(_shares_noun(clause, each) for each in about):
            return Finding("withheld", "polarity", clause.strip())
    return None


@lru_cache(maxsize=2048)
def _direction(clause: str) -> int | None:
    """0 where a clause says only up, 1 only down; None where it says neither or both."""
    found = [number for number, pattern in enumerate(_DIRECTIONS) if pattern.search(clause)]
    return found[0] if len(found) == 1 else None


def _shares_noun(clause: str, other: Clause) -> bool:
    return any(word.is_noun and word.stem in other.text for word in content_words(clause))


_LATER = re.compile(
    r"([가-힣]{2,12}?)(?:이|가|을|를)?\s?(?:지난|지나고|지나서|끝난|끝나고|이후|후|뒤)\s?(?:뒤|후|다음|에)?\s?(?=\d)"
)


def check_before_after(text: str, sources: Sources) -> Finding | None:
    """A span of time after a thing, which the passages give before it alone: "결제일이 지난 뒤 5일" of "결제일 5일 전"."""
    for match in _LATER.finditer(text):
        said = [each for each in quantities_of(text) if each.start == match.end() and each.dimension == "duration"]
        sides = {
            "before" if re.match(r"\s?(?:이?전|앞)", part.text[other.end :]) or other.side == "before" else "other"
            for part in sources.clauses
            if match[1] in part.text
            for other in part.quantities
            if any(other.unit == each.unit and other.ends & each.ends for each in said)
        }
        if sides == {"before"}:
            return Finding("withheld", "quantity", match[0].strip())
    return None


_UNCHANGED = re.compile(
    r"(?:그대로|똑같이|동일하게|변함없이|종전대로|예전처럼)\s(?:[가-힣]+\s)?(?:적용|유지|이어|인정|보장|지급|받)"
)
_NO_CHANGE = re.compile(
    r"그대로|유지|동일|똑같|같은|같이|같습|변동|변함|영향이? ?없|계속|승계|이어[지져집받서]|인정|연속|종전|기존|고정|포함"
)


def check_unchanged(text: str, sources: Sources) -> Finding | None:
    """What is said to stay as it is, where nothing in the passages stays."""
    match = _UNCHANGED.search(text)
    if match and not _NO_CHANGE.search(sources.text):
        return Finding("withheld", "polarity", match[0])
    return None


_EACH = re.compile(r"([가-힣]{2,})(?:마다|별로)(?![가-힣])")
_IN_ALL = re.compile(r"통틀어|합산|합하여|합쳐|합한|모두 더|전체를")


def check_each(text: str, sources: Sources) -> Finding | None:
    """What is said of each thing, where the passages count the same things together: "은행마다 1억원"."""
    for match in _EACH.finditer(text):
        forms = word_forms(match[1])
        if any(re.search(rf"{re.escape(form)}(?:마다|별|당)|각", sources.text) for form in forms):
            continue
        if any(_IN_ALL.search(each.text) and any(form in each.text for form in forms) for each in sources.clauses):
            return Finding("withheld", "condition", match[0])
    return None


_MEANS = re.compile(r"([가-힣]{2,12}?)(?:으로|로)\s([가-힣]{2})")
_BY = re.compile(r"(?<![가-힣])([가-힣]{2,12}?)(?:으로|로)\s([가-힣]{2})[가-힣]*\s(.+)")


@lru_cache(maxsize=2048)
def _means(clause: str) -> tuple[re.Match[str], ...]:
    return tuple(_MEANS.finditer(clause))


def check_means(text: str, sources: Sources) -> Finding | None:
    """What the passages say of another means: "원화로 결제하는 것이 유리" of "현지 통화로 결제하는 것이 유리"."""
    for clause in split_clauses(text):
        if not (match := _BY.search(clause)):
            continue
        name, does, rest = match.groups()
        said = [word.stem for word in content_words(rest) if word.stem[:2] != does]
        if name not in sources.text or does not in sources.text:
            continue
        using = [(each, other) for each in sources.clauses for other in _means(each.text) if other[2] == does]
        same = [(each, other) for each, other in using if any(word in each.text for word in said)]
        is_elsewhere = any(name in other[1] for _, other in using)
        if same and is_elsewhere and not any(name in other[1] or other[1] in text for _, other in same):
            return Finding("withheld", "polarity", f"{name} {does}")
    return None
