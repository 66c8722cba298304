"""The tables of a text whose lines hold cells with " | " between them. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SUM = re.compile(r"금액|한도$")
_UNLIMITED = re.compile(r"^(?:제한\s?(?:이\s?)?없음|무제한|금액\s?무관)$")
_CELL = re.compile(r"\s*\|(?:\s+|$)")


def tables(text: str) -> Iterator[list[list[str]]]:
    """The tables of a text, each a list of rows with the same number of cells, including the row of column names if any."""
    rows: list[list[str]] = []
    for line in [*text.split("\n"), ""]:
        cells = _CELL.split(line) if " |" in line else []
        if rows and len(cells) != len(rows[0]):
            yield rows
            rows = []
        if cells:
            rows.append(cells)


def has_column(text: str, named: re.Pattern[str]) -> bool:
    """Whether a column of a table whose name the pattern finds holds anything: its cells are what the name says."""
    return any(any(cells) for cells in _columns(text, named))


def is_for_any_sum(text: str) -> bool:
    """Whether a table's column of amounts says of a row that there is no limit: "타행 송금 | 창구 | 제한 없음 | 1,000원"."""
    return any(any(map(_UNLIMITED.match, cells)) for cells in _columns(text, _SUM))


def _columns(text: str, named: re.Pattern[str]) -> Iterator[list[str]]:
    """The cells below each column name that the pattern finds."""
    for rows in tables(text):
        for at, name in enumerate(rows[0]):
            if named.search(name):
                yield [row[at] for row in rows[1:]]
