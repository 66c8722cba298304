#!/usr/bin/env bash
# What surprises: a sign put in with Word's Insert > Symbol from the Symbol font is dropped, and nothing stands in its place: "신용점수 ≥700점"
#   becomes "신용점수 700점" and "±0.5%p" becomes "0.5%p". The same signs typed as text are kept.
# Seen with: kordoc 4.14.1 (npm) on a file written by python-docx 1.2.0, Python 3.11, Node.js 20.
# Why it matters: conditions on loans and rates are written with these signs. Without them a limit is read as a value.
# Expected: "≥" and "±", or at least a mark for an unknown sign.
# Reason: of a run the texts, tabs and breaks are read; w:sym, which holds the font and the code of the sign, is passed over.
# Output:
#   kordoc 4.14.1
#   신용점수 700점
#   우대 0.5%p
#   신용점수 ≥700점
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(python-docx==1.2.0)
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
from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn


def add(before: str, code: str, after: str) -> None:
    """Add a paragraph with a sign of the Symbol font, as Word writes it."""
    run = document.add_paragraph().add_run(before)
    sign = OxmlElement("w:sym")
    sign.set(qn("w:font"), "Symbol")
    sign.set(qn("w:char"), code)
    run._r.append(sign)
    run.add_text(after)


document = Document()
add("신용점수 ", "F0B3", "700점")
add("우대 ", "F0B1", "0.5%p")
document.add_paragraph("신용점수 ≥700점")
document.save("terms.docx")
PYTHON

cat >read.mjs <<'JAVASCRIPT'
import { readFileSync } from "node:fs";
import { parse } from "kordoc";

const file = readFileSync("terms.docx");
const { markdown } = await parse(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
const lines = markdown.split("\n").filter(Boolean);
console.log("kordoc", JSON.parse(readFileSync("node_modules/kordoc/package.json", "utf8")).version);
console.log(lines.join("\n"));
if (lines.join("|") !== "신용점수 700점|우대 0.5%p|신용점수 ≥700점") {
  console.log(`changed: ${lines}`);
  process.exit(1);
}
console.log("as recorded");
JAVASCRIPT
node read.mjs
