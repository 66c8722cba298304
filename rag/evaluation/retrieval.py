"""`python -m rag evaluate retrieval`: ranking, outcomes, refusal and follow-ups of one index, as one JSON report.

Ranking metrics ignore the outcome; outcomes depend on the index's thresholds. Keys ending in `_ci95` are 95 % confidence
intervals: bootstrap for means, Wilson for shares.
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
from rag.ingestion.sync import Progress
from rag.retrieval.hybrid import row_id
from rag.types import Status, Turn

DEPTH = 10
"""Rows of a ranking that are kept for the metrics."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The chat service's output for one input.

    `ranked`: ids of the first DEPTH rows, best first. `shown`: ids of the rows that the customer sees, in order.
    `confidence`: probability in 0..1 that the first row answers; `covered`: that one of the first three does.
    `is_blocked`: as in `Verdict`.
    """

    ranked: tuple[str, ...]
    status: Status
    shown: tuple[str, ...]
    confidence: float
    covered: float = 0.0
    is_blocked: bool = False


def evaluate_retrieval(
    service: ChatService,
    *,
    queries: Sequence[Query],
    out_of_domain: Sequence[OutOfDomain] = (),
    conversations: Sequence[Conversation] = (),
    settings: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run all inputs and report `retrieval`, `outcomes`, and, if there are inputs for them, `refusal` and `multi_turn`.

    `settings` is copied into the report. Raises InputError without questions, ModelUnavailable if the embedding fails.
    """
    if not queries:
        raise InputError("expected at least one question to evaluate; got none")
    total = len(queries) + 2 * len(out_of_domain) + len(conversations)
    done = 0

    def judge(text: str, history: Sequence[Turn] = ()) -> Prediction:
        nonlocal done
        done += 1
        if progress:
            progress("evaluate", done, total)
        return predict(service, text, history)

    answered = [judge(query.query) for query in queries]
    refused = [judge(item.query) for item in out_of_domain]
    # Each out-of-domain input again, as a follow-up to an unrelated question. The step of 7 spreads them over the file, whose
    # neighbouring questions are about the same rows.
    asides = [judge(item.query, [Turn(queries[i * 7 % len(queries)].query)]) for i, item in enumerate(out_of_domain)]
    follow_ups = [judge(item.turns[-1], [Turn(turn) for turn in item.turns[:-1]]) for item in conversations]
    report: dict[str, Any] = {"retrieval": ranking_report(queries, answered)}
    report["outcomes"] = outcome_report(queries, answered, out_of_domain, refused)
    if refused:
        refusal = refusal_report(queries, answered, refused)
        report["refusal"] = {**refusal, "in_conversation": in_conversation_report(out_of_domain, asides)}
    if follow_ups:
        report["multi_turn"] = multi_turn_report(conversations, follow_ups)
    report["settings"] = dict(settings or {})
    return report


def predict(service: ChatService, text: str, history: Sequence[Turn] = ()) -> Prediction:
    """Run one input, `history` being the turns before it. Raises ModelUnavailable if the embedding failed."""
    verdict = service.judge(text, history)
    # An input that a decline rule matches is not searched; its ranking and confidence are measured all the same.
    searched = verdict if verdict.ranked else service.rank(text, history)
    if verdict.lexical_only or searched.lexical_only:
        raise ModelUnavailable(
            "the embedding failed during the evaluation, so only lexical search was measured; run it again when the embedding "
            "answers"
        )
    ranked, shown = (tuple(row_id(hit) for hit in hits) for hits in (searched.ranked, verdict.nodes))
    return Prediction(ranked[:DEPTH], verdict.status, shown, verdict.confidence, verdict.covered, verdict.is_blocked)


def ranking_report(queries: Sequence[Query], results: Sequence[Prediction]) -> dict[str, Any]:
    """Ranking metrics of all questions and by style, with intervals for hit@1 and hit@3."""

    def report_of(indices: Sequence[int]) -> dict[str, Any]:
        runs, relevant = [results[i].ranked for i in indices], [queries[i].relevant for i in indices]
        report: dict[str, Any] = dict(metrics.ranking(runs, relevant))
        for k in (1, 3):
            hits = [metrics.hit(run, rows, k) for run, rows in zip(runs, relevant, strict=True)]
            report[f"hit@{k}_ci95"] = metrics.bootstrap(hits)
        return report

    return {"all": report_of(range(len(queries))), "by_style": _by_label([query.style for query in queries], report_of)}


