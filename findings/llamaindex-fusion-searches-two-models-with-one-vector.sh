#!/usr/bin/env bash
# What surprises: two vector retrievers with different embeddings under QueryFusionRetriever(use_async=False): the second index is searched with
#   the first model's vector of the question, and its own model is not called. It finds another row, and a different one from use_async=True.
# Seen with: llama-index-core 0.14.25, Python 3.11.
# Why it matters: a Korean embedding beside a multilingual one is such a pair, and both often have 768 or 1,024 dimensions, so nothing fails. The
#   second index's hits mean nothing, and fusion mixes them into the answer's passages.
# Expected: each retriever embeds the question with the embedding of its index, as the asynchronous path does.
# Reason: VectorIndexRetriever writes its vector into the caller's QueryBundle, and embeds only if the bundle has none. All retrievers of the
#   fusion get one bundle. The asynchronous path makes a new bundle.
# Public: run-llama/llama_index#20242 (closed) sees that the paths differ, and minds only the calls; pull request #20247 (closed) would have
#   embedded once on both.
# Output:
#   llama-index-core 0.14.25
#   use_async=True   models called: ['korean', 'multilingual'] found: ['OTP 재발급 방법', '이체 한도 변경']
#   use_async=False  models called: ['korean'] found: ['OTP 재발급 방법', '예금 금리 안내']
#   the second retriever, after another was asked with the same QueryBundle: 예금 금리 안내
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(llama-index-core==0.14.25 numpy==2.4.6)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from importlib.metadata import version

from llama_index.core import QueryBundle, VectorStoreIndex
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import TextNode

called: list[str] = []


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


class Axes(BaseEmbedding):
    """An embedding of two topics, each of which is one axis of the vectors; two models number the axes differently."""

    axes: dict[str, int]

    def _get_text_embedding(self, text: str) -> list[float]:
        vector = [0.01, 0.01]
        for word, axis in self.axes.items():
            if word in text:
                vector[axis] = 1.0
        return vector

    def _get_query_embedding(self, query: str) -> list[float]:
        called.append(self.model_name)
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def retriever(model: Axes, *texts: str) -> BaseRetriever:
    index = VectorStoreIndex([TextNode(text=text) for text in texts], embed_model=model)
    return index.as_retriever(similarity_top_k=1)


question = "OTP로 이체 한도를 올리려면?"
first = retriever(Axes(model_name="korean", axes={"OTP": 0, "이체": 0, "금리": 1}), "OTP 재발급 방법", "예금 금리 우대")
second = retriever(Axes(model_name="multilingual", axes={"OTP": 1, "이체": 1, "금리": 0}), "이체 한도 변경", "예금 금리 안내")

print("llama-index-core", version("llama-index-core"))
found = {}
for use_async in (True, False):
    fusion = QueryFusionRetriever(
        [first, second], llm=MockLLM(), num_queries=1, similarity_top_k=2, mode="reciprocal_rerank", use_async=use_async
    )
    called.clear()
    hits = sorted(hit.node.text for hit in fusion.retrieve(question))
    found[use_async] = (sorted(called), hits)
    print(f"use_async={use_async!s:5}  models called: {found[use_async][0]} found: {found[use_async][1]}")
bundle = QueryBundle(question)
first.retrieve(bundle)
after = second.retrieve(bundle)[0].node.text
print("the second retriever, after another was asked with the same QueryBundle:", after)

check(second.retrieve(question)[0].node.text == "이체 한도 변경", "the second retriever alone finds another row")
check(found[True] == (["korean", "multilingual"], ["OTP 재발급 방법", "이체 한도 변경"]), f"asynchronous: {found[True]}")
check(found[False] == (["korean"], ["OTP 재발급 방법", "예금 금리 안내"]), f"synchronous: {found[False]}")
check(after == "예금 금리 안내", f"with one bundle: {after}")
print("as recorded")
PYTHON
