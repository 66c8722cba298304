"""Computes all figures of a suite from its records: ranking, outcomes, refusal, confidence, perturbations. Pure functions.

Keys agree with those of `evaluate_retrieval` where both report the same figure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rag.evaluation import curves, metrics
from rag.evaluation.datasets import OutOfDomain, Query
from rag.evaluation.records import KINDS, Record
from rag.evaluation.retrieval import outcome_report, refusal_report

SEVERAL = "several"
"""Group name of the questions that rows of several institutions answer."""


def suite_figures(records: Sequence[Record], banks: Mapping[str, str]) -> dict[str, Any]:
    """All figures of one suite; sets without records are left out. `banks`: institution by row id."""
    sets: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        sets[record.case.set].append(record)
    queries, ood = sets["queries"], sets["ood"]
    report: dict[str, Any] = {}
    if queries:
        asked = [Query(each.case.id, each.case.turns[-1], each.case.relevant, each.case.label) for each in queries]
        items = [OutOfDomain(each.case.id, each.case.turns[-1], each.case.label) for each in ood]
        results, refused = [each.result for each in queries], [each.result for each in ood]
        report["retrieval"] = {**ranking(queries), "by_bank": by_label(queries, ranking_row, bank_label(banks))}
        report["outcomes"] = {
            **outcome_report(asked, results, items, refused),
            **outcome_row(queries),
            "by_style": by_label(queries, outcome_row),
            "by_bank": by_label(queries, outcome_row, bank_label(banks)),
        }
        report["trust"] = trust([*queries, *ood])
        if ood:
            report["refusal"] = {**refusal_report(asked, results, refused), "by_kind": by_label(ood, outcome_row)}
    for name in ("ood_after", "contrast", "multiturn", "afterquestion"):
        if sets[name]:
            report[name] = {"all": outcome_row(sets[name]), "by_kind": by_label(sets[name], outcome_row)}
    if sets["contrast_queries"]:
        report["contrast_queries"] = {
            **ranking(sets["contrast_queries"]),
            "outcomes_by_style": by_label(sets["contrast_queries"], outcome_row),
        }
    if sets["perturbed"]:
        report["perturbations"] = perturbation_rows(queries, sets["perturbed"])
    return report


def ranking(records: Sequence[Record]) -> dict[str, Any]:
    """`ranking_row` of all records, and of the records of each style."""
    return {"all": ranking_row(records), "by_style": by_label(records, ranking_row)}


def ranking_row(records: Sequence[Record]) -> dict[str, Any]:
    """hit@1, 3, 5, mrr@10, ndcg@10 and recall@10 in 0..1 with 95 % bootstrap intervals; outcomes are ignored."""
    runs = [(record.result.ranked, record.case.relevant) for record in records]
    row: dict[str, Any] = {"n": len(runs)}
    for name, measure in metrics.MEASURES.items():
        values = [measure(run, rows) for run, rows in runs]
        row[name] = metrics.mean(values)
        row[f"{name}_ci95"] = metrics.bootstrap(values)
    return row


def outcome_row(records: Sequence[Record]) -> dict[str, Any]:
    """The count of each outcome, and its share in 0..1 with a 95 % Wilson interval.

    `shown` sums `right` and `offered`: a relevant row is the first source of the answer or among the suggestions.
    """
    counts: dict[str, int] = {kind: sum(record.outcome == kind for record in records) for kind in KINDS}
    row: dict[str, Any] = {"n": len(records), "counts": counts}
    for name, count in {**counts, "shown": counts["right"] + counts["offered"]}.items():
        row[name] = count / len(records) if records else float("nan")
        row[f"{name}_ci95"] = metrics.wilson(count, len(records))
    return row


def trust(records: Sequence[Record]) -> dict[str, Any]:
    """Risk-coverage curve, its area (AURC), reliability bins and ECE of the confidence.

    An input is correct if its first ranked row is relevant; out-of-domain inputs are never correct.
    """
    scores = [record.result.confidence for record in records]
    correct = [float(record.rank == 1) for record in records]
    bins = curves.reliability(scores, correct)
    return {
        "n": len(records),
        "aurc": metrics.aurc(scores, correct),
        "ece": curves.expected_calibration_error(bins),
        "curve": curves.risk_coverage(scores, correct),
        "bins": [asdict(each) for each in bins],
    }


def perturbation_rows(queries: Sequence[Record], variants: Sequence[Record]) -> dict[str, Any]:
    """For each perturbation rule: figures of the questions that it changed, before and after.

    `lost`: ids of the questions whose relevant row was shown before the change and is not shown after it.
    """
    originals = {record.case.id: record for record in queries}
    rows = {}
    for name, changed in _grouped(variants, lambda record: record.case.label).items():
        # The id of a variant begins with that of its question (`perturbations.perturbed`).
        pairs = [(originals[record.case.id.partition(":")[0]], record) for record in changed]
        rows[name] = {
            "n": len(pairs),
            "before": {**ranking_row([old for old, _ in pairs]), **outcome_row([old for old, _ in pairs])},
            "after": {**ranking_row(changed), **outcome_row(changed)},
            "lost": [old.case.id for old, new in pairs if _shows(old) and not _shows(new)],
        }
    return rows


def by_label(
    records: Sequence[Record],
    row: Callable[[Sequence[Record]], dict[str, Any]],
    label: Callable[[Record], str] = lambda record: record.case.label,
) -> dict[str, Any]:
    """`row` of the records of each label, sorted by label."""
    groups = _grouped(records, label)
    return {name: row(groups[name]) for name in sorted(groups)}


def with_interval(row: Mapping[str, Any], name: str) -> str:
    """A figure of a row as text, followed by its 95 % interval if the row has one: "0.812 [0.780, 0.841]"."""
    interval = row.get(f"{name}_ci95")
    return f"{row[name]:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def bank_label(banks: Mapping[str, str]) -> Callable[[Record], str]:
    """A function from a record to the institution of its relevant rows, or SEVERAL. `banks`: institution by row id."""

    def label(record: Record) -> str:
        own = {banks.get(row, "") for row in record.case.relevant}
        return own.pop() if len(own) == 1 else SEVERAL

    return label


def _grouped(records: Iterable[Record], label: Callable[[Record], str]) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[label(record)].append(record)
    return groups


def _shows(record: Record) -> bool:
    return record.outcome in ("right", "offered")