def outcome_report(
    queries: Sequence[Query], results: Sequence[Prediction], items: Sequence[OutOfDomain], refused: Sequence[Prediction]
) -> dict[str, Any]:
    """Shares of the outcomes in 0..1 at the index's thresholds.

    `answered_precision`: share of all answers whose first source is relevant; an answer to an out-of-domain input is wrong.
    `refused`: share of the out-of-domain inputs that are not answered.
    """
    first = [metrics.hit(result.shown, query.relevant, 1) for query, result in zip(queries, results, strict=True)]
    answered = [hit for hit, result in zip(first, results, strict=True) if result.status == "answered"]
    answered_wrongly = sum(result.status == "answered" for result in refused)
    precise = int(sum(answered)), len(answered) + answered_wrongly
    nearest = [
        metrics.hit(result.shown, query.relevant, 3)
        for query, result in zip(queries, results, strict=True)
        if result.status == "suggested"
    ]
    declined = sum(result.status == "declined" for result in results)
    # Also by kind: small talk is easy to refuse and dominates the mean.
    kinds: dict[str, list[float]] = defaultdict(list)
    for item, result in zip(items, refused, strict=True):
        kinds[item.kind].append(float(result.status != "answered"))
    every = [value for values in kinds.values() for value in values]
    return {
        "answered_precision": precise[0] / precise[1] if precise[1] else float("nan"),
        "answered_precision_ci95": metrics.wilson(*precise),
        "answered_share": len(answered) / len(results),
        "answered_share_ci95": metrics.wilson(len(answered), len(results)),
        "suggested_hit@3": metrics.mean(nearest),
        "suggested_hit@3_ci95": metrics.wilson(int(sum(nearest)), len(nearest)),
        "suggested": len(nearest),
        "in_domain_declined": declined / len(results),
        "refused": metrics.mean(every),
        "refused_ci95": metrics.wilson(int(sum(every)), len(every)),
        "refused_by_kind": {kind: metrics.mean(values) for kind, values in sorted(kinds.items())},
        "refused_by_kind_n": {kind: len(values) for kind, values in sorted(kinds.items())},
    }


def refusal_report(
    queries: Sequence[Query], results: Sequence[Prediction], refused: Sequence[Prediction]
) -> dict[str, float]:
    """How well the confidence separates questions from out-of-domain inputs, independent of the thresholds.

    `auc` and `aurc` as in `metrics`; for `aurc` every out-of-domain input is an error.
    """
    inside = [result.confidence for result in results]
    outside = [result.confidence for result in refused]
    correct = [metrics.hit(result.ranked, query.relevant, 1) for query, result in zip(queries, results, strict=True)]
    return {
        "auc": metrics.auc(inside, outside),
        "accepted_at_95_refused": metrics.accepted_at_refused(inside, outside),
        "aurc": metrics.aurc([*inside, *outside], [*correct, *([0.0] * len(outside))]),
    }


def in_conversation_report(items: Sequence[OutOfDomain], results: Sequence[Prediction]) -> dict[str, Any]:
    """Outcomes of the out-of-domain inputs, each asked as a follow-up to an unrelated question."""
    pairs = list(zip(items, results, strict=True))

    def report_of(indices: Sequence[int]) -> dict[str, Any]:
        statuses = [pairs[i][1].status for i in indices]
        refused = sum(status != "answered" for status in statuses)
        return {
            "n": len(statuses),
            "refused": refused / len(statuses),
            "refused_ci95": metrics.wilson(refused, len(statuses)),
            "declined": statuses.count("declined") / len(statuses),
        }

    return {**report_of(range(len(pairs))), "by_kind": _by_label([item.kind for item, _ in pairs], report_of)}


def multi_turn_report(conversations: Sequence[Conversation], results: Sequence[Prediction]) -> dict[str, Any]:
    """hit@1 and hit@3 of the last messages of conversations, in all and by kind.

    `n` and the hits count the messages with relevant rows; `no_row` counts the outcomes of those without.
    """

    def report_of(indices: Sequence[int]) -> dict[str, Any]:
        pairs = [(results[i].ranked, conversations[i].relevant) for i in indices if conversations[i].relevant]
        report: dict[str, Any] = {"n": len(pairs)}
        for k in (1, 3):
            hits = [metrics.hit(run, rows, k) for run, rows in pairs]
            report[f"hit@{k}"] = metrics.mean(hits)
            report[f"hit@{k}_ci95"] = metrics.wilson(int(sum(hits)), len(hits))
        statuses = [results[i].status for i in indices if not conversations[i].relevant]
        report["no_row"] = {status: statuses.count(status) for status in ("answered", "suggested", "declined")}
        return report

    by_kind = _by_label([item.kind for item in conversations], report_of)
    return {**report_of(range(len(conversations))), "by_kind": by_kind}


def _by_label(labels: Sequence[str], report_of: Callable[[Sequence[int]], dict[str, Any]]) -> dict[str, Any]:
    """`report_of` the indices of each label, by label."""
    rows: dict[str, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        rows[label].append(index)
    return {label: report_of(indices) for label, indices in sorted(rows.items())}
