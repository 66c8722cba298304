#!/usr/bin/env bash
# What surprises: a Korean word of 14 syllables or more is not in the full-text index, and a search for it finds nothing, although
#   `max_token_length` is 40. The length is counted in bytes of UTF-8, of which a syllable has three, and must be below the limit.
# Seen with: lancedb 0.40.0, Python 3.11.
# Why it matters: names of products and services are long compounds, often written without spaces. The row that answers is not found by its own
#   name, and there is no error.
# Expected: words of up to 40 characters. The documentation gives no unit: "Tokens longer than this length will be ignored".
# Output:
#   lancedb 0.40.0
#   max_token_length=40:
#     비대면계좌개설안심차단신청: 13 characters, 39 bytes: found
#     비대면계좌개설안심차단서비스: 14 characters, 42 bytes: not found
#     개인종합자산관리계좌이전신청서류: 16 characters, 48 bytes: not found
#   max_token_length=49:
#     비대면계좌개설안심차단신청: 13 characters, 39 bytes: found
#     비대면계좌개설안심차단서비스: 14 characters, 42 bytes: found
#     개인종합자산관리계좌이전신청서류: 16 characters, 48 bytes: found
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(lancedb==0.40.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
import tempfile
from importlib.metadata import version

import lancedb
from lancedb.index import FTS


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


words = ["비대면계좌개설안심차단신청", "비대면계좌개설안심차단서비스", "개인종합자산관리계좌이전신청서류"]
print("lancedb", version("lancedb"))
with tempfile.TemporaryDirectory() as folder:
    database = lancedb.connect(folder)
    for limit, expected in ((40, [True, False, False]), (49, [True, True, True])):
        table = database.create_table(f"rows_{limit}", [{"text": f"{word} 안내"} for word in words])
        table.create_index("text", config=FTS(max_token_length=limit))
        found = [bool(table.search(word, query_type="fts").limit(1).to_list()) for word in words]
        print(f"max_token_length={limit}:")
        for word, hit in zip(words, found):
            print(f"  {word}: {len(word)} characters, {len(word.encode())} bytes: {'found' if hit else 'not found'}")
        check(found == expected, f"with {limit} the words are found: {found}")
check(FTS().max_token_length == 40, "the default limit is another")
print("as recorded")
PYTHON
