#!/usr/bin/env bash
# What surprises: in a Word or HTML table, the rows that a vertically merged cell reaches into come out one cell short, so their values
#   move one column to the left: a fee limit stands under "구분" and the fee under "건당 한도".
# Seen with: markitdown 0.1.9 on a file written by python-docx 1.2.0, Python 3.11.
# Why it matters: fee tables of banks merge the first column. A language model reads "건당 한도 500원" from the Markdown, and nothing
#   about the table looks wrong.
# Expected: an empty or repeated cell, so that every row has as many cells as the header.
# Public: microsoft/markitdown#20 (open), pull request #2522.
# Output:
#   markitdown 0.1.9
#   .docx
#     | 구분 | 건당 한도 | 수수료 |
#     | 당행 | 100만원 | 면제 |
#     | 500만원 | 500원 |
#     | 타행 | 50만원 | 1,000원 |
#   .html
#     | 구분 | 건당 한도 | 수수료 |
#     | 당행 | 100만원 | 면제 |
#     | 500만원 | 500원 |
#     | 타행 | 50만원 | 1,000원 |
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(markitdown[docx]==0.1.9 python-docx==1.2.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
import io
from importlib.metadata import version

from docx import Document
from markitdown import MarkItDown


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


rows = [("구분", "건당 한도", "수수료"), ("당행", "100만원", "면제"), ("", "500만원", "500원"), ("타행", "50만원", "1,000원")]
document = Document()
table = document.add_table(rows=len(rows), cols=3)
for number, row in enumerate(rows):
    for column, text in enumerate(row):
        table.cell(number, column).text = text
table.cell(1, 0).merge(table.cell(2, 0)).text = "당행"
word = io.BytesIO()
document.save(word)
word.seek(0)
page = """<table><tr><th>구분</th><th>건당 한도</th><th>수수료</th></tr>
<tr><td rowspan="2">당행</td><td>100만원</td><td>면제</td></tr><tr><td>500만원</td><td>500원</td></tr>
<tr><td>타행</td><td>50만원</td><td>1,000원</td></tr></table>"""

print("markitdown", version("markitdown"))
converter = MarkItDown()
for name, stream in ((".docx", word), (".html", io.BytesIO(f"<html><body>{page}</body></html>".encode()))):
    markdown = converter.convert_stream(stream, file_extension=name).markdown
    lines = [line for line in markdown.splitlines() if line.startswith("|") and line.strip("|- ")]
    print(name)
    print(*(f"  {line}" for line in lines), sep="\n")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    check(cells[0] == list(rows[0]), f"{name}: the header is {cells[0]}")
    check(cells[2] == ["500만원", "500원"], f"{name}: the merged cell's second row is {cells[2]}")
print("as recorded")
PYTHON
