#!/usr/bin/env bash
# What surprises: in BM25Okapi a term that stands in exactly half of the documents scores 0 for those that hold it, as for those that
#   do not, while a term in three quarters of them scores more than 0: a rarer term counts less than a commoner one.
# Seen with: rank-bm25 0.2.2, NumPy 2.4.6, Python 3.11.
# Why it matters: LangChain's BM25Retriever is built on it. An FAQ of one topic ("이체" in half of its rows) ranks as if the word were
#   not asked for, and a "score > 0" test says that nothing matches.
# Expected: a weight above 0 that falls as a term gets commoner, as in Lucene.
# Public: dorianbrown/rank_bm25#39 (open).
# Output:
#   rank-bm25 0.2.2
#   in 3 of 8 rows: [0.452, 0.452, 0.452, 0.0, 0.0, 0.0, 0.0, 0.0]
#   in 4 of 8 rows: [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
#   in 6 of 8 rows: [0.322, 0.322, 0.322, 0.322, 0.322, 0.322, 0.0, 0.0]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(rank-bm25==0.2.2 numpy==2.4.6)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from rank_bm25 import BM25Okapi


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


def scores(holding: int) -> list[float]:
    """Scores for "이체" in eight rows of equal length, of which the first `holding` have the word."""
    rows = [["이체" if number < holding else "예금", f"항목{number}"] for number in range(8)]
    return [round(float(score), 3) for score in BM25Okapi(rows).get_scores(["이체"])]


print("rank-bm25", version("rank-bm25"))
held = {}
for holding in (3, 4, 6):
    found = scores(holding)
    held[holding] = found[0]
    print(f"in {holding} of 8 rows: {found}")
    check(set(found[holding:]) == {0.0}, "a row without the term scores")
check(held[4] == 0.0, f"a term in half of the rows scores {held[4]}")
check(held[6] > held[4] and held[3] > held[4], "a term in half of the rows no longer counts least")
print("as recorded")
PYTHON
