#!/usr/bin/env bash
# What surprises: with method CC the EnsembleRetriever returns the hits of its first retriever and then those of the second, whatever the
#   weights are. Even with weights of 0 and 1 a keyword hit stands above the nearest row of the vector store. RRF does apply the weights.
# Seen with: langchain-teddynote 0.5.4, langchain 0.3.27, rank-bm25 0.2.2, kiwipiepy 0.24.1, Python 3.11.
# Why it matters: the library is that of a Korean LangChain tutorial, and CC is there to weigh BM25 against vectors. A measured choice of the
#   weight has no effect, and a model that is given the first rows never sees those of the second retriever.
# Expected: the sum of weighted scores, as a convex combination is; the class demands for it that the weights sum to 1.
# Reason: scores are read from a hit's metadata under "score". LangChain's vector stores do not write it there, nor does KiwiBM25Retriever of
#   the same package when it is invoked, so that each score is 0 and the order that of the concatenated lists.
# Output:
#   langchain-teddynote 0.5.4
#   cc, weights 0.9 and 0.1: 이체 수수료, 이체 한도, 카드 분실
#   cc, weights 0.5 and 0.5: 이체 수수료, 이체 한도, 카드 분실
#   cc, weights 0.0 and 1.0: 이체 수수료, 이체 한도, 카드 분실
#   rrf, weights 0.9 and 0.1: 이체 한도, 이체 수수료, 카드 분실
#   rrf, weights 0.5 and 0.5: 이체 한도, 이체 수수료, 카드 분실
#   rrf, weights 0.0 and 1.0: 카드 분실, 이체 한도, 이체 수수료
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(langchain==0.3.27 rank-bm25==0.2.2 kiwipiepy==0.24.1 kiwipiepy-model==0.24.0 numpy==2.4.6)
alone=langchain-teddynote==0.5.4 # without what it requires: clients of paid services, which this does not use
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

from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_teddynote.retrievers import EnsembleMethod, EnsembleRetriever, KiwiBM25Retriever


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


ROWS = {"이체 수수료": [0.1, 1.0], "이체 한도": [0.8, 0.6], "카드 분실": [1.0, 0.0], "예금 금리": [0.2, 1.0], "대출 상환": [0.0, 1.0]}


class Given(Embeddings):
    """The vectors of ROWS; that of a question is that of the row on lost cards."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [ROWS[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return [1.0, 0.0]


keywords = KiwiBM25Retriever.from_texts(list(ROWS), k=2)
vectors = InMemoryVectorStore.from_texts(list(ROWS), Given()).as_retriever(search_kwargs={"k": 2})
question = "이체 수수료"
check([hit.page_content for hit in keywords.invoke(question)] == ["이체 수수료", "이체 한도"], "the keyword search finds other rows")
check([hit.page_content for hit in vectors.invoke(question)] == ["카드 분실", "이체 한도"], "the vector search finds other rows")

print("langchain-teddynote", version("langchain-teddynote"))
orders: dict[str, set[tuple[str, ...]]] = {"cc": set(), "rrf": set()}
for method in (EnsembleMethod.CC, EnsembleMethod.RRF):
    for weights in ([0.9, 0.1], [0.5, 0.5], [0.0, 1.0]):
        ensemble = EnsembleRetriever(retrievers=[keywords, vectors], weights=weights, method=method)
        order = [hit.page_content for hit in ensemble.invoke(question)]
        print(f"{method.value}, weights {weights[0]} and {weights[1]}: {', '.join(order)}")
        orders[method.value].add(tuple(order))
check(orders["cc"] == {("이체 수수료", "이체 한도", "카드 분실")}, f"CC returns {orders['cc']}")
check(("카드 분실", "이체 한도", "이체 수수료") in orders["rrf"], f"RRF returns {orders['rrf']}")
print("as recorded")
PYTHON
