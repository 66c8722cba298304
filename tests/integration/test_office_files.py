"""Office files as bank staff write them: read as displayed, or refused in one line with advice."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import RowErrors
from rag.ingestion.sources import Sources, read_sources
from tests.office.expected import OfficeFile, holds
from tests.office.pages import pages, printing
from tests.office.sections import sections
from tests.office.tables import TABLES
from tests.office.word import WORD_FILES
from tests.office.workbooks import WORKBOOKS

pytestmark = pytest.mark.timeout(300)


def problems(file: OfficeFile, folder: Path) -> list[str]:
    """The differences between what is read and what a person sees."""
    path = folder / file.name
    path.write_bytes(file.data)
    sources, errors = Sources(), []
    try:
        sources = read_sources([path], processes=1)
        errors = [str(error) for error in sources.errors]
    except RowErrors as exc:
        errors = [str(error) for error in exc.errors]
    if file.refused:
        return [] if any(file.refused in error for error in errors) else [f"not refused with {file.refused}: {errors}"]
    lines = [line for document in sources.documents.values() for line in document.text.split("\n")]
    found = [f"error {error}" for error in errors]
    found += [f"missing {texts}" for texts in file.lines if not any(holds(line, texts) for line in lines)]
    found += [f"{texts} in {line!r}" for texts in file.never for line in lines if holds(line, texts, ordered=False)]
    found += [f"no note on {text}" for text in file.notes if not any(text in str(note) for note in sources.notes)]
    if file.rows and {(row.question, row.answer) for row in sources.rows} != set(file.rows):
        found.append(f"rows {sources.rows}")
    # A value that both readers see is not doubted: nothing in these files is ambiguous.
    found += [
        f"doubted {block.text!r}: {block.uncertain}"
        for document in sources.documents.values()
        for block in document.blocks
        if block.uncertain != file.doubted and block.uncertain
    ]
    return found


@pytest.mark.parametrize("file", [*WORKBOOKS, *TABLES, *WORD_FILES], ids=lambda file: str(file.name))
def test_files_of_office_programs(file: OfficeFile, tmp_path: Path) -> None:
    assert problems(file, tmp_path) == []


def test_pages_of_browsers_and_printers(tmp_path: Path) -> None:
    # One browser prints them all, and none where tests are only collected.
    with printing() as printed:
        files = [*pages(printed), *sections(printed)]
    assert {file.name: found for file in files if (found := problems(file, tmp_path))} == {}
