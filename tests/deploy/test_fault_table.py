"""Every fault of the emulator, with both classes: an error of ours or a recovery; never a hang or a partial answer."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from deploy.local.spec import FaultKind
from rag.errors import ModelError
from tests import fault_table
from tests.fault_table import DOCUMENT, Row

HANGUL = re.compile("[가-힣]")


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    return fault_table.observe()


def test_the_document_is_up_to_date(rows: dict[str, Row]) -> None:
    """`python -m tests.fault_table` writes it."""
    assert DOCUMENT.read_text(encoding="utf-8") == fault_table.document(rows)


def test_every_fault_is_listed_and_tested(rows: dict[str, Row]) -> None:
    assert set(rows) == set(get_args(FaultKind)) == set(fault_table.descriptions())
    for kind, row in rows.items():
        failed = [cell for cell in row.values() if cell.lasting.error is not None]
        assert failed, f"{kind} does nothing at all"
        assert all(cell.lasting.faults for cell in failed), kind


def test_every_failure_is_one_of_ours_with_a_korean_message(rows: dict[str, Row]) -> None:
    for kind, row in rows.items():
        for name, cell in row.items():
            for outcome in (cell.lasting, cell.once):
                if outcome.error is not None:
                    assert isinstance(outcome.error, ModelError)
                    assert HANGUL.search(outcome.error.korean), (kind, name)
                    assert "\n" not in str(outcome.error), (kind, name)
