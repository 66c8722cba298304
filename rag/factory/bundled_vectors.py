"""The bundled FAQ: the name of its index, and its precomputed vectors, so that the first start need not embed it.

`python -m rag.factory.bundled_vectors` writes them again after the FAQ or the embedding model has changed. Vectors are keyed
by a hash of the text, and are only used for the embedding with the same fingerprint. Missing vectors are computed, so that an
outdated file costs time but gives correct results.
"""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr

from rag.ingestion.embedding import manifest_of
from rag.ingestion.pipeline import embedding_window
from rag.models.threads import AsyncFromSync
from rag.retrieval.confidence import defaults
from rag.stores.base import Manifest

if TYPE_CHECKING:
    from rag.factory.models import Models

logger = logging.getLogger(__name__)

BUNDLED = "bundled"
"""The default index name; the directory's name also has a hash of the data and of the embedding."""
_PACKAGED = Path(__file__).resolve().parents[1] / "bundled_faq"
DATA = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).resolve().parents[2] / "data" / "faq"
"""The folder of the bundled FAQ: in the installed package, or in the project folder."""
BUILD_WAIT = 120.0
"""Seconds that a process waits while another one builds the bundled index."""
PATH = DATA.parent / "vectors" / "bundled.npz"
QUERY, PASSAGE = "query", "passage"
Vectors = dict[bytes, list[float]]


def bundled_name(manifest: Manifest, data: Path = DATA) -> str:
    """Return the index name for the bundled FAQ. Another FAQ, embedding, analyzer or default calibration has another name."""
    digest = hashlib.sha256(f"{manifest.fingerprint} {manifest.analyzer} {manifest.schema}".encode())
    # With the default calibration, so that an index of an earlier version is not calibrated in memory at each start.
    digest.update(json.dumps(defaults(dense=manifest.dimension > 0).as_json(), sort_keys=True).encode())
    # Sorted, because a folder may list its files in any order.
    for path in sorted(data.glob("*.csv")):
        digest.update(path.read_bytes())
    return f"{BUNDLED}-{digest.hexdigest()[:12]}"


class StoredVectors(AsyncFromSync, BaseEmbedding):
    """The embedding `inner` with known vectors, for whose texts it is not called.

    `known`: vectors by `text_key`; computed vectors are added to it.
    """

    _inner: BaseEmbedding = PrivateAttr()
    _known: Vectors = PrivateAttr()
    _requested: Vectors = PrivateAttr()

    def __init__(self, inner: BaseEmbedding, known: Vectors) -> None:
        super().__init__(model_name=inner.model_name, embed_batch_size=inner.embed_batch_size)
        self._inner, self._known, self._requested = inner, known, {}

    @property
    def requested(self) -> Vectors:
        """All vectors requested so far, by `text_key`."""
        return self._requested

    @property
    def max_tokens(self) -> int:
        """The window of the embedding, in tokens."""
        return embedding_window(self._inner)[1]

    def token_count(self, text: str) -> int:
        """Count the tokens of a passage as the embedding does."""
        return embedding_window(self._inner)[0](text)

    def _get_query_embedding(self, query: str) -> list[float]:
        key = text_key(QUERY, query)
        if key not in self._known:
            self._known[key] = self._inner.get_query_embedding(query)
        self._requested[key] = self._known[key]
        return self._known[key]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        keys = [text_key(PASSAGE, text) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        self._known.update(zip(missing, self._inner.get_text_embedding_batch(list(missing.values())), strict=True))
        self._requested.update((key, self._known[key]) for key in keys)
        return [self._known[key] for key in keys]


def text_key(kind: str, text: str) -> bytes:
    """Return the key of a vector: 16 bytes of SHA-256 of the kind (QUERY or PASSAGE) and the text."""
    return hashlib.sha256(f"{kind}\0{text}".encode("utf-8", "surrogatepass")).digest()[:16]


def with_stored_vectors(models: Models, path: Path = PATH) -> Models:
    """Return the models with the precomputed vectors, or unchanged if there are none for this embedding."""
    if models.embed_model is None:
        return models
    known = load_vectors(path, models.manifest.fingerprint)
    return replace(models, embed_model=StoredVectors(models.embed_model, known)) if known else models


def load_vectors(path: Path, fingerprint: str) -> Vectors:
    """Return unit vectors by key; empty if the file is missing, damaged or has another fingerprint."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            if str(file["fingerprint"]) != fingerprint:
                return {}
            vectors = file["vectors"].astype(np.float64)
            # Rounding to half precision changed their length slightly.
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            return dict(zip((key.tobytes() for key in file["keys"]), vectors.tolist(), strict=True))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, BadZipFile) as exc:
        logger.warning("cannot read the bundled FAQ's vectors (%s); computing them", exc)
        return {}


def save_vectors(path: Path, fingerprint: str, vectors: Vectors) -> None:
    """Write vectors in half precision, which changes their direction by less than 0.001 radians."""
    keys = sorted(vectors)
    arrays: dict[str, Any] = {
        "fingerprint": np.array(fingerprint),
        "keys": np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(-1, 16),
        "vectors": np.array([vectors[key] for key in keys], dtype=np.float16),
    }
    path.parent.mkdir(exist_ok=True)
    np.savez(path, **arrays)


def main() -> None:
    """Build the bundled index in a temporary folder and save all vectors that were requested."""
    from rag.factory.models import load_models
    from rag.factory.stores import ingest_files
    from rag.settings import Settings

    models = load_models(Settings())
    assert models.embed_model, "the vectors are the local embedder's"
    embed_model = StoredVectors(models.embed_model, {})
    manifest_of(embed_model)
    probes = set(embed_model.requested)  # the texts of the fingerprint, which must always be computed
    with tempfile.TemporaryDirectory() as folder:
        ingest_files(Path(folder), BUNDLED, replace(models, embed_model=embed_model), [DATA])
    save_vectors(
        PATH,
        models.manifest.fingerprint,
        {key: vector for key, vector in embed_model.requested.items() if key not in probes},
    )


if __name__ == "__main__":
    main()
