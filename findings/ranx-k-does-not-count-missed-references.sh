#!/usr/bin/env bash
# What surprises: references that were not retrieved do not lower MAP and nDCG: one of three found gives 1.0 for both, as do three of three.
#   The same call prints a recall of 0.333.
# Seen with: ranx-k 0.0.17, ranx 0.3.21, kiwipiepy 0.24.1, kiwipiepy-model 0.24.0, Python 3.11.
# Why it matters: a question on fees, terms and exceptions has several right rows. A retriever that finds one of them looks perfect.
# Expected: a MAP of 0.333. The function's description says that its reference_based mode takes all references into account for recall
#   (https://pypi.org/project/ranx-k).
# Reason: a reference that no retrieved text resembles is given a relevance of 0, so that it is not a right row for ranx.
# Output:
#   ranx-k 0.0.17 ranx 0.3.21
#   1 of 3 references found: MAP@5 1.000, nDCG@5 1.000, printed recall 0.333
#   3 of 3 references found: MAP@5 1.000, nDCG@5 1.000, printed recall 1.000
#   0 of 3 references found: MAP@5 0.000, nDCG@5 0.000, printed recall 0.000
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(ranx==0.3.21 rouge-score==0.1.2 kiwipiepy==0.24.1 kiwipiepy-model==0.24.0 numpy==2.4.6 tqdm==4.70.1)
alone=ranx-k==0.0.17 # without what it requires: sentence-transformers and PyTorch, which this does not use
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
  uv pip install --quiet --python "$folder/venv/bin/python" --no-deps "$alone"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$alone"
fi

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import contextlib
import io
import re
from importlib.metadata import version
from types import SimpleNamespace

from ranx_k.evaluation import evaluate_with_ranx_similarity


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


REFERENCES = [
    "타행 이체 수수료는 건당 오백원이며 면제 대상은 따로 있습니다",
    "체크카드 분실 신고는 고객센터에서 받습니다",
    "정기예금 중도해지 이율은 기본 이율보다 낮습니다",
]


def measured(found: list[str]) -> tuple[float, float, str]:
    """MAP@5, nDCG@5 and the printed recall of a question with three references, for which `found` was retrieved."""
    retriever = SimpleNamespace(invoke=lambda question: [SimpleNamespace(page_content=text) for text in found])
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        figures = evaluate_with_ranx_similarity(
            retriever,
            ["수수료와 분실 신고와 중도해지 이율을 알려 주세요"],
            [REFERENCES],
            k=5,
            method="kiwi_rouge",
            similarity_threshold=0.9,
            evaluation_mode="reference_based",
        )
    recall = re.search(r"recall[^\n]*?: (\d\.\d+)", printed.getvalue()[printed.getvalue().rindex("Overall") :])
    return float(figures["map@5"]), float(figures["ndcg@5"]), recall[1] if recall else "?"


print("ranx-k", version("ranx-k"), "ranx", version("ranx"))
for found, expected in (
    (REFERENCES[:1], (1.0, 1.0, "0.333")),
    (REFERENCES, (1.0, 1.0, "1.000")),
    (["펀드 환매 대금은 영업일 뒤에 들어옵니다"], (0.0, 0.0, "0.000")),
):
    result = measured(found)
    print(f"{sum(text in REFERENCES for text in found)} of 3 references found: ", end="")
    print(f"MAP@5 {result[0]:.3f}, nDCG@5 {result[1]:.3f}, printed recall {result[2]}")
    check(result == expected, f"{len(found)} retrieved: {result}")
print("as recorded")
PYTHON
