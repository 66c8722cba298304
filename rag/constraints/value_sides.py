"""Is a row on what holds before a time or an amount is reached, and a question on what holds after it, or the other way round?

"3년을 못 채우고 해지하면" is not "3년 다 채우고 해지하면", though both name 3년. A row whose answer has the side of the question,
too ("3년이 지나면 면제됩니다"), answers it. 만기, 의무기간 and the like are bounds without a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from rag.constraints.everyday_values import values_of
from rag.constraints.quantities import Quantity
from rag.constraints.value_agreement import families, has_end_of

_ENDED = r"(?:해지|중도|해약|깨|깰|깬|찾|팔|매도|환매|갚|상환|인출|출금|빼|뺄|뺀|탈퇴|취소|그만|관두|퇴사|이사)"
"""Beginnings of what is done before a term is over."""
_PARTICLE = r"\s?(?:을|를|이|가|은|는|도)?\s?(?:(?:다|전부|꽉|딱|아직|미처|채|의무\S{2,4}[을를]?)\s?)*"
_NOT_REACHED = re.compile(
    _PARTICLE + r"(?:(?:안|못)\s?(?:되|돼|됐|된|됨|채[우워웠운울]|찼|찬|넘[었은기겼긴]|지[나났난])"
    r"|(?:채우|지나|되|넘기|넘|경과하|경과되)(?:지\s?(?:않|못|아니)|기\s?(?:도\s?)?(?:이?전))"
    r"|\s?미만"
    # "3년 전에 해지하면", but not "3년 전에 해지한 계좌"
    rf"|이?전에?\s(?:\S{{1,6}}\s)?{_ENDED}\S{{0,4}}(?:면|려|도\s|나[요?]|는|할|실|시))"
)
_REACHED = re.compile(
    _PARTICLE + r"(?:채[우워웠운](?!야)|지[나났난](?!야)|넘[기겨긴어었은](?!야)|(?:되고|되면|돼서|된\s|됐|되어)|경과"
    r"|(?:이후|뒤|후)(?:에|로|\s|$)"
    r"|까지\s?(?:(?!못|안)\S{1,4}\s)?(?:유지|두|둬|놔|놓|가지|가져|갖|들고|채우|채워|보유|납입|넣)(?![^,.?!]{0,6}[지기]\s?(?:못|않|힘|어려)))"
)
_TERM = re.compile(
    r"(?<![가-힣])(?P<term>만기일?|(?:의무\s?(?:가입\s?|보유\s?)?|약정\s?|계약\s?|가입\s?|최소\s?(?:가입\s?)?)기간)"
)


class Side(NamedTuple):
    """A bound with the side of it that a text is on. `value`: None for a term without a number; `text`: the bound as written."""

    value: Quantity | None
    is_reached: bool
    text: str

    @property
    def label(self) -> str:
        """How a reply refers to it: "3년 전", "만기 후", "30만원 이상"."""
        words = ("전", "후") if self.value is None or self.value.dimension == "duration" else ("미만", "이상")
        return f"{self.text} {words[self.is_reached]}"


def other_sides(question: str, row_question: str, row_answer: str) -> Iterator[tuple[str, str, str]]:
    """(kind, asked, held) for each bound that the question is on the other side of than the row's question."""
    asked = sides(question)
    if not asked or not (held := sides(row_question)):
        return
    stated = (*held, *sides(row_answer))
    for each in asked:
        others = [other for other in held if _is_alike(each, other)]
        if others and not any(_may_hold(other, each) for other in stated):
            yield "duration" if each.value is None else each.value.dimension, each.label, others[0].label


@lru_cache(maxsize=4096)
def sides(text: str) -> tuple[Side, ...]:
    """The bounds of a text that it says to be reached or not."""
    bounds: list[tuple[Quantity | None, int, int]] = [
        (value, value.start, value.end)
        for value in values_of(text)
        if value.dimension in ("duration", "money", "count") and value.unit != "business_day" and len(value.ends) == 1
    ]
    bounds += [(None, match.start(), match.end()) for match in _TERM.finditer(text)]
    found = []
    for value, start, end in bounds:
        for is_reached, pattern in ((False, _NOT_REACHED), (True, _REACHED)):
            if pattern.match(text, end):
                found.append(Side(value, is_reached, text[start:end]))
                break
    return tuple(found)


def _is_alike(asked: Side, held: Side) -> bool:
    """Whether two bounds are of one kind. A term that is asked about without its number may be a number of months of the row.

    Not the other way round: six months may have passed before the end of a term ("6개월 된 예금을 깨면").
    """
    if asked.value is None or held.value is None:
        return asked.value is None and (held.value is None or held.value.unit == "month")
    return families([asked.value]).keys() == families([held.value]).keys()


def _may_hold(stated: Side, asked: Side) -> bool:
    """Whether a side of a row covers the asked one, or overlaps it from the other side: three of five years may have passed."""
    if not (_is_alike(asked, stated) or _is_alike(stated, asked)):
        return False
    is_same_side = asked.is_reached == stated.is_reached
    if asked.value is None or stated.value is None or has_end_of(asked.value, stated.value):
        return is_same_side
    [one], [other] = asked.value.ends, stated.value.ends
    is_further = one > other if asked.is_reached else one < other
    return asked.value.unit != stated.value.unit or is_further == is_same_side
