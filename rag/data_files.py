"""Reads the data files that come with the package: word tables and TOML.

A word table has one entry per line, its cells separated by tabs. What a cell holds (words separated by spaces or "|", or a
regular expression) is described in the comments at the top of each file. Lines that begin with `#` and blank lines are skipped.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib import resources
from typing import Any


def read_text(package: str, file: str) -> str:
    """The text of `file` in `package`."""
    return resources.files(package).joinpath(file).read_text(encoding="utf-8")


def entry_lines(lines: Iterable[str]) -> list[tuple[int, str]]:
    """The lines of a word table that are neither blank nor comments, each with its number, counted from 1."""
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]


def read_table(package: str, file: str) -> list[list[str]]:
    """The entries of the word table `file` in `package`, each a list of its cells."""
    return [line.split("\t") for _, line in entry_lines(read_text(package, file).splitlines())]


def read_toml(package: str, file: str) -> dict[str, Any]:
    """The contents of the TOML file `file` in `package`."""
    return tomllib.loads(read_text(package, file))
