#!/usr/bin/env bash
# What surprises: text deleted under track changes in an HWPX file is printed as if it stood in the document, next to what replaced it:
#   "연 3.5%" changed to "연 4.2%" is read as "연 3.54.2%". Nothing in the result tells the two apart.
# Seen with: extract-hwp 0.2.1 on a file written by python-hwpx 6.9.0, Python 3.11.
# Why it matters: Korean terms and conditions come as HWPX with revision marks. The rate a customer is shown then stands in no version.
# Expected: the text as it reads with the changes accepted, or an error or option.
# Output:
#   extract-hwp 0.2.1 python-hwpx 6.9.0
#   in the file: 금리는 연 <hp:deleteBegin/>3.5<hp:deleteEnd/><hp:insertBegin/>4.2<hp:insertEnd/>%로 한다.
#   read:        '금리는 연 3.54.2%로 한다.' error: None
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(extract-hwp==0.2.1 python-hwpx==6.9.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
import re
import tempfile
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

from extract_hwp import extract_text_from_hwp
from hwpx import HwpxDocument


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


print("extract-hwp", version("extract-hwp"), "python-hwpx", version("python-hwpx"))
document = HwpxDocument.new()
document.tracking.replace(document.add_paragraph("금리는 연 3.5%로 한다."), "3.5", "4.2")
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "terms.hwpx")
    document.save_to_path(path)
    with ZipFile(path) as archive:
        section = archive.read("Contents/section0.xml").decode()
    text, error = extract_text_from_hwp(str(path))
marks = section[section.index("<hp:t>금리") + len("<hp:t>") :].split("</hp:t>")[0]
print("in the file:", re.sub(r" \w+=\"\w+\"", "", marks))
print("read:       ", repr(text.strip()), "error:", error)
check("<hp:deleteBegin" in marks and "<hp:insertBegin" in marks, "the writer marks changes in another way")
check(error is None, f"an error is given: {error}")
check(text.strip() == "금리는 연 3.54.2%로 한다.", f"read as {text!r}")
print("as recorded")
PYTHON
