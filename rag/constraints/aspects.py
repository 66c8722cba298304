"""What a customer asks of many things alike: the fee, the rate, the limit, the papers.

The nouns are data (aspects.tsv), and every list of them in this program is this one: `ASPECT_OF` gives a noun's aspect,
`ASPECT` is a pattern of one noun.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def _read() -> Mapping[str, str]:
    lines = Path(__file__).with_name("aspects.tsv").read_text(encoding="utf-8").splitlines()
    groups = [line.split("|") for line in lines if line and line[0] != "#"]
    return {noun: names[0] for names in groups for noun in names}


ASPECT_OF: Mapping[str, str] = _read()
"""A noun and its aspect: 수수료 of 비용."""

ASPECT = "(?:" + "|".join(sorted(ASPECT_OF, key=lambda noun: (-len(noun), noun))) + ")"
"""A pattern of any of these nouns, the longer first."""
