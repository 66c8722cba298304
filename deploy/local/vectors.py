"""The emulator's embedding models: the chatbot's local embedder, or pseudo-random vectors by a hash of the text."""

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
"""Prefixes of queries and passages for e5. A text without a prefix is embedded as a passage."""
_HASHED_POOL = 1024
_HIDDEN_SCALE = 9.0
"""Length of emulated token vectors, which are not unit vectors in a transformer."""
_lock = threading.Lock()


def embed(texts: Sequence[str], spec: EndpointSpec) -> Matrix:
    """(len(texts), dimension) unit vectors, in order."""
    if spec.model == "hashed":
        return _pool(spec.dimension, spec.seed)[[_index(text) for text in texts]]
    with _lock:
        model = _local_model()
        return np.array([_embed_local(model, text) for text in texts], dtype=np.float32)


def token_vectors(text: str, vector: Matrix, spec: EndpointSpec) -> Matrix:
    """(tokens, dimension) token vectors as of the task `feature-extraction`, whose pooling gives the sentence's `vector`.

    With cls pooling the first row equals it (scaled), with mean pooling the mean of the rows. Noise is seeded by the text.
    """
    count = max(2, min(512, len(text) // 2 + 2))
    noise = np.random.default_rng([spec.seed, *_digest(text)]).standard_normal((count, vector.shape[-1]))
    if spec.pooling == "cls":
        noise[0] = 0.0
    else:
        noise -= noise.mean(axis=0)
    spread = np.where(np.arange(count) == 0, 1.0, -1.0)[:, None] if spec.pooling == "cls" else 1.0
    return np.asarray(_HIDDEN_SCALE * (vector * spread + 0.1 * noise), dtype=np.float32)


def _embed_local(model: LocalEmbedding, text: str) -> list[float]:
    if text.startswith(QUERY):
        return model.get_query_embedding(text.removeprefix(QUERY))
    return model.get_text_embedding(text.removeprefix(PASSAGE))


@lru_cache(maxsize=1)
def _local_model() -> LocalEmbedding:
    from rag.models.local_embedding import LocalEmbedding  # slow to import, and not needed for hashed vectors

    return LocalEmbedding()


@lru_cache(maxsize=8)
def _pool(dimension: int, seed: int) -> Matrix:
    """Random unit vectors that texts share, because drawing one per text would take longer than the request itself."""
    drawn = np.random.default_rng(seed).standard_normal((_HASHED_POOL, dimension)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def _index(text: str) -> int:
    return int.from_bytes(_digest(text)) % _HASHED_POOL


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
