"""The bundled FAQ's vectors, shipped as derived data: the first start has nothing to embed.

`python -m rag.factory.bundled_vectors` writes them again, after the FAQ or the embedder has changed. They are looked up
by the text itself, and used only for the embedding whose fingerprint they carry, so that stale ones cost time, never a
wrong answer: what is not there is computed.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr

from rag.factory.bundled import BUNDLED, DATA
from rag.ingestion.embedding import manifest_of
from rag.ingestion.pipeline import window
from rag.models.async_from_sync import AsyncFromSync

if TYPE_CHECKING:
    from rag.factory.models import Models

logger = logging.getLogger(__name__)

PATH = DATA.parent / "vectors" / "bundled.npz"
QUERY, PASSAGE = "query", "passage"
Vectors = dict[bytes, list[float]]


class StoredVectors(AsyncFromSync, BaseEmbedding):
    """The embedding `inner`, which need not run for a text whose vector is known."""

    _inner: BaseEmbedding = PrivateAttr()
    _known: Vectors = PrivateAttr()
    _asked: Vectors = PrivateAttr()

    def __init__(self, inner: BaseEmbedding, known: Vectors) -> None:
        super().__init__(model_name=inner.model_name, embed_batch_size=inner.embed_batch_size)
        self._inner, self._known, self._asked = inner, known, {}

    @property
    def asked(self) -> Vectors:
        """All that was asked for, by `text_key`."""
        return self._asked

    @property
    def max_tokens(self) -> int:
        return window(self._inner)[1]

    def token_count(self, text: str) -> int:
        return window(self._inner)[0](text)

    def _get_query_embedding(self, query: str) -> list[float]:
        key = text_key(QUERY, query)
        if key not in self._known:
            self._known[key] = self._inner.get_query_embedding(query)
        self._asked[key] = self._known[key]
        return self._known[key]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        keys = [text_key(PASSAGE, text) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        self._known.update(zip(missing, self._inner.get_text_embedding_batch(list(missing.values())), strict=True))
        self._asked.update((key, self._known[key]) for key in keys)
        return [self._known[key] for key in keys]


def text_key(kind: str, text: str) -> bytes:
    """What a vector is stored under: 16 bytes of a hash of the text and of what it was embedded as."""
    return hashlib.sha256(f"{kind}\0{text}".encode("utf-8", "surrogatepass")).digest()[:16]


def with_stored_vectors(models: Models, path: Path = PATH) -> Models:
    """The models with what is shipped at hand; as they are where the vectors are another embedding's or not there."""
    if models.embed_model is None:
        return models
    known = read(path, models.manifest.fingerprint)
    return replace(models, embed_model=StoredVectors(models.embed_model, known)) if known else models


def read(path: Path, fingerprint: str) -> Vectors:
    """The vectors by key, of unit length; none where the file is missing, broken or of another fingerprint."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            if str(file["fingerprint"]) != fingerprint:
                return {}
            vectors = file["vectors"].astype(np.float64)
            # Half precision has taken them off unit length.
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            return dict(zip((key.tobytes() for key in file["keys"]), vectors.tolist(), strict=True))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, BadZipFile) as exc:
        logger.warning("the bundled FAQ's vectors cannot be read (%s); computing them", exc)
        return {}


def write(path: Path, fingerprint: str, vectors: Vectors) -> None:
    """In half precision, which turns a vector by less than .001."""
    keys = sorted(vectors)
    arrays: dict[str, Any] = {
        "fingerprint": np.array(fingerprint),
        "keys": np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, 16),
        "vectors": np.array([vectors[key] for key in keys], dtype=np.float16),
    }
    path.parent.mkdir(exist_ok=True)
    np.savez(path, **arrays)


def main() -> None:
    """Build the bundled index in a folder that is thrown away, and keep every vector that was asked for."""
    from rag.factory.models import load_models
    from rag.factory.stores import ingest_files
    from rag.settings import Settings

    models = load_models(Settings())
    assert models.embed_model, "the vectors are the local embedder's"
    embed_model = StoredVectors(models.embed_model, {})
    manifest_of(embed_model)
    probes = set(embed_model.asked)  # the fingerprint's texts are always computed: it says which embedding runs
    with tempfile.TemporaryDirectory() as folder:
        ingest_files(Path(folder), BUNDLED, replace(models, embed_model=embed_model), [DATA])
    write(
        PATH,
        models.manifest.fingerprint,
        {key: vector for key, vector in embed_model.asked.items() if key not in probes},
    )


if __name__ == "__main__":
    main()
