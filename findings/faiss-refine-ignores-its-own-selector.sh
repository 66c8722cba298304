#!/usr/bin/env bash
# What surprises: the parameters of a refining or transforming index have a selector, `sel`, that its search does not look at. It returns
#   rows that the selector excludes, without an error or a warning. Only a selector in the parameters of the inner index is applied.
# Seen with: faiss-cpu 1.15.1, NumPy 2.4.6, Python 3.11; one thread.
# Why it matters: "only this bank's rows" is such a selector, and other banks' rows come back.
# Expected: the selected rows, as IndexFlat gives with the same selector, or the error that IndexPQ and IndexLSH raise for parameters
#   they do not support.
# Public: facebookresearch/faiss#5584 (open) on the same in IndexShardsIVF.
# Output:
#   faiss 1.15.1: 1000 of 2000 rows pass, 100 queries, 10 hits each
#   Flat, sel:                       0 of 1000 hits do not pass
#   SQ8,RFlat, sel:                477 of 1000 hits do not pass
#   SQ8,RFlat, base_index_params:    0 of 1000 hits do not pass
#   L2norm,Flat, sel:              498 of 1000 hits do not pass
#   L2norm,Flat, index_params:       0 of 1000 hits do not pass
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(faiss-cpu==1.15.1 numpy==2.4.6)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
import faiss
import numpy as np


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


faiss.omp_set_num_threads(1)
rows, dimension, k = 2000, 32, 10
numbers = np.random.default_rng(7)
vectors = numbers.standard_normal((rows, dimension)).astype("float32")
queries = numbers.standard_normal((100, dimension)).astype("float32")
one_bank = faiss.IDSelectorRange(0, rows // 2)
inner = faiss.SearchParameters(sel=one_bank)

print(f"faiss {faiss.__version__}: {rows // 2} of {rows} rows pass, {len(queries)} queries, {k} hits each")
for name, where, parameters, applied in (
    ("Flat", "sel", inner, True),
    ("SQ8,RFlat", "sel", faiss.IndexRefineSearchParameters(sel=one_bank), False),
    ("SQ8,RFlat", "base_index_params", faiss.IndexRefineSearchParameters(base_index_params=inner), True),
    ("L2norm,Flat", "sel", faiss.SearchParametersPreTransform(sel=one_bank), False),
    ("L2norm,Flat", "index_params", faiss.SearchParametersPreTransform(index_params=inner), True),
):
    index = faiss.index_factory(dimension, name)
    index.train(vectors)
    index.add(vectors)
    _, ids = index.search(queries, k, params=parameters)
    outside = int((ids >= rows // 2).sum())
    print(f"{f'{name}, {where}:':30} {outside:3} of {ids.size} hits do not pass")
    check(applied == (outside == 0), f"with {where} of {name} {outside} hits do not pass")
    check(applied or outside > ids.size / 3, f"with {where} of {name} only {outside} hits do not pass")
print("as recorded")
PYTHON
