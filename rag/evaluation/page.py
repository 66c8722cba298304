"""Renders a report's sections as one HTML file, and as Markdown with captions in place of the plots.

The HTML is self-contained: styles and SVG plots are inline. It follows the device's light or dark mode, and prints in black
on white.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from rag.data_files import read_text


@dataclass(frozen=True, slots=True)
class Table:
    """A table; all columns but the first are right-aligned unless `is_prose`.

    `is_form`: printed with room to fill in by hand.
    """

    heading: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    is_prose: bool = False
    is_form: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """An SVG image and its caption."""

    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph; `is_large`: set in large type."""

    text: str
    is_large: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its blocks. `level`: 2 or 3, as in HTML; `starts_page`: begins a new page in print."""

    title: str
    blocks: Sequence[Table | Plot | Note] = field(default_factory=tuple)
    level: int = 2
    starts_page: bool = False


INTERVAL = re.compile(r"(?<=\d|%) (\[[\d.]+(?:, |~)[\d.]+\])$")
STYLE = read_text(__package__, "page.css")


def html_page(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """The complete HTML document with a table of contents of the sections of level 2."""
    links = "".join(
        f'<li><a href="#s{number}">{escape(section.title)}</a></li>'
        for number, section in enumerate(sections)
        if section.level == 2
    )
    body = "".join(_html_section(number, section) for number, section in enumerate(sections))
    return (
        '<!doctype html>\n<html lang="ko"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        # Nothing is loaded from elsewhere, whatever a question or a row contains.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f'<body><header><h1>{escape(title)}</h1><p class="soft">{escape(subtitle)}</p>'
        f'<nav aria-label="차례"><ul>{links}</ul></nav></header><main>{body}</main></body></html>\n'
    )


def markdown_page(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """The same content as Markdown; a plot is replaced by its caption."""
    lines = [f"# {title}", "", subtitle, ""]
    for section in sections:
        lines += [f"{'#' * section.level} {section.title}", ""]
        for block in section.blocks:
            lines += [*_markdown_block(block), ""]
    return "\n".join(lines).rstrip() + "\n"


def _html_section(number: int, section: Section) -> str:
    parts: list[str] = []
    plots: list[str] = []
    for block in section.blocks:
        if isinstance(block, Plot):
            plots.append(f"<figure>{block.svg}<figcaption>{escape(block.caption)}</figcaption></figure>")
            continue
        if plots:
            parts.append(f'<div class="plots">{"".join(plots)}</div>')
            plots = []
        # A screen reader tells regions apart by their names.
        parts.append(_html_block(block, f"{number}.{len(parts)} {section.title}"))
    if plots:
        parts.append(f'<div class="plots">{"".join(plots)}</div>')
    heading = f"h{section.level}"
    page = ' class="page"' if section.starts_page else ""
    return f'<section id="s{number}"{page}><{heading}>{escape(section.title)}</{heading}>{"".join(parts)}</section>'


def _html_block(block: Table | Note, name: str) -> str:
    if isinstance(block, Note):
        return f'<p class="{"large" if block.is_large else "plain"}">{escape(block.text)}</p>'
    heading = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in block.heading)
    rows = "".join(f"<tr>{_html_cells(block.heading, row)}</tr>" for row in block.rows)
    intervals = max((sum(bool(INTERVAL.search(cell)) for cell in row) for row in block.rows), default=0)
    # With several columns of intervals, each stands below its figure, so that the table fits a page.
    kinds = {"prose": block.is_prose, "form": block.is_form, "dense": intervals > 1}
    kind = "".join(f' class="{name}"' for name, is_so in kinds.items() if is_so)
    # A focusable region, so that a wide table can be scrolled with the keyboard.
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="표 {escape(name)}"><table{kind}>'
        f"<thead><tr>{heading}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _html_cells(heading: Sequence[str], row: Sequence[str]) -> str:
    # `data-label`: on a phone the stylesheet shows a row as a list of column names and values.
    pairs = zip(heading, row, strict=True)
    return "".join(
        f'<td data-label="{escape(name)}">' + INTERVAL.sub(r" <small>\1</small>", escape(cell)) + "</td>"
        for name, cell in pairs
    )


def _markdown_block(block: Table | Plot | Note) -> Iterator[str]:
    if isinstance(block, Note):
        yield f"**{block.text}**" if block.is_large else block.text
    elif isinstance(block, Plot):
        yield f"*(그림: {block.caption})*"
    else:
        yield "| " + " | ".join(block.heading) + " |"
        yield "|" + "---|" * len(block.heading)
        for row in block.rows:
            yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
