#!/usr/bin/env bash
# What surprises: the tokenizer for Korean ROUGE leaves out numbers of one digit, and cuts a rate into such: "연 3.5%" has no token. Answers
#   that contradict each other in the rate, the amount or the term are scored as equal, 1.0.
# Seen with: ranx-k 0.0.17, rouge-score 0.1.2, kiwipiepy 0.24.1, kiwipiepy-model 0.24.0, Python 3.11.
# Why it matters: a bank's answer is right or wrong by its number. Retrieval with `method="kiwi_rouge"` counts the row of another rate as the
#   reference.
# Expected: a score below 1, as for numbers of two digits; the tokenizer's default word classes name numbers (SN) among those kept.
# Reason: marks are replaced with spaces ("3 5"), and tokens of one letter are dropped.
# Output:
#   ranx-k 0.0.17
#   기본 금리는 연 3.5%입니다 / 기본 금리는 연 7.2%입니다: ROUGE-1 1.00, tokens ['기본', '금리']
#   이체 한도는 1억 원입니다 / 이체 한도는 5억 원입니다: ROUGE-1 1.00, tokens ['이체', '한도']
#   만기는 6개월입니다 / 만기는 9개월입니다: ROUGE-1 1.00, tokens ['만기', '개월']
#   만기는 12개월입니다 / 만기는 24개월입니다: ROUGE-1 0.67, tokens ['만기', '12', '개월']
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(rouge-score==0.1.2 kiwipiepy==0.24.1 kiwipiepy-model==0.24.0 numpy==2.4.6 tqdm==4.70.1)
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
from importlib.metadata import version

from ranx_k.tokenizers import KiwiTokenizer
from rouge_score.rouge_scorer import RougeScorer


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


print("ranx-k", version("ranx-k"))
tokenizer = KiwiTokenizer()
scorer = RougeScorer(["rouge1"], tokenizer=tokenizer)
for reference, answer, equal in (
    ("기본 금리는 연 3.5%입니다", "기본 금리는 연 7.2%입니다", True),
    ("이체 한도는 1억 원입니다", "이체 한도는 5억 원입니다", True),
    ("만기는 6개월입니다", "만기는 9개월입니다", True),
    ("만기는 12개월입니다", "만기는 24개월입니다", False),
):
    score = scorer.score(reference, answer)["rouge1"].fmeasure
    print(f"{reference} / {answer}: ROUGE-1 {score:.2f}, tokens {tokenizer.tokenize(reference)}")
    check((score == 1.0) == equal, f"{reference} / {answer} scores {score}")
print("as recorded")
PYTHON
