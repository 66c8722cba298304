"""What an answer looks like on the page: its text as markdown, its sources as HTML. Pure; everything from data is escaped.

The chat component renders markdown and leaves forms, fixed boxes and remote images standing when it sanitises. Here
every character that markdown, HTML, LaTeX or a link could be made of becomes a character reference, line ends too:
references are never markup, so a message is one paragraph of plain text (the style sheet keeps its white space).

The source panel goes into the HTML component as its value. Never as a property of a template: the component evaluates a
filled-in template as JavaScript, so a passage holding `${...}` would run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.types import Answer, Source
from rag.ui.i18n import Texts

if TYPE_CHECKING:
    from rag.ui.session import Exchange

Cited = tuple[int, str, Sequence[Source]]
"""One turn: its number, the question and the sources of its answer."""
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_REFERENCED = re.compile(r"^\s+|\s+$|\s{2,}|[!-/:-@\[-`{-~\t\n]")
_CITATION = re.compile(r"\[(\d{1,3})\]")


def escape_markdown(text: str) -> str:
    """Markdown whose rendering reads as `text`; control characters and lone surrogates become U+FFFD."""
    shown = _UNSHOWABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _REFERENCED.sub(lambda match: "".join(f"&#{ord(character)};" for character in match[0]), shown)


def cited(text: str, *, turn: int, sources: int) -> str:
    """`escape_markdown`, with each `[n]` of 1..sources as a link to the card `src-<turn>-<n>`; other `[n]` stay text."""
    parts = _CITATION.split(text)
    # Split before escaping: afterwards a marker could not be told from brackets of the text itself.
    shown = [escape_markdown(parts[0])]
    for number, after in zip(parts[1::2], parts[2::2], strict=True):
        label = escape_markdown(f"[{number}]")
        known = 1 <= int(number) <= sources
        shown += [f"[{label}](#{card_id(turn, int(number))})" if known else label, escape_markdown(after)]
    return "".join(shown)


def aside(text: str) -> str:
    """A remark of the page itself, set apart from the answer above it."""
    return f"> {escape_markdown(text)}"


def card_id(turn: int, number: int) -> str:
    """The element id of a source's card in the panel."""
    return f"src-{turn}-{number}"


def panel_html(turns: Sequence[Cited], texts: Texts) -> str:
    """All turns with sources; the last one is shown, the page's script shows another when its citation is followed."""
    # Every turn is sent with its cards: following a citation of an older answer needs no request.
    listed = [turn for turn in turns if turn[2]]
    title = f'<h2 class="panel-title">{escape(texts.sources)}</h2>'
    if not listed:
        return f'{title}<p class="panel-empty">{escape(texts.sources_empty)}</p>'
    sections = []
    for turn, question, sources in listed:
        heading = escape(texts.sources_of.format(question=question))
        cards = "".join(_card(turn, source, texts) for source in sources)
        shown = " shown" if turn == listed[-1][0] else ""
        sections.append(f'<section class="turn{shown}"><h3 class="asked">{heading}</h3>{cards}</section>')
    return title + "".join(sections)


def _card(turn: int, source: Source, texts: Texts) -> str:
    labels = " · ".join(str(source.metadata[key]) for key in ("bank", "category") if source.metadata.get(key))
    return (
        f'<details class="card" id="{card_id(turn, source.number)}"><summary>'
        f'<span class="number" aria-hidden="true">{source.number}</span>'
        f'<span class="head"><span class="card-title">{escape(source.question)}</span>'
        f'<span class="place">{escape(labels)}</span>{_score(source.score, texts)}</span></summary>'
        f'<div class="body"><p class="passage">{escape(source.text)}</p>{_origin(source, texts)}'
        f'<button type="button" class="back">{escape(texts.back)}</button></div></details>'
    )


def _score(score: float, texts: Texts) -> str:
    percent = round(100 * min(max(score, 0.0), 1.0))
    return (
        f'<span class="score"><span class="bar" aria-hidden="true"><span style="width:{percent}%"></span></span>'
        f'<span class="percent">{escape(texts.score.format(percent=percent))}</span></span>'
    )


def _origin(source: Source, texts: Texts) -> str:
    parts = []
    if day := source.metadata.get("effective_from"):
        parts.append(f"<span>{escape(texts.as_of)} {escape(str(day))}</span>")
    url = str(source.metadata.get("source_url") or "")
    if is_web_address(url):
        link = f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(texts.open_source)}</a>'
        parts.append(link)
    elif url:
        parts.append(f"<span>{escape(url)}</span>")
    return f'<p class="origin">{"".join(parts)}</p>' if parts else ""


def is_web_address(url: str) -> bool:
    """Whether `url` is an absolute http or https address; anything else is shown, never made a link."""
    if any(character <= " " or character == "\\" for character in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def suggestion(source: Source, *, name_bank: bool) -> str:
    """What a click on a suggested row asks; with its institution where several are suggested, so that it finds its own row."""
    bank = source.metadata.get("bank")
    return f"{bank} {source.question}" if name_bank and bank else source.question


def remark(answer: Answer | None, texts: Texts) -> str:
    """What the page says under an answer: its notice, and that personal numbers were masked."""
    if answer is None:
        return texts.stopped
    lines = [texts.notices[answer.notice]] if answer.notice else []
    if answer.masked:
        lines.append(texts.masked.format(kinds=", ".join(answer.masked)))
    return " ".join(lines)


def shortened(text: str, limit: int = 40) -> str:
    """At most `limit` characters of a text in one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def messages(exchanges: Sequence[Exchange], texts: Texts) -> list[dict[str, Any]]:
    """The value of the chat component: two messages per exchange, and the nearest questions as buttons of the last.

    A label stands over what a language model wrote.
    """
    shown: list[dict[str, Any]] = []
    for each in exchanges:
        shown.append({"role": "user", "content": escape_markdown(each.question)})
        shown.append({"role": "assistant", "content": each.markdown(texts)})
    if exchanges and (last := exchanges[-1]).answer and last.answer.status == "suggested":
        banks = {source.metadata.get("bank") for source in last.sources}
        shown[-1]["options"] = [{"value": suggestion(source, name_bank=len(banks) > 1)} for source in last.sources]
    return shown
