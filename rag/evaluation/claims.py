"""Evaluates the sentence checks: how many unsupported sentences they withhold, and how many supported ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rag.evaluation.datasets import Claim
from rag.synthesis.sentences import cited_numbers
from rag.synthesis.verification import Verifier, verify_cited


def evaluate_claims(claims: Iterable[Claim], verifier: Verifier) -> dict[str, Any]:
    """Run the verifier on every claim and compare its verdicts with the labels.

    Returns {"by_type": {type: {"n", "flagged"}}, "false_alarms", "precision", "recall", "f1", "settings"}. `by_type` counts
    the unsupported claims, `flagged` those of them that the verifier withholds. `false_alarms` is the share of supported
    claims that it withholds. A sentence with markers cites the passages of these places ("[1]" the first), one without any
    cites all. Precision, recall and F1 score the task "withhold what is not supported". All shares are in
    0..1, NaN where nothing is counted.
    """
    by_type: dict[str, dict[str, int]] = {}
    supported = alarms = 0
    for claim in claims:
        is_withheld = verify_cited(verifier, claim.sentence, _cited(claim)).status == "withheld"
        if claim.supported:
            supported += 1
            alarms += is_withheld
            continue
        counts = by_type.setdefault(claim.type, {"n": 0, "flagged": 0})
        counts["n"] += 1
        counts["flagged"] += is_withheld
    flagged = sum(counts["flagged"] for counts in by_type.values())
    false = sum(counts["n"] for counts in by_type.values())
    return {
        "by_type": by_type,
        "false_alarms": _share(alarms, supported),
        "precision": _share(flagged, flagged + alarms),
        "recall": _share(flagged, false),
        "f1": _share(2 * flagged, flagged + alarms + false),
        "settings": {"verifier": type(verifier).__name__, "supported": supported},
    }


def _cited(claim: Claim) -> dict[int, str]:
    passages = dict(enumerate(claim.passages, 1))
    return {number: passages[number] for number in cited_numbers(claim.sentence) if number in passages} or passages


def claim_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The report as lines for a terminal."""
    for kind, counts in report["by_type"].items():
        yield f"{kind:<16} {counts['flagged']:>4} of {counts['n']:<4} {_share(counts['flagged'], counts['n']):.3f}"
    yield f"false alarms     {report['false_alarms']:.3f} of {report['settings']['supported']} supported"
    yield f"F1               {report['f1']:.3f}"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
