"""`python -m rag evaluate retrieval`: ranking, outcomes, refusal and follow-ups of one index, in DESIGN's JSON.

Ranking metrics ignore the outcome; outcomes are taken at the index's own thresholds. The keys ending in `_ci95` are
95 % intervals: bootstrap for means, Wilson for shares.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.chat import ChatService
from rag.errors import InputError, ModelUnavailable
from rag.evaluation import metrics
from rag.evaluation.datasets import Conversation, OutOfDomain, Query
from rag.retrieval.hybrid import row_id
from rag.types import Status, Turn

DEPTH = 10
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Judged:
    """One input's ranking (row ids, DEPTH at most), its outcome and the confidence behind it."""

    ranked: tuple[str, ...]
    status: Status
    shown: tuple[str, ...]
    confidence: float


def evaluate(
    service: ChatService,
    *,
    queries: Sequence[Query],
    out_of_domain: Sequence[OutOfDomain] = (),
    conversations: Sequence[Conversation] = (),
    settings: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run everything and return the report. Raises InputError without questions."""
    if not queries:
        raise InputError("there are no questions to evaluate")
    total = len(queries) + 2 * len(out_of_domain) + len(conversations)
    done = 0

    def judge(text: str, history: Sequence[Turn] = ()) -> Judged:
        nonlocal done
        done += 1
        if progress:
            progress("evaluate", done, total)
        return judged(service, text, history)

    answered = [judge(query.query) for query in queries]
    refused = [judge(item.query) for item in out_of_domain]
    asides = [judge(item.query, [Turn(queries[i * 7 % len(queries)].query)]) for i, item in enumerate(out_of_domain)]
    follow_ups = [judge(item.turns[-1], [Turn(turn) for turn in item.turns[:-1]]) for item in conversations]
    report: dict[str, Any] = {"retrieval": ranking_report(queries, answered)}
    report["outcomes"] = outcome_report(queries, answered, out_of_domain, refused)
    if refused:
        refusal = refusal_report(queries, answered, refused)
        report["refusal"] = {**refusal, "in_conversation": aside_report(out_of_domain, asides)}
    if follow_ups:
        report["multi_turn"] = multi_turn_report(conversations, follow_ups)
    report["settings"] = dict(settings or {})
    return report


def judged(service: ChatService, text: str, history: Sequence[Turn] = ()) -> Judged:
    """What the service makes of one input. Raises ModelUnavailable where its embedding failed meanwhile."""
    verdict = service.judge(text, history)
    found = verdict if verdict.ranked else service.rank(text, history)  # declined by its words, it was not searched
    if verdict.lexical_only or found.lexical_only:
        raise ModelUnavailable("the embedding failed during the measurement, which would count searches by words alone")
    ranked, shown = (tuple(row_id(hit) for hit in hits) for hits in (found.ranked, verdict.nodes))
    return Judged(ranked[:DEPTH], verdict.status, shown, verdict.confidence)


def ranking_report(queries: Sequence[Query], results: Sequence[Judged]) -> dict[str, Any]:
    def of(indices: Sequence[int]) -> dict[str, Any]:
        runs, relevant = [results[i].ranked for i in indices], [queries[i].relevant for i in indices]
        found: dict[str, Any] = dict(metrics.ranking(runs, relevant))
        for k in (1, 3):
            hits = [metrics.hit(run, rows, k) for run, rows in zip(runs, relevant, strict=True)]
            found[f"hit@{k}_ci95"] = metrics.bootstrap(hits)
        return found

    return {"all": of(range(len(queries))), "by_style": _each([query.style for query in queries], of)}


def outcome_report(
    queries: Sequence[Query], results: Sequence[Judged], items: Sequence[OutOfDomain], refused: Sequence[Judged]
) -> dict[str, Any]:
    first = [metrics.hit(result.shown, query.relevant, 1) for query, result in zip(queries, results, strict=True)]
    right = [hit for hit, result in zip(first, results, strict=True) if result.status == "answered"]
    wrongly = sum(result.status == "answered" for result in refused)
    precise = int(sum(right)), len(right) + wrongly
    nearest = [
        metrics.hit(result.shown, query.relevant, 3)
        for query, result in zip(queries, results, strict=True)
        if result.status == "suggested"
    ]
    declined = sum(result.status == "declined" for result in results)
    kinds: dict[str, list[float]] = defaultdict(list)
    for item, result in zip(items, refused, strict=True):
        kinds[item.kind].append(float(result.status != "answered"))
    every = [value for values in kinds.values() for value in values]
    return {
        "answered_precision": precise[0] / precise[1] if precise[1] else float("nan"),
        "answered_precision_ci95": metrics.wilson(*precise),
        "answered_share": len(right) / len(results),
        "answered_share_ci95": metrics.wilson(len(right), len(results)),
        "suggested_hit@3": metrics.mean(nearest),
        "suggested_hit@3_ci95": metrics.wilson(int(sum(nearest)), len(nearest)),
        "suggested": len(nearest),
        "in_domain_declined": declined / len(results),
        "refused": metrics.mean(every),
        "refused_by_kind": {kind: metrics.mean(values) for kind, values in sorted(kinds.items())},
        "refused_by_kind_n": {kind: len(values) for kind, values in sorted(kinds.items())},
    }


def refusal_report(queries: Sequence[Query], results: Sequence[Judged], refused: Sequence[Judged]) -> dict[str, float]:
    """`aurc` counts an out-of-domain input as an error wherever it is ranked."""
    inside = [result.confidence for result in results]
    outside = [result.confidence for result in refused]
    correct = [metrics.hit(result.ranked, query.relevant, 1) for query, result in zip(queries, results, strict=True)]
    return {
        "auc": metrics.auc(inside, outside),
        "accepted_at_95_refused": metrics.accepted_at_refused(inside, outside),
        "aurc": metrics.aurc([*inside, *outside], [*correct, *([0.0] * len(outside))]),
    }


def aside_report(items: Sequence[OutOfDomain], results: Sequence[Judged]) -> dict[str, Any]:
    """The out-of-domain inputs once more, each after one of the questions, whose topic it does not continue."""
    pairs = list(zip(items, results, strict=True))

    def of(indices: Sequence[int]) -> dict[str, Any]:
        statuses = [pairs[i][1].status for i in indices]
        refused = sum(status != "answered" for status in statuses)
        return {
            "n": len(statuses),
            "refused": refused / len(statuses),
            "refused_ci95": metrics.wilson(refused, len(statuses)),
            "declined": statuses.count("declined") / len(statuses),
        }

    return {**of(range(len(pairs))), "by_kind": _each([item.kind for item, _ in pairs], of)}


def multi_turn_report(conversations: Sequence[Conversation], results: Sequence[Judged]) -> dict[str, Any]:
    def of(indices: Sequence[int]) -> dict[str, Any]:
        pairs = [(results[i].ranked, conversations[i].relevant) for i in indices]
        report: dict[str, Any] = {"n": len(pairs)}
        for k in (1, 3):
            hits = [metrics.hit(run, rows, k) for run, rows in pairs]
            report[f"hit@{k}"] = metrics.mean(hits)
            report[f"hit@{k}_ci95"] = metrics.wilson(int(sum(hits)), len(hits))
        return report

    return {**of(range(len(conversations))), "by_kind": _each([item.kind for item in conversations], of)}


def _each(labels: Sequence[str], of: Callable[[Sequence[int]], dict[str, Any]]) -> dict[str, Any]:
    """By label, what `of` says of the indices that bear it."""
    rows: dict[str, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        rows[label].append(index)
    return {label: of(indices) for label, indices in sorted(rows.items())}
