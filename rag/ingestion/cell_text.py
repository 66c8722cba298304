"""Cleans the text of table cells (markup, invisible characters, typed line breaks) and parses dates. Pure functions."""

from __future__ import annotations

import html
import re
import unicodedata
from datetime import date, datetime, timedelta, timezone

_INVISIBLE = re.compile(
    # Control characters except tab and line feed, zero-width characters, soft hyphens, and marks of text direction.
    "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
_TYPED_BREAK = re.compile(r"\\r\\n|\\n(?![A-Za-z0-9])|(?<![A-Za-z0-9:])\\n")
r"""A line break exported as the characters \n. Not matched where it may begin a folder's name, as in C:\new."""
_TAGS = (
    "a|abbr|article|b|big|blockquote|body|br|caption|center|code|col|colgroup|dd|del|details|div|dl|dt|em|figure|font|footer"
    "|h[1-6]|head|header|hr|html|i|iframe|img|ins|label|li|main|mark|meta|nav|ol|p|pre|s|script|section|small|span|strike"
    "|strong|style|sub|summary|sup|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul"
)
_TAG = re.compile(rf"<(?P<end>/?)(?P<name>{_TAGS})(?P<rest>(?:\s[^<>]*)?)/?>|<!--.*?-->", re.I | re.S)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}\d{0,2});", re.I)
_HIDDEN_ELEMENT = re.compile(
    r"<(?P<name>script|style|head|iframe|del|s|strike)\b[^<>]*>.*?(?:</(?P=name)\s*>|\Z)"
    r"|<(?P<hidden>[a-z][a-z0-9]*)\b[^<>]*(?:display\s*:\s*none|visibility\s*:\s*hidden|\shidden(?=[\s>/=]))[^<>]*>.*?"
    r"(?:</(?P=hidden)\s*>|\Z)",
    re.I | re.S,
)
_RAISED = str.maketrans("0123456789()+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁺⁻")
_SUP = re.compile(r"<sup\b[^<>]*>\s*([\d()+-]+)\s*</sup\s*>", re.I)
_HREF = re.compile(r"""\bhref\s*=\s*["']?(https?://[^\s"'<>]+)""", re.I)
_LINES = re.compile(r"br|p|div|tr|ul|ol|table|h[1-6]|blockquote|dd|dt|hr")


def clean_cell(text: str) -> tuple[str, set[str]]:
    """The cleaned text, and the kinds of notes about it: "html", "hidden_text", "typed_breaks", "invisible".

    Decomposed Hangul, as macOS writes it, is composed without a note, because the change cannot be seen.
    """
    notes: set[str] = set()
    if _TAG.search(text) or _ENTITY.search(text):
        text, hides = html_to_text(text)
        notes |= {"html", "hidden_text"} if hides else {"html"}
    if _TYPED_BREAK.search(text):
        text = _TYPED_BREAK.sub("\n", text)
        # Programs that write "\n" for a line break put a space before it.
        text = re.sub(r"[ \t]+\n", "\n", text)
        notes.add("typed_breaks")
    cleaned = remove_invisible(text)
    if cleaned != unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")):
        notes.add("invisible")
    return cleaned.strip(), notes


def raised(text: str) -> str:
    """Raised digits and signs as Unicode has them, other text as it is: "1,200" with a raised "2" is not 12,002."""
    return text.translate(_RAISED) if re.fullmatch(r"[\d()+-]+", text) else text


def remove_invisible(text: str) -> str:
    """The text in NFC with line feeds as line breaks, without invisible characters. Emoji sequences (ZWJ) are kept."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")))


def html_to_text(text: str) -> tuple[str, bool]:
    """The visible text of HTML, and whether scripts, hidden or struck-through elements were removed.

    Only known tags are removed: "<전체메뉴>" and "금액 < 한도" are kept. A link's URL is added in parentheses after its text.
    """
    visible_html = _SUP.sub(lambda sup: raised(sup[1]), _HIDDEN_ELEMENT.sub("", text))
    links: list[str] = []

    def render_tag(tag: re.Match[str]) -> str:
        name, ends = (tag["name"] or "").lower(), bool(tag["end"])
        if name == "a":
            if not ends:
                href = _HREF.search(tag["rest"])
                # Also without an address, because each end tag pops the entry of its start tag.
                links.append(html.unescape(href[1]) if href else "")
                return ""
            address = links.pop() if links else ""
            return f" ({address})" if address else ""
        if name == "li":
            return "" if ends else "\n- "
        if name in ("td", "th"):
            return " | " if ends else ""
        return "\n" if _LINES.fullmatch(name) else ""

    # Line breaks of the source are spaces in HTML that marks its own lines; without such tags they are kept.
    if _TAG.search(visible_html):
        source = re.sub(
            r"\s*\n\s*", "\n" if not re.search(r"<(?:br|p|div|li)\b", visible_html, re.I) else " ", visible_html
        )
        visible_text = _TAG.sub(render_tag, source)
        visible_text = re.sub(r"(?: \| )?[ \t]*\n[ \t]*", "\n", visible_text)
        visible_text = re.sub(r"\n{3,}", "\n\n", visible_text)
    else:
        visible_text = visible_html
    # After the tags, because "&lt;b&gt;" is text and not a tag.
    return _ENTITY.sub(
        lambda entity: html.unescape(entity[0]).replace("\xa0", " "), visible_text
    ).strip(), _HIDDEN_ELEMENT.search(text) is not None


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
