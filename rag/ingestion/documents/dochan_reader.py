"""Reads files with the library dochan: the first reader of Hangul documents and the second one of Office documents."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from rag.ingestion.documents.blocks import Document
from rag.ingestion.documents.quantities import SecondReading, mark_uncertain
from rag.ingestion.messages import UnreadableFile


def final_elements(path: Path) -> list[Any]:
    """The elements of a Hangul document, with tracked changes accepted. Raises UnreadableFile."""
    from dochan import Dochan

    try:
        # The default mode includes text that was deleted under track changes.
        read = Dochan(str(path), revision_mode="final")
    except Exception as exc:
        raise UnreadableFile("damaged", reason=f"{type(exc).__name__}: {exc}".splitlines()[0][:100]) from exc
    errors = [error for error in read.doc.errors if error.startswith("ERR")]
    elements = [element for section in read.doc.sections for element in section.elements]
    # For some HWP 5 files with tracked changes dochan returns an empty final text without an error.
    if not elements and any(section.elements for section in Dochan(str(path)).doc.sections):
        raise UnreadableFile("tracked")
    if errors and not elements:
        raise UnreadableFile("damaged", reason=errors[0].splitlines()[0][:100])
    return elements


def cross_check(document: Document, data: bytes, suffix: str) -> Document:
    """Mark quantities as uncertain that dochan does not find next to the same words. Changes and returns the document."""
    second = second_reading(suffix, data)
    if second and (second.rows or second.text.strip()):
        document.blocks = mark_uncertain(document.blocks, second)
    else:
        document.note("one_reader", reader="dochan")
    return document


def second_reading(suffix: str, data: bytes) -> SecondReading | None:
    """An Office file as dochan reads it; None if dochan cannot, which does not mean that the file is damaged."""
    from dochan import Dochan

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"document{suffix}")
        path.write_bytes(data)
        try:
            document = Dochan(str(path)).doc
        # After any error the first reader's result is used alone.
        except Exception:  # noqa: BLE001
            return None
    rows: list[list[str]] = []
    lines: list[str] = []
    for section in document.sections:
        for element in section.elements:
            if type(element).__name__ == "Table":
                rows += _rows(element)
            else:
                lines.append(plain_text([element, *(getattr(element, "paragraphs", None) or ())]))
    return SecondReading(rows, "\n".join(lines))


def _rows(table: Any) -> list[list[str]]:
    """The rows of a table, followed by those of the tables within its cells."""
    rows_of_contents = [[split_cell_content(cell) for cell in row] for row in table.rows]
    rows = [[plain_text(texts) for texts, _ in row] for row in rows_of_contents]
    return rows + [line for row in rows_of_contents for _, inner in row for each in inner for line in _rows(each)]


def split_cell_content(cell: Any) -> tuple[list[Any], list[Any]]:
    """A cell's paragraphs, and the tables within it."""
    tables = [each for each in cell.paragraphs if type(each).__name__ == "Table"]
    return [each for each in cell.paragraphs if each not in tables], tables


def paragraph_text(paragraph: Any) -> str:
    """A paragraph's text without struck-through runs; notes are marked as "[주1]"."""
    return "".join(f"[주{run.note_ref}]" if run.note_ref else run.text for run in paragraph.runs if not run.strikeout)


def plain_text(paragraphs: list[Any]) -> str:
    """The paragraphs' text, a line each; of tables among them, a line for each row."""
    lines = []
    for each in paragraphs:
        if type(each).__name__ == "Table":
            lines += [" ".join(cell.text for cell in row if not cell.is_merged_away) for row in each.rows]
        elif hasattr(each, "runs"):
            lines.append(paragraph_text(each))
    return "\n".join(lines)
