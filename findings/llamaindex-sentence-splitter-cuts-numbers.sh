#!/usr/bin/env bash
# What surprises: with its default settings SentenceSplitter ends a chunk inside a number: one ends in "연 4.", the next begins with "000,000원",
#   and another with "60% 우대" where the text has "2.60% 우대". This happens in text without full stops, such as the lines of a table.
# Seen with: llama-index-core 0.14.25, Python 3.11.
# Why it matters: a rate table read from a document is such a text. The chunk states a rate of 60% and looks whole.
# Expected: a chunk that begins at the start of a line or a word. The class is described as one that prefers complete sentences.
# Reason: a "sentence" longer than a chunk is cut at "," and "." wherever they stand (`secondary_chunking_regex`), before spaces are tried.
# Output:
#   llama-index-core 0.14.25: 140 lines, 5 chunks
#     1구간 잔액 1,000,000원 이상 연 1.05% 우대 … 40구간 잔액 40,
#     60% 우대 … 71구간 잔액 71,000,000원 이상 연 4.
#     000,000원 이상 연 4.20% 우대 … 103구간 잔액 103,000,000원 이상 연 6.
#     000,000원 이상 연 5.80% 우대 … 135구간 잔액 135,000,000원 이상 연 7.
#     000,000원 이상 연 7.40% 우대 … 140구간 잔액 140,000,000원 이상 연 8.00% 우대
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

from llama_index.core.node_parser import SentenceSplitter


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


lines = [f"{number}구간 잔액 {number},000,000원 이상 연 {1 + number / 20:.2f}% 우대" for number in range(1, 141)]
chunks = SentenceSplitter().split_text("\n".join(lines))
print(f"llama-index-core {version('llama-index-core')}: {len(lines)} lines, {len(chunks)} chunks")
for chunk in chunks:
    print(f"  {chunk.splitlines()[0]} … {chunk.splitlines()[-1]}")
starts = [chunk.splitlines()[0] for chunk in chunks]
check(len(chunks) > 3, f"there are {len(chunks)} chunks")
check(any(chunk.endswith((",", ".")) for chunk in chunks), "no chunk ends inside a number")
check("60% 우대" in starts, f"the chunks begin with {starts}")
print("as recorded")
PYTHON
