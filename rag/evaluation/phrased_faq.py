"""An FAQ's files once more with other ways to put their questions, which stand in a file of their own."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path


def read_phrasings(path: Path) -> dict[str, str]:
    """The column `alternatives` of a CSV file by its column `id`."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["alternatives"] for row in csv.DictReader(file)}


def write_phrased(files: Sequence[Path], phrasings: Mapping[str, str], folder: Path) -> list[Path]:
    """Copies of the CSV files in `folder`, with a column `alternatives` by the rows' `id`; the copies."""
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for path in files:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        copies.append(folder / path.name)
        with copies[-1].open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [*rows[0], "alternatives"])
            writer.writeheader()
            writer.writerows({**row, "alternatives": phrasings.get(row["id"], "")} for row in rows)
    return copies
