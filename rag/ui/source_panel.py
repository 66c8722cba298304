"""The source panel: passages of every turn as HTML, the newest turn shown. Pure; everything from data is escaped.

The result goes into the HTML component as its value. Never as a property of a template: the component evaluates a
filled-in template as JavaScript, so a passage holding `${...}` would run.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import urlsplit

from rag.types import Source
from rag.ui.i18n import Texts
from rag.ui.markdown import card_id

Cited = tuple[int, str, Sequence[Source]]
"""One turn: its number, the question and the sources of its answer."""


def panel_html(turns: Sequence[Cited], texts: Texts) -> str:
    """All turns with sources; the last one is shown, the page's script shows another when its citation is followed."""
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
