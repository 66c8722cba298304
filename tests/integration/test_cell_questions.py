"""Questions about a cell of a table: its row is shown with the value in every format, and no other row answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.factory.bundled_vectors import with_stored_vectors
from rag.factory.chat import build_chat
from rag.factory.models import Models
from rag.factory.stores import ingest_files
from rag.settings import Settings, StoreSettings
from tests.office.cells import QUESTIONS, write_documents
from tests.office.expected import holds
from tests.office.pages import printing

FAQ = Path(__file__).parents[2] / "data" / "faq"


@pytest.mark.timeout(600)
def test_cells_of_four_formats_beside_other_banks_rows(tmp_path: Path, models: Models) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    with printing() as printed:
        write_documents(folder, printed)
    ingest_files(tmp_path, "cells", with_stored_vectors(models), [folder, FAQ])
    chat = build_chat(Settings(store=StoreSettings(directory=tmp_path)), index="cells")
    shown, wrong = 0, []
    for question, row in QUESTIONS:
        answer = chat.ask(question)
        sources = [[line for line in source.text.split("\n") if holds(line, row)] for source in answer.sources]
        shown += any(sources)
        if answer.status == "answered" and not sources[0]:
            wrong.append((question, answer.text))
        assert not any(source.metadata.get("uncertain") for source in answer.sources)
    assert len(QUESTIONS) == 60
    assert shown >= 0.95 * len(QUESTIONS)
    assert wrong == []
