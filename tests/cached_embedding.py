"""A caching wrapper of the real embedder, so that each evaluation question is embedded once for all tests."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from filelock import BaseFileLock, FileLock
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr


class CachedQueryEmbedding(BaseEmbedding):
    """Wraps an embedding and caches the vectors of queries, in memory and in `file`."""

    _inner: BaseEmbedding = PrivateAttr()
    _file: Path = PrivateAttr()
    _vectors: dict[str, list[float]] = PrivateAttr()

    def __init__(self, inner: BaseEmbedding, file: Path) -> None:
        super().__init__(model_name=inner.model_name)
        self._inner, self._file, self._vectors = inner, file, {}

    def embed_queries(self, texts: Iterable[str]) -> None:
        """Embed the texts that are not cached, in two threads, and save them for other workers and later runs."""
        with self._lock():
            self._load()
            missing = [text for text in dict.fromkeys(texts) if text not in self._vectors]
            with ThreadPoolExecutor(2) as pool:
                self._vectors.update(zip(missing, pool.map(self._inner.get_query_embedding, missing), strict=True))
            if missing:
                self._save()

    def load(self) -> None:
        """Take over what others have saved."""
        with self._lock():
            self._load()

    def save(self) -> None:
        """Save what was embedded one by one, too, beside what others have saved."""
        with self._lock():
            self._load()
            self._save()

    def _lock(self) -> BaseFileLock:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self._file.with_suffix(".lock"))

    def _load(self) -> None:
        if self._file.exists():
            with np.load(self._file) as saved:
                self._vectors.update(zip(saved["texts"].tolist(), saved["vectors"].tolist(), strict=True))

    def _save(self) -> None:
        np.savez(self._file, texts=list(self._vectors), vectors=np.array(list(self._vectors.values())))

    def _get_query_embedding(self, query: str) -> list[float]:
        if query not in self._vectors:
            self._vectors[query] = self._inner.get_query_embedding(query)
        return self._vectors[query]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._inner.get_text_embedding(text)
