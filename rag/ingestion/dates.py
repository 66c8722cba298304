"""Parses dates in the forms that people and programs write, if they are unambiguous. Pure functions."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone

_KST = timezone(timedelta(hours=9))
_OPEN = frozenset({"-", "–", "—", "상시", "무기한", "없음", "해당없음", "제한없음", "NULL", "null", "\\N"})
"""Words for "no date", meaning without limit; `NULL` is what databases write."""
_DAY = re.compile(
    r"(?P<year>\d{4})(?:\s*(?P<sep>[-./])\s*(?P<month>\d{1,2})\s*(?P=sep)\s*(?P<day>\d{1,2})(?:\.(?=\D|$))?"
    r"|년\s*(?P<month2>\d{1,2})월\s*(?P<day2>\d{1,2})일|(?P<month3>\d{2})(?P<day3>\d{2}))",
    re.ASCII,
)
_WEEKDAY = r"(?:\s*\(?[월화수목금토일](?:요일)?\)?)?"
_TIME = (
    r"(?:(?:T|\s+)(?P<half>오전|오후|AM|PM)?\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
_REST = re.compile(_WEEKDAY + _TIME, re.ASCII)


def is_unlimited(text: str) -> bool:
    """Whether the text states that there is no limit: "상시", "-"."""
    return "".join(text.split()) in _OPEN


def iso_date(text: str) -> str:
    """The date as `2026-01-31`, from forms such as `2026. 1. 31.`, `20260131`, `2026년 1월 31일` or a timestamp.

    Empty if the text is no date, or an ambiguous one, as `1/31/2026` and `26-01-31` are. A time with a zone is converted to
    Korean time, which may change the date.
    """
    text = text.strip()
    if not (day := _DAY.match(text)) or not (rest := _REST.fullmatch(text, day.end())):
        return ""
    month, number = (next(filter(None, day.group(f"{name}", f"{name}2", f"{name}3"))) for name in ("month", "day"))
    try:
        # A time without a zone is Korean time and does not change the date.
        if rest["zone"]:
            iso = re.sub(r"\s*(Z|[+-]\d{2}:?\d{2})$", lambda zone: zone[1].replace("Z", "+00:00"), text)
            return datetime.fromisoformat(iso).astimezone(_KST).date().isoformat()
        return date(int(day["year"]), int(month), int(number)).isoformat()
    except (ValueError, OverflowError):
        return ""
