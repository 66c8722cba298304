"""Compares the amounts, rates and dates of two readers, and marks those as uncertain that differ in text or place."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag.ingestion.documents.blocks import Block, Document, comparable_text
from rag.ingestion.messages import Text, UnreadableFile, reason_of

_QUANTITY = re.compile(
    r"[₩$€¥£]?\d+(?:[,.:/-]\d+)*(?:\.(?=\d))?(?:[조억천백십]?[만천백]?(?:원|달러|엔|유로|위안)|%p?|퍼센트|bp|개월|영업일|년|월|일|회|건|세|시간|시|분|배|명)?"
    r"|면제|무료"
)
_MARK = re.compile(r"\[주\d*\]")
"""Note marks, which the readers here add."""
_LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁺⁻", "0123456789()+-")
"""Raised digits, which second readers give as plain ones."""
_CONTEXT = 6
"""Characters before or after a quantity that must be the same in the other reading."""


@dataclass(frozen=True, slots=True)
class SecondReading:
    """Another reader's result: the cells of all table rows, and the remaining text."""

    rows: Sequence[Sequence[str]]
    text: str


def quantities(text: str) -> list[str]:
    """The quantities of a text in order, without white space."""
    return [match[0] for match in _QUANTITY.finditer(comparable_text(_MARK.sub("", text)))]


def mark_uncertain(blocks: Iterable[Block], second: SecondReading) -> list[Block]:
    """The blocks, with quantities marked as uncertain that the second reading does not have next to the same words."""
    rows = [frozenset(comparable_text(cell).translate(_LOWERED) for cell in row if cell.strip()) for row in second.rows]
    everything = comparable_text(second.text + "\n" + "\n".join(" ".join(row) for row in second.rows))
    everything = everything.translate(_LOWERED)
    return [
        replace(block, uncertain=_in_row(block, rows) if block.kind == "row" else _in_text(block, everything))
        for block in blocks
    ]


def mark_uncertain_against(block: Block, texts: Iterable[str]) -> Block:
    """The block, with quantities marked as uncertain that `texts` lacks: another reader's texts of the same places.

    The places are compared one by one, so that adjacent cells ("업무 11", "1,210원") do not form a number.
    """
    remaining = [quantity for place in texts for quantity in quantities(place)]
    missing = []
    for quantity in (
        each for part in (block.own_cells if block.kind == "row" else [block.text]) for each in quantities(part)
    ):
        if quantity in remaining:
            # Removed, because an amount that occurs twice must be found twice.
            remaining.remove(quantity)
        else:
            missing.append(quantity)
    return replace(block, uncertain=tuple(dict.fromkeys(missing)))


def _in_row(block: Block, rows: Sequence[frozenset[str]]) -> tuple[str, ...]:
    own_cells = frozenset(comparable_text(cell).translate(_LOWERED) for cell in block.own_cells)
    if any(own_cells <= row for row in rows):
        return ()
    # The other reader may write a table within a cell as text of that cell, in which the row's cells follow each other.
    line = re.escape("".join(map(comparable_text, block.own_cells)).translate(_LOWERED))
    # Not within a longer number: "800원" in "1,800원", "30" in "300".
    line = (r"(?<![\d,.])" if line[:1].isdigit() else "") + line + (r"(?![\d,.])" if line[-1:].isdigit() else "")
    if line and any(re.search(line, cell) for row in rows for cell in row):
        return ()
    # The cells are not in one row of the other reader, so the amount's row is uncertain.
    return tuple(dict.fromkeys(quantity for cell in block.own_cells for quantity in quantities(cell)))


def _in_text(block: Block, everything: str) -> tuple[str, ...]:
    # Without the automatic number, which the other reader counts in its own way.
    text = comparable_text(_MARK.sub("", block.text.removeprefix(block.number)))
    missing = []
    for match in _QUANTITY.finditer(text):
        before, after = (
            text[max(match.start() - _CONTEXT, 0) : match.end()],
            text[match.start() : match.end() + _CONTEXT],
        )
        # One side is enough, because the other may have a note mark, or text deleted under track changes.
        if before.translate(_LOWERED) not in everything and after.translate(_LOWERED) not in everything:
            missing.append(match[0])
    return tuple(dict.fromkeys(missing))


def final_elements(path: Path) -> list[Any]:
    """The elements of a Hangul document, with tracked changes accepted. Raises UnreadableFile."""
    from dochan import Dochan

    try:
        # The default mode includes text that was deleted under track changes.
        read = Dochan(str(path), revision_mode="final")
    except Exception as exc:
        raise UnreadableFile("damaged", reason=reason_of(exc)) from exc
    errors = [error for error in read.doc.errors if error.startswith("ERR")]
    elements = [element for section in read.doc.sections for element in section.elements]
    # For some HWP 5 files with tracked changes dochan returns an empty final text without an error.
    if not elements and any(section.elements for section in Dochan(str(path)).doc.sections):
        raise UnreadableFile("tracked")
    if errors and not elements:
        raise UnreadableFile("damaged", reason=Text(errors[0].splitlines()[0][:100], "dochan"))
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
