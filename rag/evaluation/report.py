"""Writes a run's report as HTML and Markdown, and formats `evaluate retrieval`'s report for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.evaluation.figures import with_interval
from rag.evaluation.page import html_page, markdown_page
from rag.evaluation.runs import Run
from rag.evaluation.sections import TITLE, report_sections, subtitle

HTML_FILE, MARKDOWN_FILE = "report.html", "report.md"


def write_report(
    run: Run, figures: Mapping[str, Mapping[str, Any]], folder: Path, history: Sequence[Run] = ()
) -> tuple[Path, Path]:
    """Write the HTML and the Markdown report of a run into a folder, and return their paths.

    `figures`: by suite name; `history`: earlier runs, oldest first. Raises InputError if they cannot be written.
    """
    sections = list(report_sections(run, figures, history))
    html, markdown = folder / HTML_FILE, folder / MARKDOWN_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        html.write_text(html_page(TITLE, subtitle(run), sections), encoding="utf-8")
        markdown.write_text(markdown_page(TITLE, subtitle(run), sections), encoding="utf-8")
    except OSError as exc:
        raise InputError(f"{folder}: the report cannot be written ({exc.strerror})") from exc
    return html, markdown


def report_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The report of `evaluate_retrieval` as lines for a terminal; intervals are 95 %."""
    retrieval = report["retrieval"]
    yield f"{'':20} {'n':>4} {'hit@1':>20} {'hit@3':>20} {'hit@5':>6} {'mrr@10':>6} {'ndcg@10':>7}"
    for name, row in [("all", retrieval["all"]), *retrieval["by_style"].items()]:
        yield (
            f"{name:20} {row['n']:4} {with_interval(row, 'hit@1'):>20} {with_interval(row, 'hit@3'):>20} {row['hit@5']:6.3f} "
            f"{row['mrr@10']:6.3f} {row['ndcg@10']:7.3f}"
        )
    outcomes = report["outcomes"]
    yield ""
    for name in ("answered_precision", "answered_share", "suggested_hit@3", "in_domain_declined", "refused"):
        yield f"{name:20} {with_interval(outcomes, name)}"
    for kind, share in outcomes["refused_by_kind"].items():
        yield f"  refused {kind:18} {share:.3f}  (n={outcomes['refused_by_kind_n'][kind]})"
    if "refusal" in report:
        refusal = report["refusal"]
        for name in ("auc", "accepted_at_95_refused", "aurc"):
            yield f"{name:24} {refusal[name]:.3f}"
        in_conversation = refusal["in_conversation"]
        for name, row in [("after a question", in_conversation), *in_conversation["by_kind"].items()]:
            yield f"{name:20} n={row['n']:3}  refused {with_interval(row, 'refused')}  declined {row['declined']:.3f}"
    if "multi_turn" in report:
        multi_turn = report["multi_turn"]
        for name, row in [("two turns", multi_turn), *multi_turn["by_kind"].items()]:
            if row["n"]:
                yield f"{name:20} n={row['n']:3}  hit@1 {with_interval(row, 'hit@1')}  hit@3 {with_interval(row, 'hit@3')}"
            if sum(no_row := row["no_row"].values()):
                counts = ", ".join(f"{count} {status}" for status, count in row["no_row"].items())
                yield f"{name:20} n={sum(no_row):3}  no row meant: {counts}"
