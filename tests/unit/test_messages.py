"""Every message about files has a Korean form, and so has every value that the program itself puts into one."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.errors import InputError
from rag.ingestion.messages import DEFECTS, NOTES, PARTS, Note, Text, UnreadableFile, defect, reason_of
from tests.conftest import ROOT

MESSAGES = {**DEFECTS, **NOTES, **{f"part {name}": text for name, text in PARTS.items()}}
PROGRAMS = {"dochan", "hwp2markdown"}
"""Names that are the same in Korean."""
_WORD = re.compile(r"[A-Za-z]{3,}")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_message_has_a_korean_form_with_the_same_values(kind: str) -> None:
    english, korean = MESSAGES[kind]
    assert re.search("[가-힣]", korean) or english.endswith(korean), "PDF alone is the same in both"
    assert placeholders(korean) <= placeholders(english)


def calls() -> Iterator[tuple[Path, ast.Call, str]]:
    """The calls in the code that an ingestion runs, with the name of what is called."""
    for path in [*(ROOT / "rag/ingestion").rglob("*.py"), ROOT / "rag/cli/arguments.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path, node, getattr(node.func, "attr", "") or getattr(node.func, "id", "")


def english(value: ast.expr) -> list[str]:
    """The English words that an expression itself holds."""
    return [
        each.value
        for each in ast.walk(value)
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and _WORD.search(each.value)
    ]


def test_no_value_of_a_message_is_english_in_both_languages() -> None:
    values = [
        (path.name, keyword.arg, keyword.value)
        for path, call, name in calls()
        if name in ("UnreadableFile", "note", "add_error", "defect", "add_defect")
        for keyword in call.keywords
    ]
    assert len(values) > 50
    # A constant within `PARTS["…"]` or `at["…"]` is a key, and not part of the message.
    spoken = [
        (file, keyword, words)
        for file, keyword, value in values
        if not isinstance(value, ast.Subscript | ast.Call) and (words := set(english(value)) - PROGRAMS)
    ]
    assert spoken == []


def test_errors_of_an_ingestion_speak_korean() -> None:
    raised = [(path.name, call.lineno, call) for path, call, name in calls() if name == InputError.__name__]
    assert len(raised) > 5
    assert [each for each in raised if not any(keyword.arg == "korean" for keyword in each[2].keywords)] == []


def test_a_value_is_said_in_the_language_of_its_message() -> None:
    error = UnreadableFile("damaged", reason=PARTS["no_beginning"])
    assert "(its beginning is missing)" in str(error) and "(앞부분이 없음)" in error.korean
    assert error.to_row_error("a.pdf").korean == error.korean
    used = defect("a.csv", 3, "id", "id_used", id="'7'", first=PARTS["row"].filled({"file": "b.csv", "row": 6}))
    assert "b.csv, row 6" in str(used) and "b.csv 6행" in used.in_korean
    note = Note("a.csv", "restarted", {"by": PARTS["category"]})
    assert "in each category" in str(note) and "분류마다" in note.korean


def test_reasons_of_libraries_and_of_the_system() -> None:
    assert reason_of(PermissionError(13, "Permission denied")) == Text("Permission denied", "권한이 없음")
    assert reason_of(OSError(28, "No space left on device")) == Text("No space left on device", "ENOSPC")
    assert reason_of(KeyError("xl/x.xml\nmore")) == Text("KeyError: 'xl/x.xml\\nmore'", "KeyError")
