"""The whole of `python -m rag ingest`, apart from its options and its output."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import TextNode

from rag.conversation.decline_rules import refused_rows
from rag.errors import RowError, RowErrors
from rag.ingestion.chunking import nodes as nodes_of_row
from rag.ingestion.documents.nodes import institution_of, passage_node
from rag.ingestion.documents.passages import passages
from rag.ingestion.embedding import manifest_of
from rag.ingestion.messages import Note
from rag.ingestion.phrasings import collisions
from rag.ingestion.readers import FaqRow
from rag.ingestion.sources import Sources, read_sources
from rag.ingestion.sync import Progress, SyncReport, no_progress, preview, sync
from rag.stores.base import DOCUMENT, Manifest, PassageStore

DEFAULT_WINDOW = 512
"""Characters, for an embedder that cannot count its tokens: Korean text has at most about one token a character."""

_PASSAGE = re.compile(r"\.\w{2,5}:[0-9a-f]{10}(?:-\d+)?$")
"""The end of a passage's id: its file's extension, and a hash."""


class StoreOpener(Protocol):
    """`IndexCatalog.open_for_ingest` with the index's name."""

    def __call__(self, manifest: Manifest, *, size: int, dry_run: bool) -> AbstractContextManager[PassageStore]:
        """The store to fill with `size` nodes, or, for a dry run, one to compare with."""
        ...


@runtime_checkable
class Windowed(Protocol):
    """What an embedder offers that knows its own limits: its window in tokens, and the tokens of a passage."""

    @property
    def max_tokens(self) -> int:
        """Of a passage, special tokens included; what is longer is cut off unread."""
        ...

    def token_count(self, text: str) -> int:
        """The tokens of a passage, special tokens included."""
        ...


@dataclass(frozen=True, slots=True)
class IngestReport:
    """`changes` are in nodes (a long row makes several); in a dry run they are what would be done.

    `refused`: a line for each row whose question a decline rule matches (`rag.conversation.decline_rules`). `notes`: what
    reading changed or left out. `collisions`: a line for each phrasing that two rows have (`rag.ingestion.phrasings`).
    `errors`: files that could not be read; what the index held of them stays. `files`: one
    entry a file, for `--report`.
    """

    rows: int
    changes: SyncReport
    dry_run: bool
    refused: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    collisions: tuple[str, ...] = ()
    documents: int = 0
    errors: tuple[RowError, ...] = ()
    files: tuple[Mapping[str, Any], ...] = ()

    def __str__(self) -> str:
        done, verb = self.changes, "would be " if self.dry_run else ""
        documents = f" and {self.documents} documents" if self.documents else ""
        return (
            f"{self.rows} rows{documents}: {done.added} passages {verb}added, {done.updated} updated, "
            f"{done.unchanged} unchanged, {done.deleted} deleted"
            + ("" if self.dry_run else f" in {done.seconds:.1f} s")
        )

    @property
    def korean(self) -> str:
        """The same line for `--language ko`."""
        done, when = self.changes, " 예정" if self.dry_run else ""
        documents = f", 문서 {self.documents}개" if self.documents else ""
        return (
            f"{self.rows}행{documents}: 추가 {done.added}{when}, 변경 {done.updated}{when}, 그대로 {done.unchanged}, "
            f"삭제 {done.deleted}{when}" + ("" if self.dry_run else f", {done.seconds:.1f}초")
        )


def ingest(
    paths: Iterable[Path | str],
    *,
    store_opener: StoreOpener,
    embed_model: BaseEmbedding | None,
    columns: Mapping[str, str] | None = None,
    dry_run: bool = False,
    processes: int | None = None,
    progress: Progress = no_progress,
) -> IngestReport:
    """Make an index hold exactly the rows and documents of these files: what is no longer in them is deleted.

    A document that cannot be read, or a table that cannot be read at all, is an error of the report; what the index holds of
    it stays. `embed_model` None: an index for lexical search alone. `processes`: for reading documents, by default one a
    core. Raises RowErrors, for rows that break a rule, before anything is written, then IndexBusy, StoreError and
    ModelError; whatever stops it, the same call again does what is left.
    """
    # Everything is read and split first: a defect in the last file must stop the first from being written.
    sources = read_sources(paths, columns=columns, processes=processes, progress=progress)
    nodes = split_rows(sources.rows, embed_model, progress=progress)
    of_documents = split_documents(sources, embed_model, progress=progress)
    nodes += of_documents

    def is_kept(node_id: str) -> bool:
        # A row does not say which file it is from: of tables, nothing is deleted while one of them cannot be read.
        document = node_id.rpartition(":")[0]
        return document in sources.failed or (sources.tables_failed and not _PASSAGE.search(node_id))

    # Opened last, and with it the lock taken: reading and splitting may take minutes and change nothing.
    with store_opener(manifest_of(embed_model), size=len(nodes), dry_run=dry_run) as store:
        if dry_run:
            changes = preview(store, nodes, kept=is_kept)
        else:
            changes = sync(store, nodes, embed_model, kept=is_kept, progress=progress)
    rows = sources.rows
    refused = refused_rows((row.id, text) for row in rows for text in (row.question, *row.alternatives))
    passages = Counter(str(node.metadata[DOCUMENT]) for node in of_documents)
    return IngestReport(
        len(rows),
        changes,
        dry_run,
        tuple(refused),
        tuple(sources.notes),
        tuple(collisions(rows)),
        len(sources.documents),
        tuple(sources.errors),
        tuple(sources.report(passages)),
    )


def split_documents(
    sources: Sources, embed_model: BaseEmbedding | None, *, progress: Progress = no_progress
) -> list[TextNode]:
    """The nodes of all documents' passages."""
    token_count, max_tokens = window(embed_model)
    # Without an embedder nothing has to be split, but a customer reads a passage, not a document.
    token_count, max_tokens = (token_count, max_tokens) if embed_model else (len, DEFAULT_WINDOW)
    banks = {row.bank for row in sources.rows if row.bank}
    nodes: list[TextNode] = []
    for done, (name, document) in enumerate(sources.documents.items(), 1):
        bank = institution_of(document, banks)
        nodes += [
            passage_node(passage, bank)
            for passage in passages(document, name=name, token_count=token_count, max_tokens=max_tokens)
        ]
        progress("split", done, len(sources.documents))
    return nodes


def split_rows(
    rows: Sequence[FaqRow], embed_model: BaseEmbedding | None, *, progress: Progress = no_progress
) -> list[TextNode]:
    """The nodes of all rows. Raises RowErrors naming every row that cannot be embedded."""
    token_count, max_tokens = window(embed_model)
    nodes: list[TextNode] = []
    # Collected, so that the user sees every row that is too long at once.
    errors: list[RowError] = []
    for done, row in enumerate(rows, start=1):
        try:
            nodes += nodes_of_row(row, token_count=token_count, max_tokens=max_tokens)
        except RowErrors as exc:
            errors += exc.errors
        progress("split", done, len(rows))
    if errors:
        raise RowErrors(errors)
    return nodes


def window(embed_model: BaseEmbedding | None) -> tuple[Callable[[str], int], int]:
    """How to count a text, and up to what count it is embedded whole. Without an embedder nothing is split."""
    if embed_model is None:
        return len, sys.maxsize
    if isinstance(embed_model, Windowed):
        return embed_model.token_count, embed_model.max_tokens
    return len, DEFAULT_WINDOW
