"""A table's cells as a customer should read them: without markup, typed line breaks and invisible characters. Pure."""

from __future__ import annotations

import html
import re
import unicodedata

_INVISIBLE = re.compile(
    # Control characters but for tab and line feed; zero-width and soft hyphens; marks that turn the direction of text.
    "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
_TYPED_BREAK = re.compile(r"\\r\\n|\\n(?![A-Za-z0-9])|(?<![A-Za-z0-9:])\\n")
"""What a program wrote for a line break. Not the beginning of a folder's name: C:\\new."""
_TAGS = (
    "a|abbr|article|b|big|blockquote|body|br|caption|center|code|col|colgroup|dd|del|details|div|dl|dt|em|figure|font|footer"
    "|h[1-6]|head|header|hr|html|i|iframe|img|ins|label|li|main|mark|meta|nav|ol|p|pre|s|script|section|small|span|strike"
    "|strong|style|sub|summary|sup|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul"
)
_TAG = re.compile(rf"<(?P<end>/?)(?P<name>{_TAGS})(?P<rest>(?:\s[^<>]*)?)/?>|<!--.*?-->", re.I | re.S)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}\d{0,2});", re.I)
_UNSEEN = re.compile(
    r"<(?P<name>script|style|head|iframe)\b[^<>]*>.*?(?:</(?P=name)\s*>|\Z)"
    r"|<(?P<hidden>[a-z][a-z0-9]*)\b[^<>]*(?:display\s*:\s*none|visibility\s*:\s*hidden|\shidden(?=[\s>/=]))[^<>]*>.*?"
    r"(?:</(?P=hidden)\s*>|\Z)",
    re.I | re.S,
)
_HREF = re.compile(r"""\bhref\s*=\s*["']?(https?://[^\s"'<>]+)""", re.I)
_LINES = re.compile(r"br|p|div|tr|ul|ol|table|h[1-6]|blockquote|dd|dt|hr")


def clean(text: str) -> tuple[str, set[str]]:
    """The text to show, and which kinds of notes it gives rise to: html, hidden_text, typed_breaks, invisible.

    Hangul in pieces (macOS) is put together, which no reader sees: it has no note.
    """
    notes: set[str] = set()
    if _TAG.search(text) or _ENTITY.search(text):
        text, hides = html_to_text(text)
        notes |= {"html", "hidden_text"} if hides else {"html"}
    if _TYPED_BREAK.search(text):
        text = _TYPED_BREAK.sub("\n", text)
        # Programs that write a line break as "\n" put a space before it.
        text = re.sub(r"[ \t]+\n", "\n", text)
        notes.add("typed_breaks")
    shown = visible(text)
    if shown != unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")):
        notes.add("invisible")
    return shown.strip(), notes


def visible(text: str) -> str:
    """Composed (NFC), line breaks as line feeds, without characters that nobody sees. Two joined emoji stay joined."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")))


def html_to_text(text: str) -> tuple[str, bool]:
    """Markup as the text it shows, and whether some of it shows nothing: scripts, and elements that are hidden.

    Only known tags are markup: "<전체메뉴>" and "금액 < 한도" stay. An address stands behind the words that link to it.
    """
    seen = _UNSEEN.sub("", text)
    links: list[str] = []

    def shown(tag: re.Match[str]) -> str:
        name, ends = (tag["name"] or "").lower(), bool(tag["end"])
        if name == "a":
            if not ends:
                href = _HREF.search(tag["rest"])
                # Kept also where there is no address: each end takes what its own beginning left.
                links.append(html.unescape(href[1]) if href else "")
                return ""
            address = links.pop() if links else ""
            return f" ({address})" if address else ""
        if name == "li":
            return "" if ends else "\n- "
        if name in ("td", "th"):
            return " | " if ends else ""
        return "\n" if _LINES.fullmatch(name) else ""

    # White space of the source means nothing beside markup of lines, line breaks within plain text do.
    if _TAG.search(seen):
        source = re.sub(r"\s*\n\s*", "\n" if not re.search(r"<(?:br|p|div|li)\b", seen, re.I) else " ", seen)
        seen_text = _TAG.sub(shown, source)
        seen_text = re.sub(r"(?: \| )?[ \t]*\n[ \t]*", "\n", seen_text)
        seen_text = re.sub(r"\n{3,}", "\n\n", seen_text)
    else:
        seen_text = seen
    # After the tags: "&lt;b&gt;" is a text about a tag.
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]).replace("\xa0", " "), seen_text).strip(), seen != text
