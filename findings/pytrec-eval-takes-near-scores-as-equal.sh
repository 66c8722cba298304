#!/usr/bin/env bash
# What surprises: two scores that differ in the eighth digit are taken as equal, and equal scores are ordered by the row's id, the higher
#   first: the row that was ranked first counts as second.
# Seen with: pytrec-eval-terrier 0.5.11, Python 3.11.
# Why it matters: confidences of a reranker or a calibrated model crowd near 1 (0.99999999 and 0.99999998 in 64 bits). The measured reciprocal
#   rank is then that of another order than users see, and renaming the rows changes it. mteb, BEIR and ir_measures take their figures from it.
# Expected: the order of the scores that were given, Python's floats.
# Reason: trec_eval keeps a score in 32 bits.
# Public: usnistgov/trec_eval#34 (closed).
# Output:
#   pytrec-eval-terrier 0.5.11
#   0.9999, 0.9998:         reciprocal rank 1.0
#   0.99999999, 0.99999998: reciprocal rank 0.5
#   the same, ids swapped:  reciprocal rank 1.0
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(pytrec-eval-terrier==0.5.11)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from importlib.metadata import version

import pytrec_eval


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


def reciprocal_rank(right: tuple[str, float], other: tuple[str, float]) -> float:
    """Of one question for which the right row was found with the higher score."""
    evaluator = pytrec_eval.RelevanceEvaluator({"question": {right[0]: 1}}, {"recip_rank"})
    return evaluator.evaluate({"question": dict([right, other])})["question"]["recip_rank"]


print("pytrec-eval-terrier", version("pytrec-eval-terrier"))
apart = reciprocal_rank(("row1", 0.9999), ("row2", 0.9998))
near = reciprocal_rank(("row1", 0.99999999), ("row2", 0.99999998))
swapped = reciprocal_rank(("row2", 0.99999999), ("row1", 0.99999998))
print(f"0.9999, 0.9998:         reciprocal rank {apart}")
print(f"0.99999999, 0.99999998: reciprocal rank {near}")
print(f"the same, ids swapped:  reciprocal rank {swapped}")
check(apart == 1.0, "scores far apart are not kept in order")
check(near == 0.5, "near scores are kept apart")
check(swapped == 1.0, "the ids no longer decide")
print("as recorded")
PYTHON
