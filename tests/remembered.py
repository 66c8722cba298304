"""A caching wrapper of the real embedder, so that each evaluation question is embedded once for all tests."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from filelock import FileLock
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr


class RememberedEmbedding(BaseEmbedding):
    """Wraps an embedding and caches the vectors of queries, in memory and in `file`."""

    _inner: BaseEmbedding = PrivateAttr()
    _file: Path = PrivateAttr()
    _known: dict[str, list[float]] = PrivateAttr()

    def __init__(self, inner: BaseEmbedding, file: Path) -> None:
        super().__init__(model_name=inner.model_name)
        self._inner, self._file, self._known = inner, file, {}

    def learn(self, texts: Iterable[str]) -> None:
        """Embed the texts that are not cached, in two threads, and save them for other workers and later runs."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._file.with_suffix(".lock")):
            if self._file.exists():
                with np.load(self._file) as saved:
                    self._known.update(zip(saved["texts"].tolist(), saved["vectors"].tolist(), strict=True))
            unknown = [text for text in dict.fromkeys(texts) if text not in self._known]
            with ThreadPoolExecutor(2) as pool:
                self._known.update(zip(unknown, pool.map(self._inner.get_query_embedding, unknown), strict=True))
            if unknown:
                np.savez(self._file, texts=list(self._known), vectors=np.array(list(self._known.values())))

    def _get_query_embedding(self, query: str) -> list[float]:
        if query not in self._known:
            self._known[query] = self._inner.get_query_embedding(query)
        return self._known[query]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._inner.get_text_embedding(text)
