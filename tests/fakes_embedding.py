"""A deterministic embedder for tests: hashed character n-grams, so that similar texts have similar vectors."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr

Vectors = list[list[float]]
Tamper = Callable[[Vectors], Vectors]


class HashedEmbedding(BaseEmbedding):
    """Unit vectors over hashed 1- to 3-grams.

    `texts` records the embedded texts. Another `salt` gives a model with other vectors. `tamper` may change each batch of
    vectors, or raise.
    """

    dimension: int = 64
    salt: str = ""
    max_tokens: int = 400
    tamper: Tamper | None = None
    _texts: list[str] = PrivateAttr(default_factory=list)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(model_name="hashed n-grams", embed_batch_size=8, **kwargs)

    @property
    def texts(self) -> list[str]:
        return self._texts

    def token_count(self, text: str) -> int:
        return len(text)

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._vector(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._vector(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> Vectors:
        self._texts += texts
        vectors = [self._vector(text) for text in texts]
        return self.tamper(vectors) if self.tamper else vectors

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * self.dimension
        for n in (1, 2, 3):
            for i in range(len(text) - n + 1):
                vector[zlib.crc32((self.salt + text[i : i + n]).encode()) % self.dimension] += 1.0
        norm = math.hypot(*vector)
        return [value / norm for value in vector] if norm else vector
