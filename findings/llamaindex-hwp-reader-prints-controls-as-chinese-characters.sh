#!/usr/bin/env bash
# What surprises: the text of every HWP document begins with "捤獥" and "汤捯" among NUL characters, and each table puts "氠瑢" into it. No
#   such characters stand in the document: they are the four-letter codes of its section, columns and tables, read as UTF-16.
# Seen with: llama-index-readers-hwp 0.6.0, llama-index-core 0.14.25, Python 3.11, on a file written by @rhwp/core 0.8.6 (npm), Node.js 20.
# Why it matters: the characters are embedded and indexed with the first passage of each document and with each table, and shown as a quotation.
# Expected: the text alone. By the format's description a control takes eight code units, of which none is text.
# Output:
#   llama-index-readers-hwp 0.6.0
#   '\x02捤獥\x00\x00\x00\x00\x02\x02汤捯\x00\x00\x00\x00\x02정기예금 금리는 연 3.5%입니다.'
#   '\x0b氠瑢\x00\x00\x00\x00\x0b'
#   '당행'
#   '면제'
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(llama-index-readers-hwp==0.6.0 llama-index-core==0.14.25)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" @rhwp/core@0.8.6

cat > write.mjs <<'JAVASCRIPT'
import { readFileSync, writeFileSync } from "node:fs";
import init, { HwpDocument } from "@rhwp/core";

globalThis.measureTextWidth = (_font, text) => text.length * 10; // the page in a browser has a canvas for this
await init({ module_or_path: readFileSync("node_modules/@rhwp/core/rhwp_bg.wasm") });
const sentence = "정기예금 금리는 연 3.5%입니다.";
const document = HwpDocument.createEmpty();
document.createBlankDocument();
document.insertText(0, 0, 0, sentence);
document.splitParagraph(0, 0, sentence.length);
document.createTable(0, 1, 0, 1, 2);
document.insertTextInCell(0, 1, 0, 0, 0, 0, "당행");
document.insertTextInCell(0, 1, 0, 1, 0, 0, "면제");
writeFileSync("rates.hwp", document.exportHwp());
JAVASCRIPT
node write.mjs

venv/bin/python - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

from llama_index.readers.hwp import HWPReader


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


print("llama-index-readers-hwp", version("llama-index-readers-hwp"))
[document] = HWPReader().load_data(Path("rates.hwp"))
lines = [line.strip("\r") for line in document.text.split("\n") if line.strip()]
print(*map(repr, lines), sep="\n")
check(lines[0].endswith("정기예금 금리는 연 3.5%입니다."), f"the first line is {lines[0]!r}")
check("捤獥" in lines[0] and "汤捯" in lines[0], f"the first line is {lines[0]!r}")
check(any("氠瑢" in line for line in lines[1:]), f"the lines of the table are {lines[1:]}")
check(lines[-2:] == ["당행", "면제"], f"the cells are {lines[-2:]}")
print("as recorded")
PYTHON
