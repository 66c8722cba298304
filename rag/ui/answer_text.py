"""Splits an answer's text into quotes, and renders text as HTML: paragraphs, lists, tables, notes, paths, telephone links.

Amounts are kept in one line. Pure functions. All text is escaped; only this module writes tags.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from html import escape

from rag.korean import without_yes_or_no
from rag.types import Answer, Source

_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_HANGUL = re.compile("[가-힣]")
_LATIN = re.compile("[A-Za-z]{3}")
_LABEL = re.compile(r"\[((?!\d+\])[^\[\]]{1,20})\](?:[ \t]+(.*))?")
_BULLET = re.compile(r"[-*•·]\s+(.*)")
_NUMBERED = re.compile(r"(\d{1,2})[.)]\s+(.*)")
_CELL_BREAK = re.compile(r" *\|(?: +|$)")
"""Separates the cells of a document's table row, as rag.ingestion.documents writes them."""
_CITATION = re.compile(r"\[(\d{1,3})\]")
_PHONE = re.compile(r"(?<![\d-])(?:(?:\+82-|0)\d{1,2}-\d{3,4}-\d{4}|1[568]\d\d-\d{4})(?![\d-])")
_AMOUNT_UNIT = (
    "[만억천백]{0,2}\\s?(?:원|달러|%p?|퍼센트|영업일|개월|년|월|일|시간|시|분|초|회|번|자리|세|명|건|개|등급|주|배)"
)
_NOWRAP = re.compile(rf"(?P<phone>{_PHONE.pattern})|(?P<amount>\d[\d,.:]*(?:[~-]\d[\d,.:]*)?\s?{_AMOUNT_UNIT})")
_PATH = re.compile(r"[^>:\n.]{1,30}(?: > [^>\n]{0,29}[^>\s])+")
# Characters for private use, which stand for nothing in any text.
_MARK_WEAK, _MARK_OWN, _MARK_END = "\ue000", "\ue002", "\ue001"
_MARKED = re.compile(f"([{_MARK_WEAK}{_MARK_OWN}])([^{_MARK_END}]*){_MARK_END}")
_ANY_MARK = re.compile(f"[{_MARK_WEAK}{_MARK_OWN}{_MARK_END}]")
_SIGN = re.compile(r"(?:\s*(?:[-*•·※]|\d{1,2}[.)])\s*|\[[^\[\]]{1,20}\][ \t]+)?")
FOLD_AFTER_CHARS = 420
"""Characters shown before the remaining blocks are folded into a <details> element, if only one text answers."""
FOLD_AFTER_CHARS_EACH = 120
"""The same for each text if several institutions answer."""

Link = Callable[[int], str]
"""Returns the HTML for a citation number."""


def clean_text(text: str) -> str:
    """The text with "\\n" line ends; control characters and lone surrogates become U+FFFD."""
    return _UNSHOWABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def escape_text(text: str) -> str:
    """The text, cleaned and escaped for HTML."""
    return escape(clean_text(text))


def lang_attribute(text: str, page: str) -> str:
    """A `lang` attribute for a text in another language than the page's, else an empty string.

    Screen readers choose their pronunciation by it. Text with Hangul is Korean, other text with three Latin letters in a row
    English. `page`: "ko" or "en".
    """
    detected = "ko" if _HANGUL.search(text) else "en" if _LATIN.search(text) else page
    return "" if detected == page else f' lang="{detected}"'


def phone_numbers(text: str) -> frozenset[str]:
    """The telephone numbers of a text."""
    return frozenset(_PHONE.findall(text))


def split_quotes(
    text: str, sources: Sequence[Source], answer: Answer | None
) -> list[tuple[str, Source | None, str]] | None:
    """Split an answer into (text before, quoted row, its quote) triples; None if it does not consist of complete quotes.

    A quote is a row's whole text, or that without the yes or no at its beginning. Text after the last quote is a triple without
    a row.
    """
    if answer is None or answer.status != "answered" or not answer.cited:
        return None
    parts: list[tuple[str, Source | None, str]] = []
    end = 0
    for number in answer.cited:
        if not 1 <= number <= len(sources):
            return None
        source = sources[number - 1]
        for quote in (source.text, without_yes_or_no(source.text)):
            # Searched from the end of the last quote: quotes are in the order of `cited`.
            if (start := text.find(f"{quote} [{number}]", end)) >= 0:
                break
        else:
            return None
        parts.append((text[end:start], source, quote))
        end = start + len(f"{quote} [{number}]")
    return [*parts, (text[end:], None, "")] if text[end:].strip() else parts


