#!/usr/bin/env bash
# What surprises: a BaseEmbedding with embeddings_cache keys its cache by the text alone. A query with the words of a cached passage
#   gets the passage's vector, and two models that share a cache get each other's.
# Seen with: llama-index-core 0.14.25, Python 3.11.
# Why it matters: e5, BGE and others put "query: " or "passage: " before a text, so its two vectors differ. A question that repeats an
#   FAQ's title is compared with the wrong kind of vector, and a change of model goes on with the old model's.
# Expected: the key holds the model's name and the kind of text.
# Output:
#   llama-index-core 0.14.25
#   model small: passage [0.0, 1.0] query [0.0, 1.0]
#   model large, same cache: passage [0.0, 1.0]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(llama-index-core==0.14.25)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.storage.kvstore import SimpleKVStore


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


class Prefixed(BaseEmbedding):
    """As models with prefixes do: one text has one vector as a query and another as a passage."""

    query_vector: list[float]
    passage_vector: list[float]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self.query_vector

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self.query_vector

    def _get_text_embedding(self, text: str) -> list[float]:
        return self.passage_vector


print("llama-index-core", version("llama-index-core"))
text, cache = "이체 한도를 늘리려면", SimpleKVStore()
plain = Prefixed(model_name="small", query_vector=[1.0, 0.0], passage_vector=[0.0, 1.0])
check(plain.get_query_embedding(text) == [1.0, 0.0], "without a cache the query's vector differs")

small = Prefixed(model_name="small", query_vector=[1.0, 0.0], passage_vector=[0.0, 1.0], embeddings_cache=cache)
passage = small.get_text_embedding(text)
query = small.get_query_embedding(text)
print("model small: passage", passage, "query", query)
check(passage == [0.0, 1.0] and query == [0.0, 1.0], f"the cached passage is not given for the query: {query}")

large = Prefixed(model_name="large", query_vector=[3.0, 4.0], passage_vector=[4.0, 3.0], embeddings_cache=cache)
other = large.get_text_embedding(text)
print("model large, same cache: passage", other)
check(other == [0.0, 1.0], f"the other model's vector is not given: {other}")
print("as recorded")
PYTHON
