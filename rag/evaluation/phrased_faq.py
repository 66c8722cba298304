"""Adds alternative phrasings from a separate file to the CSV files of a FAQ."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path


def read_phrasings(path: Path) -> dict[str, str]:
    """Read a CSV file with the columns `id` and `alternatives`, as {id: alternatives}."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["alternatives"] for row in csv.DictReader(file)}


def write_phrased(files: Sequence[Path], phrasings: Mapping[str, str], folder: Path) -> list[Path]:
    """Copy the CSV files into `folder` with an added column `alternatives`, joined by `id`; returns the paths of the copies."""
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
