#!/usr/bin/env bash
# What surprises: in a FAISS store by inner product, a row's relevance falls as its similarity rises: the row with cosine 0.9 has relevance
#   0.1, that with 0.5 has 0.5. A retriever with a threshold of 0.4 leaves out the nearest row and returns the other.
# Seen with: langchain-community 0.4.2, faiss-cpu 1.15.1, Python 3.11.
# Why it matters: such a threshold decides between an answer and "I don't know". The row that answers is the first to be dropped.
# Expected: relevance that rises with similarity: by the method's own description 0 is dissimilar and 1 most similar.
# Reason: one minus the score is taken, as if a similarity were a distance.
# Public: langchain-ai/langchain#22209 (closed).
# Output:
#   langchain-community 0.4.2 faiss-cpu 1.15.1
#   inner product: 가까운 행 0.90, 중간 행 0.50, 먼 행 0.00
#   relevance:     가까운 행 0.10, 중간 행 0.50, 먼 행 0.00
#   threshold 0.4: 중간 행
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(langchain-community==0.4.2 faiss-cpu==1.15.1 numpy==2.4.6)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
import warnings
from importlib.metadata import version

warnings.simplefilter("ignore")

from langchain_community.vectorstores import FAISS
from langchain_community.vectorstores.utils import DistanceStrategy
from langchain_core.embeddings import Embeddings

VECTORS = {"질문": [1.0, 0.0], "가까운 행": [0.9, 0.19**0.5], "중간 행": [0.5, 0.75**0.5], "먼 행": [0.0, 1.0]}


class UnitVectors(Embeddings):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [VECTORS[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return VECTORS[text]


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


def as_text(hits: list) -> str:
    return ", ".join(f"{row.page_content} {abs(score):.2f}" for row, score in hits)


print("langchain-community", version("langchain-community"), "faiss-cpu", version("faiss-cpu"))
rows = ["가까운 행", "중간 행", "먼 행"]
store = FAISS.from_texts(rows, UnitVectors(), distance_strategy=DistanceStrategy.MAX_INNER_PRODUCT)
products = as_text(store.similarity_search_with_score("질문", k=3))
relevance = as_text(store.similarity_search_with_relevance_scores("질문", k=3))
search = {"score_threshold": 0.4, "k": 3}
kept = [
    row.page_content
    for row in store.as_retriever(search_type="similarity_score_threshold", search_kwargs=search).invoke("질문")
]
print("inner product:", products)
print("relevance:    ", relevance)
print("threshold 0.4:", *kept)
check(products == "가까운 행 0.90, 중간 행 0.50, 먼 행 0.00", f"the inner products are {products}")
check(relevance == "가까운 행 0.10, 중간 행 0.50, 먼 행 0.00", f"the relevance is {relevance}")
check(kept == ["중간 행"], f"with the threshold {kept} are returned")
print("as recorded")
PYTHON
