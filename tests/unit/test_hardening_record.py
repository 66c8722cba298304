"""docs/hardening.md names an existing test for each weakness."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_test_that_is_named_is_there() -> None:
    record = (ROOT / "docs" / "hardening.md").read_text(encoding="utf-8")
    rows = [line for line in record.splitlines() if line.startswith("| ")][1:]
    named = {row: re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row) for row in rows}
    assert len(rows) > 40
    assert not [row for row, tests in named.items() if not tests]
    missing = [
        f"{path}::{name}"
        for tests in named.values()
        for path, name in tests
        if not (ROOT / path).exists() or f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert not missing
