#!/usr/bin/env bash
# What surprises: BM25Retriever with `filters` returns rows that do not pass them, with a score of 0, before rows that do. With bank=가온 and
#   two hits asked for, the second is bank 나루's, although 가온 has a second row.
# Seen with: llama-index-retrievers-bm25 0.8.0, llama-index-core 0.14.25, bm25s 0.3.16, Python 3.11.
# Why it matters: "only this bank's rows" is such a filter. The other bank's row goes to the language model as a passage, and fusion by rank
#   gives it a place as if it had been found.
# Expected: rows that pass, as a vector index gives with the same filters; fewer than asked for if there are no more.
# Reason: the filter multiplies the scores of the other rows by 0, and all k rows of the best scores are returned, those of 0 too.
# Public: run-llama/llama_index#22897 (pull request, open).
# Output:
#   llama-index-retrievers-bm25 0.8.0
#   2 asked for: [('가온', 0.7), ('나루', 0.0)]
#   5 asked for: [('가온', 0.7), ('나루', 0.0), ('나루', 0.0), ('나루', 0.0), ('가온', 0.0)]
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

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from importlib.metadata import version

from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import MetadataFilter, MetadataFilters
from llama_index.retrievers.bm25 import BM25Retriever


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


rows = [
    ("가온", "타행 이체 수수료는 500원입니다."),
    ("가온", "OTP 재발급은 영업점에서 합니다."),
    ("나루", "타행 이체 수수료는 면제됩니다."),
    ("나루", "체크카드 분실은 앱에서 신고합니다."),
    ("나루", "예금 만기는 자동 연장됩니다."),
]
nodes = [
    TextNode(id_=str(number), text=text, metadata={"bank": bank}, excluded_embed_metadata_keys=["bank"])
    for number, (bank, text) in enumerate(rows)
]
filters = MetadataFilters(filters=[MetadataFilter(key="bank", value="가온")])

print("llama-index-retrievers-bm25", version("llama-index-retrievers-bm25"))
for asked in (2, 5):
    retriever = BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=asked, skip_stemming=True, filters=filters)
    hits = [(hit.node.metadata["bank"], round(hit.score, 3)) for hit in retriever.retrieve("이체 수수료는 얼마인가요")]
    print(f"{asked} asked for: {hits}")
    check(hits[0][0] == "가온" and hits[0][1] > 0, f"the first of {asked} is {hits[0]}")
    check(any(bank == "나루" for bank, _ in hits), f"of {asked}, all pass the filter")
    check(all(score == 0 for bank, score in hits if bank == "나루"), f"of {asked}, another bank's row scores")
print("as recorded")
PYTHON
