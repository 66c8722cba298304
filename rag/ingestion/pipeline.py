"""The whole of `python -m rag ingest`, apart from its options and its output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import TextNode

from rag.conversation.decline_rules import refused_rows
from rag.errors import RowError, RowErrors
from rag.ingestion.chunking import nodes as nodes_of_row
from rag.ingestion.embedding import manifest_of
from rag.ingestion.files import find_files
from rag.ingestion.messages import Note
from rag.ingestion.phrasings import collisions
from rag.ingestion.readers import FaqRow, NoFiles, read_rows
from rag.ingestion.sync import Progress, SyncReport, no_progress, preview, sync
from rag.stores.base import Manifest, PassageStore

DEFAULT_WINDOW = 512
"""Characters, for an embedder that cannot count its tokens: Korean text has at most about one token a character."""


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
    """

    rows: int
    changes: SyncReport
    dry_run: bool
    refused: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    collisions: tuple[str, ...] = ()

    def __str__(self) -> str:
        done, verb = self.changes, "would be " if self.dry_run else ""
        return (
            f"{self.rows} rows: {done.added} passages {verb}added, {done.updated} updated, {done.unchanged} unchanged, "
            f"{done.deleted} deleted" + ("" if self.dry_run else f" in {done.seconds:.1f} s")
        )

    @property
    def korean(self) -> str:
        """The same line for `--language ko`."""
        done, when = self.changes, " 예정" if self.dry_run else ""
        return (
            f"{self.rows}행: 추가 {done.added}{when}, 변경 {done.updated}{when}, 그대로 {done.unchanged}, "
            f"삭제 {done.deleted}{when}" + ("" if self.dry_run else f", {done.seconds:.1f}초")
        )


def ingest(
    paths: Iterable[Path | str],
    *,
    store_opener: StoreOpener,
    embed_model: BaseEmbedding | None,
    columns: Mapping[str, str] | None = None,
    dry_run: bool = False,
    progress: Progress = no_progress,
) -> IngestReport:
    """Make an index hold exactly the rows of these files: what is no longer in them is deleted.

    `embed_model` None: an index for lexical search alone. Raises RowErrors before anything is written, then IndexBusy,
    StoreError and ModelError; whatever stops it, the same call again does what is left.
    """
    # All rows are read and split first: a defect in the last file must stop the first from being written.
    found = read_rows(find_files(map(Path, paths)), columns=columns)
    if found.errors:
        raise RowErrors(found.errors)
    rows = found.rows
    if not rows:
        raise NoFiles()
    nodes = split_rows(rows, embed_model, progress=progress)
    with store_opener(manifest_of(embed_model), size=len(nodes), dry_run=dry_run) as store:
        changes = preview(store, nodes) if dry_run else sync(store, nodes, embed_model, progress=progress)
    refused = refused_rows((row.id, text) for row in rows for text in (row.question, *row.alternatives))
    return IngestReport(len(rows), changes, dry_run, tuple(refused), tuple(found.notes), tuple(collisions(rows)))


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
