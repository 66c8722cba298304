#!/usr/bin/env bash
# What surprises: a BM25Retriever that is persisted and loaded cuts the same question into other words: `token_pattern`, `stemmer` and
#   `skip_stemming` are not written, so that the loaded one uses the defaults, whose words have two letters at least.
# Seen with: llama-index-retrievers-bm25 0.8.0, llama-index-core 0.14.25, bm25s 0.3.16, Python 3.11.
# Why it matters: Korean has words of one syllable (돈, 빚, 집). Right after indexing the row is found; after the next start the same question
#   finds none, and rows of score 0 come back in its place. There is no error.
# Expected: the loaded retriever ranks as the one that was persisted.
# Public: run-llama/llama_index#22978 (pull request, open).
# Output:
#   llama-index-retrievers-bm25 0.8.0
#   돈 한도: indexed ('돈 보내기 한도는 앱에서 바꿉니다.', 0.482), loaded ('적금 만기는 앱에서 봅니다.', 0.0)
#   빚 조정: indexed ('빚 조정 신청은 상담 뒤에 합니다.', 0.884), loaded ('빚 조정 신청은 상담 뒤에 합니다.', 0.442)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(llama-index-retrievers-bm25==0.8.0 llama-index-core==0.14.25 bm25s==0.3.16 numpy==2.4.6)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" -W ignore - "$folder" 2>"$folder/progress" <<'PYTHON' || { tail -5 "$folder/progress"; exit 1; }
import sys
from importlib.metadata import version
from pathlib import Path

from llama_index.core.schema import TextNode
from llama_index.retrievers.bm25 import BM25Retriever


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


def first(retriever: BM25Retriever, question: str) -> tuple[str, float]:
    hit = retriever.retrieve(question)[0]
    return hit.node.text, round(hit.score, 3)


rows = [
    "빚 조정 신청은 상담 뒤에 합니다.",
    "돈 보내기 한도는 앱에서 바꿉니다.",
    "카드 결제 한도는 앱에서 바꿉니다.",
    "적금 만기는 앱에서 봅니다.",
]
indexed = BM25Retriever.from_defaults(
    nodes=[TextNode(id_=str(number), text=text) for number, text in enumerate(rows)],
    similarity_top_k=2,
    skip_stemming=True,
    token_pattern=r"(?u)\b\w+\b",
)
path = str(Path(sys.argv[1], "index"))
indexed.persist(path)
loaded = BM25Retriever.from_persist_dir(path)

print("llama-index-retrievers-bm25", version("llama-index-retrievers-bm25"))
for question, row in (("돈 한도", rows[1]), ("빚 조정", rows[0])):
    before, after = first(indexed, question), first(loaded, question)
    print(f"{question}: indexed {before}, loaded {after}")
    check(before[0] == row and before[1] > 0, f"{question}: the indexed retriever finds {before}")
    check(after[1] < before[1], f"{question}: the loaded retriever scores as the indexed one")
check(first(loaded, "돈 한도")[1] == 0, "a word of one syllable is found after loading")
print("as recorded")
PYTHON
