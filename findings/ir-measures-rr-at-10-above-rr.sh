#!/usr/bin/env bash
# What surprises: for rows of equal score, RR@10 is larger than RR on the same run, which no ranking allows: of one call, RR puts the right
#   row second and RR@10 puts it first.
# Seen with: ir_measures 0.4.3, pytrec-eval-terrier 0.5.11, Python 3.11.
# Why it matters: rows of equal score are common in an FAQ: two banks with the same text, BM25 on short rows, scores rounded in a log. A table
#   of RR@10 beside RR or nDCG@10 then compares two rankings, and each figure changes when the rows get other ids.
# Expected: one order of the rows for all measures of a call; RR@10 is at most RR.
# Reason: RR@10 comes from another provider (MS MARCO's script) than RR and nDCG@10 (trec_eval), and the two order equal scores the other way
#   round, both by the row's id.
# Public: terrierteam/ir_measures#18 (open) asks for one order.
# Output:
#   ir_measures 0.4.3
#   right row of the lower id:  {'P@1': 0.0, 'RR': 0.5, 'RR@10': 1.0, 'nDCG@10': 0.631}
#   right row of the higher id: {'P@1': 1.0, 'RR': 1.0, 'RR@10': 0.5, 'nDCG@10': 1.0}
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(ir_measures==0.4.3 pytrec-eval-terrier==0.5.11)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from importlib.metadata import version

import ir_measures
from ir_measures import RR, P, nDCG


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


def measured(right: str, first: float = 0.5) -> dict[str, float]:
    """Measures of one question for which two rows were found, `row1` with the score `first` and `row2` with 0.5."""
    figures = ir_measures.calc_aggregate(
        [P @ 1, RR, RR @ 10, nDCG @ 10], {"question": {right: 1}}, {"question": {"row1": first, "row2": 0.5}}
    )
    return {name: round(value, 3) for name, value in sorted((str(measure), value) for measure, value in figures.items())}


print("ir_measures", version("ir_measures"))
lower, higher = measured("row1"), measured("row2")
print("right row of the lower id: ", lower)
print("right row of the higher id:", higher)
unequal = measured("row1", first=0.6)
check(set(unequal.values()) == {1.0}, f"with unequal scores: {unequal}")
check(lower["RR"] == 0.5 and lower["RR@10"] == 1.0, f"the lower id: {lower}")
check(higher["RR"] == 1.0 and higher["RR@10"] == 0.5, f"the higher id: {higher}")
check(lower["nDCG@10"] < 1.0 and higher["nDCG@10"] == 1.0, "nDCG@10 no longer orders as RR does")
print("as recorded")
PYTHON
