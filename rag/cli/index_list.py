"""`python -m rag index list`: a summary of each index, and which one the settings select."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from rag.errors import ModelError, StoreError
from rag.factory.bundled_vectors import BUNDLED, bundled_name
from rag.factory.models import load_models
from rag.factory.stores import open_catalog
from rag.settings import Settings
from rag.stores.base import INDEXED_AT
from rag.stores.catalog import IndexCatalog

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """Summary of one index.

    `indexed_at`: when its newest passage was written, ISO 8601 in UTC, None for an empty index. `problem`: why it cannot be
    opened, None if it can; with a problem only `name` and `selected` are set.
    """

    name: str
    selected: bool
    passages: int | None = None
    dimension: int | None = None
    fingerprint: str | None = None
    indexed_at: str | None = None
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The entry in the output of `index list --json`."""
        return asdict(self)

    def line(self, width: int) -> str:
        """One line of the table. A star marks the selected index; `width`: characters of the name column."""
        start = f"{'*' if self.selected else ' '} {self.name:<{width}}"
        if self.problem is not None:
            return f"{start}  cannot be opened: {self.problem}"
        embedding = f"embedding {self.fingerprint} ({self.dimension})" if self.dimension else "lexical only"
        return f"{start}  {self.passages:>5} passages  {embedding}  {self.indexed_at or 'empty'}"


def list_indexes(settings: Settings) -> list[IndexSummary]:
    """Summaries of all indexes, also of those that cannot be opened. Raises StoreError if the store does not answer."""
    catalog = open_catalog(settings)
    names = catalog.names()
    selected = _selected(settings, names)
    return [_describe(catalog, name, selected=name == selected) for name in names]


def _describe(catalog: IndexCatalog, name: str, *, selected: bool) -> IndexSummary:
    try:
        with closing(catalog.open(name)) as store:
            # ISO 8601 timestamps in UTC sort as text.
            written = max(store.values(INDEXED_AT), default=None)
            manifest = store.manifest
            return IndexSummary(name, selected, store.count(), manifest.dimension, manifest.fingerprint, written)
    except StoreError as exc:
        return IndexSummary(name, selected, problem=str(exc))


def _selected(settings: Settings, names: Sequence[str]) -> str | None:
    """The name of the index that the settings select; None if it cannot be determined.

    The bundled index is named after its embedding model, which must answer for that.
    """
    if settings.store.index or not any(name.startswith(f"{BUNDLED}-") for name in names):
        return settings.store.index
    try:
        return bundled_name(load_models(settings).manifest)
    except ModelError as exc:
        logger.warning("the embedding model does not answer; no index is marked as selected: %s", exc)
        return None
