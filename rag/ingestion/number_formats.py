"""What a spreadsheet shows for a value: 0.035 under `0.0%` is "3.5%", 0 under `#,##0"원";…;"면제"` is "면제". Pure.

Excel's format codes as far as tables of a bank use them; fractions and exponents are shown as plain numbers.
"""

from __future__ import annotations

import operator
import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

_SECTION = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
_PART = re.compile(
    r'"(?P<text>[^"]*)"|\\(?P<escaped>.)|_(?P<space>.)|\*(?P<fill>.)|\[\$(?P<currency>[^\]-]*)[^\]]*\]|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<exponent>[Ee][+-])|(?P<digit>[0#?])|(?P<point>\.)|(?P<comma>,)|(?P<percent>%)|(?P<other>.)",
    re.S,
)
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)\s*(-?[\d.]+)\]")
_COMPARE = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "<>": operator.ne,
    "=": operator.eq,
}
_DATE_TOKEN = re.compile(
    r'"(?P<text>[^"]*)"|\\(?P<escaped>.)|_.|\*.|\[[^\]]*\]|(?P<half>AM/PM|A/P|오전/오후)|(?P<run>y+|m+|d+|a{3,4}|h+|s+|e+|g+)|(?P<other>.)',
    re.I | re.S,
)
_WEEKDAYS = "월화수목금토일"
_BUILT_IN = {"mm-dd-yy": "yyyy-mm-dd", "m/d/yy": "yyyy-mm-dd", "m/d/yy h:mm": "yyyy-mm-dd h:mm"}
"""Codes that stand for the machine's own order, which in Korea is this one."""


