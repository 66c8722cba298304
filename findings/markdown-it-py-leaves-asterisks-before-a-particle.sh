#!/usr/bin/env bash
# What surprises: bold text that ends in a sign ("%", ")") is no bold text where a Korean particle follows, as one nearly always does:
#   the asterisks stay in the text. With a space behind it, which no Korean author writes, it is bold. The library follows
#   CommonMark, whose closing marks must stand before white space or punctuation if they stand behind punctuation.
# Seen with: markdown-it-py 4.3.0, Python 3.11.
# Why it matters: rates and labels in brackets are what notices set in bold; a citation reads "**연 3.5%**로".
# Expected: bold text, as for a word that ends in a letter.
# Output:
#   markdown-it-py 4.3.0
#   금리는 **연 3.5%**로 한다. → <p>금리는 **연 3.5%**로 한다.</p>
#   **수수료(원)**은 500 → <p>**수수료(원)**은 500</p>
#   금리는 **연 3.5%** 로 한다. → <p>금리는 <strong>연 3.5%</strong> 로 한다.</p>
#   **수수료**는 500 → <p><strong>수수료</strong>는 500</p>
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(markdown-it-py==4.3.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from markdown_it import MarkdownIt

print("markdown-it-py", version("markdown-it-py"))
for text, is_bold in {
    "금리는 **연 3.5%**로 한다.": False,
    "**수수료(원)**은 500": False,
    "금리는 **연 3.5%** 로 한다.": True,
    "**수수료**는 500": True,
}.items():
    page = MarkdownIt().render(text).strip()
    print(text, "→", page)
    if ("<strong>" in page) != is_bold or ("**" in page) == is_bold:
        raise SystemExit(f"changed: {text!r} becomes {page!r}")
print("as recorded")
PYTHON
