"""Measures the time of the checks of a model's sentences, and the delay that they add to the first sentence of a stream.

    python -m benchmarks.grounding [--rounds N] [--json OUT]

A sentence beside prepared passages takes at most 2 ms of processor time at the 95th percentile; the piece that completes a
stream's first sentence is shown at most 5 ms later (its passages are prepared at the first piece). Each is printed with its
ratio to the limit. Exit 1 over a limit. The sentences are those of data/evaluation/claims.*.jsonl, each read for the first time.
"""

from __future__ import annotations

import argparse
import functools
import gc
import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles

from rag.evaluation.datasets import Claim, read_claims
from rag.synthesis.clauses import prepare
from rag.synthesis.normalisation import passage_form
from rag.synthesis.release import SentenceRelease
from rag.synthesis.texts import ANSWERING
from rag.synthesis.verification import RuleVerifier

CLAIMS = Path(__file__).parents[1] / "data" / "evaluation"
LIMITS_MS = {"check": 2.0, "first_text": 5.0}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    claims = [claim for path in sorted(CLAIMS.glob("claims.*.jsonl")) for claim in read_claims(path)]
    measured: dict[str, list[float]] = {"prepare": [], "check": [], "first_text": []}
    for _ in range(options.rounds):
        check_times(claims, measured)
        release_times(claims, measured)
    figures = {name: summary(times) for name, times in measured.items()}
    for name, limit in LIMITS_MS.items():
        figures[name]["p95_to_limit"] = round(figures[name]["p95"] / limit, 2)
    print(json.dumps(figures, indent=2))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return int(any(figures[name]["p95"] > limit for name, limit in LIMITS_MS.items()))


def check_times(claims: Sequence[Claim], measured: dict[str, list[float]]) -> None:
    """Milliseconds of processor time for the passages of a claim, and for its sentence after that."""
    verifier = RuleVerifier()
    forget()
    for claim in claims:
        start = time.process_time()
        prepare(tuple(passage_form(passage) for passage in claim.passages))
        prepared = time.process_time()
        verifier.verify(claim.sentence, claim.passages)
        measured["prepare"].append((prepared - start) * 1000)
        measured["check"].append((time.process_time() - prepared) * 1000)


def release_times(claims: Sequence[Claim], measured: dict[str, list[float]]) -> None:
    """Milliseconds of processor time of the piece that releases a stream's first sentence, one character after the other."""
    for claim in claims[:: max(1, len(claims) // 300)]:
        if not claim.supported:
            continue
        forget()
        release = SentenceRelease(dict(enumerate(claim.passages, 1)), RuleVerifier(), instruction=ANSWERING)
        for piece in (*claim.sentence, " [1]", " 다음 문장"):
            start = time.process_time()
            if release.feed(piece):
                measured["first_text"].append((time.process_time() - start) * 1000)
                break


def forget() -> None:
    """Clear the caches of the checks."""
    for cached in [each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper)]:
        if (
            cached.__module__.startswith(("rag.synthesis", "rag.constraints.support"))
            and cached.cache_parameters()["maxsize"] != 1
        ):
            cached.cache_clear()


def summary(times: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(times, n=20)
    return {"n": len(times), "p50": round(cuts[9], 2), "p95": round(cuts[18], 2), "max": round(max(times), 2)}


if __name__ == "__main__":
    raise SystemExit(main())
