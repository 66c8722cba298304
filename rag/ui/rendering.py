"""Renders exchanges, their source cards and frames as HTML. Pure functions; all data is escaped.

A frame has the HTML of the changed turns and the numbers of all turns; the page's script merges it into the conversation.
Its size therefore does not grow with the conversation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal
from urllib.parse import urlsplit

from rag.korean import answering_sentence
from rag.types import Answer, Source, place_in_document
from rag.ui.answer_html import answer_html, card_id, option_button
from rag.ui.answer_text import escape_text, lang_attribute, phone_numbers, render_blocks
from rag.ui.conversation import Exchange
from rag.ui.texts import Texts

Relevance = Literal["off", "word", "bar"]
"""How scores are shown to customers. Not as percentages: a low one raises the question why the source is there at all."""
HIGH, MEDIUM = 0.6, 0.25
"""Minimum scores for the first and the second of the three words in `Texts.relevance_words`."""


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How turns are rendered.

    `relevance`: how scores are shown. `contact`: how to reach a person, shown below suggestions. `records`: feedback buttons
    are shown.
    """

    texts: Texts
    relevance: Relevance = "off"
    contact: str = ""
    records: bool = False


def turn_html(each: Exchange, options: RenderOptions) -> str:
    """One question with its answer, followed by its source cards."""
    texts = options.texts
    done = each.answer is not None
    answer = answer_html(each, options.texts, options.contact)
    label = ""
    if answer and (each.generated or done):
        kind = "model" if each.generated else "approved" if each.is_approved else "plain"
        label = f'<p class="label {kind}">{escape(each.label(texts))}</p>'
    status_line = f'<p class="remark">{escape_text(each.status_line)}</p>' if each.status_line else ""
    return (
        f'<article class="turn" data-turn="{each.turn}" data-record="{escape(each.record)}">'
        f'<div class="row user-row"><div class="message user" data-testid="user" role="group" '
        f'aria-label="{escape(texts.your_question)}"{lang_attribute(each.question, texts.language)}>'
        f"{escape_text(each.question)}</div>"
        f'<button type="button" class="edit" title="{escape(texts.edit)}" aria-label="{escape(texts.edit)}">✎</button></div>'
        f'<div class="row bot-row"><div class="message bot" data-testid="bot" role="group" '
        f'aria-label="{escape(texts.our_answer)}">{label}{answer}{status_line}</div></div>'
        f"{_suggestions_html(each, options)}{_actions_html(each, options)}</article>"
        f"{sources_html(each.turn, each.question, each.sources, texts, options.relevance)}"
    )


def _suggestions_html(each: Exchange, options: RenderOptions) -> str:
    """Buttons of the suggested questions, each with its institution, and one for "none of these" that shows the contact."""
    if not each.answer or each.answer.status != "suggested":
        return ""
    html_parts = [option_button(source, options.texts.language) for source in each.sources]
    texts = options.texts
    desk = (
        "".join(render_blocks(options.contact, own_numbers=phone_numbers(options.contact)))
        if options.contact
        else f"<p>{escape(texts.no_contact)}</p>"
    )
    return (
        f'<div class="options">{"".join(html_parts)}<button type="button" class="none">{escape(texts.none_of_these)}</button>'
        f'<div class="desk" role="status" hidden><p>{escape(texts.none_chosen)}</p>{desk}</div></div>'
    )


def _actions_html(each: Exchange, options: RenderOptions) -> str:
    """Buttons of a finished answer: copy, feedback, retry, sources; and its record's id."""
    texts = options.texts
    if not each.answer and not each.failed:
        return ""

    def button(kind: str, label: str) -> str:
        return f'<button type="button" class="{kind}">{escape(label)}</button>'

    html_parts = (
        [button("copy", texts.copy)] if each.text and (each.generated or (each.answer and each.answer.cited)) else []
    )
    if options.records and each.record:
        html_parts += [button("like", texts.like), button("dislike", texts.dislike)]
    if each.may_differ:
        html_parts.append(button("retry", texts.retry))
    if each.sources:
        html_parts.append(button("show-sources", texts.show_sources.format(count=len(each.sources))))
    if each.record:
        html_parts.append(f'<span class="record">{escape(texts.record.format(id=each.record))}</span>')
    reasons = ""
    if options.records and each.record:
        choices = "".join(button("reason", reason) for reason in texts.dislike_reasons.split("|"))
        reasons = f'<div class="reasons" hidden><p>{escape(texts.dislike_why)}</p>{choices}</div>'
    return f'<div class="actions">{"".join(html_parts)}</div>{reasons}<p class="thanks" role="status"></p>'


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


def frame_html(
    changed: Iterable[Exchange],
    numbers: Sequence[int],
    options: RenderOptions,
    *,
    serial: int,
    busy: bool,
    reset: bool = False,
    last_dropped_turn: int = 0,
    hint: str = "",
    toast: str = "",
    undo: bool = False,
    chat: str = "",
) -> str:
    """One frame: a state of the conversation as an element that the page's script reads.

    `changed`: exchanges whose HTML is sent. `numbers`: turns of the conversation; the page removes other turns, except those
    up to `last_dropped_turn`. `reset`: it removes those too. `serial`: increases with each frame, so that the script ignores
    repeated ones. `busy`: an answer is being written. `hint`: a line below the input. `toast`: a message that disappears by
    itself, with an undo button if `undo`. `chat`: id of the saved chat.
    """
    turns = "".join(turn_html(each, options) for each in changed)
    flags = f'data-serial="{serial}" data-turns="{" ".join(map(str, numbers))}" data-forgotten="{last_dropped_turn}"'
    flags += f' data-chat="{escape(chat)}"'
    if busy:
        flags += " data-busy"
    if reset:
        flags += " data-reset"
    if hint:
        flags += f' data-hint="{escape(hint)}"'
    if toast:
        flags += f' data-said="{escape(toast)}"'
    if undo:
        flags += " data-undo"
    # In an attribute, because as elements their ids would be twice in the page: here and where the script puts them.
    content = turns.replace("&", "&amp;").replace("'", "&#39;")
    return f"<div class='frame' {flags} data-content='{content}'></div>"


def notice_line(answer: Answer | None, texts: Texts) -> str:
    """The line under an answer: its notice, and which personal numbers were masked. `answer` None: it was stopped."""
    if answer is None:
        return texts.stopped
    lines = [texts.notices[answer.notice]] if answer.notice else []
    if answer.masked:
        lines.append(texts.masked.format(kinds=", ".join(answer.masked)))
    return " ".join(lines)


def truncate(text: str, limit: int = 40) -> str:
    """The text in one line of at most `limit` characters, with an ellipsis if it is cut."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
