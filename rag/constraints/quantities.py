"""Reads amounts, rates, durations, ages, grades, counts, dates, times, phone numbers and lengths from Korean text.

Spellings of one value give equal quantities: 5천만원, 오천만원 and 50,000,000원; 12개월 and 1년; 오후 4시 and 16:00. Distinct
ones stay distinct: % and %p, 일 and 영업일, 이하 and 미만. Pure functions over compiled patterns, without models.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from rag.constraints.quantity_patterns import AT_LEAST, AT_MOST, COMPARATOR, PATTERNS, number
from rag.korean import fold

Dimension = Literal["money", "rate", "duration", "age", "grade", "count", "date", "time", "phone", "length", "number"]
_WORDS = {
    "반년": (6, "month"),
    "하루": (1, "day"),
    "일일": (1, "day"),
    "이틀": (2, "day"),
    "사흘": (3, "day"),
    "나흘": (4, "day"),
    "닷새": (5, "day"),
    "엿새": (6, "day"),
    "열흘": (10, "day"),
    "보름": (15, "day"),
    "반시간": (1800, "second"),
}
_DURATIONS = {
    "business": ("business_day", 1),
    "month": ("month", 1),
    "year": ("month", 12),
    "week": ("day", 7),
    "day": ("day", 1),
    "hour": ("second", 3600),
    "minute": ("second", 60),
    "second": ("second", 1),
}
_HALF = {"year": Decimal(6), "month": Decimal("0.5"), "hour": Decimal(1800)}
_CURRENCIES = ("usd", "jpy", "eur", "cny", "gbp")
_UNITS = {"매": "장"}
_CLOCK = 24 * 60
_JOINED = re.compile(r"\s?[~〜∼–-]\s?|\s?(?:에서|이상|초과|부터)\s?[~∼]?\s?(?:최[대고장]\s?)?")
_CHANGED_TO = re.compile(r"\s?에서\s?(?:으로|로).?")
"""What stands between and after two values of which one is changed to the other ("2억원에서 5억원으로"), which are no range."""
_FROM = re.compile(r"~|에서")
"""Stands between the ends of a range whose first is a single value."""
_LISTED = re.compile(r"[.)](?:\s|$)")


@dataclass(frozen=True)
class Quantity:
    """A quantity in a text, as an interval.

    `low` and `high` are its ends: equal for a single value, None for a missing end ("이상", "까지"). `low_closed` and
    `high_closed` distinguish 이상 from 초과 and 이하 from 미만. Values are in won (or the unit of the currency), per cent,
    months, days or seconds, years of age, minutes after midnight, yyyymmdd (00 for a missing part) or plain numbers. `text` is
    what was read, at the offsets `start` to `end` of the original text, without the comparator. `side` is "before" or "after"
    for "30일 전", "1시간 후".
    """

    dimension: Dimension
    unit: str
    low: Decimal | None
    high: Decimal | None
    text: str
    start: int
    end: int
    low_closed: bool = True
    high_closed: bool = True
    side: Literal["", "before", "after"] = ""

    @property
    def is_point(self) -> bool:
        """Whether it is a single value rather than a range."""
        return self.low is not None and self.low == self.high

    @property
    def ends(self) -> frozenset[Decimal]:
        """The ends that are not missing: two of a range, else one."""
        return frozenset(end for end in (self.low, self.high) if end is not None)

    def covers(self, other: Quantity) -> bool:
        """Whether the interval of `other`, in the same unit, lies within this one. Exclusive ends exclude only single values."""
        # Opening hours may pass midnight: "22:00~07:00" is after the first or before the second.
        if self.dimension == "time" and self.low is not None and self.high is not None and self.low > self.high:
            return other.low is not None and (other.low >= self.low or other.low <= self.high)
        if self.low is not None and (other.low is None or other.low < self.low):
            return False
        if self.high is not None and (other.high is None or other.high > self.high):
            return False
        on_open_end = (other.low == self.low and not self.low_closed) or (
            other.low == self.high and not self.high_closed
        )
        return not (other.is_point and on_open_end)

    def converted(self, unit: str, convert: Callable[[Decimal], Decimal]) -> Quantity:
        """The same quantity in another unit; `convert` is applied to both ends."""
        low, high = (None if end is None else convert(end) for end in (self.low, self.high))
        return replace(self, unit=unit, low=low, high=high)


def read_quantities(text: str) -> list[Quantity]:
    """The quantities of a text in text order, without overlaps. Ranges like "1개월 이상 6개월 미만" and "09:00~16:00" are one
    quantity.

    Numbers without a unit have the dimension "number". List numbers ("1. ", "2) ") are left out.
    """
    folded, offsets = fold(text)
    # The most specific patterns come first, and each character is read once: the 3.5 of "3.5%" is no number of its own.
    taken = bytearray(len(folded))
    matches: list[tuple[int, int, Quantity]] = []
    characters = frozenset(folded)
    for dimension, signs, pattern in PATTERNS:
        if signs and characters.isdisjoint(signs):
            continue
        for match in pattern.finditer(folded):
            start, end = match.span()
            if any(taken[start:end]):
                continue
            quantity = _read(dimension, match)
            if quantity is None:
                continue
            taken[start:end] = b"\1" * (end - start)
            matches.append((start, end, quantity))
    matches.sort(key=lambda entry: entry[0])
    merged = _merge(folded, [(s, *compared(folded, s, e, q)) for s, e, q in matches])
    # Offsets are those of the original text: folding changes the length of "①5만원".
    places = [(s, e) if offsets is None else (offsets[s], offsets[e]) for s, e, _ in merged]
    return [replace(q, start=s, end=e, text=text[s:e]) for (s, e), (_, _, q) in zip(places, merged, strict=True)]


def _read(dimension: str, match: re.Match[str]) -> Quantity | None:
    if dimension == "number" and _LISTED.match(match.string, match.end()):
        line = match.string.rfind("\n", 0, match.start()) + 1
        # "1." is a list number only at the beginning of a line; elsewhere it may end a sentence.
        if not match.string[line : match.start()].strip(" [(-"):
            return None
    groups = {name: value for name, value in match.groupdict().items() if value is not None}
    reader = {"date": _date, "time": _time, "duration": _duration, "age": _age}.get(dimension)
    if reader is not None:
        return reader({**groups, "text": match.group(), "after": match.string[match.end() : match.end() + 2]})
    if dimension in ("phone", "number"):
        value = Decimal("".join(re.findall(r"[\d.]" if dimension == "number" else r"\d", match.group())))
        return _quantity(dimension, "" if dimension == "number" else "phone", value, value)
    if "tenths" in groups:
        value = number(groups["tenths"]) * 10
        return _quantity("rate", "%", value, value)
    value = number(groups["n"])
    if "of" in groups:
        return _fraction(value, number(groups["of"]))
    unit = _unit(dimension, groups)
    low = _low(groups, value) if "low" in groups else value
    return _quantity(dimension, unit, low, value)


def _fraction(part: Decimal, of: Decimal) -> Quantity | None:
    """The rate that "십분의 칠" is, in per cent to two decimals."""
    if not 0 < part < of:
        return None
    value = round(part / of * 100, 2)
    return _quantity("rate", "%", value, value)


def _quantity(dimension: str, unit: str, low: Decimal, high: Decimal) -> Quantity:
    return Quantity(dimension, unit, low, high, "", 0, 0)  # type: ignore[arg-type]


def _unit(dimension: str, groups: dict[str, str]) -> str:
    if dimension == "money":
        return next((code.upper() for code in _CURRENCIES if code in groups), "KRW")
    if dimension == "rate":
        return "%p" if "pp" in groups else "%"
    if dimension == "length":
        return "자리"
    named = next((unit for key, unit in (("times", "회"), ("people", "명"), ("round", "차")) if key in groups), None)
    return named or _UNITS.get(groups["unit"], groups["unit"])


def _low(groups: dict[str, str], high: Decimal) -> Decimal:
    """The first number of a range: 100,000 in "10~20만원", which leaves out its 만, unless that exceeds `high`."""
    low = number(groups["low"])
    scale = next((Decimal(10**power) for power, sign in ((8, "억"), (4, "만")) if sign in groups["n"]), Decimal(1))
    if scale == 1 or any(sign in groups["low"] for sign in "만억조"):
        return low
    return next((low * s for s in (scale, Decimal(10**4)) if low * s <= high), low)


def _date(groups: dict[str, str]) -> Quantity:
    year, month, day = (
        groups.get("y", "0"),
        groups.get("m") or groups.get("m2", "0"),
        groups.get("d") or groups.get("d2", "0"),
    )
    value = Decimal(int(year) * 10000 + int(month) * 100 + int(day))
    return _quantity("date", "date", value, value)


def _time(groups: dict[str, str]) -> Quantity:
    if "noon" in groups or "midnight" in groups:
        value = Decimal(720 if "noon" in groups else 0)
        return _quantity("time", "clock", value, value)
    hour, part = int(number(groups["h"])), groups.get("part", "").lower()
    if part == "밤" and hour == 12:
        hour = 0
    elif part in ("오후", "저녁", "pm") or (part == "밤" and hour >= 6) or (part == "낮" and hour < 6):
        hour = hour if hour >= 12 else hour + 12
    elif hour == 12 and part in ("오전", "새벽", "am"):
        hour = 0
    minutes = Decimal((hour * 60 + (30 if "half" in groups else int(number(groups.get("mi", "0"))))) % _CLOCK)
    # "3시" may be in the morning or in the afternoon; "15시" and "03:00" are exact.
    is_exact = part or ":" in groups["text"] or not 1 <= hour <= 12
    return _quantity("time", "clock" if is_exact else "clock12", minutes, minutes)


def _duration(groups: dict[str, str]) -> Quantity | None:
    if "word" in groups:
        amount, unit = _WORDS["".join(groups["word"].split())]
        return _quantity("duration", unit, Decimal(amount), Decimal(amount))
    name = next(key for key in _DURATIONS if key in groups)
    unit, factor = _DURATIONS[name]
    # "2026년" is a date, which another pattern reads.
    if name == "year" and len(groups["n"]) == 4 and groups["n"].isdigit():
        return None
    value = number(groups["n"]) * factor
    # "1일부터 말일까지" are days of a month.
    if name == "day" and groups["after"].startswith("부터") and value <= 31:
        return None
    low = number(groups["low"]) * factor if "low" in groups else value
    if "half" in groups or "half2" in groups:
        extra = _HALF.get(name, Decimal(0))
    else:
        extra = Decimal(int(groups.get("more", 0)) + 60 * int(groups.get("min", 0)))
    return _quantity("duration", unit, low if "low" in groups else value + extra, value + extra)


def _age(groups: dict[str, str]) -> Quantity | None:
    if "minor" in groups:
        return replace(_quantity("age", "세", Decimal(0), Decimal(19)), low=None, high_closed=False)
    if "decade" in groups:
        low = Decimal(groups["decade"])
        return replace(_quantity("age", "세", low, low + 10), high_closed=False)
    value = number(groups["n"])
    return _quantity("age", "세", number(groups["low"]) if "low" in groups else value, value) if value <= 120 else None


def compared(text: str, start: int, end: int, quantity: Quantity) -> tuple[int, Quantity]:
    """(end, quantity) of a quantity at `start` to `end`, with the comparator around it applied: "2,000점부터" has no upper
    end."""
    if not quantity.is_point or quantity.dimension in ("phone", "number"):
        return end, quantity
    match = COMPARATOR.match(text, end)
    before = text[max(0, start - 16) : start]
    # A comparator after the value takes precedence: "최소 3개월 이내" is at most three months.
    if match is not None and match.end() > end:
        side = {"전": "before", "이전": "before", "후": "after", "뒤": "after", "이후": "after"}.get(
            match["side"] or "", ""
        )
        if side and quantity.dimension == "duration":
            return end, replace(quantity, side=side)  # type: ignore[arg-type]
        if match["ge"] or match["gt"] or match["side"] in ("이후", "후"):
            return end, replace(quantity, high=None, low_closed=not match["gt"])
        if match["le"] or match["lt"] or match["side"] in ("이전", "전"):
            return end, replace(quantity, low=None, high_closed=not match["lt"])
    if AT_MOST.search(before):
        return end, replace(quantity, low=None)
    if AT_LEAST.search(before):
        return end, replace(quantity, high=None)
    return end, quantity


def _merge(text: str, entries: list[tuple[int, int, Quantity]]) -> list[tuple[int, int, Quantity]]:
    """The entries, with neighbours that are the ends of one range joined into one quantity."""
    merged: list[tuple[int, int, Quantity]] = []
    for start, end, quantity in entries:
        is_change = merged and _CHANGED_TO.fullmatch(text[merged[-1][1] : start] + text[end : end + 2])
        if merged and not is_change and (joined := _range(text, *merged[-1], start, quantity)) is not None:
            merged[-1] = (merged[-1][0], end, joined)
        else:
            merged.append((start, end, quantity))
    return merged


def _range(text: str, _: int, end: int, first: Quantity, start: int, second: Quantity) -> Quantity | None:
    units = {first.unit, second.unit}
    if first.dimension != second.dimension or (len(units) > 1 and units != {"clock", "clock12"}):
        return None
    if first.low is None or second.high is None or (first.high is not None and not first.is_point):
        return None
    if first.high is not None and second.low is None and not _FROM.search(text[end:start]):
        return None
    if not _JOINED.fullmatch(text, end, start) or (start - end < 1):
        return None
    if first.dimension != "time" and first.low > second.high:
        return None
    high = second.high
    # In "오전 9시~4시" the second time is in the afternoon.
    if second.unit == "clock12" and first.low > high:
        high += 720
    unit = "clock" if "clock" in units else first.unit
    return replace(first, unit=unit, high=high, high_closed=second.high_closed, side=second.side or first.side)
