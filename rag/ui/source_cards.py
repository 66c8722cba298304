"""Renders an answer's sources as cards. Pure functions; all data is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Literal
from urllib.parse import urlsplit

from rag.korean import answering_sentence
from rag.types import Source, place_in_document
from rag.ui.answer_text import escape_text, lang_attribute
from rag.ui.texts import Texts

Relevance = Literal["off", "word", "bar"]
"""How scores are shown to customers. Not as percentages: a low one raises the question why the source is there at all."""
HIGH, MEDIUM = 0.6, 0.25
"""Minimum scores for the first and the second of the three words in `Texts.relevance_words`."""


def card_id(turn: int, number: int) -> str:
    """The element id of a source's card."""
    return f"src-{turn}-{number}"


def sources_html(turn: int, question: str, sources: Sequence[Source], texts: Texts, relevance: Relevance) -> str:
    """The source cards of one turn, as a section of the panel; empty without sources."""
    if not sources:
        return ""
    heading = escape_text(texts.sources_of.format(question=question))
    cards = "".join(_card(turn, question, source, texts, relevance) for source in sources)
    return f'<section class="cards" data-turn="{turn}"><h3 class="asked">{heading}</h3>{cards}</section>'


def _card(turn: int, question: str, source: Source, texts: Texts, relevance: Relevance) -> str:
    labels = [str(source.metadata[key]) for key in ("bank", "category") if source.metadata.get(key)]
    location = [place_in_document(source.metadata)] if source.metadata.get("document") else []
    label_text = " · ".join([*labels, *location])
    # The row's question is added because it states the customer's question in the institution's words.
    bank = str(source.metadata.get("bank") or "")
    start, end = answering_sentence(f"{question} {source.question}", source.text, ignored=bank)
    before, mark, after = (
        escape_text(part) for part in (source.text[:start], source.text[start:end], source.text[end:])
    )
    title, text = (lang_attribute(each, texts.language) for each in (source.question, source.text))
    return (
        f'<details class="card" id="{card_id(turn, source.number)}"><summary>'
        f'<span class="number" aria-hidden="true">{source.number}</span>'
        f'<span class="head"><span class="card-title"{title}>{escape_text(source.question)}</span>'
        f'<span class="place">{escape_text(label_text)}</span>{_score(source.score, texts, relevance)}</span></summary>'
        f'<div class="body">{_origin(source, texts)}'
        f'<p class="excerpt"><span class="what">{escape(texts.answering)}</span><mark{text}>{mark}</mark></p>'
        f'<button type="button" class="whole" aria-expanded="false">{escape(texts.whole_text)}</button>'
        f'<p class="passage"{text} hidden>{before}<mark>{mark}</mark>{after}</p>'
        f'<button type="button" class="back">{escape(texts.back)}</button></div></details>'
    )


def _score(score: float, texts: Texts, relevance: Relevance) -> str:
    if relevance == "off":
        return ""
    words = texts.relevance_words.split("|")
    word = words[0 if score >= HIGH else 1 if score >= MEDIUM else 2]
    if relevance == "word":
        return f'<span class="score">{escape(texts.relevance)} {escape(word)}</span>'
    width = round(100 * min(max(score, 0.0), 1.0))
    label = escape(f"{texts.relevance} {word}")
    bar = f'<span class="bar" role="img" aria-label="{label}"><span style="width:{width}%"></span></span>'
    return f'<span class="score">{bar}</span>'


def _origin(source: Source, texts: Texts) -> str:
    parts = []
    if day := source.metadata.get("effective_from"):
        parts.append(f"<span>{escape(texts.as_of)} {escape(str(day))}</span>")
    url = str(source.metadata.get("source_url") or "")
    if is_web_address(url):
        link = f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(texts.open_source)}</a>'
        parts.append(link)
    elif url:
        parts.append(f"<span>{escape_text(url)}</span>")
    return f'<p class="origin">{"".join(parts)}</p>' if parts else ""


def is_web_address(url: str) -> bool:
    """Whether `url` is an absolute http or https URL. Others are shown as text and not as links."""
    # Browsers remove line breaks and read "\" as "/", so they would open another URL than the one checked here.
    if any(character <= " " or character == "\\" for character in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
