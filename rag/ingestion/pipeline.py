"""Ingestion: reads files, splits them into nodes and brings the index up to date. Used by `python -m rag ingest`."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import BaseNode, TextNode

from rag.errors import RowError, RowErrors
from rag.ingestion.chunking import nodes as nodes_of_row
from rag.ingestion.documents.passages import institution_of, passage_node, passages
from rag.ingestion.embedding import manifest_of
from rag.ingestion.faq_row import FaqRow
from rag.ingestion.index_notes import notes_on_declined
from rag.ingestion.messages import Note
from rag.ingestion.phrasings import collisions
from rag.ingestion.sources import Sources, read_sources
from rag.ingestion.sync import Progress, SyncReport, no_progress, preview, sync
from rag.stores.base import DOCUMENT, Manifest, PassageStore
from rag.stores.filters import BANK

DEFAULT_WINDOW = 512
"""Window in characters of embedders that cannot count tokens; Korean text has at most about one token per character."""

_PASSAGE = re.compile(r"\.\w{2,5}:[0-9a-f]{10}(?:-\d+)?$")
"""The end of the id of a document's passage: the file's extension and a hash."""


class StoreOpener(Protocol):
    """`IndexCatalog.open_for_ingest` for one index."""

    def __call__(self, manifest: Manifest, *, size: int, dry_run: bool) -> AbstractContextManager[PassageStore]:
        """Open the store for `size` nodes; read-only for a dry run."""
        ...


@runtime_checkable
class TokenCounter(Protocol):
    """An embedder that counts tokens and states its window."""

    @property
    def max_tokens(self) -> int:
        """Maximum tokens of a passage, special tokens included; the embedder ignores further ones."""
        ...

    def token_count(self, text: str) -> int:
        """Number of tokens of a passage, special tokens included."""
        ...


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Result of an ingestion.

    `rows`, `documents`: numbers read. `changes`: in nodes, of which a long row has several; in a dry run, what would change.
    `notes`: what was changed or left out while reading. `warnings`: rows whose question a decline rule matches, and phrasings
    that two rows share. `errors`: files that could not be read; their nodes stay in the index. `files`: an entry for each
    file, for `--report`. `institutions`: see `count_institutions`.
    """

    rows: int
    changes: SyncReport
    dry_run: bool
    notes: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()
    documents: int = 0
    errors: tuple[RowError, ...] = ()
    files: tuple[Mapping[str, Any], ...] = ()
    institutions: Mapping[str, int] = field(default_factory=dict)

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
        """The summary in Korean."""
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
    """Make an index contain exactly the rows and documents of these files; others are deleted from it.

    A file that cannot be read is an error in the report, and its nodes stay in the index. `columns`: column names by field.
    `embed_model` None: an index for lexical search only. `processes`: that read documents; default: one per core.

    Raises RowErrors for invalid rows, before anything is written, and IndexBusy, StoreError or ModelError. After an error or
    an interruption the same call continues.
    """
    # Everything is read and split before writing, so that an error in the last file prevents any change.
    sources = read_sources(paths, columns=columns, processes=processes, progress=progress)
    nodes = split_rows(sources.rows, embed_model, progress=progress)
    document_nodes = split_documents(sources, embed_model, progress=progress)
    nodes += document_nodes

    def is_kept(node_id: str) -> bool:
        # Stored rows do not state their file, so no rows are deleted while any table cannot be read.
        document = node_id.rpartition(":")[0]
        return document in sources.failed or (sources.tables_failed and not _PASSAGE.search(node_id))

    # Opened last, because opening takes the lock, and reading and splitting may take minutes.
    with store_opener(manifest_of(embed_model), size=len(nodes), dry_run=dry_run) as store:
        if dry_run:
            changes = preview(store, nodes, is_kept=is_kept)
        else:
            changes = sync(store, nodes, embed_model, is_kept=is_kept, progress=progress)
    rows = sources.rows
    questions = ((row.file, row.id, text) for row in rows for text in (row.question, *row.alternatives))
    passages = Counter(str(node.metadata[DOCUMENT]) for node in document_nodes)
    return IngestReport(
        len(rows),
        changes,
        dry_run,
        tuple(sources.notes),
        (*notes_on_declined(questions), *collisions(rows)),
        len(sources.documents),
        tuple(sources.errors),
        tuple(sources.report(passages)),
        count_institutions(nodes),
    )


def count_institutions(nodes: Iterable[BaseNode]) -> Counter[str]:
    """The number of nodes by the institution they name; "" for none."""
    return Counter(str(node.metadata.get(BANK) or "") for node in nodes)


def split_documents(
    sources: Sources, embed_model: BaseEmbedding | None, *, progress: Progress = no_progress
) -> list[TextNode]:
    """The nodes of the passages of all documents."""
    token_count, max_tokens = embedding_window(embed_model)
    # Documents are split even without an embedder, because customers are shown passages.
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
    """The nodes of all rows. Raises RowErrors with every row whose question is too long to be embedded."""
    token_count, max_tokens = embedding_window(embed_model)
    nodes: list[TextNode] = []
    # Collected, so that one run reports all of them.
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


def embedding_window(embed_model: BaseEmbedding | None) -> tuple[Callable[[str], int], int]:
    """A function that counts a text's tokens (or characters), and the most that is embedded. Unlimited without an embedder."""
    if embed_model is None:
        return len, sys.maxsize
    if isinstance(embed_model, TokenCounter):
        return embed_model.token_count, embed_model.max_tokens
    return len, DEFAULT_WINDOW
