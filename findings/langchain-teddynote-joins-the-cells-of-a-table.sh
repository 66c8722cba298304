#!/usr/bin/env bash
# What surprises: the text of an HWP document is one line: nothing stands between two paragraphs or two cells of a table. Of the cells "1회",
#   "1", "1일", "500", "1개월", "3000" it makes "1회11일5001개월3000". Hanja are taken out: "원리금(元利金)" becomes "원리금()".
# Seen with: langchain-teddynote 0.5.4, langchain 0.3.27, Python 3.11, on a file written by @rhwp/core 0.8.6 (npm), Node.js 20.
# Why it matters: limits, fees and rates of a bank's documents stand in tables. Read so, a limit of 1 (만원) for "1회" and 500 for "1일"
#   becomes 11 and 5001, and no splitter finds the paragraphs again.
# Expected: a line for each paragraph and cell. The loader joins them with line ends itself.
# Reason: it then drops all characters of Unicode's category C, meant for what it reads of controls, and the line end is one of them; and all
#   of the block of Hanja, because it reads the codes of controls as such (as llamaindex-hwp-reader-prints-controls-as-chinese-characters.sh shows).
# Output:
#   langchain-teddynote 0.5.4
#   '원리금(元利金) 상환 방식' and '이체 한도(만원)' and a table of 1회/1, 1일/500, 1개월/3000
#   '원리금() 상환 방식이체 한도(만원)1회11일5001개월3000'
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(langchain==0.3.27 olefile==0.47)
alone=langchain-teddynote==0.5.4 # without what it requires: clients of paid services, which this does not use
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
  uv pip install --quiet --python "$folder/venv/bin/python" --no-deps "$alone"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$alone"
fi
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" @rhwp/core@0.8.6

cat > write.mjs <<'JAVASCRIPT'
import { readFileSync, writeFileSync } from "node:fs";
import init, { HwpDocument } from "@rhwp/core";

globalThis.measureTextWidth = (_font, text) => text.length * 10; // the page in a browser has a canvas for this
await init({ module_or_path: readFileSync("node_modules/@rhwp/core/rhwp_bg.wasm") });
const document = HwpDocument.createEmpty();
document.createBlankDocument();
["원리금(元利金) 상환 방식", "이체 한도(만원)"].forEach((line, at) => {
  document.insertText(0, at, 0, line);
  document.splitParagraph(0, at, line.length);
});
document.createTable(0, 2, 0, 3, 2);
["1회", "1", "1일", "500", "1개월", "3000"].forEach((cell, at) => document.insertTextInCell(0, 2, 0, at, 0, 0, cell));
writeFileSync("limits.hwp", document.exportHwp());
JAVASCRIPT
node write.mjs

venv/bin/python -W ignore - <<'PYTHON'
from importlib.metadata import version

from langchain_teddynote.document_loaders import HWPLoader


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


print("langchain-teddynote", version("langchain-teddynote"))
[document] = HWPLoader("limits.hwp").load()
print("'원리금(元利金) 상환 방식' and '이체 한도(만원)' and a table of 1회/1, 1일/500, 1개월/3000")
print(repr(document.page_content))
check(document.page_content == "원리금() 상환 방식이체 한도(만원)1회11일5001개월3000", f"read as {document.page_content!r}")
print("as recorded")
PYTHON
