#!/usr/bin/env bash
# What surprises: of a paragraph's text in an HWPX file only the part before the first tab is read; the rest is left out without
#   an error: "수수료:<tab>500원" becomes "수수료:".
# Seen with: hwp-hwpx-parser 1.0.0 on a file written by python-hwpx 6.9.0, Python 3.11.
# Why it matters: bank notices line up names and amounts with tabs. Every name is found and every amount is gone.
# Expected: the whole text, with the tab.
# Reason: a tab is an element inside the text element, and only the text before the first child is taken.
# Output:
#   hwp-hwpx-parser 1.0.0 python-hwpx 6.9.0
#   written: ['수수료:\t500원', '한도: 100만원', '우대\t급여 이체\t면제']
#   read:    ['수수료:', '한도: 100만원', '우대']
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(hwp-hwpx-parser==1.0.0 python-hwpx==6.9.0)
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
from pathlib import Path

from hwp_hwpx_parser import read
from hwpx import HwpxDocument


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


print("hwp-hwpx-parser", version("hwp-hwpx-parser"), "python-hwpx", version("python-hwpx"))
written = ["수수료:\t500원", "한도: 100만원", "우대\t급여 이체\t면제"]
document = HwpxDocument.new()
for paragraph in written:
    document.add_paragraph(paragraph)
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "notice.hwpx")
    document.save_to_path(path)
    lines = [line for line in read(str(path)).text.splitlines() if line.strip()]
print("written:", written)
print("read:   ", lines)
check(lines == ["수수료:", "한도: 100만원", "우대"], f"read as {lines}")
print("as recorded")
PYTHON
