"""Computes all figures from records: ranking, outcomes, refusal, confidence, follow-ups, perturbations. Pure functions.

Keys ending in `_ci95` are 95 % confidence intervals: bootstrap for means, Wilson for shares.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rag.errors import InputError
from rag.evaluation import metrics
from rag.evaluation.records import KINDS, Record

SEVERAL = "several"
"""Group name of the questions that rows of several institutions answer."""


def suite_figures(records: Sequence[Record], banks: Mapping[str, str]) -> dict[str, Any]:
    """All figures of one suite; sets without records are left out. `banks`: institution by row id."""
    sets = _grouped(records, lambda record: record.case.set)
    queries, ood = sets["queries"], sets["ood"]
    report: dict[str, Any] = {}
    if queries:
        report["retrieval"] = {**ranking(queries), "by_bank": by_label(queries, ranking_row, bank_label(banks))}
        report["outcomes"] = {
            **outcome_report(queries, ood),
            **outcome_row(queries),
            "by_style": by_label(queries, outcome_row),
            "by_bank": by_label(queries, outcome_row, bank_label(banks)),
        }
        report["trust"] = trust([*queries, *ood])
        if ood:
            report["refusal"] = {**refusal_report(queries, ood), "by_kind": by_label(ood, outcome_row)}
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


def retrieval_report(records: Sequence[Record]) -> dict[str, Any]:
    """The figures that `evaluate retrieval --json` writes: `retrieval`, `outcomes`, and, with inputs for them, `refusal` and
    `multi_turn`. Raises InputError without questions.
    """
    sets = _grouped(records, lambda record: record.case.set)
    queries, ood, talks = sets["queries"], sets["ood"], sets["multiturn"]
    if not queries:
        raise InputError("expected at least one question to evaluate; got none")
    report: dict[str, Any] = {"retrieval": ranking(queries), "outcomes": outcome_report(queries, ood)}
    if ood:
        asides = sets["ood_after"]
        in_conversation = {**aside_row(asides), "by_kind": by_label(asides, aside_row)}
        report["refusal"] = {**refusal_report(queries, ood), "in_conversation": in_conversation}
    if talks:
        report["multi_turn"] = {**talk_row(talks), "by_kind": by_label(talks, talk_row)}
    return report


def outcome_report(queries: Sequence[Record], ood: Sequence[Record]) -> dict[str, Any]:
    """Shares of the outcomes in 0..1 at the index's thresholds.

    `answered_precision`: share of all answers whose first source is relevant; an answer to an out-of-domain input is wrong.
    `refused`: share of the out-of-domain inputs that are not answered.
    """
    counts = Counter(record.outcome for record in queries)
    answered, suggested = counts["right"] + counts["wrong"], counts["offered"] + counts["missed"]
    # Also by kind: small talk is easy to refuse and dominates the mean.
    kinds = Counter(record.case.label for record in ood)
    refused = Counter(record.case.label for record in ood if record.outcome != "wrong")
    return {
        **_share("answered_precision", counts["right"], answered + kinds.total() - refused.total()),
        **_share("answered_share", answered, len(queries)),
        **_share("suggested_hit@3", counts["offered"], suggested),
        "suggested": suggested,
        "in_domain_declined": counts["declined"] / len(queries),
        **_share("refused", refused.total(), len(ood)),
        "refused_by_kind": {kind: refused[kind] / n for kind, n in sorted(kinds.items())},
        "refused_by_kind_n": dict(sorted(kinds.items())),
    }


def refusal_report(queries: Sequence[Record], ood: Sequence[Record]) -> dict[str, float]:
    """How well the confidence separates questions from out-of-domain inputs, independent of the thresholds.

    `auc` and `aurc` as in `metrics`; for `aurc` every out-of-domain input is an error.
    """
    inside, outside = ([record.result.confidence for record in each] for each in (queries, ood))
    correct = [float(record.rank == 1) for record in queries]
    return {
        "auc": metrics.auc(inside, outside),
        "accepted_at_95_refused": metrics.accepted_at_refused(inside, outside),
        "aurc": metrics.aurc([*inside, *outside], [*correct, *([0.0] * len(outside))]),
    }


def aside_row(records: Sequence[Record]) -> dict[str, Any]:
    """Shares refused and declined of out-of-domain inputs, each asked as a follow-up to an unrelated question."""
    refused = sum(record.result.status != "answered" for record in records)
    declined = sum(record.result.status == "declined" for record in records)
    return {"n": len(records), **_share("refused", refused, len(records)), "declined": declined / len(records)}


def talk_row(records: Sequence[Record]) -> dict[str, Any]:
    """hit@1 and hit@3 of the last messages of conversations.

    `n` and the hits count the messages with relevant rows; `no_row` counts the outcomes of those without.
    """
    labelled = [record for record in records if record.case.relevant]
    statuses = [record.result.status for record in records if not record.case.relevant]
    hits = {k: sum(1 <= record.rank <= k for record in labelled) for k in (1, 3)}
    return {
        "n": len(labelled),
        **_share("hit@1", hits[1], len(labelled)),
        **_share("hit@3", hits[3], len(labelled)),
        "no_row": {status: statuses.count(status) for status in ("answered", "suggested", "declined")},
    }


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
        row |= _share(name, count, len(records))
    return row


def trust(records: Sequence[Record]) -> dict[str, Any]:
    """Risk-coverage curve, its area (AURC), reliability bins and ECE of the confidence.

    An input is correct if its first ranked row is relevant; out-of-domain inputs are never correct.
    """
    scores = [record.result.confidence for record in records]
    correct = [float(record.rank == 1) for record in records]
    bins = metrics.reliability(scores, correct)
    return {
        "n": len(records),
        "aurc": metrics.aurc(scores, correct),
        "ece": metrics.expected_calibration_error(bins),
        "curve": metrics.risk_coverage(scores, correct),
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


def _share(name: str, count: int, n: int) -> dict[str, Any]:
    return {name: count / n if n else math.nan, f"{name}_ci95": metrics.wilson(count, n)}


def _shows(record: Record) -> bool:
    return record.outcome in ("right", "offered")
