"""The models behind embedding endpoints: the chatbot's own local embedder, or hashed vectors that cost nothing."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from deploy.local.spec import EndpointSpec

if TYPE_CHECKING:
    from rag.models.local_embedding import LocalEmbedding

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]

QUERY, PASSAGE = "query: ", "passage: "
"""e5 is told by a prefix in the text which of the two it embeds. Without one, a text is taken for a passage."""
_HASHED_POOL = 1024
_HIDDEN_SCALE = 9.0
"""Token vectors of a transformer are not of unit length."""
_lock = threading.Lock()


def embed(texts: Sequence[str], spec: EndpointSpec) -> Matrix:
    """One vector of unit length per text, in order."""
    if spec.model == "hashed":
        return _pool(spec.dimension, spec.seed)[[_place(text) for text in texts]]
    with _lock:
        model = _local()
        return np.array([_one(model, text) for text in texts], dtype=np.float32)


def token_vectors(text: str, vector: Matrix, spec: EndpointSpec) -> Matrix:
    """What `feature-extraction` shows of a text: rows per token whose pooling, and only that one, is the sentence's vector.

    The first token's row is it (cls), or the mean of all rows is (mean). The rows' noise is seeded by the text.
    """
    count = max(2, min(512, len(text) // 2 + 2))
    noise = np.random.default_rng([spec.seed, *_digest(text)]).standard_normal((count, vector.shape[-1]))
    if spec.pooling == "cls":
        noise[0] = 0.0
    else:
        noise -= noise.mean(axis=0)
    spread = np.where(np.arange(count) == 0, 1.0, -1.0)[:, None] if spec.pooling == "cls" else 1.0
    return np.asarray(_HIDDEN_SCALE * (vector * spread + 0.1 * noise), dtype=np.float32)


def _one(model: LocalEmbedding, text: str) -> list[float]:
    if text.startswith(QUERY):
        return model.get_query_embedding(text.removeprefix(QUERY))
    return model.get_text_embedding(text.removeprefix(PASSAGE))


@lru_cache(maxsize=1)
def _local() -> LocalEmbedding:
    from rag.models.local_embedding import LocalEmbedding  # heavy, and not needed for hashed vectors

    return LocalEmbedding()


@lru_cache(maxsize=8)
def _pool(dimension: int, seed: int) -> Matrix:
    """A few vectors that all texts share: drawing one per text would cost more than the server itself."""
    drawn = np.random.default_rng(seed).standard_normal((_HASHED_POOL, dimension)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def _place(text: str) -> int:
    return int.from_bytes(_digest(text)) % _HASHED_POOL


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
