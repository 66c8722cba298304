#!/usr/bin/env bash
# What surprises: Word's no-break hyphen is dropped, and nothing stands in its place: "연 3‑5%" is read as "연 35%".
# Seen with: dochan 1.15.0 on a file written by python-docx 1.2.0, Python 3.11.
# Why it matters: writers of terms type it (Ctrl+Shift+Hyphen) so that a range of rates or amounts is not cut at a line's end; without it
#   the range is one number, ten times as high.
# Expected: U+2011, or a plain hyphen: "연 3-5%".
# Reason: of a run the texts and tabs are read; w:noBreakHyphen, which is an element of its own, is passed over.
# Output:
#   dochan 1.15.0 python-docx 1.2.0
#   read: ['금리는 연 35%로 한다.']
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(dochan==1.15.0 python-docx==1.2.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import tempfile
from importlib.metadata import version
from pathlib import Path

from dochan import Dochan
from docx import Document
from docx.oxml import OxmlElement


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


print("dochan", version("dochan"), "python-docx", version("python-docx"))
document = Document()
run = document.add_paragraph().add_run("금리는 연 3")
run._r.append(OxmlElement("w:noBreakHyphen"))
run.add_text("5%로 한다.")
# python-docx reads back what it wrote: the range is in the file.
check(run.text == "금리는 연 3-5%로 한다.", f"python-docx writes {run.text!r}")
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "terms.docx")
    document.save(str(path))
    sections = Dochan(str(path)).doc.sections
    read = [element.text for section in sections for element in section.elements if "금리" in element.text]
print("read:", read)
check(read == ["금리는 연 35%로 한다."], f"read {read}")
print("as recorded")
PYTHON
