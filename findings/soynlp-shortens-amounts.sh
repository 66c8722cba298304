#!/usr/bin/env bash
# What surprises: repeat_normalize, made for laughter ("ㅋㅋㅋㅋㅋ"), shortens numbers too: of four or more equal digits two are left. Limits of
#   10000원 and of 1000000원 both become 100원, and the last digits of a phone number go.
# Seen with: soynlp 0.0.493, Python 3.11.
# Why it matters: it is a usual first step on Korean user text (KcBERT's page gives it for the cleaning of its data). Amounts written without
#   commas then become one another, in the question and in the index, and match.
# Expected: letters are shortened and digits kept; the page (https://github.com/lovit/soynlp) shows it on laughter and drawn-out syllables
#   only.
# Reason: the pattern for a repeated character takes digits as letters.
# Output:
#   soynlp 0.0.493
#   한도가 10000원이네요 ㅋㅋㅋㅋㅋ → 한도가 100원이네요 ㅋㅋ
#   한도가 1000000원이네요 ㅋㅋㅋㅋㅋ → 한도가 100원이네요 ㅋㅋ
#   한도가 1,000,000원이네요 ㅋㅋㅋㅋㅋ → 한도가 1,000,000원이네요 ㅋㅋ
#   대표 번호는 1500-0000인가요 → 대표 번호는 1500-00인가요
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(soynlp==0.0.493)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from importlib.metadata import version

from soynlp.normalizer import repeat_normalize


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


print("soynlp", version("soynlp"))
for text, expected in {
    "한도가 10000원이네요 ㅋㅋㅋㅋㅋ": "한도가 100원이네요 ㅋㅋ",
    "한도가 1000000원이네요 ㅋㅋㅋㅋㅋ": "한도가 100원이네요 ㅋㅋ",
    "한도가 1,000,000원이네요 ㅋㅋㅋㅋㅋ": "한도가 1,000,000원이네요 ㅋㅋ",
    "대표 번호는 1500-0000인가요": "대표 번호는 1500-00인가요",
}.items():
    shortened = repeat_normalize(text, num_repeats=2)
    print(text, "→", shortened)
    check(shortened == expected, f"{text} becomes {shortened}")
print("as recorded")
PYTHON
