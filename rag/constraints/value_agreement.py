"""Do the values of a question agree with those of a row?

A range in the row's question is the scope of the row: the asked value must lie within it. In the row's answer it is enough that
one value equals the asked one or that a range covers it. An age outside a threshold of the answer ("만 65세 이상") is decided by
that threshold, so it neither agrees nor conflicts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from rag.constraints.everyday_values import values_of
from rag.constraints.mentioned_values import comparable
from rag.constraints.quantities import Quantity

_DAYS = {"month": Decimal("30.4375"), "day": Decimal(1), "second": Decimal(1) / 86400}
_TOLERANCE = Decimal("0.04")
"""Relative difference within which durations in different units are equal: customers use 30일 and 1개월 alike."""
DAYS_OF_MONTH = 31
"""Dates up to here are a day of any month; those of a month are 100 and more."""
_ELAPSED = re.compile(r"\s?(?:이|가)?\s?(?:지난|넘은|경과한|지나서|지나면|넘으면)")


def families(quantities: Iterable[Quantity]) -> dict[str, list[Quantity]]:
    """The quantities grouped by what can be compared: durations in one family, money by currency, counts and grades by unit."""
    grouped: dict[str, list[Quantity]] = {}
    for quantity in quantities:
        # Won and dollars, or times and items, never contradict each other; durations in different units (12개월, 1년) do.
        split = quantity.dimension in ("money", "rate", "count", "grade")
        family = f"{quantity.dimension} {quantity.unit}" if split else quantity.dimension
        grouped.setdefault(family, []).append(quantity)
    return grouped


def families_of_row(quantities: Iterable[Quantity]) -> dict[str, list[Quantity]]:
    """The `families` of a row's quantities, with each day of a month both as a date and as a duration.

    A row may list days without the month ("매월 5일, 10일, 25일 중에서"), and a customer may say "25일날" or "25일로".
    """
    grouped = families(quantities)
    durations, dates = grouped.get("duration", []), grouped.get("date", [])
    listed = [q for q in durations if q.unit == "day" and q.text.endswith("일") and q.is_point and not q.side]
    as_dates = [replace(q, dimension="date", unit="date") for q in listed if max(q.ends) <= DAYS_OF_MONTH]
    as_durations = [replace(q, dimension="duration", unit="day") for q in dates if q.text.startswith("매")]
    for name, days in (("date", as_dates), ("duration", as_durations)):
        if days:
            grouped[name] = [*grouped.get(name, []), *days]
    return grouped


def scope(row_question: str, quantities: Iterable[Quantity]) -> list[Quantity]:
    """The values of a row's question as its scope: in "30일이 지난 계약" it is 30일 and more."""
    return [
        replace(q, high=None) if q.dimension == "duration" and q.is_point and _ELAPSED.match(row_question, q.end) else q
        for q in quantities
    ]


def excludes(in_question: Sequence[Quantity], asked: Quantity) -> bool:
    """Whether a value lies outside the ranges of a row's question, which its answer cannot extend."""
    return any(not row.is_point for row in in_question) and all(agrees(asked, row) is False for row in in_question)


def is_on_values(question: str, row_question: str) -> bool:
    """Whether a row's question names each of a question's values, of which there is one at least, and no range around one."""
    asked = comparable(question, values_of(question))
    own = {(value.dimension, value.unit, value.low, value.high) for value in values_of(row_question)}
    return bool(asked) and all((value.dimension, value.unit, value.low, value.high) in own for value in asked)


def holds(asked: Quantity, row: Sequence[Quantity]) -> bool:
    """Whether a row states the asked value or covers it."""
    return any(agrees(asked, value) is True for value in row)


def stated(asked: Quantity, answer: Sequence[Quantity], *, has_passed: bool = False) -> list[Quantity]:
    """The values of an answer that may state an asked one: nothing beyond a range that the answer gives.

    "6개월 이상 이용하신 회원" covers 120개월, but in the answer on a loan of "3개월 ~ 60개월" it describes the borrower.
    `has_passed`: the asked value is time that has passed, which no span of terms limits.
    """
    if asked.dimension in ("money", "count"):
        # Beside "1일 5억원까지", "1일 1억원을 넘게 올리시려면 …" has 5억원 as its upper end.
        most = max((value.high for value in answer if value.high is not None and not value.is_point), default=None)
        if most is None or asked.low is None or asked.low <= most:
            return list(answer)
        return [value for value in answer if not (value.high is None and value.low is not None and value.low < most)]
    spans = [value for value in answer if not (value.is_point or value.low is None or value.high is None)]
    if asked.dimension != "duration" or not spans or has_passed:
        return list(answer)
    return [value for value in answer if not any(_crosses(value, span) for span in spans)]


def _crosses(value: Quantity, span: Quantity) -> bool:
    """Whether an open range overlaps a span without sharing its end; "31일 이상" is the next tier after "8~30일" and does not."""
    if value.unit != span.unit or span.low is None or span.high is None:
        return False
    if value.high is None and value.low is not None:
        return value.low < span.high and value.low != span.low
    return value.low is None and value.high is not None and value.high > span.low and value.high != span.high


