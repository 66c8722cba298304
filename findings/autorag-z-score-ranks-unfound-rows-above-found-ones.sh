#!/usr/bin/env bash
# What surprises: with normalize_method "z" a passage that a search did not find gets a better score of it than the lower half of those that
#   it found. With all weight on the keyword search, "카드 해지" and "예금 금리", which it did not find, are ranked above three of its five hits.
# Seen with: AutoRAG 0.3.27, pandas 3.1.1, numpy 2.4.6, Python 3.11.
# Why it matters: AutoRAG chooses the fusion of a Korean question-answering service from such results. With z-scores it counts
#   against a row that the second search found it too, if below the mean of what it found.
# Expected: a passage that a search did not find above none of those that it found, as with the methods mm, tmm and dbsf of the same function.
# Reason: a missing score is filled with 0 after normalization. That is the lowest score for the other methods, and the mean for z-scores. The
#   documentation names the methods only (https://marker-inc-korea.github.io/AutoRAG/nodes/retrieval/hybrid_cc.html).
# Output:
#   AutoRAG 0.3.27
#   mm: 이체 한도 변경, 이체 수수료, 이체 내역 조회, 자동이체 해지; not found by the keyword search and above a row it found: -
#   tmm: 이체 한도 변경, 이체 수수료, 이체 내역 조회, 자동이체 해지; not found by the keyword search and above a row it found: -
#   z: 이체 한도 변경, 이체 수수료, 카드 해지, 예금 금리; not found by the keyword search and above a row it found: 카드 해지, 예금 금리
#   dbsf: 이체 한도 변경, 이체 수수료, 이체 내역 조회, 자동이체 해지; not found by the keyword search and above a row it found: -
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(
  llama-index-core==0.14.25 llama-index-llms-openai==0.8.3 llama-index-llms-openai-like==0.8.1 llama-index-llms-bedrock==0.6.0
  llama-index-embeddings-openai==0.6.0 llama-index-embeddings-openai-like==0.4.0 llama-index-embeddings-ollama==0.10.0
  pandas==3.1.1 numpy==2.4.6 pydantic==2.14.4 rich==15.0.0 tiktoken==0.14.0 sacrebleu==2.6.0 rouge-score==0.1.2 rank-bm25==0.2.2
  evaluate==0.4.6 scikit-learn==1.9.1 emoji==2.16.0 PyYAML==6.0.4 transformers==5.24.0
)
alone=AutoRAG==0.3.27 # without what it requires: its vector stores and its pages, which this does not use
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
  uv pip install --quiet --python "$folder/venv/bin/python" --no-deps "$alone"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$alone"
fi

"$folder/venv/bin/python" -W ignore - 2>"$folder/messages" <<'PYTHON' || { cat "$folder/messages"; exit 1; }
import contextlib
import io
import sys
from importlib.metadata import version

with contextlib.redirect_stdout(io.StringIO()):  # it prints that the packages for a GPU are missing
    from autorag.nodes.hybridretrieval.hybrid_cc import hybrid_cc


def check(same: bool, what: str) -> None:
    if not same:
        print(f"changed: {what}")
        sys.exit(1)


KEYWORDS = {"이체 한도 변경": 9.0, "이체 수수료": 8.6, "이체 내역 조회": 8.2, "자동이체 해지": 7.9, "이체 취소": 7.8}
MEANING = {"이체 취소": 0.86, "이체 한도 변경": 0.84, "카드 해지": 0.55, "예금 금리": 0.50}
EXPECTED = {"mm": [], "tmm": [], "z": ["카드 해지", "예금 금리"], "dbsf": []}

print("AutoRAG", version("AutoRAG"))
for method, expected in EXPECTED.items():
    ids = ([list(MEANING)], [list(KEYWORDS)])
    scores = ([list(MEANING.values())], [list(KEYWORDS.values())])
    [ranked], [fused] = hybrid_cc(ids, scores, top_k=7, weight=0.0, normalize_method=method)
    score = dict(zip(ranked, fused))
    lowest = min(score[row] for row in KEYWORDS)
    above = [row for row in MEANING if row not in KEYWORDS and score[row] > lowest]
    print(f"{method}: {', '.join(ranked[:4])}; not found by the keyword search and above a row it found: {', '.join(above) or '-'}")
    check(above == expected, f"{method} ranks {ranked} with {fused}")
    check(ranked[:2] == ["이체 한도 변경", "이체 수수료"], f"{method} ranks {ranked}")
print("as recorded")
PYTHON
