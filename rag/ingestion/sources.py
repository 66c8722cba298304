"""Reads all files of an ingestion into FAQ rows and documents, and reports on each file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.errors import RowError, RowErrors
from rag.ingestion.columns import REQUIRED, match_columns
from rag.ingestion.csv_tables import data_lines
from rag.ingestion.documents.blocks import Document
from rag.ingestion.documents.reading import read_many
from rag.ingestion.faq_row import FaqRow
from rag.ingestion.files import BINARY, decode, find_files, read_bytes
from rag.ingestion.identity import short_names
from rag.ingestion.messages import Note, UnreadableFile
from rag.ingestion.question_pairs import find_pairs
from rag.ingestion.readers import NoFiles, read_rows
from rag.ingestion.sync import Progress, no_progress
from rag.ingestion.tables import find_header


@dataclass(slots=True)
class Sources:
    """The content of an ingestion's files.

    `documents`: by the name that is used in their passages' ids. `errors`: files that could not be read. `failed`: names of
    the unreadable documents; `tables_failed`: a table could not be read. `files`: paths of all files.
    """

    rows: list[FaqRow] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    tables_failed: bool = False
    files: list[str] = field(default_factory=list)

    def report(self, passages: Mapping[str, int]) -> list[dict[str, Any]]:
        """An entry for each file, for `--report`: its kind, amount of content, uncertain values, notes and errors.

        `passages`: number of passages by document name.
        """
        rows: dict[str, int] = defaultdict(int)
        for row in self.rows:
            rows[row.file] += 1
        by_file = {document.file: (name, document) for name, document in self.documents.items()}
        entries = []
        for file in self.files:
            entry: dict[str, Any] = {
                "file": file,
                "kind": "document" if file in by_file else "table",
                "rows": rows[file],
            }
            if file in by_file:
                name, document = by_file[file]
                del entry["rows"]
                entry |= {"pages": document.pages, "characters": len(document.text), "passages": passages.get(name, 0)}
                entry["uncertain"] = [
                    {"page": block.page, "text": block.text, "quantities": list(block.uncertain)}
                    for block in document.blocks
                    if block.uncertain
                ]
            entry["notes"] = [str(note) for note in self.notes if note.file.startswith(file)]
            entry["errors"] = [str(error) for error in self.errors if error.file == file]
            entries.append(entry)
        return entries


def read_sources(
    paths: Iterable[Path | str],
    *,
    columns: Mapping[str, str] | None = None,
    processes: int | None = None,
    progress: Progress = no_progress,
) -> Sources:
    """Read all files. A file that cannot be read is added to `errors`.

    `processes`: as in `ingest`. Raises RowErrors for invalid rows, or if no file could be read; NoFiles if there is none.
    """
    columns = columns or {}
    files = list(find_files(map(Path, paths)))
    documents = [path for path in files if _is_document(path, columns)]
    tables = [path for path in files if path not in set(documents)]
    sources = Sources(files=list(map(str, files)))
    read = read_rows(tables, columns=columns)
    # The author must correct invalid rows: ingesting the rest of the table would delete them from the index.
    if any(error.row is not None for error in read.errors):
        raise RowErrors(read.errors)
    sources.rows, sources.notes, sources.errors = read.rows, read.notes, read.errors
    sources.tables_failed = bool(read.errors)
    # With extensions, because 약관.pdf and 약관.docx are two documents.
    names = dict(zip(map(str, documents), short_names(list(map(str, documents)), stems=False), strict=True))
    outcomes = {}
    for done, (path, outcome) in enumerate(read_many(documents, processes=processes), 1):
        outcomes[path] = outcome
        progress("read", done, len(documents))
    for path in documents:  # in the files' order; `outcomes` is in the order of completion
        outcome = outcomes[path]
        if isinstance(outcome, Document):
            sources.documents[names[str(path)]] = outcome
            sources.notes += outcome.notes
        else:
            sources.errors.append(outcome)
            sources.failed.append(names[str(path)])
    if not sources.rows and not sources.documents:
        raise RowErrors(sources.errors) if sources.errors else NoFiles()
    return sources


def _is_document(path: Path, columns: Mapping[str, str]) -> bool:
    """Whether the file is a document and not a table, by its extension. A table with questions and answers is none."""
    suffix = path.suffix.lower()
    # Other formats go to the document reader too, whose error lists what is supported; no extension: read as a table.
    if suffix in ("", ".json", ".jsonl") or not path.is_file():
        return False
    if suffix in (".csv", ".tsv"):
        return not columns and _holds_other_data(path)
    return suffix != ".xlsx" or not _contains_faq(path, columns)


def _holds_other_data(path: Path) -> bool:
    with suppress(UnreadableFile):  # reading it as a table reports the error
        data = read_bytes(path)
        return not data.startswith(BINARY) and bool(data_lines(decode(data), lambda header: match_columns(header, {})))
    return False


def _contains_faq(path: Path, columns: Mapping[str, str]) -> bool:
    from rag.ingestion.files import check_kind
    from rag.ingestion.workbook import read_workbook

    try:
        data = read_bytes(path)
        check_kind(".xlsx", data)
        sheets, _ = read_workbook(str(path), data)
    except UnreadableFile:
        return True  # reading it as a table reports the error
    return any(
        find_header([line.cells for line in sheet.lines], lambda header: match_columns(header, columns)) is not None
        or find_pairs(sheet.lines)
        for sheet in sheets
    ) or columns.keys() >= set(REQUIRED)