def render_blocks(
    text: str,
    *,
    link: Link | None = None,
    own_numbers: Collection[str] = (),
    weak: Iterable[str] = (),
    weak_note: str = "",
    own: Iterable[str] = (),
    own_note: str = "",
    names: Collection[str] = (),
) -> list[str]:
    """The HTML of each paragraph, list, table, label and note, in order.

    `link` renders a citation `[n]`; without it the citation stays text. `own_numbers`: the institution's telephone
    numbers, which become `tel:` links. `weak`, `own`: sentences of the text that are marked, each with its note after it.
    `names`: institutions, whose names on a line of their own are headings of what follows.
    """
    parts: list[str] = []
    inline = partial(_marked_html, link=link, own_numbers=own_numbers, weak_note=weak_note, own_note=own_note)
    marked = _with_marks(_ANY_MARK.sub("", clean_text(text)), weak, _MARK_WEAK)
    for kind, lines in _group_lines(_with_marks(marked, own, _MARK_OWN).split("\n"), names):
        inner = [inline(line) for line in lines]
        match kind:
            case "bullets":
                parts.append("<ul>" + "".join(f"<li>{each}</li>" for each in inner) + "</ul>")
            case "steps":
                start = int(_NUMBERED.fullmatch(lines[0])[1])  # type: ignore[index]
                items = [inline(_NUMBERED.fullmatch(line)[2]) for line in lines]  # type: ignore[index]
                parts.append(f'<ol start="{start}">' + "".join(f"<li>{each}</li>" for each in items) + "</ol>")
            case "rows" if len({len(_CELL_BREAK.split(line)) for line in lines}) == 1 < len(lines):
                parts.append(_table_html([[inline(cell) for cell in _CELL_BREAK.split(line)] for line in lines]))
            case "name":
                parts.append(f'<h3 class="chip">{inner[0]}</h3>')
            case "tag":
                parts.append(f'<p class="tag">{inner[0]}</p>')
            case "note":
                parts.append(f'<p class="note">{inner[0]}</p>')
            case _:
                parts.append("<p>" + "\n".join(inner) + "</p>")
    return parts


def fold_blocks(parts: list[str], size: int, *, more: str, several: bool) -> str:
    """The blocks as one string; those beyond the limit are in a <details> element with the summary `more`.

    `size`: characters of the text. `several`: it is one of several answers, so the limit is FOLD_AFTER_CHARS_EACH.
    """
    limit = FOLD_AFTER_CHARS_EACH if several else FOLD_AFTER_CHARS
    # Hiding only a line or two would cost a click without saving space.
    if size <= limit * 1.3 or len(parts) < 2:
        return "".join(parts)
    count, length = 0, 0
    while count < len(parts) and (count == 0 or length + _visible_length(parts[count]) <= limit):
        length += _visible_length(parts[count])
        count += 1
    # A label stays with the block that follows it.
    while count > 1 and parts[count - 1].startswith('<p class="tag"'):
        count -= 1
    rest = "".join(parts[count:])
    if not rest:
        return "".join(parts)
    return f'{"".join(parts[:count])}<details class="more"><summary>{escape(more)}</summary>{rest}</details>'


