#!/usr/bin/env bash
# What surprises: text deleted under track changes in HWPX is printed as if it stood, beside what replaced it: "연 3.5%4.2%".
# Seen with: hwp2markdown 0.1.0 on a file written by python-hwpx 6.9.0, Python 3.11.
# Why it matters: it is the reader that keeps Hangul's automatic numbers, and a rate that no longer holds reads as one that does.
# Expected: the final text, "금리는 연 4.2%로 한다.", or the deletion marked as one.
# Reason: the marks of a deletion within a text element are passed over, and the text between them is taken.
# Output:
#   hwp2markdown 0.1.0 python-hwpx 6.9.0
#   read: ['금리는 연 3.5%4.2%로 한다.']
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(hwp2markdown==0.1.0 python-hwpx==6.9.0)
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

from hwp2md.convert import read_blocks
from hwpx import HwpxDocument


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


print("hwp2markdown", version("hwp2markdown"), "python-hwpx", version("python-hwpx"))
document = HwpxDocument.new()
rate = document.add_paragraph("금리는 연 3.5%로 한다.")
document.add_tracked_replace(rate, "3.5%", "4.2%")
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "notice.hwpx")
    document.save_to_path(path)
    read = [block.text for block in read_blocks(path)]
print("read:", read)
check(read == ["금리는 연 3.5%4.2%로 한다."], f"read as {read}")
print("as recorded")
PYTHON
