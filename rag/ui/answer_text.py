"""An answer's text as HTML that is made to be read: lists, paths, notes, amounts that do not break, numbers to call.

Pure. Every character of the text is escaped; the tags are this module's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from html import escape

_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_HANGUL = re.compile("[가-힣]")
_LATIN = re.compile("[A-Za-z]{3}")
_TAG = re.compile(r"\[((?!\d+\])[^\[\]]{1,20})\](?:[ \t]+(.*))?")
_BULLET = re.compile(r"[-*•·]\s+(.*)")
_NUMBERED = re.compile(r"(\d{1,2})[.)]\s+(.*)")
_CELL_BREAK = re.compile(r" *\|(?: +|$)")
"""As rows of a document's tables are written."""
_CITATION = re.compile(r"\[(\d{1,3})\]")
_PHONE = re.compile(r"(?<![\d-])(?:(?:\+82-|0)\d{1,2}-\d{3,4}-\d{4}|1[568]\d\d-\d{4})(?![\d-])")
_UNIT = "[만억천백]{0,2}\\s?(?:원|달러|%p?|퍼센트|영업일|개월|년|월|일|시간|시|분|초|회|번|자리|세|명|건|개|등급|주|배)"
_UNBROKEN = re.compile(rf"(?P<phone>{_PHONE.pattern})|(?P<amount>\d[\d,.:]*(?:[~-]\d[\d,.:]*)?\s?{_UNIT})")
_PATH = re.compile(r"[^>:\n.]{1,30}(?: > [^>\n]{0,29}[^>\s])+")
FOLDED_FROM = 420
"""Characters of one institution's text from which its later blocks are folded away."""
SHOWN_OF_SEVERAL = 120
"""Characters shown of each text where several institutions answer."""

Link = Callable[[int], str]
"""A citation's number to its HTML."""


def shown(text: str) -> str:
    """The text with one kind of line end; control characters and lone surrogates become U+FFFD."""
    return _UNSHOWABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def plain(text: str) -> str:
    """The text as it is, as HTML."""
    return escape(shown(text))


def language(text: str, page: str) -> str:
    """The HTML attribute that tells a screen reader how to pronounce a text in another language than the page's, or nothing."""
    found = "ko" if _HANGUL.search(text) else "en" if _LATIN.search(text) else page
    return "" if found == page else f' lang="{found}"'


def phones(text: str) -> frozenset[str]:
    """The telephone numbers of a text."""
    return frozenset(_PHONE.findall(text))


def blocks(text: str, *, link: Link | None = None, own: Collection[str] = ()) -> list[str]:
    """One piece of HTML for each paragraph, list, table, label and note, in order.

    `link` makes citations of `[n]`; without it they stay text. `own`: telephone numbers that may be called.
    """
    made: list[str] = []
    for kind, lines in _grouped(shown(text).split("\n")):
        inner = [_inline(line, link, own) for line in lines]
        match kind:
            case "bullets":
                made.append("<ul>" + "".join(f"<li>{each}</li>" for each in inner) + "</ul>")
            case "steps":
                start = int(_NUMBERED.fullmatch(lines[0])[1])  # type: ignore[index]
                items = [_inline(_NUMBERED.fullmatch(line)[2], link, own) for line in lines]  # type: ignore[index]
                made.append(f'<ol start="{start}">' + "".join(f"<li>{each}</li>" for each in items) + "</ol>")
            case "rows" if len({len(_CELL_BREAK.split(line)) for line in lines}) == 1 < len(lines):
                made.append(_table([[_inline(cell, link, own) for cell in _CELL_BREAK.split(line)] for line in lines]))
            case "tag":
                made.append(f'<p class="tag">{inner[0]}</p>')
            case "note":
                made.append(f'<p class="note">{inner[0]}</p>')
            case _:
                made.append("<p>" + "\n".join(inner) + "</p>")
    return made


def folded(made: list[str], size: int, *, more: str, several: bool) -> str:
    """The blocks, the later ones behind `more` where the text of `size` characters is long, or one of `several`."""
    limit = SHOWN_OF_SEVERAL if several else FOLDED_FROM
    # A fold that hides a line or two costs a click for nothing.
    if size <= limit * 1.3 or len(made) < 2:
        return "".join(made)
    count, length = 0, 0
    while count < len(made) and (count == 0 or length + _length(made[count]) <= limit):
        length += _length(made[count])
        count += 1
    # A label alone says nothing: it goes with what it stands over.
    while count > 1 and made[count - 1].startswith('<p class="tag"'):
        count -= 1
    rest = "".join(made[count:])
    if not rest:
        return "".join(made)
    return f'{"".join(made[:count])}<details class="more"><summary>{escape(more)}</summary>{rest}</details>'


def _table(rows: list[list[str]]) -> str:
    """A table under its first row, in a part that is scrolled sideways, also by keys, where it is wider than the screen."""
    head, *body = rows
    name = ", ".join(filter(None, (re.sub("<[^>]*>", "", cell) for cell in head)))
    titles = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body)
    return (
        f'<div class="grid" role="group" tabindex="0" aria-label="{name}">'
        f"<table><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _length(html: str) -> int:
    return len(re.sub(r"<[^>]*>", "", html))


def _grouped(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Lines of one kind that stand together. A list's lines come without their markers, numbered ones with them."""
    kind = ""
    group: list[str] = []
    for line in lines:
        text = line.strip()
        if match := _TAG.fullmatch(text):
            found, content = "tag", match[1]
        elif match := _BULLET.fullmatch(text):
            found, content = "bullets", match[1]
        elif _NUMBERED.fullmatch(text):
            found, content = "steps", text
        elif text.startswith("※"):
            found, content = "note", text
        elif " | " in line:
            found, content = "rows", line.rstrip()
        else:
            found, content = "text" if text else "", line.rstrip()
        if group and (found != kind or found in ("tag", "note", "")):
            yield kind, group
            group = []
        kind = found
        if found:
            group.append(content)
        if found == "tag" and (rest := _TAG.fullmatch(text)) and rest[2]:
            yield "tag", group
            kind, group = "text", [rest[2]]
    if group:
        yield kind, group


def _inline(line: str, link: Link | None, own: Collection[str]) -> str:
    if link is None:
        return _path(line, own)
    parts = _CITATION.split(line)
    made = [_path(parts[0], own)]
    for number, after in zip(parts[1::2], parts[2::2], strict=True):
        made += [link(int(number)), _path(after, own)]
    return "".join(made)


def _path(text: str, own: Collection[str]) -> str:
    made, end = [], 0
    for match in _PATH.finditer(text):
        steps = match[0].split(" > ")
        shown_steps = [f'<span class="step">{_unbroken(step, own)}</span>' for step in steps[:-1]]
        shown_steps.append(_unbroken(steps[-1], own))  # a sentence may go on behind the last one
        joined = '<span class="gt"> &gt; </span>'.join(shown_steps)
        made += [_unbroken(text[end : match.start()], own), f'<span class="path">{joined}</span>']
        end = match.end()
    return "".join([*made, _unbroken(text[end:], own)])


def _unbroken(text: str, own: Collection[str]) -> str:
    made, end = [], 0
    for match in _UNBROKEN.finditer(text):
        found = escape(match[0])
        if match["phone"] and match[0] in own:
            found = f'<a class="tel" href="tel:{found}">{found}</a>'
        made += [escape(text[end : match.start()]), f'<span class="nb">{found}</span>']
        end = match.end()
    return "".join([*made, escape(text[end:])])
