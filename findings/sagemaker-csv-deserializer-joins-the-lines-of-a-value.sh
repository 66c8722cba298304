#!/usr/bin/env bash
# What surprises: the line ends in a value are dropped: what CSVSerializer writes for "1회 100\n1일 500" is read by CSVDeserializer of the same
#   package as "1회 1001일 500".
# Seen with: sagemaker-core 2.27.0, Python 3.11.
# Why it matters: an endpoint that answers in CSV (text/csv is the deserializer's default) returns answers and passages of several lines. The
#   last number of a line and the first of the next become one number, with no error.
# Expected: the value that was written. A quoted field of CSV may have line ends (RFC 4180, section 2.6), and the serializer quotes it so.
# Reason: the text is cut into lines before it goes to csv.reader, which joins those of a quoted field as they come, without line ends
#   (https://docs.python.org/3/library/csv.html#csv.reader asks for a file opened with newline='' for this).
# Output:
#   sagemaker-core 2.27.0
#   written: 'limits,"1회 100\n1일 500"\nrates,"연 3.5%, 우대 4.2%"'
#   read:    [['limits', '1회 1001일 500'], ['rates', '연 3.5%, 우대 4.2%']]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(sagemaker-core==2.27.0)
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
import logging
from importlib.metadata import version

logging.disable(logging.INFO)  # it prints where it looks for its configuration

from sagemaker.core.deserializers import CSVDeserializer
from sagemaker.core.serializers import CSVSerializer


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


ROWS = [["limits", "1회 100\n1일 500"], ["rates", "연 3.5%, 우대 4.2%"]]

print("sagemaker-core", version("sagemaker-core"))
written = CSVSerializer().serialize(ROWS)
read = CSVDeserializer().deserialize(io.BytesIO(written.encode()), "text/csv")
print("written:", repr(written))
print("read:   ", read)
check(list(csv.reader(io.StringIO(written))) == ROWS, f"written as {written!r}")
check(read == [["limits", "1회 1001일 500"], ["rates", "연 3.5%, 우대 4.2%"]], f"read as {read}")
print("as recorded")
PYTHON
