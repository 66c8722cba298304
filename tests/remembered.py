"""The real embedder with a memory: each evaluation question is embedded once for all tests that ask it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr


class RememberedEmbedding(BaseEmbedding):
    """Gives the vectors of `inner`, those of queries from memory the second time."""

    _inner: BaseEmbedding = PrivateAttr()
    _known: dict[str, list[float]] = PrivateAttr()

    def __init__(self, inner: BaseEmbedding) -> None:
        super().__init__(model_name=inner.model_name)
        self._inner, self._known = inner, {}

    def learn(self, texts: Iterable[str]) -> None:
        """Embed what is not known yet, two at a time."""
        wanted = [text for text in dict.fromkeys(texts) if text not in self._known]
        with ThreadPoolExecutor(2) as pool:
            self._known.update(zip(wanted, pool.map(self._inner.get_query_embedding, wanted), strict=True))

    def _get_query_embedding(self, query: str) -> list[float]:
        if query not in self._known:
            self._known[query] = self._inner.get_query_embedding(query)
        return self._known[query]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._inner.get_text_embedding(text)
