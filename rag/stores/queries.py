"""What every store checks alike in a LlamaIndex query before any I/O."""

from __future__ import annotations

from typing import Final

from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

from rag.errors import StoreError

MODES: Final = (VectorStoreQueryMode.DEFAULT, VectorStoreQueryMode.TEXT_SEARCH, VectorStoreQueryMode.HYBRID)


def check_query(query: VectorStoreQuery) -> None:
    """Raise StoreError for another mode, where the mode's embedding or text is missing, or for an alpha outside 0..1."""
    mode = query.mode
    if mode not in MODES:
        raise StoreError(f"query mode {mode.value!r} is not supported: use {', '.join(each.value for each in MODES)}")
    if mode is not VectorStoreQueryMode.TEXT_SEARCH and query.query_embedding is None:
        raise StoreError(f"query mode {mode.value!r} needs query_embedding: embed the question, or use text_search")
    if mode is not VectorStoreQueryMode.DEFAULT and query.query_str is None:
        raise StoreError(f"query mode {mode.value!r} needs query_str: give the question's text")
    if query.alpha is not None and not 0 <= query.alpha <= 1:
        raise StoreError(f"alpha is {query.alpha!r}: give the share of the cosine, 0 to 1")
