"""What an answer looks like on the page, as HTML. Pure; everything from data is escaped.

A frame holds the turns that have changed and the numbers of all; the page's script puts them into the conversation. So
what travels does not grow with the conversation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from rag.types import Answer, Source
from rag.ui.answer_text import blocks, folded, language, phones, plain
from rag.ui.conversation import Exchange
from rag.ui.source_cards import Relevance, card_id, sources_html
from rag.ui.texts import Texts


@dataclass(frozen=True, slots=True)
class Look:
    """How turns are drawn. `contact`: how to reach a person, for who finds no question among those suggested."""

    texts: Texts
    relevance: Relevance = "off"
    contact: str = ""
    records: bool = False


def turn_html(each: Exchange, look: Look) -> str:
    """One question with its answer, and its source cards behind it."""
    texts = look.texts
    done = each.answer is not None
    said = _said(each, look)
    label = ""
    if said and (each.generated or done):
        kind = "model" if each.generated else "approved" if each.is_approved else "plain"
        label = f'<p class="label {kind}">{escape(each.label(texts))}</p>'
    remark = f'<p class="remark">{plain(each.remark)}</p>' if each.remark else ""
    return (
        f'<article class="turn" data-turn="{each.turn}" data-record="{escape(each.record)}">'
        f'<div class="row user-row"><div class="message user" data-testid="user" role="group" '
        f'aria-label="{escape(texts.your_question)}"{language(each.question, texts.language)}>{plain(each.question)}</div>'
        f'<button type="button" class="edit" title="{escape(texts.edit)}" aria-label="{escape(texts.edit)}">✎</button></div>'
        f'<div class="row bot-row"><div class="message bot" data-testid="bot" role="group" '
        f'aria-label="{escape(texts.our_answer)}">{label}{said}{remark}</div></div>'
        f"{_options(each, look)}{_actions(each, look)}</article>"
        f"{sources_html(each.turn, each.question, each.sources, texts, look.relevance)}"
    )


def _said(each: Exchange, look: Look) -> str:
    """The answer's text: each institution's under its name, where the text is the institutions' own."""
    if not each.text:
        return ""

    def link(number: int) -> str:
        if not 1 <= number <= len(each.sources):
            return f"[{number}]"
        return f'<a class="cite" href="#{card_id(each.turn, number)}">[{number}]</a>'

    # Only numbers of the institution's own texts can be called with a click: a model's may be invented.
    own = phones(look.contact).union(*(phones(source.text) for source in each.sources))
    if each.answer and each.answer.status == "declined":
        own |= phones(each.text)  # a fixed text's number is the desk's
    spoken = language(each.text, look.texts.language)
    parts = None if each.generated else quoted_parts(each.text, each.sources, each.answer)
    if parts is None:
        return f'<div class="said"{spoken}>{"".join(blocks(each.text, link=link, own=own))}</div>'
    several = sum(source is not None for _, source in parts) > 1
    made = []
    for lead, source in parts:
        bank = str(source.metadata.get("bank") or "") if source else ""
        said = (source.text if source else "").split("\n")
        for line in lead.split("\n"):
            headings = line.split(" › ")
            # What the text says itself at once, or the chip, is not said before it.
            if line.strip() and line.strip() != bank and said[: len(headings)] != headings:
                made += blocks(line) if line.startswith("[") else [f'<p class="lead">{plain(line)}</p>']
        if source:
            chip = f'<h3 class="chip">{plain(bank)}</h3>' if bank else ""
            inner = blocks(source.text, own=own)
            # Beside the first words, so that it is seen while the rest is folded.
            inner[0] = _behind(inner[0], link(source.number))
            text = folded(inner, len(source.text), more=look.texts.more, several=several)
            made.append(f'<section class="passage-card">{chip}{text}</section>')
    return f'<div class="said"{spoken}>{"".join(made)}</div>'


def _behind(block: str, link: str) -> str:
    """The link at the end of a block, within its last element."""
    for end in ("</li></ul>", "</li></ol>", "</p>"):
        if block.endswith(end):
            return f"{block.removesuffix(end)} {link}{end}"
    return f"{block} {link}"


