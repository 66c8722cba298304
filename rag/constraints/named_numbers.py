"""Numbers that belong to a name: "6월 결산법인", "4세대 실손", "2분기 배당", "사잇돌2", "D+1", "E-7 비자".

A row that names the same thing with another number only ("12월 결산법인의 배당금은 4월에 …") does not answer the question, even
if the name stands in its answer alone. A number that a row states anywhere, or within limits, is not reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from rag.constraints.everyday_values import values_of
from rag.constraints.quantities import Quantity
from rag.constraints.quantity_patterns import COMPARATOR
from rag.constraints.value_agreement import agrees, families

_DIMENSIONS = ("date", "grade", "number")
_UNITS = ("차", "배", "단계")
"""Units of counts that tell things apart as grades do: "2차 사고", "2배 레버리지"."""
_NOUN = re.compile(
    r"(?P<space>\s?)(?P<noun>(?!이상|이하|이내|이후|이전|미만|초과|정도|부터|까지|동안|사이|단위|마다|중에|안에|전에|지나|넘|되|된|됐|인데|이면|이라"
    r"|가운데|기준|[쯤말초경분](?!기)|자리|하고|에서|으로|에는)[가-힣]{2,})"
)
"""The word after a number that it may belong to: a noun, not a limit or a verb of time that passes."""
_NAME = re.compile(
    r"(?:(?<![가-힣])(?P<word>[가-힣]{2,10})|(?<![A-Za-z])(?P<letters>[A-Za-z]{1,8}))(?P<join>[-+]|\s)?$"
)
_PARTICLE = re.compile(r"(?<=[가-힣]{2})(?:은|는|이|가|을|를|의|도|로|인데|이면)$")
_TAIL = re.compile(r"[A-Za-z]{0,4}")
_SPAN_BETWEEN = re.compile(r"\s?[~〜∼–-]\s?")
_SPAN_BEFORE = re.compile(r"\d\s?[~〜∼–-]\s?$")
_LEAST_NOUN, _NAME_SPAN = 2, 12
"""Common syllables of two nouns, and the characters before a number in which its name is searched."""
_MARKS = (
    re.compile(r"(?<![A-Za-z가-힣])(?P<mark>[A-Za-z])\s?-?(?P<name>클래스|형|타입|등급|코스|플랜)(?![가-힣]{3})"),
    re.compile(r"(?P<mark>[상하])(?P<name>반기)"),
    re.compile(r"(?P<mark>[첫둘셋넷]째|마지막)\s?(?P<name>주)(?![문식택])"),
)
"""Letters and words that tell things of one name apart as numbers do."""


class NamedNumber(NamedTuple):
    """A number with the noun after it or the name before it, in lower case; `label`: both as the text has them, ending at the
    offset `end`."""

    name: str
    is_before: bool
    value: Quantity
    label: str
    end: int


def other_numbers(question: str, row_question: str, row_answer: str) -> Iterator[tuple[str, str, str]]:
    """(dimension, asked, held) for each named number of a question whose name a row has with other numbers alone."""
    if not (asked := named_numbers(question)):
        return
    row = f"{row_question}\n{row_answer}"
    held, by_family, of_question = named_numbers(row), families(values_of(row)), families(values_of(question))
    for each in asked:
        others = [other for other in held if _is_same_name(each, other)]
        (family,) = families([each.value])
        if not others or any(_may_state(each.value, value) for value in by_family.get(family, [])):
            continue
        # "D+1이랑 D+2가 뭐예요" is on both.
        if any(_may_state(value, other.value) for value in of_question[family] for other in others):
            continue
        if not any(_is_limit(row, other) for other in others) and not _is_in_span(each, others, row):
            yield each.value.dimension, each.label, ", ".join(dict.fromkeys(other.label for other in others))


def other_marks(question: str, row: str) -> Iterator[tuple[str, str, str]]:
    """("grade", asked, held) for "C클래스", "하반기" and "첫째 주" of a question where a row has others of the name alone."""
    for pattern in _MARKS:
        marks = list(pattern.finditer(question))
        held = list(pattern.finditer(row)) if marks else []
        # A question that names the row's, too, is on both.
        named = {each["mark"].lower() for each in marks}
        for asked in marks:
            others = {each["mark"].lower(): each.group() for each in held if each["name"] == asked["name"]}
            if others and not named & others.keys():
                yield "grade", asked.group(), ", ".join(others.values())


@lru_cache(maxsize=4096)
def named_numbers(text: str) -> tuple[NamedNumber, ...]:
    """The numbers of a text that belong to a name, in text order."""
    found = []
    for value in values_of(text):
        is_note = value.dimension == "money" and text.startswith("권", value.end)
        if not value.is_point or not (value.dimension in _DIMENSIONS or value.unit in _UNITS or is_note):
            continue
        if value.dimension == "number" and (name := _name_before(text, value)):
            found.append(name)
        elif is_note:
            end = value.end + len("권")
            found.append(NamedNumber("권", False, value, text[value.start : end], end))
        elif noun := _NOUN.match(text, value.end):
            label = text[value.start : noun.start("noun")] + _PARTICLE.sub("", noun["noun"])
            found.append(NamedNumber(noun["noun"], False, value, label, noun.end()))
    return tuple(found)


def _name_before(text: str, value: Quantity) -> NamedNumber | None:
    """The number with the name before it and the letters after it ("P2P", "햇살론15"); None if there is no such name."""
    name = _NAME.search(text, max(0, value.start - _NAME_SPAN), value.start)
    tail = _TAIL.match(text, value.end)
    if name is None or tail is None or text[tail.end() : tail.end() + 1].isdigit():
        return None
    if name["word"] and (tail.group() or name["join"] in ("-", "+")):
        return None
    key = f"{name['word'] or name['letters']}|{tail.group()}".lower()
    return NamedNumber(key, True, value, text[name.start() : tail.end()], tail.end())


def _is_same_name(one: NamedNumber, other: NamedNumber) -> bool:
    if one.is_before != other.is_before or one.value.dimension != other.value.dimension:
        return False
    if one.value.unit != other.value.unit:
        return False
    if one.is_before:
        return one.name == other.name
    # Two common syllables: "결산법인의" and "결산", "배당금은" and "배당이".
    return one.name[:_LEAST_NOUN] == other.name[:_LEAST_NOUN]


def _may_state(asked: Quantity, held: Quantity) -> bool:
    """Whether a row's value equals or covers the asked one; dates of the same month do."""
    if asked.dimension == "date" and asked.is_point and held.is_point:
        months = [int(value.low or 0) // 100 % 100 for value in (asked, held)]
        return asked.low == held.low or (months[0] == months[1] > 0)
    # A limit states no note or voucher: "3만원권" is not among "5만·10만원권, 월 100만원까지".
    return agrees(asked, held) is True and (asked.dimension != "money" or held.is_point)


def _is_limit(row: str, named: NamedNumber) -> bool:
    """Whether a row's number is an end of a range: "8구간 이하", "안드로이드 9 이상", "4~5월 결산"."""
    matches = [match for place in (named.value.end, named.end) if (match := COMPARATOR.match(row, place))]
    if any(match[name] for match in matches for name in ("ge", "gt", "le", "lt")):
        return True
    return (
        not named.is_before
        and _SPAN_BEFORE.search(row, max(0, named.value.start - _NAME_SPAN), named.value.start) is not None
    )


def _is_in_span(asked: NamedNumber, held: list[NamedNumber], row: str) -> bool:
    """Whether two numbers of the name are the ends of a span that holds the asked one: I22 in "I21~I25"."""
    number = asked.value.low or Decimal(0)
    for first, last in pairwise(held):
        begin = last.end - len(last.label)
        if not _SPAN_BETWEEN.fullmatch(row[first.value.end : max(begin, first.value.end)]):
            continue
        if (first.value.low or Decimal(0)) <= number <= (last.value.low or Decimal(0)):
            return True
    return False
