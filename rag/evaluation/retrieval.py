"""`python -m rag evaluate retrieval`: ranking, outcomes, refusal and follow-ups of one index, as one JSON report.

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
"""Rows of a ranking that are measured."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Judged:
    """What the service makes of one input.

    `ranked`: row ids, best first, DEPTH at most; `shown`: those the customer sees, in order; `confidence`: the chance in
    0..1 that the first row answers, `covered`: that one of the first three does; `is_blocked`: as in `Verdict`.
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
    """The report over all inputs: `retrieval`, `outcomes`, and `refusal` and `multi_turn` where there are inputs for them.

    `settings` are copied into it. Raises InputError without questions, ModelUnavailable where the embedding fails.
    """
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
    # Each out-of-domain input once more, after a question whose topic it does not continue; a few lines apart in the file,
    # so that they do not all follow questions about the same rows.
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


def judged(service: ChatService, text: str, history: Sequence[Turn] = ()) -> Judged:
    """What the service makes of one input. Raises ModelUnavailable where the embedding fails meanwhile."""
    verdict = service.judge(text, history)
    # What a decline rule matches was not searched, but its ranking and confidence count all the same.
    searched = verdict if verdict.ranked else service.rank(text, history)
    if verdict.lexical_only or searched.lexical_only:
        raise ModelUnavailable(
            "the embedding failed during the measurement, which would count lexical searches; run it again when it answers"
        )
    ranked, shown = (tuple(row_id(hit) for hit in hits) for hits in (searched.ranked, verdict.nodes))
    return Judged(ranked[:DEPTH], verdict.status, shown, verdict.confidence, verdict.covered, verdict.is_blocked)


def ranking_report(queries: Sequence[Query], results: Sequence[Judged]) -> dict[str, Any]:
    """The ranking metrics of all questions and by style, with intervals for hit@1 and hit@3."""

    def of(indices: Sequence[int]) -> dict[str, Any]:
        runs, relevant = [results[i].ranked for i in indices], [queries[i].relevant for i in indices]
        report: dict[str, Any] = dict(metrics.ranking(runs, relevant))
        for k in (1, 3):
            hits = [metrics.hit(run, rows, k) for run, rows in zip(runs, relevant, strict=True)]
            report[f"hit@{k}_ci95"] = metrics.bootstrap(hits)
        return report

    return {"all": of(range(len(queries))), "by_style": _by_label([query.style for query in queries], of)}


def outcome_report(
    queries: Sequence[Query], results: Sequence[Judged], items: Sequence[OutOfDomain], refused: Sequence[Judged]
) -> dict[str, Any]:
    """Shares of the outcomes at the index's thresholds.

    `answered_precision`: of all that is answered, out-of-domain inputs counted as wrong, the share whose first source is
    relevant. `refused`: of the out-of-domain inputs, the share not answered.
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
    # By kind as well: small talk is easy to refuse and makes up the mean.
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


def refusal_report(queries: Sequence[Query], results: Sequence[Judged], refused: Sequence[Judged]) -> dict[str, float]:
    """How well the confidence separates questions from out-of-domain inputs, whatever the thresholds.

    `aurc` counts an out-of-domain input as an error wherever it is ranked.
    """
    inside = [result.confidence for result in results]
    outside = [result.confidence for result in refused]
    correct = [metrics.hit(result.ranked, query.relevant, 1) for query, result in zip(queries, results, strict=True)]
    return {
        "auc": metrics.auc(inside, outside),
        "accepted_at_95_refused": metrics.accepted_at_refused(inside, outside),
        "aurc": metrics.aurc([*inside, *outside], [*correct, *([0.0] * len(outside))]),
    }


def in_conversation_report(items: Sequence[OutOfDomain], results: Sequence[Judged]) -> dict[str, Any]:
    """Outcomes of the out-of-domain inputs, each asked after a question whose topic it does not continue."""
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

    return {**of(range(len(pairs))), "by_kind": _by_label([item.kind for item, _ in pairs], of)}


def multi_turn_report(conversations: Sequence[Conversation], results: Sequence[Judged]) -> dict[str, Any]:
    """hit@1 and hit@3 of the last messages of conversations, in all and by kind; of those that no row answers, what they got.

    `no_row`: messages with an empty `relevant`; `n` and the hits are of the others.
    """

    def of(indices: Sequence[int]) -> dict[str, Any]:
        pairs = [(results[i].ranked, conversations[i].relevant) for i in indices if conversations[i].relevant]
        report: dict[str, Any] = {"n": len(pairs)}
        for k in (1, 3):
            hits = [metrics.hit(run, rows, k) for run, rows in pairs]
            report[f"hit@{k}"] = metrics.mean(hits)
            report[f"hit@{k}_ci95"] = metrics.wilson(int(sum(hits)), len(hits))
        statuses = [results[i].status for i in indices if not conversations[i].relevant]
        report["no_row"] = {status: statuses.count(status) for status in ("answered", "suggested", "declined")}
        return report

    return {**of(range(len(conversations))), "by_kind": _by_label([item.kind for item in conversations], of)}


def _by_label(labels: Sequence[str], of: Callable[[Sequence[int]], dict[str, Any]]) -> dict[str, Any]:
    """`of` the indices that bear each label, by label."""
    rows: dict[str, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        rows[label].append(index)
    return {label: of(indices) for label, indices in sorted(rows.items())}
