#!/usr/bin/env bash
# What surprises: Index.restore opens a saved index with the default search depth, not with that of the index that was saved. The same
#   questions then get other neighbours, and fewer of the nearest.
# Seen with: usearch 2.26.6, NumPy 2.4.6, Python 3.11; one thread.
# Why it matters: the depth is chosen on an evaluation set just after indexing. After the next start the recall is another one, with no
#   error and no warning, and the measured figure is not what users get.
# Expected: the saved depth, as the file keeps the number of dimensions, the metric, the number type and the connectivity.
# Reason: expansion_search and expansion_add are not in the file; they must be set again after loading.
# Output:
#   usearch 2.26.6: 5000 rows, 200 queries, 10 asked for
#   built:         expansion_search 512, recall 1.00
#   restored:      expansion_search  64, recall 0.71
#   restored, set: expansion_search 512, recall 1.00
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(usearch==2.26.6 numpy==2.4.6)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from usearch.index import Index


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


def recall(index: Index) -> float:
    found = index.search(queries, 10, threads=1).keys
    return float(np.mean([np.isin(wanted, got).mean() for wanted, got in zip(nearest, found)]))


numbers = np.random.default_rng(1)
vectors = numbers.standard_normal((5000, 64)).astype("float32")
queries = numbers.standard_normal((200, 64)).astype("float32")
built = Index(ndim=64, metric="cos", dtype="f32", connectivity=8, expansion_add=64, expansion_search=512)
built.add(np.arange(len(vectors)), vectors, threads=1)
nearest = built.search(queries, 10, exact=True).keys

print(f"usearch {version('usearch')}: {len(vectors)} rows, {len(queries)} queries, 10 asked for")
with tempfile.TemporaryDirectory() as folder:
    path = str(Path(folder, "index.usearch"))
    built.save(path)
    restored = Index.restore(path)
measured = {"built": (built.expansion_search, recall(built)), "restored": (restored.expansion_search, recall(restored))}
check(restored.connectivity == built.connectivity and restored.ndim == built.ndim, "the other settings are not restored")
restored.expansion_search = 512
measured["restored, set"] = (restored.expansion_search, recall(restored))
for name, (depth, share) in measured.items():
    print(f"{name + ':':14} expansion_search {depth:3}, recall {share:.2f}")
check(measured["restored"][0] != 512, "the depth is restored")
check(measured["built"][1] > 0.98 and measured["restored"][1] < 0.85, f"recall {measured}")
check(measured["restored, set"][1] > 0.98, "setting the depth does not bring the recall back")
print("as recorded")
PYTHON