def quoted_parts(text: str, sources: Sequence[Source], answer: Answer | None) -> list[tuple[str, Source | None]] | None:
    """The text as (what stands before, the row quoted whole) in order; None where it is not made of quoted rows."""
    if answer is None or answer.status != "answered" or not answer.cited:
        return None
    parts: list[tuple[str, Source | None]] = []
    end = 0
    for number in answer.cited:
        if not 1 <= number <= len(sources):
            return None
        quote = f"{sources[number - 1].text} [{number}]"
        # In the answer's order: what stands between two quotes is the frame's own words.
        if (start := text.find(quote, end)) < 0:
            return None
        parts.append((text[end:start], sources[number - 1]))
        end = start + len(quote)
    return [*parts, (text[end:], None)] if text[end:].strip() else parts


def _options(each: Exchange, look: Look) -> str:
    """The nearest questions, each with its institution; and the way on for who finds none of them right."""
    if not each.answer or each.answer.status != "suggested":
        return ""
    made = []
    for source in each.sources:
        bank = str(source.metadata.get("bank") or "")
        chip = f'<span class="chip">{plain(bank)}</span> ' if bank else ""
        made.append(
            f'<button type="button" class="option" data-row="{escape(source.id)}"'
            f"{language(source.question, look.texts.language)}>{chip}{plain(source.question)}</button>"
        )
    texts = look.texts
    desk = (
        "".join(blocks(look.contact, own=phones(look.contact)))
        if look.contact
        else f"<p>{escape(texts.no_contact)}</p>"
    )
    return (
        f'<div class="options">{"".join(made)}<button type="button" class="none">{escape(texts.none_of_these)}</button>'
        f'<div class="desk" role="status" hidden><p>{escape(texts.none_chosen)}</p>{desk}</div></div>'
    )


def _actions(each: Exchange, look: Look) -> str:
    """What can be done with a finished answer."""
    texts = look.texts
    if not each.answer and not each.failed:
        return ""

    def button(kind: str, label: str) -> str:
        return f'<button type="button" class="{kind}">{escape(label)}</button>'

    made = [button("copy", texts.copy)] if each.text and (each.generated or (each.answer and each.answer.cited)) else []
    if look.records and each.record:
        made += [button("like", texts.like), button("dislike", texts.dislike)]
    if each.may_differ:
        made.append(button("retry", texts.retry))
    if each.sources:
        made.append(button("show-sources", texts.show_sources.format(count=len(each.sources))))
    if each.record:
        made.append(f'<span class="record">{escape(texts.record.format(id=each.record))}</span>')
    reasons = ""
    if look.records and each.record:
        choices = "".join(button("reason", reason) for reason in texts.dislike_reasons.split("|"))
        reasons = f'<div class="reasons" hidden><p>{escape(texts.dislike_why)}</p>{choices}</div>'
    return f'<div class="actions">{"".join(made)}</div>{reasons}<p class="thanks" role="status"></p>'


def frame_html(
    changed: Iterable[Exchange],
    numbers: Sequence[int],
    look: Look,
    *,
    serial: int,
    busy: bool,
    reset: bool = False,
    forgotten: int = 0,
    hint: str = "",
    said: str = "",
    undo: bool = False,
    chat: str = "",
) -> str:
    """One state of the conversation, for the page's script.

    `numbers`: all turns that are there, beside those up to `forgotten`, which a page goes on showing unless `reset`. `serial`
    rises with every frame, so that a late repetition of an old one is known. `hint`: a line under the box; `said`: one that
    goes by itself, with a way back where `undo`.
    """
    turns = "".join(turn_html(each, look) for each in changed)
    flags = f'data-serial="{serial}" data-turns="{" ".join(map(str, numbers))}" data-forgotten="{forgotten}"'
    flags += f' data-chat="{escape(chat)}"'
    if busy:
        flags += " data-busy"
    if reset:
        flags += " data-reset"
    if hint:
        flags += f' data-hint="{escape(hint)}"'
    if said:
        flags += f' data-said="{escape(said)}"'
    if undo:
        flags += " data-undo"
    # As an attribute, which is no part of the page yet: ids are there once, where the script puts them.
    content = turns.replace("&", "&amp;").replace("'", "&#39;")
    return f"<div class='frame' {flags} data-content='{content}'></div>"


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