def shown(value: object, code: str) -> str:
    """`value` as the cell shows it under the format `code`; an empty text for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime | date | time):
        return _show_date(value, code)
    if isinstance(value, timedelta):
        minutes = int(value.total_seconds()) // 60
        return f"{minutes // 60}:{minutes % 60:02}"
    if isinstance(value, int | float):
        return _show_number(value, code)
    sections = _SECTION.split(code)
    text = str(value)
    return _fill(sections[3], text) if len(sections) > 3 and "@" in sections[3] else text


def plain(value: float) -> str:
    """A number without a format: as few digits as say it, never as an exponent."""
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    # Eleven digits, as Excel's own General shows at most: 0.1 + 0.2 is 0.3.
    return f"{Decimal(f'{value:.11g}').normalize():f}"


def _show_number(value: float, code: str) -> str:
    section, value = _section(value, code)
    if section.strip().lower() in ("general", "@", ""):
        return plain(value)
    if re.fullmatch(r"general", re.sub(r'"[^"]*"|\\.|\[[^\]]*\]|[_*].', "", section).strip(), re.I):
        return _fill(re.sub("general", "@", section, flags=re.I), plain(value))
    parts = [(match.lastgroup or "other", match[match.lastgroup or "other"]) for match in _PART.finditer(section)]
    kinds = [kind for kind, _ in parts]
    # A slash between digits is a fraction; neither it nor an exponent is in any table of fees.
    if "exponent" in kinds or ("digit" in kinds and ("other", "/") in parts):
        return plain(value)
    return _lay_out(parts, abs(value), negative=value < 0)


def _section(value: float, code: str) -> tuple[str, float]:
    """The part of the code for this value, and the value to show: under a part for negative numbers, without its sign."""
    sections = _SECTION.split(code)
    for section in sections:
        if match := _CONDITION.search(section):
            if _COMPARE[match[1]](value, float(match[2])):
                return section, value
        elif any(map(_CONDITION.search, sections)):
            return section, value
    if value < 0 and len(sections) > 1:
        return sections[1], abs(value)
    if value == 0 and len(sections) > 2:
        return sections[2], value
    return sections[0], value


def _lay_out(parts: list[tuple[str, str]], value: float, *, negative: bool) -> str:
    kinds = [kind for kind, _ in parts]
    point = kinds.index("point") if "point" in kinds else len(parts)
    digits_before = [at for at, kind in enumerate(kinds) if kind == "digit" and at < point]
    digits_after = [at for at, kind in enumerate(kinds) if kind == "digit" and at > point]
    last = max([*digits_before, *digits_after], default=-1)
    commas = [at for at, kind in enumerate(kinds) if kind == "comma"]
    # Behind the last digit a comma divides by a thousand; between digits it groups them.
    scale = (
        sum(at > (digits_before[-1] if digits_before else -1) and (at < point or at > last) for at in commas)
        if digits_before
        else 0
    )
    grouped = any(digits_before and digits_before[0] < at < digits_before[-1] for at in commas)
    # Decimal of the shortest digits, and half up: binary floats show 0.285 under `0.00` as 0.28, Excel as 0.29.
    number = Decimal(repr(value)).scaleb(2 * kinds.count("percent") - 3 * scale)
    number = number.quantize(Decimal(1).scaleb(-len(digits_after)), ROUND_HALF_UP)
    whole, _, decimals = f"{number:f}".partition(".")
    needed = sum(parts[at][1] == "0" for at in digits_before)
    whole = ("" if whole == "0" and needed == 0 and digits_before else whole).rjust(needed, "0")
    # `#` shows a digit only where there is one.
    for at in reversed(digits_after):
        if parts[at][1] == "0" or not decimals.endswith("0"):
            break
        decimals = decimals[:-1]
    out = "-" if negative and number else ""
    left, right = whole, decimals
    if grouped:
        left = f"{int(whole or 0):,}" if whole else ""
    for at, (kind, text) in enumerate(parts):
        if kind == "digit" and at < point:
            remaining = 0 if grouped else sum(later > at for later in digits_before)
            take = max(len(left) - remaining, 0)
            out, left = out + left[:take], left[take:]
        elif kind == "digit":
            out, right = out + right[:1], right[1:]
        elif kind == "point":
            out += "." if decimals else ""
        elif kind in ("text", "escaped", "currency", "percent", "other"):
            out += text
    return out.strip()


def _fill(section: str, text: str) -> str:
    out = ""
    for match in _PART.finditer(section):
        kind = match.lastgroup or "other"
        if kind in ("text", "escaped", "currency"):
            out += match[kind]
        elif kind == "other":
            out += text if match[kind] == "@" else match[kind]
    return out.strip()


def _show_date(value: datetime | date | time, code: str) -> str:
    if isinstance(value, datetime) and code.lower() == "general":
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    code = _BUILT_IN.get(code.lower(), _SECTION.split(code)[0])
    tokens = [
        (match.lastgroup, match[match.lastgroup] if match.lastgroup else "") for match in _DATE_TOKEN.finditer(code)
    ]
    runs = [text.lower() if kind == "run" else "" for kind, text in tokens]
    twelve = any(kind == "half" for kind, _ in tokens)
    out = ""
    for at, (kind, text) in enumerate(tokens):
        if kind == "run":
            # `m` beside hours or seconds is minutes.
            before = next((run[0] for run in reversed(runs[:at]) if run), "")
            after = next((run[0] for run in runs[at + 1 :] if run), "")
            out += _date_part(value, text.lower(), minutes=before == "h" or after == "s", twelve=twelve)
        elif kind == "half":
            late = getattr(value, "hour", 0) >= 12
            out += ("오후" if late else "오전") if "오" in text else ("PM" if late else "AM")
        elif kind:
            out += text
    text = out.strip()
    return text or str(value)


def _date_part(value: datetime | date | time, run: str, *, minutes: bool, twelve: bool) -> str:
    letter, width = run[0], len(run)
    if letter in "hs" or (letter == "m" and minutes):
        hour = getattr(value, "hour", 0)
        number = {
            "h": (hour % 12 or 12) if twelve else hour,
            "m": getattr(value, "minute", 0),
            "s": getattr(value, "second", 0),
        }[letter]
        return str(number).rjust(min(width, 2), "0")
    if isinstance(value, time):
        return ""
    if letter in "ye":
        return f"{value.year:04}" if width > 2 or letter == "e" else f"{value.year % 100:02}"
    if letter == "a" or (letter == "d" and width > 2):
        return _WEEKDAYS[value.weekday()] + ("요일" if width == 4 else "")
    if letter == "m":
        return str(value.month).rjust(min(width, 2), "0") if width < 3 else f"{value.month}월"
    return str(value.day).rjust(min(width, 2), "0") if letter == "d" else ""