def _table_html(rows: list[list[str]]) -> str:
    """A table whose first row is the header, in a focusable container that scrolls sideways on narrow screens."""
    head, *body = rows
    name = ", ".join(filter(None, (re.sub("<[^>]*>", "", cell) for cell in head)))
    titles = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body)
    return (
        f'<div class="grid" role="group" tabindex="0" aria-label="{name}">'
        f"<table><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _visible_length(html: str) -> int:
    return len(re.sub(r"<[^>]*>", "", html))


def _group_lines(lines: list[str], names: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    """Consecutive lines of one kind, as (kind, lines). Bullets are removed; the numbers of numbered lines are kept."""
    kind = ""
    group: list[str] = []
    for line in lines:
        text = line.strip()
        if text and text in names:
            line_kind, content = "name", text
        elif text and all(name in names for name in _CITATION.sub("", text).replace(" ,", ",").strip().split(", ")):
            line_kind, content = "tag", text
        elif match := _LABEL.fullmatch(text):
            line_kind, content = "tag", match[1]
        elif match := _BULLET.fullmatch(text):
            line_kind, content = "bullets", match[1]
        elif _NUMBERED.fullmatch(text):
            line_kind, content = "steps", text
        elif text.startswith("※"):
            line_kind, content = "note", text
        elif " | " in line:
            line_kind, content = "rows", line.rstrip()
        else:
            line_kind, content = "text" if text else "", line.rstrip()
        if group and (line_kind != kind or line_kind in ("name", "tag", "note", "")):
            yield kind, group
            group = []
        kind = line_kind
        if line_kind:
            group.append(content)
        if line_kind == "tag" and (rest := _LABEL.fullmatch(text)) and rest[2]:
            yield "tag", group
            kind, group = "text", [rest[2]]
    if group:
        yield kind, group


def _with_marks(text: str, sentences: Iterable[str], mark: str) -> str:
    """The text with a mark and _MARK_END around these sentences, in text order; of a table's row around its last cell."""
    end = 0
    for sentence in map(clean_text, sentences):
        if not sentence or (start := text.find(sentence, end)) < 0:
            continue
        # The signs of lists, labels and notes stay first in their lines.
        begin = start + max(sentence.rfind(" | ") + 3 if " | " in sentence else 0, _SIGN.match(sentence).end())  # type: ignore[union-attr]
        end = start + len(sentence)
        text = f"{text[:begin]}{mark}{text[begin:end]}{_MARK_END}{text[end:]}"
        end += 2
    return text


def _marked_html(line: str, *, link: Link | None, own_numbers: Collection[str], weak_note: str, own_note: str) -> str:
    parts = _MARKED.split(line)
    html = [_inline_html(parts[0], link, own_numbers)]
    for mark, marked, after in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        inner = _inline_html(marked, link, own_numbers)
        if mark == _MARK_WEAK:
            html += [f'<mark class="weak">{inner}</mark> <small class="weak-note">{escape(weak_note)}</small>']
        else:
            html += [f'<span class="own">{inner}</span> <small class="own-note">{escape(own_note)}</small>']
        html += [_inline_html(after, link, own_numbers)]
    return "".join(html)


def _inline_html(line: str, link: Link | None, own_numbers: Collection[str]) -> str:
    if link is None:
        return _path_html(line, own_numbers)
    before, *citations = _CITATION.split(line)
    parts = [_path_html(before, own_numbers)]
    for number, after in zip(citations[::2], citations[1::2], strict=True):
        parts += [link(int(number)), _path_html(after, own_numbers)]
    return "".join(parts)


def _path_html(text: str, own_numbers: Collection[str]) -> str:
    parts, end = [], 0
    for match in _PATH.finditer(text):
        steps = match[0].split(" > ")
        step_parts = [f'<span class="step">{_nowrap_html(step, own_numbers)}</span>' for step in steps[:-1]]
        step_parts.append(_nowrap_html(steps[-1], own_numbers))  # the last step may continue into the sentence
        path = '<span class="gt"> &gt; </span>'.join(step_parts)
        parts += [_nowrap_html(text[end : match.start()], own_numbers), f'<span class="path">{path}</span>']
        end = match.end()
    return "".join([*parts, _nowrap_html(text[end:], own_numbers)])


def _nowrap_html(text: str, own_numbers: Collection[str]) -> str:
    parts, end = [], 0
    for match in _NOWRAP.finditer(text):
        inner = escape(match[0])
        if match["phone"] and match[0] in own_numbers:
            inner = f'<a class="tel" href="tel:{inner}">{inner}</a>'
        parts += [escape(text[end : match.start()]), f'<span class="nb">{inner}</span>']
        end = match.end()
    return "".join([*parts, escape(text[end:])])
