#!/usr/bin/env bash
# What surprises: with its "pecab" backend (chosen when MeCab is not installed) kss.split_sentences gives back rewritten sentences where
#   the text holds a no-break space: spaces vanish, new ones come, and the sentences can no longer be looked up in the text.
#   With plain spaces the same text comes back as it was.
# Seen with: kss 6.0.6, Python 3.11.
# Why it matters: Korean pages and Word files put a no-break space between a word and its amount. A citation made of such a sentence
#   reads "다만창구 거래 는제외 합니다." and fails every check against its source.
# Expected: substrings of the text.
# Output:
#   kss 6.0.6 backend pecab
#   ' ' → ['이체 한도는 1일 5천만원입니다.', '다만 창구 거래는 제외합니다.'] substrings of the text
#   '\xa0' → ['이체 한도는1일5 천만원입니다.', '다만창구 거래 는제외 합니다.'] not in the text
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(kss==6.0.6)
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

warnings.simplefilter("ignore", SyntaxWarning)  # from a package that kss imports
from kss import split_sentences


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


print("kss", version("kss"), "backend pecab")
for text, expected in {
    "이체 한도는 1일 5천만원입니다. 다만 창구 거래는 제외합니다.": [
        "이체 한도는 1일 5천만원입니다.",
        "다만 창구 거래는 제외합니다.",
    ],
    "이체 한도는\u00a01일 5천만원입니다. 다만 창구 거래는 제외합니다.": [
        "이체 한도는1일5 천만원입니다.",
        "다만창구 거래 는제외 합니다.",
    ],
}.items():
    sentences = split_sentences(text, backend="pecab", num_workers=1)
    kept = all(sentence in text for sentence in sentences)
    print(ascii(text[6:7]), "→", sentences, "substrings of the text" if kept else "not in the text")
    check(sentences == expected, f"{text!r} is split into {sentences}")
print("as recorded")
PYTHON
