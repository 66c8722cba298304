"""One table of what is asked of many things alike."""

from __future__ import annotations

import re

from rag.constraints.aspects import ASPECT, ASPECT_OF


def test_names_of_one_aspect_are_one() -> None:
    assert ASPECT_OF["비용"] == ASPECT_OF["수수료"] == "수수료"
    assert ASPECT_OF["준비물"] == ASPECT_OF["서류"] != ASPECT_OF["기간"]
    assert "연회비" not in ASPECT_OF


def test_the_pattern_reads_the_longest_name() -> None:
    match = re.match(ASPECT, "이자율은")
    assert match is not None
    assert match.group() == "이자율"
