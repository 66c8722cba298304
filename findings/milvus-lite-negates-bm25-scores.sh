#!/usr/bin/env bash
# What surprises: a full-text search returns BM25 scores with the sign turned: the best row has the lowest, all below 0. A radius, which is the
#   lowest score that counts for a similarity, is compared with the negative number: a radius of 100 keeps every row.
# Seen with: milvus-lite 3.2.2, pymilvus 3.0.2, Python 3.11.
# Why it matters: a bot that declines below a score declines every question, or none, when the store is a file instead of a server. Added to
#   the cosine of the same row, the score takes from the row that has the question's words.
# Expected: scores from 0 up, the best first, as for the cosine of the same store, and as Milvus documents the metric: "[0, ∞)"
#   (https://milvus.io/docs/metric.md).
# Reason: hits are ordered by distances, the BM25 score's negative among them; that of COSINE and IP is turned back for the answer, that of BM25 not.
# Public: milvus-io/milvus-lite#343 (open) reports the same for COSINE and L2 in 3.0; in 3.2.2 COSINE is right.
# Output:
#   milvus-lite 3.2.2 pymilvus 3.0.2
#   BM25: [('타행 이체 수수료 안내', -1.719), ('이체 한도 조회', -0.718)]
#   BM25, radius 100: [('타행 이체 수수료 안내', -1.719), ('이체 한도 조회', -0.718)]
#   BM25, radius -1: [('타행 이체 수수료 안내', -1.719)]
#   COSINE: [('타행 이체 수수료 안내', 1.0), ('이체 한도 조회', 0.707), ('예금 금리 안내', 0.447), ('대출 상담 예약', 0.316)]
#   COSINE, radius 0.6: [('타행 이체 수수료 안내', 1.0), ('이체 한도 조회', 0.707)]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(milvus-lite==3.2.2 pymilvus==3.0.2)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import tempfile
from importlib.metadata import version
from pathlib import Path

from pymilvus import DataType, Function, FunctionType, MilvusClient

ROWS = ["타행 이체 수수료 안내", "이체 한도 조회", "예금 금리 안내", "대출 상담 예약"]


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


def search(client: MilvusClient, field: str, asked: object, metric: str, **bounds: float) -> list[tuple[str, float]]:
    parameters = {"metric_type": metric, "params": bounds}
    hits = client.search("faq", [asked], anns_field=field, limit=4, output_fields=["text"], search_params=parameters)[0]
    return [(hit["entity"]["text"], round(hit["distance"], 3)) for hit in hits]


print("milvus-lite", version("milvus-lite"), "pymilvus", version("pymilvus"))
with tempfile.TemporaryDirectory() as folder:
    client = MilvusClient(str(Path(folder, "faq.db")))
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=200, enable_analyzer=True)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("meaning", DataType.FLOAT_VECTOR, dim=2)
    words = Function(name="bm25", function_type=FunctionType.BM25, input_field_names=["text"], output_field_names=["words"])
    schema.add_function(words)
    indexes = client.prepare_index_params()
    indexes.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    indexes.add_index("meaning", index_type="FLAT", metric_type="COSINE")
    client.create_collection("faq", schema=schema, index_params=indexes)
    client.insert("faq", [{"id": at, "text": row, "meaning": [1.0, float(at)]} for at, row in enumerate(ROWS)])

    found = search(client, "words", "이체 수수료", "BM25")
    low = search(client, "words", "이체 수수료", "BM25", radius=100.0)
    negative = search(client, "words", "이체 수수료", "BM25", radius=-1.0)
    cosine = search(client, "meaning", [1.0, 0.0], "COSINE")
    bound = search(client, "meaning", [1.0, 0.0], "COSINE", radius=0.6)
    client.close()
print("BM25:", found)
print("BM25, radius 100:", low)
print("BM25, radius -1:", negative)
print("COSINE:", cosine)
print("COSINE, radius 0.6:", bound)
check([row for row, _ in found] == ROWS[:2], f"BM25 finds {found}")
check(found[0][1] < found[1][1] < 0, f"the scores of BM25 are {found}")
check(low == found, f"with a radius of 100: {low}")
check(negative == found[:1], f"with a radius of -1: {negative}")
# A similarity of the same store is positive, the best first, and its radius is the lowest that counts.
check(cosine[0] == (ROWS[0], 1.0) and cosine[1][1] > cosine[2][1] > 0, f"COSINE: {cosine}")
check(bound == cosine[:2], f"COSINE with a radius: {bound}")
print("as recorded")
PYTHON
