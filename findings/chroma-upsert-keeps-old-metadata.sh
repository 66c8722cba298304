#!/usr/bin/env bash
# What surprises: an upsert replaces a row's text and vector but adds its metadata to the old: keys that the new row does not have keep their
#   values, and filters still find the row by them.
# Seen with: chromadb 1.5.9, Python 3.11.
# Why it matters: an FAQ row whose event has ended is written again without the event's end and its group of customers. A filter on either then
#   leaves the row out, or gives it out, for what it was last year; the index says nothing else than before.
# Expected: the row as it was given, or a word about it: the page on updates says only that existing items "will be updated as per update"
#   (https://docs.trychroma.com/docs/collections/update-data). Deleting and adding the row gives that.
# Reason: metadata are kept key by key, and a key goes only if its value is given as None.
# Public: chroma-core/chroma#1630 (closed).
# Output:
#   chromadb 1.5.9
#   text:     적금 금리는 연 3.5%입니다.
#   metadata: {'bank': '가온', 'event_ends': 20251231, 'group': '청년'}
#   found as an ended event: ['적금 금리는 연 3.5%입니다.']
#   deleted and added: {'bank': '가온'}
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(chromadb==1.5.9)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from importlib.metadata import version

import chromadb


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


print("chromadb", version("chromadb"))
faq = chromadb.EphemeralClient().create_collection("faq", configuration={"hnsw": {"space": "cosine"}})
vector = [[1.0, 0.0]]
old = {"bank": "가온", "event_ends": 20251231, "group": "청년"}
faq.upsert(ids=["1"], embeddings=vector, documents=["청년 적금 특별 금리는 연 6.0%입니다."], metadatas=[old])
faq.upsert(ids=["1"], embeddings=vector, documents=["적금 금리는 연 3.5%입니다."], metadatas=[{"bank": "가온"}])
row = faq.get(ids=["1"])
ended = faq.query(query_embeddings=vector, n_results=1, where={"event_ends": {"$lt": 20260101}})["documents"][0]
print("text:    ", row["documents"][0])
print("metadata:", dict(sorted(row["metadatas"][0].items())))
print("found as an ended event:", ended)
check(row["documents"] == ["적금 금리는 연 3.5%입니다."], f"the text is {row['documents']}")
check(row["metadatas"][0] == old, f"the metadata is {row['metadatas'][0]}")
check(ended == row["documents"], f"an ended event is {ended}")

faq.delete(ids=["1"])
faq.add(ids=["1"], embeddings=vector, documents=["적금 금리는 연 3.5%입니다."], metadatas=[{"bank": "가온"}])
anew = faq.get(ids=["1"])["metadatas"][0]
print("deleted and added:", anew)
check(anew == {"bank": "가온"}, f"deleted and added, the metadata is {anew}")
print("as recorded")
PYTHON
