"""A report's sections as one HTML file and as its Markdown twin: the same words and tables, the plots in the first alone.

The HTML asks for nothing: style and pictures are in it. It is light or dark as the reader's device, and prints in black on white.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a heading; the first column is text, the others are set to the right unless `is_prose`."""

    heading: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    is_prose: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """An SVG and what it shows."""

    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph; `is_large`: what the reader should see first."""

    text: str
    is_large: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it; `level` 2 begins a suite, 3 a part of it."""

    title: str
    blocks: Sequence[Table | Plot | Note] = field(default_factory=tuple)
    level: int = 2


STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1d2329;--soft:#5b6570;--rule:#d8dde2;--head:#f3f5f7;
--right:#17736b;--offered:#79bdb2;--missed:#b9c0c7;--declined:#d9a441;--wrong:#bb3a2c;--other:#5f6fb2}
@media (prefers-color-scheme:dark){:root{--paper:#14181c;--ink:#e6eaee;--soft:#a3aeb9;--rule:#37404a;--head:#1e242a;
--right:#3fae9f;--offered:#2b6a63;--missed:#5f6a75;--declined:#c8963c;--wrong:#e0604f;--other:#8d9be0}}
@media print{:root{--paper:#fff;--ink:#000;--soft:#333;--rule:#bbb;--head:#eee;
--right:#17736b;--offered:#79bdb2;--missed:#b9c0c7;--declined:#d9a441;--wrong:#bb3a2c;--other:#5f6fb2}
section{break-inside:auto}figure,tr{break-inside:avoid}nav{display:none}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.2rem;max-width:64rem;background:var(--paper);color:var(--ink);
font:16px/1.65 system-ui,-apple-system,"Apple SD Gothic Neo","Malgun Gothic","Noto Sans KR","Noto Sans CJK KR",sans-serif;
word-break:keep-all;overflow-wrap:anywhere}
h1{font-size:1.7rem;line-height:1.3}h2{margin-top:3rem;padding-top:1rem;border-top:2px solid var(--rule);font-size:1.35rem}
h3{margin-top:2rem;font-size:1.1rem}
p{margin:.6rem 0}.large{font-size:1.15rem}.soft{color:var(--soft);font-size:.9rem}
nav ul{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;list-style:none}a{color:inherit}
.wide{overflow-x:auto;margin:1rem 0}table{border-collapse:collapse;font-size:.92rem;min-width:100%}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--rule);text-align:right;vertical-align:top;white-space:nowrap}
th{background:var(--head)}th:first-child,td:first-child{text-align:left}
.prose th,.prose td{text-align:left;white-space:normal;min-width:7rem}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1rem}
figure{margin:.5rem 0}figcaption{color:var(--soft);font-size:.9rem}svg{width:100%;height:auto;display:block}
svg text{fill:var(--ink);font-size:14px}.grid{stroke:var(--rule)}.whisker{stroke:var(--ink);stroke-width:1.5}
.line{fill:none;stroke-width:2.5}polyline.line.right{stroke:var(--right)}polyline.line.wrong{stroke:var(--wrong)}
polyline.line.other{stroke:var(--other)}polyline.line.missed{stroke:var(--missed);stroke-dasharray:5 5}
rect.right,circle.right{fill:var(--right)}rect.offered{fill:var(--offered)}rect.missed,circle.missed{fill:var(--missed)}
rect.declined{fill:var(--declined)}rect.wrong,circle.wrong{fill:var(--wrong)}rect.other,circle.other{fill:var(--other)}
@media (max-width:40rem){body{padding:.8rem}h1{font-size:1.4rem}.prose,.prose tbody,.prose tr,.prose td{display:block}
.prose thead{display:none}.prose tr{border-bottom:2px solid var(--rule);padding:.4rem 0}.prose td{border:0;padding:.15rem 0}
.prose td::before{content:attr(data-label)": ";color:var(--soft);font-size:.85rem}}
"""


def html_page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """The whole file."""
    links = "".join(
        f'<li><a href="#s{number}">{escape(section.title)}</a></li>'
        for number, section in enumerate(sections)
        if section.level == 2
    )
    body = "".join(_html_section(number, section) for number, section in enumerate(sections))
    return (
        '<!doctype html>\n<html lang="ko"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        # Nothing is fetched, whatever stands in a question or a row.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f'<body><header><h1>{escape(title)}</h1><p class="soft">{escape(lead)}</p><nav aria-label="차례"><ul>{links}</ul></nav>'
        f"</header><main>{body}</main></body></html>\n"
    )


def markdown_page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """The twin: every word and table of the page; of a plot its caption."""
    lines = [f"# {title}", "", lead, ""]
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
        # Regions of one name cannot be told apart by a screen reader.
        parts.append(_html_block(block, f"{number}.{len(parts)} {section.title}"))
    if plots:
        parts.append(f'<div class="plots">{"".join(plots)}</div>')
    heading = f"h{section.level}"
    return f'<section id="s{number}"><{heading}>{escape(section.title)}</{heading}>{"".join(parts)}</section>'


def _html_block(block: Table | Note, name: str) -> str:
    if isinstance(block, Note):
        return f'<p class="{"large" if block.is_large else "plain"}">{escape(block.text)}</p>'
    heading = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in block.heading)
    rows = ""
    for row in block.rows:
        # On a phone a row of prose is a list, each line under its column's name.
        cells = (
            f'<td data-label="{escape(column)}">{escape(cell)}</td>'
            for column, cell in zip(block.heading, row, strict=True)
        )
        rows += f"<tr>{''.join(cells)}</tr>"
    kind = ' class="prose"' if block.is_prose else ""
    # A focusable region, so that a wide table can be scrolled with the keyboard.
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="표 {escape(name)}"><table{kind}>'
        f"<thead><tr>{heading}</tr></thead><tbody>{rows}</tbody></table></div>"
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
