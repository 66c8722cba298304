#!/usr/bin/env bash
# What surprises: the amount of a cell is lost if its format has a quoted unit with one of the letters d, h, m, s: 50000 in #,##0" USD" is
#   printed as '#,##0" us21"', and 1.25 in 0.00"bps" as '0.00"bps"'. The format itself is printed, with a part of a date in it.
# Seen with: xlsx2csv 0.8.6 on a workbook written by openpyxl 3.1.5, Python 3.11.
# Why it matters: sheets of fees for transfers abroad and of lending rates hold plain numbers and show the unit by such a format. The row that
#   states the fee no longer has a number; "us21" may be shown as one.
# Expected: the number, as xlsx2csv prints it for the units 원 and %p, or "50,000 USD" as a spreadsheet shows it. Letters in quotes are text
#   (ECMA-376 part 1, 18.8.31).
# Reason: a format with one of these letters anywhere is taken for a date's, and the whole of it goes to strftime with the letters replaced.
# Output:
#   xlsx2csv 0.8.6
#   50000  #,##0" USD"  #,##0" us21"
#   1.25   0.00"bps"    0.00"bps"
#   1.25   "CD+"0.00    "c31+"0.00
#   50000  #,##0"원"     50000
#   50000  [$USD] #,##0 50000
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(xlsx2csv==0.8.6 openpyxl==3.1.5)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import csv
import io
import tempfile
from importlib.metadata import version
from pathlib import Path

from openpyxl import Workbook
from xlsx2csv import Xlsx2csv


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


CELLS = [
    (50000, '#,##0" USD"', '#,##0" us21"'),
    (1.25, '0.00"bps"', '0.00"bps"'),
    (1.25, '"CD+"0.00', '"c31+"0.00'),
    (50000, '#,##0"원"', "50000"),
    (50000, "[$USD] #,##0", "50000"),
]

print("xlsx2csv", version("xlsx2csv"))
workbook = Workbook()
for at, (value, form, _) in enumerate(CELLS, start=1):
    workbook.active.cell(at, 1, value).number_format = form
with tempfile.TemporaryDirectory() as folder:
    path = str(Path(folder, "fees.xlsx"))
    workbook.save(path)
    text = io.StringIO()
    Xlsx2csv(path).convert(text)
for (value, form, expected), [read] in zip(CELLS, csv.reader(io.StringIO(text.getvalue())), strict=True):
    print(f"{value:<6} {form:<12} {read}")
    check(read == expected, f"{value} in {form} is printed as {read}")
print("as recorded")
PYTHON
