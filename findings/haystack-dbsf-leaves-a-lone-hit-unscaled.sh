#!/usr/bin/env bash
# What surprises: DocumentJoiner's distribution_based_rank_fusion brings every retriever's scores into one range, but a list of one hit
#   (or of equal scores) keeps its raw scores. A lone BM25 hit of 1.4 stands before every dense hit, a lone cosine of 0.2 behind all.
# Seen with: haystack-ai 3.4.1, Python 3.11.
# Why it matters: an FAQ question often has one lexical hit. Whether it wins then depends on the unit of its score, which is what the
#   fusion is there to remove.
# Expected: a lone hit gets a place in the common range (0.5, say) whatever its unit.
# Public: deepset-ai/haystack#12507 asked for the raw score, since 0 was given before.
# Output:
#   haystack-ai 3.4.1
#   two lexical hits:       [('dense_1', 0.704), ('lexical_1', 0.667), ('dense_2', 0.5), ('lexical_2', 0.333), ('dense_3', 0.296)]
#   one lexical hit of 1.4: [('lexical_1', 1.4), ('dense_1', 0.704), ('dense_2', 0.5), ('dense_3', 0.296)]
#   one lexical hit of 0.2: [('dense_1', 0.704), ('dense_2', 0.5), ('dense_3', 0.296), ('lexical_1', 0.2)]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(haystack-ai==3.4.1)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
import os

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
from haystack import Document
from haystack.components.joiners import DocumentJoiner


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


def hits(**scores: float) -> list[Document]:
    return [Document(id=name, content=name, score=score) for name, score in scores.items()]


def fused(lexical: list[Document]) -> list[tuple[str, float]]:
    joiner = DocumentJoiner(join_mode="distribution_based_rank_fusion")
    dense = hits(dense_1=0.91, dense_2=0.88, dense_3=0.85)
    return [(hit.id, round(hit.score, 3)) for hit in joiner.run(documents=[dense, lexical])["documents"]]


print("haystack-ai", version("haystack-ai"))
two = fused(hits(lexical_1=1.4, lexical_2=0.7))
print("two lexical hits:      ", two)
check(all(0 <= score <= 1 for _, score in two), "two hits are not brought into 0..1")
lone = fused(hits(lexical_1=1.4))
print("one lexical hit of 1.4:", lone)
check(lone[0] == ("lexical_1", 1.4), f"a lone hit is scaled: {lone}")
weak = fused(hits(lexical_1=0.2))
print("one lexical hit of 0.2:", weak)
check(weak[-1] == ("lexical_1", 0.2), f"a lone hit is scaled: {weak}")
print("as recorded")
PYTHON
