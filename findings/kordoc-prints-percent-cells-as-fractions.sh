#!/usr/bin/env bash
# What surprises: an Excel cell that shows 3.5% becomes "0.035", and one in thousands of won (1,235천원) its raw number "1234567", while the
#   format of a date cell is applied.
# Seen with: kordoc 4.14.1 (npm) on a file written by openpyxl 3.1.5, Python 3.11, Node.js 20.
# Why it matters: tables of rates are kept in Excel with the percent format. A language model reads "금리 | 0.035" from the Markdown, which
#   is a hundredth of the rate where the header says "금리(%)".
# Expected: what the sheet shows, or at least "3.5%"; the package says that it makes Markdown for language models out of office files
#   (https://www.npmjs.com/package/kordoc).
# Reason: of a cell's format only whether it is a date is looked at.
# Output:
#   kordoc 4.14.1
#   | 상품 | 금리(%) | 전월 대비 | 한도 | 기준일 |
#   | --- | --- | --- | --- | --- |
#   | 정기예금 | 0.035 | -0.0025 | 1234567 | 2026-08-01 |
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(openpyxl==3.1.5)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" kordoc@4.14.1

"$folder/venv/bin/python" - <<'PYTHON'
from datetime import date

from openpyxl import Workbook

book = Workbook()
sheet = book.active
sheet.append(["상품", "금리(%)", "전월 대비", "한도", "기준일"])
sheet.append(["정기예금", 0.035, -0.0025, 1234567, date(2026, 8, 1)])
for cell, shown in {"B2": "0.0%", "C2": "0.00%", "D2": '#,##0,"천원"', "E2": "yyyy-mm-dd"}.items():
    sheet[cell].number_format = shown
book.save("rates.xlsx")
PYTHON

cat >read.mjs <<'JAVASCRIPT'
import { readFileSync } from "node:fs";
import { parse } from "kordoc";

const file = readFileSync("rates.xlsx");
const { markdown } = await parse(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
const lines = markdown.split("\n").filter((line) => line.startsWith("|"));
console.log("kordoc", JSON.parse(readFileSync("node_modules/kordoc/package.json", "utf8")).version);
console.log(lines.join("\n"));
if (lines.at(-1) !== "| 정기예금 | 0.035 | -0.0025 | 1234567 | 2026-08-01 |") {
  console.log(`changed: the row is ${lines.at(-1)}`);
  process.exit(1);
}
console.log("as recorded");
JAVASCRIPT
node read.mjs
