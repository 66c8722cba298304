"""Renders an answer's text as HTML: quoted rows as cards under their institutions' names, other text by its lines. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape

from rag.types import Source
from rag.ui.answer_text import escape_text, fold_blocks, lang_attribute, phone_numbers, render_blocks, split_quotes
from rag.ui.conversation import Exchange
from rag.ui.texts import Texts

_OFFERED = re.compile(r"- .+ \[(\d{1,3})\]")
"""A question that a part of an answer offers, as `rag.synthesis.verbatim` writes it."""


def answer_html(each: Exchange, texts: Texts, contact: str) -> str:
    """The answer's text; "" before its first piece. Quoted rows are shown as separate cards with the institution's name."""
    if not each.text:
        return ""

    def link(number: int) -> str:
        if not 1 <= number <= len(each.sources):
            return f"[{number}]"
        label = f"{escape(texts.sources)} [{number}]"
        return f'<a class="cite" href="#{card_id(each.turn, number)}" aria-label="{label}">[{number}]</a>'

    # Only numbers in the institution's texts become links; a model may have invented others.
    own_numbers = phone_numbers(contact).union(*(phone_numbers(source.text) for source in each.sources))
    if each.answer and each.answer.status == "declined":
        own_numbers |= phone_numbers(each.text)  # fixed texts state the contact's numbers
    lang = lang_attribute(each.text, texts.language)
    parts = None if each.generated else split_quotes(each.text, each.sources, each.answer)
    if parts is None:
        blocks = render_blocks(
            each.text,
            link=link,
            own_numbers=own_numbers,
            weak=each.weak,
            weak_note=texts.weak,
            own=each.own,
            own_note=texts.own,
            names={str(source.metadata["bank"]) for source in each.sources if source.metadata.get("bank")},
        )
        return f'<div class="said"{lang}>{"".join(blocks)}</div>'
    several = sum(source is not None for _, source, _ in parts) > 1
    html_parts = []
    for lead, source, quote in parts:
        *paragraphs, last = lead.split("\n\n") if source else [*lead.split("\n\n"), ""]
        for paragraph in paragraphs:
            html_parts += _paragraph_html(paragraph.split("\n"), each.sources, link, texts.language)
        if source is None:
            continue
        bank = str(source.metadata.get("bank") or "")
        first_lines = quote.split("\n")
        for line in last.split("\n"):
            headings = line.split(" › ")
            # Omit a lead that repeats the institution's chip or the text's first lines.
            if line.strip() and line.strip() != bank and first_lines[: len(headings)] != headings:
                html_parts += (
                    render_blocks(line) if line.startswith("[") else [f'<p class="lead">{escape_text(line)}</p>']
                )
        chip = f'<h3 class="chip">{escape_text(bank)}</h3>' if bank else ""
        inner = render_blocks(quote, own_numbers=own_numbers)
        # In the first block, so that it is visible while the others are folded.
        inner[0] = _append_link(inner[0], link(source.number))
        text = fold_blocks(inner, len(quote), more=texts.more, several=several)
        html_parts.append(f'<section class="passage-card">{chip}{text}</section>')
    return f'<div class="said"{lang}>{"".join(html_parts)}</div>'


def option_button(source: Source, language: str) -> str:
    """The button that asks a row's question, with its institution. `language`: the page's, "ko" or "en"."""
    bank = str(source.metadata.get("bank") or "")
    chip = f'<span class="chip">{escape_text(bank)}</span> ' if bank else ""
    return (
        f'<button type="button" class="option" data-row="{escape(source.id)}"'
        f"{lang_attribute(source.question, language)}>{chip}{escape_text(source.question)}</button>"
    )


def card_id(turn: int, number: int) -> str:
    """The element id of a source's card."""
    return f"src-{turn}-{number}"


def _paragraph_html(
    lines: list[str], sources: Sequence[Source], link: Callable[[int], str], language: str
) -> list[str]:
    """A paragraph between quotes: its first line as a title, the questions it offers as a list of buttons."""
    html_parts, offered = list[str](), list[str]()
    for line in filter(str.strip, lines):
        match = _OFFERED.fullmatch(line)
        number = int(match[1]) if match else 0
        if 1 <= number <= len(sources):
            offered.append(f"<li>{option_button(sources[number - 1], language)} {link(number)}</li>")
        else:
            kind = "" if html_parts else ' class="lead"'
            html_parts.append(f"<p{kind}>{escape_text(line)}</p>")
    return [*html_parts, f'<ul class="offered">{"".join(offered)}</ul>'] if offered else html_parts


def _append_link(block: str, link: str) -> str:
    """The block with the link at its end, inside its last element."""
    for end in ("</li></ul>", "</li></ol>", "</p>"):
        if block.endswith(end):
            return f"{block.removesuffix(end)} {link}{end}"
    return f"{block} {link}"
