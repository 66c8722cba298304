"""Formats cell values as Excel shows them: 0.035 with `0.0%` is "3.5%", 0 with `#,##0"원";…;"면제"` is "면제". Pure functions.

Implements the parts of Excel's format codes that banks' tables use; fractions and exponents are formatted as General.
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
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "<>": operator.ne, "=": operator.eq
}  # fmt: skip
_DATE_TOKEN = re.compile(
    r'"(?P<text>[^"]*)"|\\(?P<escaped>.)|_.|\*.|\[[^\]]*\]|(?P<half>AM/PM|A/P|오전/오후)|(?P<run>y+|m+|d+|a{3,4}|h+|s+|e+|g+)|(?P<other>.)',
    re.I | re.S,
)
_KOREAN_LOCALE = re.compile(r"\[\$[^\]]*-(?:0*412|ko(?:-KR)?)\b", re.I)
"""Of a format whose names Excel shows in Korean; Windows' number of that language is 0412."""
_WEEKDAYS = "월화수목금토일"
_BUILT_IN = {"mm-dd-yy": "yyyy-mm-dd", "m/d/yy": "yyyy-mm-dd", "m/d/yy h:mm": "yyyy-mm-dd h:mm"}
"""Codes that Excel replaces by the system's date format, here Korea's."""


def format_value(value: object, code: str) -> str:
    """`value` as a cell with the number format `code` shows it; "" for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime | date | time):
        return _format_date(value, code)
    if isinstance(value, timedelta):
        minutes = int(value.total_seconds()) // 60
        return f"{minutes // 60}:{minutes % 60:02}"
    if isinstance(value, int | float):
        return _format_number(value, code)
    sections = _SECTION.split(code)
    text = str(value)
    return _apply_text_section(sections[3], text) if len(sections) > 3 and "@" in sections[3] else text


def _format_general(value: float) -> str:
    """A number in the format General: as few digits as possible, never with an exponent."""
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    # At most eleven digits, as in Excel, so that 0.1 + 0.2 is 0.3.
    return f"{Decimal(f'{value:.11g}').normalize():f}"


def _format_number(value: float, code: str) -> str:
    section, value = _select_section(value, code)
    if section.strip().lower() in ("general", "@", ""):
        return _format_general(value)
    if re.fullmatch(r"general", re.sub(r'"[^"]*"|\\.|\[[^\]]*\]|[_*].', "", section).strip(), re.I):
        return _apply_text_section(re.sub("general", "@", section, flags=re.I), _format_general(value))
    parts = [(match.lastgroup or "other", match[match.lastgroup or "other"]) for match in _PART.finditer(section)]
    kinds = [kind for kind, _ in parts]
    # A slash between digits is a fraction. Fractions and exponents are not implemented.
    if "exponent" in kinds or ("digit" in kinds and ("other", "/") in parts):
        return _format_general(value)
    return _apply_number_section(parts, abs(value), negative=value < 0)


def _select_section(value: float, code: str) -> tuple[str, float]:
    """The section of the code that applies to the value, and the value to format, without sign in a section for negatives."""
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


def _apply_number_section(parts: list[tuple[str, str]], value: float, *, negative: bool) -> str:
    kinds = [kind for kind, _ in parts]
    point = kinds.index("point") if "point" in kinds else len(parts)
    digits_before = [at for at, kind in enumerate(kinds) if kind == "digit" and at < point]
    digits_after = [at for at, kind in enumerate(kinds) if kind == "digit" and at > point]
    last = max([*digits_before, *digits_after], default=-1)
    commas = [at for at, kind in enumerate(kinds) if kind == "comma"]
    # A comma after the last digit divides by a thousand; between digits it groups thousands.
    scale = (
        sum(at > (digits_before[-1] if digits_before else -1) and (at < point or at > last) for at in commas)
        if digits_before
        else 0
    )
    grouped = any(digits_before and digits_before[0] < at < digits_before[-1] for at in commas)
    # Decimal of the shortest digits, rounded half up like Excel: 0.285 with `0.00` is 0.29; as a binary float 0.28.
    number = Decimal(repr(value)).scaleb(2 * kinds.count("percent") - 3 * scale)
    number = number.quantize(Decimal(1).scaleb(-len(digits_after)), ROUND_HALF_UP)
    whole, _, decimals = f"{number:f}".partition(".")
    needed = sum(parts[at][1] == "0" for at in digits_before)
    whole = ("" if whole == "0" and needed == 0 and digits_before else whole).rjust(needed, "0")
    # `#` omits trailing zeros.
    for at in reversed(digits_after):
        if parts[at][1] == "0" or not decimals.endswith("0"):
            break
        decimals = decimals[:-1]
    result = "-" if negative and number else ""
    left, right = whole, decimals
    if grouped:
        left = f"{int(whole or 0):,}" if whole else ""
    for at, (kind, text) in enumerate(parts):
        if kind == "digit" and at < point:
            remaining = 0 if grouped else sum(later > at for later in digits_before)
            count = max(len(left) - remaining, 0)
            result, left = result + left[:count], left[count:]
        elif kind == "digit":
            result, right = result + right[:1], right[1:]
        elif kind == "point":
            result += "." if decimals else ""
        elif kind in ("text", "escaped", "currency", "percent", "other"):
            result += text
    return result.strip()


def _apply_text_section(section: str, text: str) -> str:
    result = ""
    for match in _PART.finditer(section):
        kind = match.lastgroup or "other"
        if kind in ("text", "escaped", "currency"):
            result += match[kind]
        elif kind == "other":
            result += text if match[kind] == "@" else match[kind]
    return result.strip()


def _format_date(value: datetime | date | time, code: str) -> str:
    if isinstance(value, datetime) and code.lower() == "general":
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    code = _BUILT_IN.get(code.lower(), _SECTION.split(code)[0])
    tokens = [
        (match.lastgroup, match[match.lastgroup] if match.lastgroup else "") for match in _DATE_TOKEN.finditer(code)
    ]
    runs = [text.lower() if kind == "run" else "" for kind, text in tokens]
    is_korean = bool(_KOREAN_LOCALE.search(code))
    twelve_hour = any(kind == "half" for kind, _ in tokens)
    result = ""
    for at, (kind, text) in enumerate(tokens):
        if kind == "run":
            # `m` after hours or before seconds means minutes.
            before = next((run[0] for run in reversed(runs[:at]) if run), "")
            after = next((run[0] for run in runs[at + 1 :] if run), "")
            result += _date_part(value, text.lower(), minutes=before == "h" or after == "s", twelve_hour=twelve_hour)
        elif kind == "half":
            is_afternoon = int(getattr(value, "hour", 0) >= 12)
            words = ("오전", "오후") if is_korean or "오" in text else ("AM", "PM")
            result += words[is_afternoon]
        elif kind:
            result += text
    text = result.strip()
    return text or str(value)


def _date_part(value: datetime | date | time, run: str, *, minutes: bool, twelve_hour: bool) -> str:
    letter, width = run[0], len(run)
    if letter in "hs" or (letter == "m" and minutes):
        hour = getattr(value, "hour", 0)
        number = {
            "h": (hour % 12 or 12) if twelve_hour else hour,
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
