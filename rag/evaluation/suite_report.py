"""Formats a suite's figures as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rag.evaluation.figures import with_interval
from rag.evaluation.records import KINDS

CONVERSATIONS = (
    ("ood_after", "no row answers, after a question"),
    ("contrast", "a similar row does not answer"),
    ("multiturn", "conversations, by what is shown"),
    ("afterquestion", "what follows a question"),
)
"""Sets whose outcomes alone are reported, with their titles."""


def suite_lines(name: str, figures: Mapping[str, Any]) -> Iterator[str]:
    """Ranking, outcomes, confidence and each further set. `figures`: as `suite_figures` gives them; intervals are 95 %."""
    yield f"== {name}"
    for key in ("retrieval", "contrast_queries"):
        if key in figures:
            yield from _ranking_lines(key, figures[key])
    if "outcomes" in figures:
        yield from _outcome_lines(figures)
    for key, title in CONVERSATIONS:
        if key in figures:
            yield from _table(title, [("all", figures[key]["all"]), *figures[key]["by_kind"].items()])
    if "perturbations" in figures:
        yield from _perturbation_lines(figures["perturbations"])
    yield ""


def _ranking_lines(key: str, ranking: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    title = "ranking" if key == "retrieval" else "ranking, the same in another form"
    yield f"{title:34} {'n':>4} {'hit@1':>20} {'hit@3':>20} {'hit@5':>6} {'mrr@10':>6} {'ndcg@10':>7} {'recall':>6}"
    for name, row in [("all", ranking["all"]), *ranking["by_style"].items(), *ranking.get("by_bank", {}).items()]:
        yield (
            f"{name:34} {row['n']:4} {with_interval(row, 'hit@1'):>20} {with_interval(row, 'hit@3'):>20} {row['hit@5']:6.3f} "
            f"{row['mrr@10']:6.3f} {row['ndcg@10']:7.3f} {row['recall@10']:6.3f}"
        )


def _outcome_lines(figures: Mapping[str, Any]) -> Iterator[str]:
    outcomes = figures["outcomes"]
    yield from _table("outcomes of the questions", [("all", outcomes), *outcomes["by_style"].items()])
    if "refusal" in figures:
        yield from _table("outcomes where no row answers", figures["refusal"]["by_kind"].items())
    yield ""
    for name in ("answered_precision", "answered_share", "suggested_hit@3", "refused"):
        yield f"{name:34} {with_interval(outcomes, name)}"
    if "refusal" in figures:
        for name in ("auc", "accepted_at_95_refused"):
            yield f"{name:34} {figures['refusal'][name]:.3f}"
    trust = figures["trust"]
    yield f"{'aurc, calibration error':34} {trust['aurc']:.3f}, {trust['ece']:.3f} (n={trust['n']})"


def _perturbation_lines(perturbations: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"{'questions changed by rule':34} {'n':>4} {'hit@1':>15} {'row shown':>15} {'answered wrong':>15}"
    for name, row in perturbations.items():
        cells = (f"{row['before'][key]:.3f} > {row['after'][key]:.3f}" for key in ("hit@1", "shown", "wrong"))
        yield f"{name:34} {row['n']:4} " + " ".join(f"{cell:>15}" for cell in cells)


def _table(title: str, rows: Any) -> Iterator[str]:
    yield ""
    yield f"{title:34} {'n':>4} " + " ".join(f"{kind:>8}" for kind in KINDS) + f" {'wrong [95 %]':>22}"
    for name, row in rows:
        counts = " ".join(f"{row['counts'][kind]:8}" for kind in KINDS)
        yield f"{name:34} {row['n']:4} {counts} {with_interval(row, 'wrong'):>22}"
