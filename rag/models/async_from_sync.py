"""Async methods of an embedding that run the sync methods in a thread."""

from __future__ import annotations

import asyncio
from typing import Protocol


class _Embedding(Protocol):
    def _get_query_embedding(self, query: str) -> list[float]: ...
    def _get_text_embedding(self, text: str) -> list[float]: ...
    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]: ...


class AsyncFromSync:
    """A mixin that comes before LlamaIndex's embedding class in the list of base classes, to override its async methods."""

    async def _aget_query_embedding(self: _Embedding, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embedding(self: _Embedding, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self: _Embedding, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)