def decides(asked: Quantity, answer: Sequence[Quantity]) -> bool:
    """Whether an answer decides a value that it does not state: an age by a threshold, a time by opening hours."""
    if asked.dimension == "time":
        return any(value.low is not None and value.high is not None and not value.is_point for value in answer)
    single = asked.is_point or asked.text.endswith("대") or asked.text.startswith("미성년")
    return asked.dimension == "age" and single and any(not value.is_point for value in answer)


def agrees(asked: Quantity, row: Quantity) -> bool | None:
    """Whether the asked value equals the row's or lies within it; None if they cannot be compared or overlap only in part."""
    if asked.dimension == "date":
        return _same_date(asked, row)
    if asked.unit != row.unit:
        # Customers say 일 where the bank means 영업일: equal numbers agree, others cannot be compared.
        if "business_day" in (asked.unit, row.unit):
            return True if asked.low == row.low and asked.high == row.high else None
        if asked.dimension == "time":
            # One of the two does not say morning or afternoon: "11시" may be 23:00.
            asked, row = (each.converted("clock12", lambda end: end % 720) for each in (asked, row))
        else:
            asked, row = _in_days(asked), _in_days(row)
    # Equal ends agree even if one is exclusive: a customer's "10만원 이상" is the row's "10만원 초과".
    if row.covers(asked) or (asked.low, asked.high) == (row.low, row.high):
        return True
    # A range with one end agrees with a range that has the same end: "10만원부터" and "10만원부터 5천만원까지".
    if (asked.high is None and asked.low == row.low) or (asked.low is None and asked.high == row.high):
        return True
    # "30번 넘게" is beyond "월 30회까지", which is what the row says on it.
    if asked.unit == "회" and asked.high is None and row.low in (None, row.high) and asked.low == row.high:
        return True
    if asked.dimension == "age" and asked.text.startswith("미성년"):
        return None
    # A group like "중학생" agrees with "만 14세 이상": the row says which members of the group qualify.
    is_group = asked.dimension == "age" and not any(map(str.isdigit, asked.text))
    if is_group and row.high is None and _overlap(asked, row):
        return True
    if row.is_point and not asked.is_point and asked.covers(row):
        return True if row.low in (asked.low, asked.high) else None
    if asked.unit == "days":
        # Months were converted to days, so a tolerance applies; 89일 and 90일 are not converted and differ.
        if asked.is_point and row.is_point:
            return _is_near(asked.low, row.low)
        if asked.low is None and row.low is None:
            return _is_near(asked.high, row.high)
        # "한 달" beside "8~30일", "두 달" beside "최대 60일".
        if asked.is_point:
            return _is_near(asked.low, row.low) or _is_near(asked.low, row.high)
    return False


def has_end_of(asked: Quantity, row: Quantity) -> bool:
    """Whether two values of one kind have an end in common; durations in different units may differ by _TOLERANCE."""
    if asked.ends & row.ends:
        return True
    asked, row = _in_days(asked), _in_days(row)
    return asked.unit == row.unit == "days" and any(_is_near(one, other) for one in asked.ends for other in row.ends)


def is_beyond(asked: Quantity, limit: Quantity, *, over: bool = False) -> bool:
    """Whether a duration is longer than an upper limit; with `over` an equal one is, too ("14일 지났는데")."""
    asked, limit = _in_days(asked), _in_days(limit)
    if asked.low is None or limit.high is None or asked.unit != limit.unit:
        return False
    return over if _is_near(asked.low, limit.high) else asked.low > limit.high


def _is_near(one: Decimal | None, other: Decimal | None) -> bool:
    """Whether two durations differ by at most _TOLERANCE."""
    return one is not None and other is not None and abs(one - other) <= _TOLERANCE * max(one, other)


def _overlap(first: Quantity, second: Quantity) -> bool:
    """Whether two ranges have a value in common."""

    def ends_before(one: Quantity, other: Quantity) -> bool:
        if one.high is None or other.low is None:
            return False
        return one.high < other.low or (one.high == other.low and not (one.high_closed and other.low_closed))

    return not ends_before(first, second) and not ends_before(second, first)


def _in_days(quantity: Quantity) -> Quantity:
    factor = _DAYS.get(quantity.unit)
    return quantity if factor is None else quantity.converted("days", lambda end: end * factor)


def _same_date(asked: Quantity, row: Quantity) -> bool | None:
    """Whether two dates agree: by year, and by month if both have one. None if only one has a year.

    Days of any year agree if they are equal or the row's period covers the asked one ("3월 5일" with "3월 2일~4월 20일").
    """
    first, second = asked.low or asked.high, row.low or row.high
    if first is None or second is None or (first < 10000) != (second < 10000):
        return None
    if first < 10000:
        is_period = row.low is not None and row.high is not None
        is_within_month = first // 100 == second // 100 > 0 and not (first % 100 and second % 100)
        return True if is_within_month or (is_period and row.covers(asked)) else None
    if first // 10000 != second // 10000:
        return False
    months = first // 100 % 100, second // 100 % 100
    if not all(months) or months[0] == months[1]:
        return True
    # Another month of the same year agrees with a period that covers it: "2025년 8월" with "2025년 7월 1일부터".
    return (row.high is None and months[0] > months[1]) or (row.low is None and months[0] < months[1])
