#!/usr/bin/env bash
# What surprises: "다음 달 10일", the 10th of next month, is read as one month and ten days from now, "이번 달 25일" (the 25th of this
#   month) as 25 days ago, and "지난달 25일" (the 25th of last month) as a month and 25 days ago.
# Seen with: dateparser 1.5.0, Python 3.11; the base date is 4 March 2026.
# Why it matters: card payments and instalments fall due on such days. The result is a date like any other, up to five weeks off.
# Expected: 10 April, 25 March and 25 February 2026, as "10th of next month" gives 10 April; or None, as for "내년 3월 2일".
# Reason: "다음 달" is translated to "in 1 month" and "10일" to "10 day", and both are then taken as parts of one duration.
# Output:
#   dateparser 1.5.0
#   다음 달 10일: 2026-04-14
#   다음 달 1일: 2026-04-05
#   이번 달 25일: 2026-02-07
#   지난달 25일: 2026-01-10
#   10th of next month: 2026-04-10
#   3월 25일: 2026-03-25
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(dateparser==1.5.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
import datetime
from importlib.metadata import version

import dateparser


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


print("dateparser", version("dateparser"))
base = datetime.datetime(2026, 3, 4, 10)
for language, text, expected in (
    ("ko", "다음 달 10일", "2026-04-14"),
    ("ko", "다음 달 1일", "2026-04-05"),
    ("ko", "이번 달 25일", "2026-02-07"),
    ("ko", "지난달 25일", "2026-01-10"),
    ("en", "10th of next month", "2026-04-10"),
    ("ko", "3월 25일", "2026-03-25"),
):
    found = dateparser.parse(text, languages=[language], settings={"RELATIVE_BASE": base})
    day = str(found.date()) if found else None
    print(f"{text}: {day}")
    check(day == expected, f"{text} is read as {day}")
check(dateparser.parse("내년 3월 2일", languages=["ko"], settings={"RELATIVE_BASE": base}) is None, "내년 3월 2일 is read")
print("as recorded")
PYTHON
