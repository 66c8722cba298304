"""What dochan reads of a file: the first reader of Hangul documents, and the second opinion on Office's."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from rag.ingestion.documents.blocks import Document
from rag.ingestion.documents.quantities import SecondReading, doubted
from rag.ingestion.messages import UnreadableFile


def final_elements(path: Path) -> list[Any]:
    """A Hangul document's elements with tracked changes as final. Raises UnreadableFile."""
    from dochan import Dochan

    try:
        # The default would print what was deleted under track changes as if it stood.
        read = Dochan(str(path), revision_mode="final")
    except Exception as exc:
        raise UnreadableFile("damaged", reason=f"{type(exc).__name__}: {exc}".splitlines()[0][:100]) from exc
    errors = [error for error in read.doc.errors if error.startswith("ERR")]
    elements = [element for section in read.doc.sections for element in section.elements]
    # Of some HWP 5 files with tracked changes the final text comes back empty, and no error with it.
    if not elements and any(section.elements for section in Dochan(str(path)).doc.sections):
        raise UnreadableFile("tracked")
    if errors and not elements:
        raise UnreadableFile("damaged", reason=errors[0].splitlines()[0][:100])
    return elements


def checked(document: Document, data: bytes, suffix: str) -> Document:
    """The document, its quantities doubted where dochan does not see them beside the same words."""
    second = second_reading(suffix, data)
    if second and (second.rows or second.text.strip()):
        document.blocks = doubted(document.blocks, second)
    else:
        document.note("one_reader", reader="dochan")
    return document


def second_reading(suffix: str, data: bytes) -> SecondReading | None:
    """What dochan sees of a file of Office; None where it cannot read it, which is no verdict on the file."""
    from dochan import Dochan

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"document{suffix}")
        path.write_bytes(data)
        try:
            document = Dochan(str(path)).doc
        # Whatever it raises, the file has been read once.
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
    """A table's rows, then those of the tables within its cells."""
    parted = [[split_cell(cell) for cell in row] for row in table.rows]
    rows = [[plain_text(texts) for texts, _ in row] for row in parted]
    return rows + [line for row in parted for _, inner in row for each in inner for line in _rows(each)]


def split_cell(cell: Any) -> tuple[list[Any], list[Any]]:
    """A cell's paragraphs, and the tables within it."""
    tables = [each for each in cell.paragraphs if type(each).__name__ == "Table"]
    return [each for each in cell.paragraphs if each not in tables], tables


def paragraph_text(paragraph: Any) -> str:
    """A paragraph's text with the marks of its notes, without what is struck through."""
    return "".join(f"[주{run.note_ref}]" if run.note_ref else run.text for run in paragraph.runs if not run.strikeout)


def plain_text(paragraphs: list[Any]) -> str:
    """Paragraphs as lines; a table among them row by row."""
    lines = []
    for each in paragraphs:
        if type(each).__name__ == "Table":
            lines += [" ".join(cell.text for cell in row if not cell.is_merged_away) for row in each.rows]
        elif hasattr(each, "runs"):
            lines.append(paragraph_text(each))
    return "\n".join(lines)
